import Model
import PromQL

/// An operator between two vectors, with all forms of matching.
///
/// A step first finds the pairs that are present (integers only), then computes them in one loop
/// per operator.
final class VectorBinaryNode: PlanNode {
  private let op: BinaryOperator
  private let matching: VectorMatching
  private let returnsBool: Bool
  private var groups: MatchGroups
  private var join: JoinShape
  /// Whether the sides are exchanged so that "one" is on the right (`group_right`).
  private let isSwapped: Bool
  /// Per group the slot of the one side that is present, −1 if none.
  private var oneOfGroup: [Int32] = []
  private var isMatched: [Bool] = []
  /// Per output slot the group that has claimed it in this step, −1 if none.
  private var claimedBy: [Int32] = []
  private var pairs: [Pair] = []
  private var isContested = false
  /// All pairs that can ever be, if each element has one partner and one output at most.
  private var links: [Pair] = []
  private var isLinked = false

  /// Two elements to combine; −1 stands for a fill value.
  private struct Pair {
    var many: Int32
    var one: Int32
    var out: Int32
  }

  init(
    domain: TimeDomain, op: BinaryOperator, left: PlanNode, right: PlanNode,
    matching: VectorMatching, returnsBool: Bool, delaysNames: Bool
  ) {
    self.op = op
    self.matching = matching
    self.returnsBool = returnsBool
    isSwapped = matching.cardinality == .oneToMany
    groups = MatchGroups(matching)
    join = JoinShape(matching, op: op, returnsBool: returnsBool, delaysNames: delaysNames)
    super.init(domain: domain, children: [left, right])
  }

  private var many: PlanNode { children[isSwapped ? 1 : 0] }
  private var one: PlanNode { children[isSwapped ? 0 : 1] }

