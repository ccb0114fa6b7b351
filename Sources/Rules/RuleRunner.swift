import Model
import Storage

/// A rule at work, of either kind, with its health.
package final class RuleRunner {
  private enum Work {
    case alert(AlertRuleRunner)
    case recording(RecordingRuleRunner)
    /// The expression could not be planned; every evaluation fails with this.
    case broken(RuleProblem)
  }

  package let definition: RuleDefinition
  /// The expression in canonical form.
  package let queryText: String
  /// Kind, name and configured labels: what carries state over a reload.
  package let identity: String
  private let work: Work
  private(set) var output: RuleOutput
  private var health = RuleHealth.unknown
  private var lastError = ""
  private var lastComplaint = ""
  private var lastEvaluation: Timestamp?
  private var lastDuration = 0.0
  private var lastSamples = 0
  private var lastWarnings: [String] = []
  private var evaluations: UInt64 = 0
  private var failures: UInt64 = 0
  private let environment: RuleEnvironment

  init(_ definition: RuleDefinition, output: RuleOutput, environment: RuleEnvironment) {
    self.definition = definition
    self.output = output
    self.environment = environment
    queryText = definition.expr.description
    identity = definition.identity
    do throws(RuleProblem) {
      switch definition {
      case .alert(let rule):
        work = .alert(try AlertRuleRunner(rule, environment: environment))
      case .recording(let rule):
        work = .recording(try RecordingRuleRunner(rule, environment: environment))
      }
    } catch {
      work = .broken(error)
    }
  }

  /// Evaluates the rule; a failure is part of the result and leaves the state as it was.
  func evaluate(
    at slot: Timestamp, index: Int, group: RuleGroupDefinition, offset: PromDuration
  ) -> RuleEvaluation {
    var result = RuleEvaluation(index: index, rule: definition.name)
    result.query = queryText
    let started = environment.stopwatch()
    do throws(RuleProblem) {
      switch work {
      case .alert(let runner):
        try runner.evaluate(
          at: slot, offset: offset, limit: group.limit, output: output, into: &result)
      case .recording(let runner):
        try runner.evaluate(
          at: slot, offset: offset, limit: group.limit, output: output, into: &result)
      case .broken(let problem): throw problem
      }
    } catch {
      result.problem = error
    }
    takeDue(at: slot, interval: group.interval, into: &result)
    result.duration = environment.stopwatch() - started
    note(&result, at: slot)
    return result
  }

  private func takeDue(
    at slot: Timestamp, interval: PromDuration, into result: inout RuleEvaluation
  ) {
    guard case .alert(let runner) = work else { return }
    if result.problem != nil && !environment.resendsOnFailure { return }
    result.due = SendDecision(resendDelay: environment.resendDelay, interval: interval)
      .takeDue(from: &runner.alerts, at: slot)
  }

  private func note(_ result: inout RuleEvaluation, at slot: Timestamp) {
    let complaint = result.complaint
    result.isNews = complaint != lastComplaint
    lastComplaint = complaint
    evaluations += 1
    lastEvaluation = slot
    lastDuration = result.duration
    lastWarnings = result.warnings
    if let problem = result.problem {
      failures += 1
      health = .err
      lastError = problem.description
    } else {
      health = .ok
      lastError = ""
      lastSamples = result.samples
    }
  }

  /// Takes over the alerts, the series and the health of the runner this one replaces.
  func adopt(_ old: RuleRunner) {
    output = old.output
    health = old.health
    lastError = old.lastError
    lastComplaint = old.lastComplaint
    lastEvaluation = old.lastEvaluation
    lastDuration = old.lastDuration
    lastSamples = old.lastSamples
    evaluations = old.evaluations
    failures = old.failures
    if case .alert(let new) = work, case .alert(let before) = old.work {
      new.adopt(before)
    }
  }

  /// The alerts, resolved ones within their retention included.
  package var alerts: AlertTable {
    guard case .alert(let runner) = work else { return AlertTable() }
    return runner.alerts
  }

  /// Takes saved alerts over and answers how many; a rule that has alerts already keeps its own.
  ///
  /// Until `patience` the absence of one of them from the result does not end it.
  package func restore(_ saved: [AlertInstance], patience: Timestamp) -> Int {
    guard case .alert(let runner) = work, runner.alerts.isEmpty else { return 0 }
    runner.restore(saved, patience: patience)
    return saved.count
  }

  /// Ends the alerts of a rule that is gone.
  package func resolveAll(
    at now: Timestamp
  ) -> (transitions: [AlertTransition], due: [AlertInstance]) {
    guard case .alert(let runner) = work else { return ([], []) }
    return runner.resolveAll(at: now)
  }

  /// Ends the rule's series at `time`; the rule is not used any more.
  package func end(at time: Timestamp) { output.end(at: time) }

  /// Unregisters the plan's selectors.
  func close() {
    switch work {
    case .alert(let runner): runner.close()
    case .recording(let runner): runner.close()
    case .broken: break
    }
  }

  /// What the API shows.
  func report(group: RuleGroupDefinition) -> RuleReport {
    var report = RuleReport(
      kind: .recording, name: definition.name, query: queryText, labels: definition.labels,
      health: health, lastError: lastError, evaluationTime: lastDuration,
      lastEvaluation: lastEvaluation, samples: lastSamples, evaluations: evaluations,
      failures: failures, warnings: lastWarnings, line: definition.line, state: .inactive,
      holdDuration: .zero, keepFiringFor: .zero, annotations: [], alerts: [])
    guard case .alert(let rule) = definition else { return report }
    report.kind = .alerting
    report.holdDuration = rule.holdDuration
    report.keepFiringFor = rule.keepFiringFor
    report.annotations = rule.annotations.map { Label(name: $0.name, value: $0.text) }
    report.state = lastEvaluation == nil ? .unknown : RuleState(alerts.state)
    report.alerts = alerts.instances.filter(\.isActive)
      .sorted { $0.labels < $1.labels }
      .map { AlertReport($0, rule: rule.name, group: group.name, file: group.file) }
    return report
  }
}

extension RuleState {
  /// The state of an evaluated rule.
  package init(_ state: AlertState) {
    switch state {
    case .inactive: self = .inactive
    case .pending: self = .pending
    case .firing: self = .firing
    }
  }
}
