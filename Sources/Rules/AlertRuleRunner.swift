import Model
import Storage
import Template

/// An alert rule at work: its plan, its alerts and the series it writes about them.
final class AlertRuleRunner {
  /// The columns of one alert's synthetic series.
  private struct Columns {
    var pending: Column?
    var firing: Column?
    var forState: Column?
  }

  let rule: AlertRule
  private let environment: RuleEnvironment
  private let query: RuleQuery
  private let queries: TemplateQueries
  private var fields: AlertFields
  private var knownExternalLabels: LabelSet
  private var columns: [LabelSet: Columns] = [:]
  /// The rule's labels, templates unexpanded.
  private let configured: [Label]
  var alerts = AlertTable()
  /// Restored alerts that no evaluation has seen yet, and until when that is no reason to end them.
  private var unseen: Set<LabelSet> = []
  private var patience: Timestamp?

  init(_ rule: AlertRule, environment: RuleEnvironment) throws(RuleProblem) {
    self.rule = rule
    configured = rule.labels.map { Label(name: $0.name, value: $0.text) }
    self.environment = environment
    query = try RuleQuery(rule.expr, environment: environment)
    queries = TemplateQueries(environment: environment)
    fields = AlertFields(rule)
    knownExternalLabels = environment.externalLabels
    for field in rule.labels + rule.annotations { queries.prepare(field.template) }
  }

  /// Evaluates at `slot`, asking the store about `slot − offset`, and writes the synthetic series.
  func evaluate(
    at slot: Timestamp, offset: PromDuration, limit: Int, output: RuleOutput,
    into result: inout RuleEvaluation
  ) throws(RuleProblem) {
    let machine = AlertMachine(
      holdDuration: rule.holdDuration, keepFiringFor: rule.keepFiringFor, limit: limit,
      onLimitBreach: environment.onLimitBreach)
    let observed = try observe(at: slot, offset: offset, into: &result)
    if let end = patience, slot >= end { seeAll() }
    result.transitions = try machine.step(
      &alerts, observed: observed, sparing: unseen, at: slot)
    if !unseen.isEmpty { unseen.subtract(observed.map(\.labels)) }
    forgetColumns()
    write(at: slot - offset, to: output, into: &result)
  }

  /// Takes saved alerts over; until `patience` one that is not in the result stands still.
  ///
  /// After a restart the store is empty: what an expression does not yield may just not be scraped
  /// yet.
  func restore(_ saved: [AlertInstance], patience end: Timestamp) {
    alerts = AlertTable(saved)
    // An alert that only `keep_firing_for` kept had left the result already.
    unseen = Set(saved.filter { $0.isActive && $0.keepFiringSince == nil }.map(\.labels))
    patience = end
  }

  private func seeAll() {
    unseen = []
    patience = nil
  }

  /// Takes over what the runner that this one replaces knows.
  func adopt(_ old: AlertRuleRunner) {
    alerts = old.alerts
    unseen = old.unseen
    patience = old.patience
  }

  /// The result of the expression with labels and annotations expanded.
  private func observe(
    at slot: Timestamp, offset: PromDuration, into result: inout RuleEvaluation
  ) throws(RuleProblem) -> [AlertCandidate] {
    if knownExternalLabels != environment.externalLabels {
      knownExternalLabels = environment.externalLabels
      fields.forget()
    }
    let queries = queries
    let expander = FieldExpander(
      externalLabels: environment.externalLabels, externalURL: environment.externalURL,
      context: TemplateContext(time: slot, externalURL: environment.externalURL) {
        try queries.answer($0, at: $1)
      })
    var observed: [AlertCandidate] = []
    try query.run(at: slot - offset, warnings: &result.warnings) { place, labels, value in
      observed.append(
        fields.candidate(slot: place, labels: labels, value: value, expander: expander))
    }
    result.templateProblems = expander.problems
    result.templateExpansions = expander.expansions
    return observed
  }

  private func write(at time: Timestamp, to output: RuleOutput, into result: inout RuleEvaluation) {
    output.begin(at: time)
    for alert in alerts.instances where alert.isActive {
      var known = columns[alert.labels] ?? Columns()
      if alert.state == .pending {
        _ = output.put(
          .float(1),
          labels: SyntheticSeries.alertSeries(
            alert.labels, configured: configured, rule: rule.name, state: .pending),
          column: &known.pending)
      } else {
        _ = output.put(
          .float(1),
          labels: SyntheticSeries.alertSeries(
            alert.labels, configured: configured, rule: rule.name, state: .firing),
          column: &known.firing)
      }
      _ = output.put(
        .float(SyntheticSeries.stateValue(alert.activeAt)),
        labels: SyntheticSeries.stateSeries(
          alert.labels, configured: configured, rule: rule.name),
        column: &known.forState)
      columns[alert.labels] = known
    }
    result.samples = output.written
    if let problem = output.commit() { result.appendProblem = problem }
  }

  /// Keeps the memory of columns in step with the alerts it is about.
  private func forgetColumns() {
    if columns.count <= alerts.instances.count + 64 { return }
    columns = columns.filter { alerts.position(of: $0.key) != nil }
  }

  /// Ends all alerts of a rule that is gone; returns those whose receivers must hear of it.
  func resolveAll(at now: Timestamp) -> (transitions: [AlertTransition], due: [AlertInstance]) {
    var transitions: [AlertTransition] = []
    var due: [AlertInstance] = []
    for alert in alerts.instances where alert.isActive {
      var ended = alert
      ended.state = .inactive
      transitions.append(
        AlertTransition(ended, from: alert.state, to: .inactive, at: now, reason: .ruleRemoved))
      if alert.state == .firing, alert.lastSentAt != nil {
        ended.resolvedAt = now
        ended.lastSentAt = now
        due.append(ended)
      }
    }
    alerts.removeAll()
    return (transitions, due)
  }

  func close() {
    query.close()
    queries.close()
  }
}
