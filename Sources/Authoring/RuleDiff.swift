import Model

/// The difference between two sets of rules: what would be evaluated otherwise, not what is written
/// otherwise.
///
/// Groups are the same by file and name, or by name alone where that leaves no doubt; rules by kind
/// and name. Expressions count by their meaning, labels with those of the group laid under them.
package struct RuleDiff: Sendable {
  /// Groups with changes, in the order of the new rules, those that went at the end.
  package private(set) var groups: [GroupChange] = []

  private typealias Place = (group: Int, rule: Int)

  private let old: RuleSet
  private let new: RuleSet
  /// For each new group the old one it was.
  private var origins: [Int?] = []

  package init(old: RuleSet, new: RuleSet) {
    self.old = old
    self.new = new
    origins = Self.origins(old.groups, new.groups)
    compare()
  }

  /// How many rules were added, removed, changed or moved.
  package func count(_ kind: RuleChange.Kind) -> Int {
    groups.reduce(0) { $0 + $1.rules.count { $0.kind == kind } }
  }

  package var isEmpty: Bool { groups.isEmpty }

  private static func origins(_ old: [RuleSet.Group], _ new: [RuleSet.Group]) -> [Int?] {
    var origins: [Int?] = new.map { group in
      old.firstIndex {
        ByteOrder.equal($0.file, group.file) && ByteOrder.equal($0.name, group.name)
      }
    }
    let taken = Set(origins.compactMap(\.self))
    for (i, group) in new.enumerated() where origins[i] == nil {
      let same = old.indices.filter {
        !taken.contains($0) && ByteOrder.equal(old[$0].name, group.name)
      }
      let rivals = new.indices.filter {
        origins[$0] == nil && ByteOrder.equal(new[$0].name, group.name)
      }
      if same.count == 1, rivals.count == 1 { origins[i] = same[0] }
    }
    return origins
  }

  private mutating func compare() {
    var added: [Place] = []
    var removed: [Place] = []
    var changes: [GroupChange] = new.groups.map { GroupChange(file: $0.file, name: $0.name) }
    for (i, group) in new.groups.enumerated() {
      guard let origin = origins[i] else {
        changes[i].kind = .added
        changes[i].fields = RuleChange.fields([], group.settings)
        added += group.rules.indices.map { (i, $0) }
        continue
      }
      let before = old.groups[origin]
      let pairs = Self.pairs(before.rules, group.rules)
      changes[i].fields =
        RuleChange.fields(before.settings, group.settings)
        + Self.order(before.rules, group.rules, pairs)
      added += group.rules.indices.filter { pairs[$0] == nil }.map { (i, $0) }
      let kept = Set(pairs.compactMap(\.self))
      removed += before.rules.indices.filter { !kept.contains($0) }.map { (origin, $0) }
      for (rule, pair) in zip(group.rules, pairs) {
        guard let pair else { continue }
        let fields = RuleChange.fields(before.rules[pair], rule)
        if fields.isEmpty { continue }
        changes[i].rules.append(
          RuleChange(kind: .changed, isAlert: rule.isAlert, name: rule.name, fields: fields))
      }
    }
    let gone = old.groups.indices.filter { index in !origins.contains { $0 == index } }
    for index in gone {
      removed += old.groups[index].rules.indices.map { (index, $0) }
      changes.append(
        GroupChange(
          kind: .removed, file: old.groups[index].file, name: old.groups[index].name,
          fields: RuleChange.fields(old.groups[index].settings, [])))
    }
    settle(added, &removed, &changes, gone)
    groups = changes.filter { $0.kind != nil || !$0.fields.isEmpty || !$0.rules.isEmpty }
  }

  /// Added rules that were removed elsewhere have moved.
  private func settle(
    _ added: [Place], _ removed: inout [Place], _ changes: inout [GroupChange], _ gone: [Int]
  ) {
    for place in added {
      let rule = new.groups[place.group].rules[place.rule]
      let same = removed.indices.filter {
        Self.isSame(old.groups[removed[$0].group].rules[removed[$0].rule], rule)
      }
      let exact = same.first { index in
        let before = old.groups[removed[index].group].rules[removed[index].rule]
        return RuleChange.fields(before, rule).isEmpty
      }
      var change = RuleChange(kind: .added, isAlert: rule.isAlert, name: rule.name)
      if let index = exact ?? (same.count == 1 ? same.first : nil) {
        let origin = old.groups[removed[index].group]
        change.kind = .moved
        change.origin = origin.name
        change.fields = RuleChange.fields(origin.rules[removed[index].rule], rule)
        removed.remove(at: index)
      } else {
        change.fields = [RuleChange.Field(name: "expr", old: nil, new: rule.expr.pretty)]
        change.fields += RuleChange.fields([], rule.settings)
      }
      changes[place.group].rules.append(change)
    }
    for place in removed {
      let rule = old.groups[place.group].rules[place.rule]
      let fields =
        [RuleChange.Field(name: "expr", old: rule.expr.pretty, new: nil)]
        + RuleChange.fields(rule.settings, [])
      let change = RuleChange(
        kind: .removed, isAlert: rule.isAlert, name: rule.name, fields: fields)
      if let index = origins.firstIndex(of: place.group) {
        changes[index].rules.append(change)
      } else if let index = gone.firstIndex(of: place.group) {
        changes[new.groups.count + index].rules.append(change)
      }
    }
  }

  private static func isSame(_ a: RuleSet.Rule, _ b: RuleSet.Rule) -> Bool {
    a.isAlert == b.isAlert && ByteOrder.equal(a.name, b.name)
  }

  /// For each new rule the old one it was: among rules of one name first those without a change.
  private static func pairs(_ old: [RuleSet.Rule], _ new: [RuleSet.Rule]) -> [Int?] {
    var pairs: [Int?] = Array(repeating: nil, count: new.count)
    var taken: Set<Int> = []
    for isExact in [true, false] {
      for (i, rule) in new.enumerated() where pairs[i] == nil {
        let match = old.indices.first {
          !taken.contains($0) && isSame(old[$0], rule)
            && (!isExact || RuleChange.fields(old[$0], rule).isEmpty)
        }
        guard let match else { continue }
        pairs[i] = match
        taken.insert(match)
      }
    }
    return pairs
  }

  /// Recording rules that were evaluated before a rule that reads them and are behind it now, or
  /// the other way round: the reader sees values of another evaluation.
  private static func order(
    _ old: [RuleSet.Rule], _ new: [RuleSet.Rule], _ pairs: [Int?]
  ) -> [RuleChange.Field] {
    var fields: [RuleChange.Field] = []
    for (i, record) in new.enumerated() where !record.isAlert {
      guard let before = pairs[i] else { continue }
      for (j, reader) in new.enumerated() where j != i {
        guard let other = pairs[j], (before < other) != (i < j),
          reader.meaning.selectors.contains(where: { selector in
            selector.matchers.contains {
              $0.name == LabelName.metricName && $0.kind == .equal
                && ByteOrder.equal($0.value, record.name)
            }
          })
        else { continue }
        let (early, late) = ("before \(reader.name)", "behind \(reader.name)")
        fields.append(
          RuleChange.Field(
            name: "order of \(record.name)", old: i < j ? late : early, new: i < j ? early : late))
      }
    }
    return fields
  }
}
