import Model

/// New groups prepared beside those at work: nothing of these has changed until `finish`.
package struct RuleGroupReload {
  /// One new group.
  package struct Item {
    package let runner: RuleGroupRunner
    /// The group of the same name at work until now.
    package let replaced: RuleGroupRunner?
    /// Whether the group runs on as it is.
    package var isUntouched: Bool { runner === replaced }
  }

  /// By the order of the definitions.
  package let items: [Item]
  /// The rules that nothing continues, with their groups.
  package let orphans: [(rule: RuleRunner, group: RuleGroupDefinition)]
  private let retired: [RuleRunner]

  /// Prepares the change from `old` to `definitions`: all plans are made, all selectors registered.
  package init(
    from old: [RuleGroupRunner], to definitions: [RuleGroupDefinition],
    environment: RuleEnvironment, patience: Patience
  ) {
    var known: [String: RuleGroupRunner] = [:]
    for group in old { known[group.definition.key] = group }
    var seen: Set<String> = []
    let definitions = definitions.filter { seen.insert($0.key).inserted }
    var same: Set<ObjectIdentifier> = []
    var changed: [RuleGroupDefinition] = []
    for definition in definitions {
      if let before = known[definition.key], before.isSame(as: definition) {
        before.refresh(definition)
        same.insert(ObjectIdentifier(before))
      } else {
        changed.append(definition)
      }
    }
    let going = old.filter { !same.contains(ObjectIdentifier($0)) }
    let succession = RuleSuccession(from: going, to: changed)
    var next = 0
    items = definitions.compactMap { definition -> Item? in
      let before = known[definition.key]
      if let before, same.contains(ObjectIdentifier(before)) {
        return Item(runner: before, replaced: before)
      }
      defer { next += 1 }
      let runner = RuleGroupRunner(
        definition, environment: environment, replacing: before,
        predecessors: succession.predecessors[next], patience: patience)
      return Item(runner: runner, replaced: before)
    }
    orphans = succession.orphans
    let alive = Set(items.flatMap { $0.runner.rules.map(ObjectIdentifier.init) })
    retired = going.flatMap(\.rules).filter { !alive.contains(ObjectIdentifier($0)) }
  }

  /// Lets the plans go that nothing evaluates any more.
  package func finish() {
    for rule in retired { rule.close() }
  }
}
