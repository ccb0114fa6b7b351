import Engine
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

  package private(set) var definition: RuleDefinition
  /// What stands in the file in the rule's stead and cannot be loaded: this is its last good
  /// version.
  package internal(set) var quarantine: QuarantinedRule?
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
  /// Seconds all evaluations took.
  private var totalDuration = 0.0
  private var lastSamples = 0
  private var lastWarnings: [String] = []
  private var evaluations: UInt64 = 0
  private var failures: UInt64 = 0
  /// Seconds the first half of the evaluation took.
  private(set) var computing = 0.0
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
    obeyPolicies()
  }

  /// Finds the policy the rule obeys from now on.
  func obeyPolicies() {
    guard case .alert(let runner) = work, case .alert(let rule) = definition else { return }
    runner.policy = environment.policies.isEmpty ? nil : environment.policies.policy(for: rule)
  }

  /// Takes over where an equal rule stands now.
  func move(to equal: RuleDefinition) {
    definition = equal
    quarantine = nil
  }

  /// The first half of an evaluation: computes what the expression yields at a time.
  ///
  /// Reads the store and writes nothing but the rule's own buffers: rules that do not depend on
  /// each other may do this side by side.
  func compute(at time: Timestamp) {
    let started = environment.stopwatch()
    switch work {
    case .alert(let runner): runner.compute(at: time)
    case .recording(let runner): runner.compute(at: time)
    case .broken: break
    }
    computing = environment.stopwatch() - started
  }

  private var query: RuleQuery? {
    switch work {
    case .alert(let runner): runner.query
    case .recording(let runner): runner.query
    case .broken: nil
    }
  }

  /// Changes whenever a selector of the rule gains or loses a member.
  var membershipVersion: UInt64 { query?.membershipVersion ?? 0 }

  /// Adds who writes what the rule reads.
  func add(feedersTo feeders: inout FeedingSources) { query?.add(feedersTo: &feeders) }

  /// Whether the rule's plan evaluates parts together with other rules'.
  var isSharing: Bool { query?.isSharing ?? false }

  /// From now on the rule has these parts in common with others of its group; nil for none.
  func share(_ scope: SharingScope?) { query?.share(scope) }

  private var cost: RuleCost {
    switch work {
    case .alert(let runner): runner.cost
    case .recording(let runner): runner.cost
    case .broken: RuleCost()
    }
  }

  /// The second half: moves the state and writes the results of what was computed for
  /// `slot − offset`, in the order of the rules.
  ///
  /// A failure is part of the result and leaves the state as it was.
  func commit(
    at slot: Timestamp, index: Int, group: RuleGroupDefinition, offset: PromDuration
  ) -> RuleEvaluation {
    var result = RuleEvaluation(index: index, rule: definition.name)
    result.query = queryText
    let started = environment.stopwatch()
    do throws(RuleProblem) {
      switch work {
      case .alert(let runner):
        try runner.commit(
          at: slot, offset: offset, group: group, output: output, into: &result)
      case .recording(let runner):
        try runner.commit(
          at: slot - offset, limit: group.limit, output: output, into: &result)
      case .broken(let problem): throw problem
      }
    } catch {
      result.problem = error
      if case .alert(let runner) = work, runner.policy?.onError == .fire {
        runner.fire(at: slot, offset: offset, output: output, into: &result)
      }
    }
    takeDue(at: slot, interval: group.interval, into: &result)
    result.duration = computing + environment.stopwatch() - started
    result.cost = cost
    note(&result, at: slot)
    environment.inspector?.sawEvaluation(
      RuleSighting(group: group, slot: slot, offset: offset, evaluation: result))
    return result
  }

  private func takeDue(
    at slot: Timestamp, interval: PromDuration, into result: inout RuleEvaluation
  ) {
    guard case .alert(let runner) = work else { return }
    let stands = environment.resendsOnFailure || runner.policy?.onError == .fire
    if result.problem != nil && !stands { return }
    result.due = SendDecision(resendDelay: environment.resendDelay, interval: interval)
      .takeDue(from: &runner.alerts, at: slot)
  }

  /// The firing alerts that are to be told again lest receivers take them for resolved before the
  /// rule's next evaluation.
  package func renew(
    at now: Timestamp, next slot: Timestamp, interval: PromDuration
  ) -> [AlertInstance] {
    guard case .alert(let runner) = work, !runner.alerts.isEmpty else { return [] }
    let delay = environment.resendDelay
    return SendDecision(resendDelay: delay, interval: interval)
      .renew(in: &runner.alerts, expiringBefore: slot + delay, at: now)
  }

  private func note(_ result: inout RuleEvaluation, at slot: Timestamp) {
    let complaint = result.complaint
    result.isNews = complaint != lastComplaint
    lastComplaint = complaint
    evaluations += 1
    lastEvaluation = slot
    lastDuration = result.duration
    totalDuration += result.duration
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
    totalDuration = old.totalDuration
    lastSamples = old.lastSamples
    evaluations = old.evaluations
    failures = old.failures
    if case .alert(let new) = work, case .alert(let before) = old.work {
      new.adopt(before)
    }
  }

  /// While `patience` lasts the absence of an alert from the result does not end it.
  func awaitData(_ patience: Patience) {
    if case .alert(let runner) = work { runner.awaitData(patience) }
  }

  /// The alerts, resolved ones within their retention included.
  package var alerts: AlertTable {
    guard case .alert(let runner) = work else { return AlertTable() }
    return runner.alerts
  }

  /// Takes saved alerts over and answers how many; a rule that has alerts already keeps its own.
  ///
  /// While `patience` lasts the absence of one of them from the result does not end it.
  package func restore(_ saved: [AlertInstance], patience: Patience) -> Int {
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
    report.cost = cost
    report.totalTime = totalDuration
    if let quarantine {
      report.quarantine = quarantine.message
      report.health = .err
      report.lastError = quarantine.message
      report.line = quarantine.line
    }
    guard case .alert(let rule) = definition else { return report }
    report.kind = .alerting
    report.holdDuration = rule.holdDuration
    report.keepFiringFor = rule.keepFiringFor
    report.annotations = rule.annotations.map { Label(name: $0.name, value: $0.text) }
    report.state = lastEvaluation == nil ? .unknown : RuleState(alerts.state)
    if case .alert(let runner) = work { report.policy = runner.policy }
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
