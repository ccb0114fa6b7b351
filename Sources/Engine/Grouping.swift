import Model

/// The groups of an aggregation: which slot belongs to which group, and the labels of each.
struct Grouping {
  private let names: [String]
  private let isWithout: Bool
  private var interner = ShapeInterner()
  private var cursor = ShapeCursor()
  /// The group of each input slot.
  private(set) var groupOf: [Int32] = []
  /// Groups whose members differ in whether their name is to be dropped.
  private(set) var hasMixedNames = false
  /// The input slots by group, in order, with `memberStart` as index; made on demand.
  private var memberList: [Int32] = []
  private var memberStart: [Int32] = []
  private var membersGeneration: UInt64 = 0

  init(names: [String], isWithout: Bool) {
    self.isWithout = isWithout
    self.names = isWithout ? names + [LabelName.metricName] : names
  }

  /// One output slot per group.
  var shape: Shape { interner.shape }
  var count: Int { interner.shape.count }

  /// The labels of the group an element belongs to.
  func labels(of set: LabelSet) -> LabelSet {
    if isWithout { return set.dropping(names) }
    return names.isEmpty ? .empty : set.keeping(names)
  }

  mutating func update(from input: Shape) {
    switch cursor.advance(to: input) {
    case .none: return
    case .grown(let slots): extend(input, slots)
    case .rebuilt:
      interner.removeAll()
      groupOf.removeAll(keepingCapacity: true)
      hasMixedNames = false
      extend(input, 0..<input.count)
    }
    membersGeneration = 0
  }

  private mutating func extend(_ input: Shape, _ slots: Range<Int>) {
    groupOf.reserveCapacity(slots.upperBound)
    for slot in slots {
      let drops = input.dropsName(slot)
      let (group, isNew) = interner.slot(of: labels(of: input.labels(at: slot)), dropsName: drops)
      groupOf.append(group)
      if !isNew && shape.dropsName(Int(group)) != drops { hasMixedNames = true }
    }
  }

  /// In a group of mixed members the name is dropped if one that is present drops it.
  func settleNames(_ input: PlanNode, steps: Int) {
    guard hasMixedNames else { return }
    var drops = (0..<count).map { shape.dropsName($0) }
    var isSettled = [Bool](repeating: false, count: count)
    for step in (0..<steps).reversed() {
      var seen = [Bool](repeating: false, count: count)
      let row = input.values.tags + step * input.values.stride
      for slot in 0..<groupOf.count where row[slot] != CellTag.absent {
        let group = Int(groupOf[slot])
        if isSettled[group] { continue }
        if !seen[group] { drops[group] = false }
        seen[group] = true
        if input.shape.dropsName(slot) { drops[group] = true }
      }
      for group in 0..<count where seen[group] { isSettled[group] = true }
    }
    for group in 0..<count { shape.setDropsName(group, drops[group]) }
  }

  /// Calls `body` with the slots of each group.
  mutating func forEachGroup(_ body: (_ group: Int, _ slots: ArraySlice<Int32>) -> Void) {
    if membersGeneration != shape.generation || memberList.count != groupOf.count {
      listMembers()
      membersGeneration = shape.generation
    }
    for group in 0..<count {
      body(group, memberList[Int(memberStart[group])..<Int(memberStart[group + 1])])
    }
  }

  private mutating func listMembers() {
    memberStart = [Int32](repeating: 0, count: count + 1)
    for group in groupOf { memberStart[Int(group) + 1] += 1 }
    for group in 0..<count { memberStart[group + 1] += memberStart[group] }
    var next = memberStart
    memberList = [Int32](repeating: 0, count: groupOf.count)
    for (slot, group) in groupOf.enumerated() {
      memberList[Int(next[Int(group)])] = Int32(slot)
      next[Int(group)] += 1
    }
  }
}
