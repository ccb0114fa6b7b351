import Model
import PromQL
import Rules

/// Breaks rules and groups as people do with a slip in a file, and mends them again.
extension RuleWriter {
  /// Makes a rule one that cannot be loaded.
  mutating func breakRule(of group: inout RuleGroupDefinition) {
    let place = pick(group.rules.count)
    var position = 0
    var passed = 0
    for entry in group.entries {
      if case .rule = entry {
        if passed == place { break }
        passed += 1
      }
      position += 1
    }
    var broken = Self.broken(group.rules.remove(at: place), position, "could not parse expression")
    // What can be read of it may be less: no labels, not even a name.
    if happens(20) {
      broken.labels = []
    } else if happens(20) {
      (broken.name, broken.kind, broken.labels) = ("", nil, [])
    }
    group.quarantined.append(broken)
  }

  /// Tells the broken rules of a group where they stand.
  static func number(_ group: inout RuleGroupDefinition) {
    group.quarantined = group.entries.enumerated().compactMap { position, entry in
      guard case .quarantined(var rule) = entry else { return nil }
      rule.position = position
      return rule
    }
  }

  /// Makes the group's own settings unusable.
  mutating func breakAll(of group: inout RuleGroupDefinition) {
    let message = "not a valid duration"
    group.quarantined = group.entries.enumerated().map { position, entry in
      switch entry {
      case .rule(let rule): return Self.broken(rule, position, message)
      case .quarantined(var rule):
        rule.position = position
        return rule
      }
    }
    group.rules = []
    group.headProblem = message
    group.interval = .minutes(1)
    group.limit = 0
  }

  private static func broken(
    _ rule: RuleDefinition, _ position: Int, _ message: String
  ) -> QuarantinedRule {
    QuarantinedRule(
      position: position, kind: rule.kind, name: rule.name, query: rule.expr.description,
      labels: rule.labels, message: message)
  }

  /// Makes one rule loadable again, or all of a group that was broken itself.
  mutating func mend(_ group: inout RuleGroupDefinition) {
    let isWhole = group.headProblem != nil
    if isWhole {
      group.headProblem = nil
      group.interval = interval()
    }
    let chosen = pick(group.quarantined.count)
    var sound: [RuleDefinition] = []
    var rest: [QuarantinedRule] = []
    var passed = 0
    for (position, entry) in group.entries.enumerated() {
      switch entry {
      case .rule(let rule): sound.append(rule)
      case .quarantined(var rule):
        if isWhole || passed == chosen {
          sound.append(mended(rule))
        } else {
          rule.position = position
          rest.append(rule)
        }
        passed += 1
      }
    }
    group.rules = sound
    group.quarantined = rest
  }

  private mutating func mended(_ broken: QuarantinedRule) -> RuleDefinition {
    guard let kind = broken.kind else { return rule() }
    let expr = happens(60) ? Self.expr(broken.query) : nil
    if kind == .recording {
      return .recording(
        RecordingRule(
          name: broken.name, expr: expr ?? Self.expr("count(up)"),
          labels: LabelSet(labels: broken.labels)))
    }
    return .alert(
      AlertRule(
        name: broken.name, expr: expr ?? condition(after: []), holdDuration: wait(),
        keepFiringFor: happens(25) ? wait() : .zero,
        labels: broken.labels.map { Self.field($0.name, $0.value, of: broken.name) },
        annotations: annotations(of: broken.name)))
  }
}
