import Engine
import Model
import PromQL
import Storage

/// What a rule's policy makes of one evaluation.
struct PolicyVerdict {
  /// Alerts that stand still although they are not in the result, and why.
  var spared: [LabelSet: AlertBasis] = [:]
  /// What the policy adds to the result.
  var added: [AlertCandidate] = []
  /// Pending alerts whose `for` stands still.
  var frozen: Set<LabelSet> = []
}

/// Applies the policy of one alert rule; knows what of the data behind it was seen before.
final class PolicyWatch {
  private let rule: AlertRule
  private let environment: RuleEnvironment
  /// Nil where the expression's own result says all.
  private let question: Plan?
  private let inputs: [[Matcher]]
  /// Label names that the rule sets, and those of them whose text is a template.
  private let ownNames: [String]
  private let expandedNames: [String]
  private let literals: [Label]
  /// With `on_no_data: fire`: the elements that have had data, by key.
  private var known: [LabelSet: LabelSet] = [:]
  /// Targets known to feed the rule while alerts are pending.
  private var feeders: Set<LabelSet> = []

  init(_ rule: AlertRule, environment: RuleEnvironment) {
    self.rule = rule
    self.environment = environment
    question = DataPresence.question(for: rule.expr).flatMap {
      try? Plan($0, store: environment.store, settings: environment.engine, standing: false)
    }
    inputs = DataPresence.inputs(of: rule.expr)
    ownNames = rule.labels.map(\.name) + [LabelName.alertName]
    var expanded = [LabelName.alertName]
    var literals: [Label] = []
    for field in rule.labels {
      if FieldDependence(of: field.text) == .nothing {
        literals.append(Label(name: field.name, value: field.text))
      } else {
        expanded.append(field.name)
      }
    }
    expandedNames = expanded
    self.literals = literals
  }

  /// What recognises an alert whatever its templates expanded to.
  private func key(ofAlert labels: LabelSet) -> LabelSet { labels.dropping(expandedNames) }

  /// The same for an element of the expression.
  private func key(ofElement labels: LabelSet) -> LabelSet {
    LabelSet(labels: labels.withoutMetricName.labels + literals).dropping(expandedNames)
  }

  /// Looks at what an evaluation at `time` left out.
  ///
  /// `expand` makes the alert of an element that is gone.
  func judge(
    _ alerts: AlertTable, observed: [AlertCandidate], policy: AlertPolicy, at time: Timestamp,
    expand: (LabelSet) -> AlertCandidate
  ) -> PolicyVerdict {
    var verdict = PolicyVerdict()
    if policy.forWhileTargetDown == .freeze { freeze(alerts, at: time, &verdict) }
    if policy.onNoData != .resolve {
      missing(alerts, observed, policy.onNoData, at: time, &verdict, expand)
    }
    let present = Set(observed.map(\.labels))
    for labels in verdict.frozen where !present.contains(labels) {
      verdict.spared[labels] = .targetDown
    }
    return verdict
  }

  // MARK: for_while_target_down

  private func freeze(_ alerts: AlertTable, at time: Timestamp, _ verdict: inout PolicyVerdict) {
    let pending = alerts.instances.filter { $0.state == .pending }
    if pending.isEmpty {
      feeders = []
      return
    }
    let targets = environment.targetStates(at: time)
    learnFeeders(targets)
    let down = targets.down.filter { feeders.contains($0) }
    if down.isEmpty { return }
    for alert in pending
    where down.contains(where: {
      TargetStates.agree($0, alert.labels, ignoring: ownNames)
    }) {
      verdict.frozen.insert(alert.labels)
    }
  }

  /// Remembers the targets whose series the expression selects, as long as the store has them:
  /// those of a target that is down fade from it.
  private func learnFeeders(_ targets: TargetStates) {
    for matchers in inputs {
      let unknown = targets.scraped.filter { !feeders.contains($0) }
      if unknown.isEmpty { return }
      var byInstance: [String: [LabelSet]] = [:]
      for target in unknown {
        byInstance[target.value(of: LabelName.instance), default: []].append(target)
      }
      for member in environment.store.select(matchers).members {
        let name = member.labels.metricName ?? ""
        if DataPresence.isAboutScrapes(name) { continue }
        for target in byInstance[member.labels.value(of: LabelName.instance)] ?? []
        where target.labels.allSatisfy({
          ByteOrder.equal(member.labels.value(of: $0.name), $0.value)
        }) {
          feeders.insert(target)
        }
      }
    }
  }

  // MARK: on_no_data

  private func missing(
    _ alerts: AlertTable, _ observed: [AlertCandidate], _ policy: AlertPolicy.OnNoData,
    at time: Timestamp, _ verdict: inout PolicyVerdict, _ expand: (LabelSet) -> AlertCandidate
  ) {
    guard let question else { return }
    let seen = Set(observed.map { key(ofAlert: $0.labels) })
    let absent = alerts.instances.filter { alert in
      alert.isActive && alert.keepFiringSince == nil && !seen.contains(key(ofAlert: alert.labels))
    }
    if absent.isEmpty && policy == .hold { return }
    guard let elements = elements(question, at: time) else { return }
    var present: [LabelSet: LabelSet] = [:]
    for labels in elements { present[key(ofElement: labels)] = labels }
    let targets = environment.targetStates(at: time)
    var told: Set<LabelSet> = []
    for alert in absent {
      let key = key(ofAlert: alert.labels)
      if present[key] != nil || isOfFailure(alert)
        || targets.hasLeft(alert.labels, ignoring: ownNames)
      {
        continue
      }
      told.insert(key)
      if policy == .hold {
        verdict.spared[alert.labels] = .noData
      } else {
        verdict.added.append(
          AlertCandidate(
            labels: alert.labels, annotations: alert.annotations, value: alert.value,
            basis: .noData))
      }
    }
    if policy == .fire { fire(present, told.union(seen), targets, &verdict, expand) }
  }

  /// Begins alerts for elements that had data and have none now.
  private func fire(
    _ present: [LabelSet: LabelSet], _ told: Set<LabelSet>, _ targets: TargetStates,
    _ verdict: inout PolicyVerdict, _ expand: (LabelSet) -> AlertCandidate
  ) {
    let lost = known.filter { present[$0.key] == nil && !told.contains($0.key) }
    for (key, labels) in lost.sorted(by: { $0.key < $1.key }) {
      if targets.hasLeft(labels, ignoring: ownNames) {
        known[key] = nil
      } else {
        verdict.added.append(expand(labels))
      }
    }
    known.merge(present) { $1 }
  }

  /// Whether an alert stands only for a rule that failed: it has no data of its own to lose.
  private func isOfFailure(_ alert: AlertInstance) -> Bool {
    alert.basis == .error && alert.labels.dropping(ownNames).isEmpty
  }

  /// The elements that have data; nil where the question cannot be answered.
  private func elements(_ question: Plan, at time: Timestamp) -> [LabelSet]? {
    guard let result = try? question.instant(at: time), case .vector(let found) = result.value
    else { return nil }
    return found.map(\.labels)
  }
}
