import Model

/// Which rule of the groups at work each rule of new definitions continues.
///
/// A rule is known by its group, its kind, its name and its labels; the n-th of several equal ones
/// is continued by the n-th. Its expression, its times and its annotations may change. What a group
/// has no successor for is looked for in the other groups: a rule that moved, or whose group or
/// file was renamed, is the same rule.
///
/// For a rule in quarantine one is content with less, lest what is broken in it cuts it off from
/// what it was: kind, name and labels; else kind and name; else, where not even a name can be read,
/// the place in the group.
struct RuleSuccession {
  /// The old rule that each entry of each new group continues; nil for a new rule.
  private(set) var predecessors: [[RuleRunner?]] = []
  /// The old rules that nothing continues, with their groups.
  private(set) var orphans: [(rule: RuleRunner, group: RuleGroupDefinition)] = []
  private var claimed: Set<ObjectIdentifier> = []

  /// - Parameters:
  ///   - old: the groups that change or go.
  ///   - new: the groups that change or come.
  init(from old: [RuleGroupRunner], to new: [RuleGroupDefinition]) {
    var byKey: [String: RuleGroupRunner] = [:]
    for group in old { byKey[group.definition.key] = group }
    let entries = new.map(\.entries)
    for (group, list) in zip(new, entries) {
      var found = [RuleRunner?](repeating: nil, count: list.count)
      if let before = byKey[group.key] {
        matchRules(list, before.rules, &found)
        matchQuarantined(list, before, &found)
      }
      predecessors.append(found)
    }
    let homeless = old.flatMap(\.rules).filter { !isClaimed($0) }
    if !homeless.isEmpty {
      for i in entries.indices {
        var found = predecessors[i]
        matchRules(entries[i], homeless, &found)
        predecessors[i] = found
      }
    }
    for group in old {
      for rule in group.rules where !isClaimed(rule) { orphans.append((rule, group.definition)) }
    }
  }

  private func isClaimed(_ rule: RuleRunner) -> Bool { claimed.contains(ObjectIdentifier(rule)) }

  private mutating func claim(_ rule: RuleRunner, _ place: Int, _ found: inout [RuleRunner?]) {
    claimed.insert(ObjectIdentifier(rule))
    found[place] = rule
  }

  /// By kind, name and labels: the rules in order first, so that a broken copy takes nothing from
  /// them.
  private mutating func matchRules(
    _ entries: [RuleEntry], _ old: [RuleRunner], _ found: inout [RuleRunner?]
  ) {
    var heirs: [String: [RuleRunner]] = [:]
    for rule in old.reversed() where !isClaimed(rule) {
      heirs[rule.identity, default: []].append(rule)
    }
    if heirs.isEmpty { return }
    for isSound in [true, false] {
      for (place, entry) in entries.enumerated() where found[place] == nil {
        guard entry.isSound == isSound, let identity = entry.identity,
          let before = heirs[identity]?.popLast()
        else { continue }
        claim(before, place, &found)
      }
    }
  }

  private mutating func matchQuarantined(
    _ entries: [RuleEntry], _ old: RuleGroupRunner, _ found: inout [RuleRunner?]
  ) {
    for (place, entry) in entries.enumerated() where found[place] == nil {
      guard case .quarantined(let rule) = entry, !rule.name.isEmpty else { continue }
      let before = old.rules.first {
        !isClaimed($0) && ByteOrder.equal($0.definition.name, rule.name)
          && (rule.kind == nil || rule.kind == $0.definition.kind)
      }
      if let before { claim(before, place, &found) }
    }
    for (place, entry) in entries.enumerated() where found[place] == nil {
      guard case .quarantined(let rule) = entry, rule.name.isEmpty else { continue }
      if let before = old.rule(at: rule.position), !isClaimed(before) {
        claim(before, place, &found)
      }
    }
  }
}

extension RuleEntry {
  var isSound: Bool {
    if case .rule = self { true } else { false }
  }

  /// Kind, name and labels, where they can be read.
  var identity: String? {
    switch self {
    case .rule(let rule): rule.identity
    case .quarantined(let rule): rule.identity
    }
  }
}