  override var shape: Shape { join.shape }
  override var title: String { op.rawValue + (returnsBool ? " bool" : "") }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    let change = groups.update(left: children[0].shape, right: children[1].shape)
    join.update(
      many: many.shape, one: one.shape, manyGroups: isSwapped ? groups.right : groups.left,
      oneGroups: isSwapped ? groups.left : groups.right, groups: groups,
      manyChange: isSwapped ? change.right : change.left,
      oneChange: isSwapped ? change.left : change.right)
    if !change.left.isNone || !change.right.isNone { link() }
  }

  /// Lists the pairs that can be, if it is clear from labels alone what belongs together.
  private func link() {
    links.removeAll(keepingCapacity: true)
    isLinked = false
    if matching.fillLeft != nil || matching.fillRight != nil { return }
    refill(&oneOfGroup, groups.count, with: -1)
    for (slot, group) in (isSwapped ? groups.left : groups.right).enumerated() {
      if oneOfGroup[Int(group)] >= 0 { return }
      oneOfGroup[Int(group)] = Int32(slot)
    }
    let manyGroups = isSwapped ? groups.right : groups.left
    refill(&claimedBy, join.shape.count, with: -1)
    refill(&isMatched, groups.count, with: false)
    for (slot, group) in manyGroups.enumerated() {
      let partner = oneOfGroup[Int(group)]
      if partner < 0 { continue }
      let out =
        join.includesLabels
        ? join.pairs[Int(join.ofMany[slot] + join.rank[Int(partner)])] : join.ofMany[slot]
      let isTaken = claimedBy[Int(out)] >= 0
      if isTaken || matching.cardinality == .oneToOne && isMatched[Int(group)] { return }
      claimedBy[Int(out)] = group
      isMatched[Int(group)] = true
      links.append(Pair(many: Int32(slot), one: partner, out: out))
    }
    isLinked = true
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let hasHistograms = many.values.hasHistograms || one.values.hasHistograms
    let isCareful = hasHistograms || op == .trimUpper || op == .trimLower
    for step in 0..<domain.count {
      if isLinked && !isCareful {
        combineFloats(step)
        continue
      }
      try findPairs(step)
      if pairs.isEmpty { continue }
      if isCareful || isContested {
        try combineCarefully(step, evaluation)
      } else {
        combineFloats(step)
      }
    }
  }

  // Pairs

  private func findPairs(_ step: Int) throws(QueryProblem) {
    pairs.removeAll(keepingCapacity: true)
    isContested = false
    let manyTags = many.values.tags + step * many.values.stride
    let oneTags = one.values.tags + step * one.values.stride
    let hasMany = Self.isAnyPresent(manyTags, many.values.slots)
    let hasOne = Self.isAnyPresent(oneTags, one.values.slots)
    let canFill = matching.fillLeft != nil || matching.fillRight != nil
    if !hasMany && !hasOne || !canFill && !(hasMany && hasOne) { return }
    try indexOnes(oneTags)
    resetClaims()
    let manyGroups = isSwapped ? groups.right : groups.left
    for slot in 0..<many.values.slots where manyTags[slot] != CellTag.absent {
      let group = Int(manyGroups[slot])
      let partner = oneOfGroup[group]
      if partner < 0 && matching.fillRight == nil { continue }
      let out: Int32
      if partner < 0 {
        out = join.ofMissingOne[slot]
      } else if join.includesLabels {
        out = join.pairs[Int(join.ofMany[slot] + join.rank[Int(partner)])]
      } else {
        out = join.ofMany[slot]
      }
      try claim(out, group: group)
      pairs.append(Pair(many: Int32(slot), one: partner, out: out))
    }
    guard matching.fillLeft != nil else { return }
    for group in 0..<groups.count where oneOfGroup[group] >= 0 && !isMatched[group] {
      let partner = oneOfGroup[group]
      let out = join.ofMissingMany[Int(partner)]
      try claim(out, group: group)
      pairs.append(Pair(many: -1, one: partner, out: out))
    }
  }

  private static func isAnyPresent(_ tags: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool {
    for i in 0..<count where tags[i] != CellTag.absent { return true }
    return false
  }

  private func indexOnes(_ tags: UnsafeMutablePointer<UInt8>) throws(QueryProblem) {
    refill(&oneOfGroup, groups.count, with: -1)
    let oneGroups = isSwapped ? groups.left : groups.right
    for slot in 0..<one.values.slots where tags[slot] != CellTag.absent {
      let group = Int(oneGroups[slot])
      if oneOfGroup[group] >= 0 { throw duplicates(slot, Int(oneOfGroup[group])) }
      oneOfGroup[group] = Int32(slot)
    }
  }

  private func resetClaims() {
    refill(&isMatched, groups.count, with: false)
    if matching.cardinality != .oneToOne { refill(&claimedBy, join.shape.count, with: -1) }
  }

  private func refill<T>(_ array: inout [T], _ count: Int, with value: T) {
    if array.count == count {
      for i in 0..<count { array[i] = value }
    } else {
      array = [T](repeating: value, count: count)
    }
  }

  /// Notes that a group has a result, and refuses a second one where there may be only one.
  private func claim(_ out: Int32, group: Int) throws(QueryProblem) {
    if matching.cardinality == .oneToOne {
      if isMatched[group] {
        throw QueryProblem(
          "multiple matches for labels: many-to-one matching must be explicit "
            + "(group_left/group_right)")
      }
    } else {
      let claimant = claimedBy[Int(out)]
      if claimant == Int32(group) {
        throw QueryProblem(
          "multiple matches for labels: grouping labels must ensure unique matches")
      }
      if claimant >= 0 { isContested = true }
      claimedBy[Int(out)] = Int32(group)
    }
    isMatched[group] = true
  }

  private func duplicates(_ slot: Int, _ earlier: Int) -> QueryProblem {
    let labels = one.shape.labels
    let group = groups.signature(labels[slot])
    return QueryProblem(
      "found duplicate series for the match group \(group) on the "
        + "\(isSwapped ? "left" : "right") hand-side of the operation: "
        + "[\(labels[slot]), \(labels[earlier])];many-to-many matching not allowed: "
        + "matching labels must be unique on one side")
  }

  // Values

  private func combineFloats(_ step: Int) {
    switch op {
    case .add: map(step) { $0 + $1 }
    case .subtract: map(step) { $0 - $1 }
    case .multiply: map(step) { $0 * $1 }
    case .divide: map(step) { $0 / $1 }
    case .modulo, .power, .atan2: map(step) { ScalarOperation.apply(op, $0, $1) }
    case .equal: filter(step) { $0 == $1 }
    case .notEqual: filter(step) { $0 != $1 }
    case .greater: filter(step) { $0 > $1 }
    case .less: filter(step) { $0 < $1 }
    case .greaterOrEqual: filter(step) { $0 >= $1 }
    case .lessOrEqual: filter(step) { $0 <= $1 }
    case .trimUpper, .trimLower, .and, .or, .unless:
      preconditionFailure("the operator is handled elsewhere")
    }
  }

  /// Calls `body` with the numbers of each pair of which both are there.
  @inline(__always)
  private func forEachPair(_ step: Int, _ body: (_ cell: Int, Double, Double) -> Void) {
    if isLinked { return forEachLink(step, body) }
    let manyRow = many.values.values + step * many.values.stride
    let oneRow = one.values.values + step * one.values.stride
    let base = step * values.slots
    let fillMany = matching.fillLeft ?? 0
    let fillOne = matching.fillRight ?? 0
    let isSwapped = isSwapped
    pairs.withUnsafeBufferPointer { pairs in
      for pair in pairs {
        let a = pair.many < 0 ? fillMany : manyRow[Int(pair.many)]
        let b = pair.one < 0 ? fillOne : oneRow[Int(pair.one)]
        if isSwapped { body(base + Int(pair.out), b, a) } else { body(base + Int(pair.out), a, b) }
      }
    }
  }

  @inline(__always)
  private func forEachLink(_ step: Int, _ body: (_ cell: Int, Double, Double) -> Void) {
    let manyRow = many.values.values + step * many.values.stride
    let manyTags = many.values.tags + step * many.values.stride
    let oneRow = one.values.values + step * one.values.stride
    let oneTags = one.values.tags + step * one.values.stride
    let base = step * values.slots
    let isSwapped = isSwapped
    links.withUnsafeBufferPointer { links in
      for link in links {
        let (m, o) = (Int(link.many), Int(link.one))
        if manyTags[m] == CellTag.absent || oneTags[o] == CellTag.absent { continue }
        let (a, b) = (manyRow[m], oneRow[o])
        if isSwapped { body(base + Int(link.out), b, a) } else { body(base + Int(link.out), a, b) }
      }
    }
  }

  @inline(__always)
  private func map(_ step: Int, _ body: (Double, Double) -> Double) {
    let out = values.values
    let tags = values.tags
    forEachPair(step) { cell, a, b in
      out[cell] = body(a, b)
      tags[cell] = CellTag.float
    }
  }

  @inline(__always)
  private func filter(_ step: Int, _ holds: (Double, Double) -> Bool) {
    let out = values.values
    let tags = values.tags
    let returnsBool = returnsBool
    forEachPair(step) { cell, a, b in
      if returnsBool {
        out[cell] = holds(a, b) ? 1 : 0
        tags[cell] = CellTag.float
      } else if holds(a, b) {
        out[cell] = a
        tags[cell] = CellTag.float
      }
    }
  }

  /// Pairs with histograms, and outputs that several groups could yield.
  private func combineCarefully(_ step: Int, _ evaluation: Evaluation) throws(QueryProblem) {
    var remark: Annotation?
    for pair in pairs {
      let a = element(many, step, pair.many, fill: matching.fillLeft)
      let b = element(one, step, pair.one, fill: matching.fillRight)
      let outcome =
        isSwapped ? BinaryElement.apply(op, b, a) : BinaryElement.apply(op, a, b)
      // Of several remarks at one step Prometheus keeps the last.
      if let last = outcome.annotations.last { remark = last }
      guard let result = outcome.value else { continue }
      if !outcome.isKept && !returnsBool { continue }
      let cell = step * values.slots + Int(pair.out)
      if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
      if returnsBool {
        values.set(cell, outcome.isKept ? 1 : 0)
      } else {
        values.set(cell, result)
      }
    }
    if let remark { annotate(evaluation, remark, at: 0) }
  }

  private func element(
    _ node: PlanNode, _ step: Int, _ slot: Int32, fill: Double?
  ) -> SampleValue {
    guard slot >= 0, let value = node.values.value(step * node.values.stride + Int(slot)) else {
      return .float(fill ?? 0)
    }
    return value
  }
}
