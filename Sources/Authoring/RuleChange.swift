import Model

/// What happened to one rule.
package struct RuleChange: Sendable {
  /// A setting with its value, as text.
  package typealias Setting = (name: String, value: String)

  /// How a rule or a group differs.
  package enum Kind: String, Sendable { case added, removed, changed, moved }

  /// A setting that differs; nil where it is not set.
  package struct Field: Hashable, Sendable {
    package var name: String
    package var old: String?
    package var new: String?
  }

  package var kind: Kind
  package var isAlert: Bool
  package var name: String
  package var fields: [Field] = []
  /// The group a moved rule comes from.
  package var origin: String?

  /// The settings that differ, in the order of the new ones, those that went at the end.
  static func fields(_ old: [Setting], _ new: [Setting]) -> [Field] {
    var fields: [Field] = []
    for setting in new {
      let before = old.first { ByteOrder.equal($0.name, setting.name) }?.value
      if before.map({ !ByteOrder.equal($0, setting.value) }) ?? true {
        fields.append(Field(name: setting.name, old: before, new: setting.value))
      }
    }
    for setting in old where !new.contains(where: { ByteOrder.equal($0.name, setting.name) }) {
      fields.append(Field(name: setting.name, old: setting.value, new: nil))
    }
    return fields
  }

  static func fields(_ old: RuleSet.Rule, _ new: RuleSet.Rule) -> [Field] {
    let settings = fields(old.settings, new.settings)
    if old.meaning == new.meaning { return settings }
    return [Field(name: "expr", old: old.expr.pretty, new: new.expr.pretty)] + settings
  }
}

/// What happened to a group and its rules.
package struct GroupChange: Sendable {
  /// Nil for a group that is in both, whatever became of its rules.
  package var kind: RuleChange.Kind?
  package var file: String
  package var name: String
  package var fields: [RuleChange.Field] = []
  package var rules: [RuleChange] = []
}
