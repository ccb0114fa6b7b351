import Model
import PromQL

/// The signature groups of two vectors: which slots of one side belong to which of the other.
struct MatchGroups {
  private let labels: [String]
  private let isOn: Bool
  private var ids: [LabelSet: Int32] = [:]
  private var leftCursor = ShapeCursor()
  private var rightCursor = ShapeCursor()
  /// The group of each slot.
  private(set) var left: [Int32] = []
  private(set) var right: [Int32] = []
  private(set) var count = 0

  init(_ matching: VectorMatching) {
    isOn = matching.isOn
    labels = matching.isOn ? matching.labels : matching.labels + [LabelName.metricName]
  }

  /// The labels two elements must share.
  func signature(_ set: LabelSet) -> LabelSet {
    isOn ? set.keeping(labels) : set.dropping(labels)
  }

  /// Follows both shapes; says what happened to each.
  mutating func update(
    left leftShape: Shape, right rightShape: Shape
  ) -> (left: ShapeCursor.Change, right: ShapeCursor.Change) {
    var leftChange = leftCursor.advance(to: leftShape)
    var rightChange = rightCursor.advance(to: rightShape)
    if leftChange.isRebuild || rightChange.isRebuild {
      // Start afresh, so that groups nobody belongs to any more do not pile up.
      leftChange = .rebuilt
      rightChange = .rebuilt
      ids.removeAll(keepingCapacity: true)
      count = 0
    }
    // Taken out while they grow, lest they be copied.
    var (ofLeft, ofRight): ([Int32], [Int32]) = ([], [])
    swap(&ofLeft, &left)
    swap(&ofRight, &right)
    follow(&ofLeft, leftShape, leftChange)
    follow(&ofRight, rightShape, rightChange)
    left = ofLeft
    right = ofRight
    return (leftChange, rightChange)
  }

  private mutating func follow(
    _ side: inout [Int32], _ shape: Shape, _ change: ShapeCursor.Change
  ) {
    let slots: Range<Int>
    switch change {
    case .none: return
    case .grown(let range): slots = range
    case .rebuilt:
      side.removeAll(keepingCapacity: true)
      slots = 0..<shape.count
    }
    for slot in slots { side.append(id(of: signature(shape.labels[slot]))) }
  }

  private mutating func id(of signature: LabelSet) -> Int32 {
    if let id = ids[signature] { return id }
    let id = Int32(count)
    ids[signature] = id
    count += 1
    return id
  }
}

/// The output slots of an operator between two vectors.
///
/// "Many" is the side whose labels the result takes (the left one, except under `group_right`),
/// "one" the other. The result's labels depend on the many side alone unless labels of the one side
/// are included; then there is a slot for every possible pair.
struct JoinShape {
  private let matching: VectorMatching
  private let changesMeaning: Bool
  private let returnsBool: Bool
  private let delaysNames: Bool
  private var interner = ShapeInterner()
  /// Per many slot its output slot, or with included labels the start of its row in `pairs`.
  private(set) var ofMany: [Int32] = []
  /// With included labels: output slots by many slot and rank of the one slot in its group.
  private(set) var pairs: [Int32] = []
  /// The place of each one slot among those of its group.
  private(set) var rank: [Int32] = []
  /// Output slots where a fill value stands for the missing one or many side.
  private(set) var ofMissingOne: [Int32] = []
  private(set) var ofMissingMany: [Int32] = []

  init(_ matching: VectorMatching, op: BinaryOperator, returnsBool: Bool, delaysNames: Bool) {
    self.matching = matching
    self.changesMeaning = BinaryElement.changesMeaning(op)
    self.returnsBool = returnsBool
    self.delaysNames = delaysNames
  }

  var shape: Shape { interner.shape }
  var includesLabels: Bool { !matching.include.isEmpty }

  /// Follows the two sides; growth of the many side alone, or of both without included labels,
  /// extends.
  mutating func update(
    many: Shape, one: Shape, manyGroups: [Int32], oneGroups: [Int32], groups: MatchGroups,
    manyChange: ShapeCursor.Change, oneChange: ShapeCursor.Change
  ) {
    var newMany = manyChange.slots(of: many)
    var newOne = oneChange.slots(of: one)
    // Output slots come in an order that does not depend on history: what growth would disturb is
    // rebuilt.
    let isDisturbed =
      !newOne.isEmpty && includesLabels
      || matching.fillLeft != nil
        && !(newOne.isEmpty && newMany.isEmpty)
    if manyChange.isRebuild || oneChange.isRebuild || isDisturbed {
      removeAll()
      newMany = 0..<many.count
      newOne = 0..<one.count
    }
    if newMany.isEmpty && newOne.isEmpty { return }
    extendOne(one, newOne, oneGroups, groups)
    extendMany(many, newMany, one: one, manyGroups, oneGroups, groups)
  }

  private mutating func removeAll() {
    interner.removeAll()
    ofMany.removeAll(keepingCapacity: true)
    pairs.removeAll(keepingCapacity: true)
    rank.removeAll(keepingCapacity: true)
    ofMissingOne.removeAll(keepingCapacity: true)
    ofMissingMany.removeAll(keepingCapacity: true)
  }

  private mutating func extendOne(
    _ one: Shape, _ slots: Range<Int>, _ oneGroups: [Int32], _ groups: MatchGroups
  ) {
    if includesLabels {
      var sizes = [Int32](repeating: 0, count: groups.count)
      for slot in slots {
        rank.append(sizes[Int(oneGroups[slot])])
        sizes[Int(oneGroups[slot])] += 1
      }
    }
    guard matching.fillLeft != nil else { return }
    for slot in slots {
      let labels = one.labels[slot]
      ofMissingMany.append(slotOf(many: groups.signature(labels), one: labels))
    }
  }

  private mutating func extendMany(
    _ many: Shape, _ slots: Range<Int>, one: Shape, _ manyGroups: [Int32], _ oneGroups: [Int32],
    _ groups: MatchGroups
  ) {
    var members: [[Int]] = []
    if includesLabels {
      members = [[Int]](repeating: [], count: groups.count)
      for slot in 0..<one.count { members[Int(oneGroups[slot])].append(slot) }
    }
    for slot in slots {
      let labels = many.labels[slot]
      if includesLabels {
        ofMany.append(Int32(pairs.count))
        for partner in members[Int(manyGroups[slot])] {
          pairs.append(slotOf(many: labels, one: one.labels[partner]))
        }
      } else {
        ofMany.append(slotOf(many: labels, one: nil))
      }
      if matching.fillRight != nil {
        ofMissingOne.append(slotOf(many: labels, one: groups.signature(labels)))
      }
    }
  }

  /// The output slot of a pair; without included labels the one side does not matter.
  private mutating func slotOf(many: LabelSet, one: LabelSet?) -> Int32 {
    var labels = many
    if changesMeaning { labels = MetadataLabels.drop(labels) }
    if matching.cardinality == .oneToOne {
      labels =
        matching.isOn ? labels.keeping(matching.labels) : labels.dropping(matching.labels)
    }
    if let one, includesLabels {
      for name in matching.include { labels = labels.setting(name, to: one.value(of: name)) }
    }
    if returnsBool && !delaysNames { labels = MetadataLabels.drop(labels) }
    return interner.slot(of: labels, dropsName: returnsBool && delaysNames).slot
  }
}
