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
  let query: RuleQuery
  private let queries: TemplateQueries
  private var fields: AlertFields
  private var knownExternalLabels: LabelSet
  private var columns: [LabelSet: Columns] = [:]
  /// The rule's labels, templates unexpanded.
  private let configured: [Label]
  var alerts = AlertTable()
  /// Restored alerts that no evaluation has seen yet, and how long that is no reason to end them.
  private var unseen: Set<LabelSet> = []
  private var patience: Patience?
  /// What tocsin.yml says about the rule.
  var policy: AlertPolicy?
  private var watch: PolicyWatch?
  private var lastEvaluation: Timestamp?

  init(_ rule: AlertRule, environment: RuleEnvironment) throws(RuleProblem) {
    self.rule = rule
    configured = rule.labels.map { Label(name: $0.name, value: $0.text) }
    self.environment = environment
    query = try RuleQuery(rule.expr, place: rule.place, environment: environment)
    queries = TemplateQueries(environment: environment)
    fields = AlertFields(rule)
    knownExternalLabels = environment.externalLabels
    for field in rule.labels + rule.annotations { queries.prepare(field.template) }
  }

  /// Computes the expression's result at a time; see `RuleQuery`.
  func compute(at time: Timestamp) { query.compute(at: time) }
  var cost: RuleCost { query.cost }

  /// Moves the alerts to `slot` by what was computed for `slot − offset`, and writes the synthetic
  /// series there.
  func commit(
    at slot: Timestamp, offset: PromDuration, group: RuleGroupDefinition, output: RuleOutput,
    into result: inout RuleEvaluation
  ) throws(RuleProblem) {
    if patience?.isOver(at: slot, interval: group.interval) == true { seeAll() }
    let expander = expander(at: slot)
    let observed = try observe(expander, into: &result)
    result.observed = observed
    let verdict = judge(observed, at: slot - offset, expander: expander)
    result.templateProblems = expander.problems
    result.templateExpansions = expander.expansions
    freeze(verdict.frozen, at: slot)
    result.transitions = try machine(limit: group.limit).step(
      &alerts, observed: observed + verdict.added,
      sparing: unseen.union(verdict.spared.keys), at: slot)
    // In any order: each marks its own alert.
    for (labels, basis) in verdict.spared {
      if let place = alerts.position(of: labels) { alerts.update(at: place) { $0.basis = basis } }
    }
    if !unseen.isEmpty { unseen.subtract(observed.map(\.labels)) }
    lastEvaluation = slot
    forgetColumns()
    write(at: slot - offset, to: output, into: &result)
  }

  private func machine(limit: Int) -> AlertMachine {
    AlertMachine(
      holdDuration: rule.holdDuration, keepFiringFor: rule.keepFiringFor, limit: limit,
      onLimitBreach: environment.onLimitBreach)
  }

  /// What the rule's policy makes of the result; nothing where it is Prometheus' own.
  private func judge(
    _ observed: [AlertCandidate], at time: Timestamp, expander: FieldExpander
  ) -> PolicyVerdict {
    guard let policy, policy.onNoData != .resolve || policy.forWhileTargetDown != .run else {
      return PolicyVerdict()
    }
    let watch = watch ?? PolicyWatch(rule, environment: environment)
    self.watch = watch
    return watch.judge(alerts, observed: observed, policy: policy, at: time) {
      fields.candidate(labels: $0, value: .nan, basis: .noData, expander: expander)
    }
  }

  /// Takes the time since the last evaluation out of the age of alerts whose `for` stands still.
  ///
  /// - Note: As Prometheus treats downtime: the alert's beginning moves.
  private func freeze(_ frozen: Set<LabelSet>, at slot: Timestamp) {
    guard let last = lastEvaluation, last < slot else { return }
    for labels in frozen {
      guard let place = alerts.position(of: labels) else { continue }
      alerts.update(at: place) { $0.activeAt = $0.activeAt + (slot - max(last, $0.activeAt)) }
    }
  }

  /// Treats a failed evaluation as a condition that holds: `on_error: fire`.
  ///
  /// Active alerts go on; where there is none the rule itself becomes one, with its own labels
  /// only.
  func fire(
    at slot: Timestamp, offset: PromDuration, output: RuleOutput,
    into result: inout RuleEvaluation
  ) {
    var observed = alerts.instances.filter(\.isActive).map {
      AlertCandidate(
        labels: $0.labels, annotations: $0.annotations, value: $0.value, basis: .error)
    }
    if observed.isEmpty {
      observed = [
        fields.candidate(
          labels: .empty, value: .nan, basis: .error, expander: expander(at: slot))
      ]
    }
    guard let transitions = try? machine(limit: 0).step(&alerts, observed: observed, at: slot)
    else { return }
    result.transitions = transitions
    lastEvaluation = slot
    write(at: slot - offset, to: output, into: &result)
  }

  /// Takes saved alerts over; while `patience` lasts one that is not in the result stands still.
  ///
  /// After a restart the store is empty: what an expression does not yield may just not be scraped
  /// yet.
  func restore(_ saved: [AlertInstance], patience: Patience) {
    alerts = AlertTable(saved)
    // An alert that only `keep_firing_for` kept had left the result already.
    unseen = Set(saved.filter { $0.isActive && $0.keepFiringSince == nil }.map(\.labels))
    self.patience = patience
  }

  /// Lets active alerts stand still while `patience` lasts: what the expression selects was not
  /// kept so far and is on its way.
  func awaitData(_ patience: Patience) {
    unseen = Set(
      alerts.instances.filter { $0.isActive && $0.keepFiringSince == nil }.map(\.labels))
    self.patience = patience
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
    lastEvaluation = old.lastEvaluation
  }

  private func expander(at slot: Timestamp) -> FieldExpander {
    if knownExternalLabels != environment.externalLabels {
      knownExternalLabels = environment.externalLabels
      fields.forget()
    }
    let queries = queries
    return FieldExpander(
      externalLabels: environment.externalLabels, externalURL: environment.externalURL,
      context: TemplateContext(time: slot, externalURL: environment.externalURL) {
        try queries.answer($0, at: $1)
      })
  }

  /// The result of the expression with labels and annotations expanded.
  private func observe(
    _ expander: FieldExpander, into result: inout RuleEvaluation
  ) throws(RuleProblem) -> [AlertCandidate] {
    var observed: [AlertCandidate] = []
    try query.take(warnings: &result.warnings) { place, labels, value in
      observed.append(
        fields.candidate(slot: place, labels: labels, value: value, expander: expander))
    }
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
