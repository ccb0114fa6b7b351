import Model

/// What a reload would do to one alert.
package struct AlertForecast: Sendable, Hashable {
  /// What becomes of the alert.
  package enum Outcome: String, Sendable, Hashable, CaseIterable {
    /// It stays as it is.
    case kept
    /// It goes back to pending.
    case reset
    /// It ends, and receivers are told.
    case resolved
    /// It would begin.
    case new
  }

  package var outcome: Outcome
  /// Why, for people.
  package var reason: String
  package var file: String
  package var group: String
  package var rule: String
  package var labels: LabelSet
  /// Before the reload; for a new alert what it would be.
  package var state: AlertState
  package var activeAt: Timestamp
}

/// What a reload would do to all alerts.
package struct ReloadForecast: Sendable, Hashable {
  package var alerts: [AlertForecast] = []
  /// What could not be foreseen, and why.
  package var remarks: [String] = []
  package var unchangedGroups = 0
  package var changedGroups = 0
  package var addedGroups = 0
  package var removedGroups = 0

  package init() {}
}

/// Looks ahead to a reload: does all of it but the change.
package struct ReloadForecaster {
  package private(set) var forecast = ReloadForecast()
  private let environment: RuleEnvironment
  private let now: Timestamp

  /// Looks ahead; `environment` is that after the reload, on the store of now.
  package init(
    from old: [RuleGroupRunner], to definitions: [RuleGroupDefinition],
    environment: RuleEnvironment, at now: Timestamp
  ) {
    self.environment = environment
    self.now = now
    var known: [String: RuleGroupRunner] = [:]
    for group in old { known[group.definition.key] = group }
    var changed: [RuleGroupDefinition] = []
    var going = old
    for definition in definitions {
      if let before = known[definition.key], before.isSame(as: definition) {
        forecast.unchangedGroups += 1
        going.removeAll { $0 === before }
        for rule in before.rules { keep(rule, before.definition, "the group is unchanged") }
      } else {
        changed.append(definition)
      }
    }
    let succession = RuleSuccession(from: going, to: changed)
    for (group, predecessors) in zip(changed, succession.predecessors) {
      if known[group.key] == nil { forecast.addedGroups += 1 } else { forecast.changedGroups += 1 }
      for (entry, before) in zip(group.entries, predecessors) { look(entry, before, group) }
    }
    forecast.removedGroups = going.count - forecast.changedGroups
    for (rule, group) in succession.orphans { resolve(rule, group, changed) }
  }

  /// Notes the alerts of groups that stay because their file cannot be read.
  package mutating func hold(_ groups: [RuleGroupRunner]) {
    for group in groups {
      forecast.unchangedGroups += 1
      for rule in group.rules {
        keep(rule, group.definition, "the file cannot be read: the group runs on")
      }
    }
  }

  private mutating func add(
    _ outcome: AlertForecast.Outcome, _ alert: AlertInstance, _ rule: String,
    _ group: RuleGroupDefinition, _ reason: String
  ) {
    forecast.alerts.append(
      AlertForecast(
        outcome: outcome, reason: reason, file: group.file, group: group.name, rule: rule,
        labels: alert.labels, state: alert.state, activeAt: alert.activeAt))
  }

  private mutating func keep(
    _ rule: RuleRunner, _ group: RuleGroupDefinition, _ reason: String
  ) {
    for alert in rule.activeAlerts { add(.kept, alert, rule.definition.name, group, reason) }
  }

  private mutating func look(
    _ entry: RuleEntry, _ before: RuleRunner?, _ group: RuleGroupDefinition
  ) {
    switch entry {
    case .quarantined:
      if let before {
        keep(before, group, "the rule has errors: its last good version runs on")
      }
    case .rule(let rule):
      if let before, before.definition.isSame(as: rule) {
        keep(before, group, "the rule is unchanged")
      } else if case .alert(let alert) = rule {
        evaluate(alert, before, group)
      }
    }
  }

  private mutating func evaluate(
    _ rule: AlertRule, _ before: RuleRunner?, _ group: RuleGroupDefinition
  ) {
    let empty = RuleTrial.emptySelectors(of: rule.expr, in: environment.store)
    for matchers in empty {
      let text = matchers.map(\.description).joined(separator: ",")
      forecast.remarks.append(
        "\(group.name)/\(rule.name): no series kept for {\(text)}: its data are collected after "
          + "the reload")
    }
    let table = before?.alerts ?? AlertTable()
    let trial = RuleTrial(
      rule, from: table, limit: group.limit,
      offset: group.queryOffset ?? environment.queryOffset, environment: environment, at: now)
    if let problem = trial.problem {
      forecast.remarks.append("\(group.name)/\(rule.name): the evaluation fails: \(problem)")
    }
    for alert in table.instances where alert.isActive {
      let after = trial.alerts.position(of: alert.labels).map { trial.alerts.instances[$0] }
      let (outcome, reason) = verdict(alert, after, isBlind: !empty.isEmpty)
      add(outcome, alert, rule.name, group, reason)
    }
    for alert in trial.alerts.instances where alert.isActive {
      let known = table.position(of: alert.labels).map { table.instances[$0].isActive } ?? false
      if known { continue }
      add(
        .new, alert, rule.name, group,
        before == nil
          ? "the rule is new and its expression holds" : "the changed expression holds")
    }
  }

  private func verdict(
    _ alert: AlertInstance, _ after: AlertInstance?, isBlind: Bool
  ) -> (AlertForecast.Outcome, String) {
    switch (alert.state, after?.state) {
    case (.firing, .pending): (.reset, "`for` is longer than the alert is old")
    case (.pending, .firing): (.kept, "the rule has changed: the alert fires")
    case (_, .firing), (_, .pending): (.kept, "the rule has changed, the alert stands")
    default:
      isBlind
        ? (.kept, "the rule has changed: the alert stands until there are data")
        : (.resolved, "the changed expression does not hold")
    }
  }

  private mutating func resolve(
    _ rule: RuleRunner, _ group: RuleGroupDefinition, _ changed: [RuleGroupDefinition]
  ) {
    let name = rule.definition.name
    let isRelabelled = changed.contains { other in
      ByteOrder.equal(other.key, group.key)
        && other.rules.contains { ByteOrder.equal($0.name, name) }
    }
    for alert in rule.activeAlerts {
      add(
        .resolved, alert, name, group,
        isRelabelled ? "the rule's labels have changed" : "the rule is gone")
    }
  }
}

extension RuleRunner {
  /// The pending and firing alerts by label set.
  var activeAlerts: [AlertInstance] {
    alerts.instances.filter(\.isActive).sorted { $0.labels < $1.labels }
  }
}
