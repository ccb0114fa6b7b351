import Model
import PromQL

/// `and` and `unless`: elements of the left side for which the right side has, or has not, an
/// element.
final class IntersectionNode: PlanNode {
  private let keepsMatched: Bool
  private var groups: MatchGroups
  private var isPresent: [Bool] = []

  init(
    domain: TimeDomain, left: PlanNode, right: PlanNode, matching: VectorMatching,
    keepsMatched: Bool
  ) {
    self.keepsMatched = keepsMatched
    groups = MatchGroups(matching)
    super.init(domain: domain, children: [left, right])
  }

  override var shape: Shape { children[0].shape }
  override var title: String { keepsMatched ? "and" : "unless" }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    _ = groups.update(left: children[0].shape, right: children[1].shape)
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let left = children[0].values
    let right = children[1].values
    for step in 0..<domain.count {
      isPresent.removeAll(keepingCapacity: true)
      isPresent.append(contentsOf: repeatElement(false, count: groups.count))
      let rightTags = right.tags + step * right.stride
      for slot in 0..<right.slots where rightTags[slot] != CellTag.absent {
        isPresent[Int(groups.right[slot])] = true
      }
      let row = step * left.stride
      for slot in 0..<left.slots where left.tags[row + slot] != CellTag.absent {
        if isPresent[Int(groups.left[slot])] == keepsMatched {
          values.copy(step * values.slots + slot, from: left, row + slot)
        }
      }
    }
  }
}

/// `or`: the left side, and what of the right side has no counterpart there.
final class UnionNode: PlanNode {
  private var groups: MatchGroups
  private var interner = ShapeInterner()
  private var leftTarget: [Int32] = []
  private var rightTarget: [Int32] = []
  private var isPresent: [Bool] = []
  /// Slots both sides share of which one drops the name; the first element of a query decides.
  private var undecided: Set<Int32> = []
  private var disputed: [Int32: (left: Bool, right: Bool)] = [:]
  private var query: UInt64 = 0

  init(domain: TimeDomain, left: PlanNode, right: PlanNode, matching: VectorMatching) {
    groups = MatchGroups(matching)
    super.init(domain: domain, children: [left, right])
  }

  override var shape: Shape { interner.shape }
  override var title: String { "or" }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    let left = children[0].shape
    let right = children[1].shape
    switch groups.update(left: left, right: right) {
    case (.none, .none): break
    case (.none, .grown(let slots)): extend(&rightTarget, right, slots, isLeft: false)
    default:
      // The left side's slots come first, whenever they were born.
      interner.removeAll()
      leftTarget.removeAll(keepingCapacity: true)
      rightTarget.removeAll(keepingCapacity: true)
      disputed.removeAll(keepingCapacity: true)
      extend(&leftTarget, left, 0..<left.count, isLeft: true)
      extend(&rightTarget, right, 0..<right.count, isLeft: false)
    }
    if query != evaluation.query {
      query = evaluation.query
      undecided = Set(disputed.keys)
    }
  }

  private func extend(
    _ target: inout [Int32], _ shape: Shape, _ slots: Range<Int>, isLeft: Bool
  ) {
    for slot in slots {
      let drops = shape.dropsName(slot)
      let (out, isNew) = interner.slot(of: shape.labels[slot], dropsName: drops)
      target.append(out)
      if !isNew && !isLeft && interner.shape.dropsName(Int(out)) != drops {
        disputed[out] = (left: !drops, right: drops)
        undecided.insert(out)
      }
    }
  }

  private func decide(_ slot: Int32, isLeft: Bool) {
    guard undecided.remove(slot) != nil, let names = disputed[slot] else { return }
    interner.shape.setDropsName(Int(slot), isLeft ? names.left : names.right)
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for step in 0..<domain.count {
      isPresent.removeAll(keepingCapacity: true)
      isPresent.append(contentsOf: repeatElement(false, count: groups.count))
      let left = children[0].values
      let leftRow = step * left.stride
      for slot in 0..<left.slots where left.tags[leftRow + slot] != CellTag.absent {
        isPresent[Int(groups.left[slot])] = true
        try put(step, leftTarget[slot], left, leftRow + slot)
        if !undecided.isEmpty { decide(leftTarget[slot], isLeft: true) }
      }
      let right = children[1].values
      let rightRow = step * right.stride
      for slot in 0..<right.slots where right.tags[rightRow + slot] != CellTag.absent {
        if isPresent[Int(groups.right[slot])] { continue }
        try put(step, rightTarget[slot], right, rightRow + slot)
        if !undecided.isEmpty { decide(rightTarget[slot], isLeft: false) }
      }
    }
  }

  private func put(
    _ step: Int, _ target: Int32, _ source: ValueBlock, _ cell: Int
  ) throws(QueryProblem) {
    let out = step * values.slots + Int(target)
    if values.tags[out] != CellTag.absent { throw .duplicateLabelSet }
    values.copy(out, from: source, cell)
  }
}
