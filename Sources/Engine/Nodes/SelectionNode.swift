import Model
import PromQL

/// Aggregations that pass some elements of each group on: `topk`, `bottomk`, `limitk`,
/// `limit_ratio`.
final class SelectionNode: PlanNode {
  private let op: AggregateOperator
  private var grouping: Grouping
  private var best: [Int32] = []
  /// Per slot a number in [0, 1) that depends on its labels alone, for `limit_ratio`.
  private var offsets: [Double] = []
  private var offsetCursor = ShapeCursor()
  /// The choice at the last step, in the order of an instant result.
  private var chosen: [Int] = []

  init(
    domain: TimeDomain, op: AggregateOperator, argument: PlanNode, parameter: PlanNode,
    grouping: [String], isWithout: Bool
  ) {
    self.op = op
    self.grouping = Grouping(names: grouping, isWithout: isWithout)
    super.init(domain: domain, children: [argument, parameter])
  }

  override var shape: Shape { children[0].shape }
  override var title: String { op.rawValue }

  override func order(step: Int) -> [Int]? { op == .topk || op == .bottomk ? chosen : nil }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    grouping.update(from: children[0].shape)
    guard op == .limitRatio else { return }
    switch offsetCursor.advance(to: shape) {
    case .none: return
    case .grown: break
    case .rebuilt: offsets.removeAll(keepingCapacity: true)
    }
    for labels in shape.labels[offsets.count...] {
      offsets.append(Double(LabelHash.hash(labels)) / Double(UInt64.max))
    }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    try checkParameters(evaluation)
    for step in 0..<domain.count {
      chosen.removeAll(keepingCapacity: true)
      let parameter = children[1].scalar(step)
      switch op {
      case .topk, .bottomk: selectExtremes(step, limit(parameter), evaluation)
      case .limitk: selectFirst(step, limit(parameter))
      default: selectRatio(step, max(-1, min(1, parameter)))
      }
      let input = children[0].values
      for slot in chosen {
        values.copy(step * values.slots + slot, from: input, step * input.stride + slot)
      }
    }
  }

  /// The number of elements wanted per group.
  private func limit(_ parameter: Double) -> Int {
    Int(max(0, min(parameter, Double(children[0].shape.count))))
  }

  private func checkParameters(_ evaluation: Evaluation) throws(QueryProblem) {
    var largest = -Double.infinity
    var smallest = Double.infinity
    for step in 0..<domain.count {
      let parameter = children[1].scalar(step)
      if parameter.isNaN {
        throw QueryProblem(
          op == .limitRatio ? "Ratio value is NaN" : "Parameter value is NaN")
      }
      largest = max(largest, parameter)
      smallest = min(smallest, parameter)
    }
    if op == .limitRatio {
      if largest > 1 {
        annotate(evaluation, .invalidRatio(largest, cappedTo: 1), at: 2)
      }
      if smallest < -1 {
        annotate(evaluation, .invalidRatio(smallest, cappedTo: -1), at: 2)
      }
      return
    }
    for value in [largest, smallest] where value.magnitude >= 0x1p63 && domain.count > 0 {
      throw QueryProblem("Scalar value \(NumberText.general(value)) overflows int64")
    }
  }

  private func selectFirst(_ step: Int, _ limit: Int) {
    let input = children[0].values
    let row = step * input.stride
    grouping.forEachGroup { _, slots in
      var rest = limit
      for slot in slots where rest > 0 && input.tags[row + Int(slot)] != CellTag.absent {
        chosen.append(Int(slot))
        rest -= 1
      }
    }
  }

  private func selectRatio(_ step: Int, _ ratio: Double) {
    if ratio == 0 { return }
    let input = children[0].values
    let row = step * input.stride
    for slot in 0..<input.slots where input.tags[row + slot] != CellTag.absent {
      let isIn = ratio >= 0 ? offsets[slot] < ratio : offsets[slot] >= 1 + ratio
      if isIn { chosen.append(slot) }
    }
  }

  private func selectExtremes(_ step: Int, _ limit: Int, _ evaluation: Evaluation) {
    if limit < 1 { return }
    let input = children[0].values
    let row = input.values + step * input.stride
    let tags = input.tags + step * input.stride
    if input.hasHistograms {
      for slot in 0..<input.slots where tags[slot] == CellTag.histogram {
        annotate(evaluation, .histogramIgnored(in: op.rawValue), at: 0)
        break
      }
    }
    let isTop = op == .topk
    grouping.forEachGroup { _, slots in
      best.removeAll(keepingCapacity: true)
      for slot in slots where tags[Int(slot)] == CellTag.float {
        let value = row[Int(slot)]
        if best.count == limit {
          guard Self.beats(value, row[Int(best[limit - 1])], isTop) else { continue }
          best.removeLast()
        }
        best.insert(slot, at: place(of: value, row, isTop))
      }
      for slot in best { chosen.append(Int(slot)) }
    }
  }

  /// Where a value belongs among the best so far: behind equal ones.
  private func place(of value: Double, _ row: UnsafeMutablePointer<Double>, _ isTop: Bool) -> Int {
    var low = 0
    var high = best.count
    while low < high {
      let middle = (low + high) / 2
      if Self.beats(value, row[Int(best[middle])], isTop) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low
  }

  /// Whether a value comes before another; NaN comes last.
  @inline(__always)
  private static func beats(_ a: Double, _ b: Double, _ isTop: Bool) -> Bool {
    if b.isNaN { return !a.isNaN }
    return isTop ? a > b : a < b
  }
}
