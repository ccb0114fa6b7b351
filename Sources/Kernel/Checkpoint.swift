import Model
import Rules

/// The alerts of one rule, as they survive a restart.
package struct RuleCheckpoint: Sendable {
  /// `file;name` of the group.
  package var group: String
  /// Kind, name and labels of the rule.
  package var rule: String
  /// Which of several rules of that identity, from 0.
  package var ordinal: Int
  package var alerts: [AlertInstance]

  package init(group: String, rule: String, ordinal: Int, alerts: [AlertInstance]) {
    self.group = group
    self.rule = rule
    self.ordinal = ordinal
    self.alerts = alerts
  }
}

/// The state of all alerts at one time.
package struct AlertCheckpoint: Sendable {
  package var time: Timestamp
  package var rules: [RuleCheckpoint]

  package init(time: Timestamp, rules: [RuleCheckpoint]) {
    self.time = time
    self.rules = rules
  }
}

extension GroupScheduler {
  /// All alerts, resolved ones within their retention included.
  func checkpoint(at time: Timestamp) -> AlertCheckpoint {
    var rules: [RuleCheckpoint] = []
    for group in groups {
      var seen: [String: Int] = [:]
      for rule in group.runner.rules {
        let ordinal = seen[rule.identity, default: 0]
        seen[rule.identity] = ordinal + 1
        let alerts = rule.alerts.instances
        if alerts.isEmpty { continue }
        rules.append(
          RuleCheckpoint(
            group: group.definition.key, rule: rule.identity, ordinal: ordinal, alerts: alerts))
      }
    }
    return AlertCheckpoint(time: time, rules: rules)
  }

  /// Puts saved alerts back into the rules they belong to; answers how many found theirs.
  ///
  /// A rule that has alerts of its own already keeps them.
  func restore(_ checkpoint: AlertCheckpoint) -> Int {
    var restored = 0
    for saved in checkpoint.rules {
      guard let group = groups.first(where: { ByteOrder.equal($0.definition.key, saved.group) })
      else { continue }
      let rules = group.runner.rules.filter { ByteOrder.equal($0.identity, saved.rule) }
      guard rules.indices.contains(saved.ordinal) else { continue }
      let rule = rules[saved.ordinal]
      if !rule.alerts.isEmpty { continue }
      rule.alerts = AlertTable(saved.alerts)
      restored += saved.alerts.count
    }
    return restored
  }
}

extension Kernel {
  /// All alerts as they shall survive a restart.
  package func checkpoint(at time: Timestamp) -> AlertCheckpoint { scheduler.checkpoint(at: time) }

  /// Puts saved alerts back into their rules and answers how many found theirs.
  ///
  /// Call it after the first reload. Nothing starts over: `for`, firing and `keep_firing_for` go on from where they were.
  @discardableResult
  package func restore(_ checkpoint: AlertCheckpoint) -> Int { scheduler.restore(checkpoint) }
}
