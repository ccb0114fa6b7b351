import Model

/// `count_values("label", v)`: how often each value occurs; the only shape that depends on values.
///
/// The shape is made anew at each evaluation and replaced only if it differs, so that nodes above
/// keep theirs.
final class CountValuesNode: PlanNode {
  private let label: String
  private let grouping: Grouping
  private let ownShape = Shape()
  private var interner = ShapeInterner()
  private var counts: [(cell: (step: Int, slot: Int32), count: Double)] = []

  init(
    domain: TimeDomain, label: String, argument: PlanNode, grouping: [String], isWithout: Bool
  ) {
    self.label = label
    self.grouping = Grouping(
      names: isWithout ? grouping : grouping + [label], isWithout: isWithout)
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { ownShape }
  override var title: String { "count_values" }
  // The shape follows from values: that of one step says nothing of the others'.
  override var readsOnlyThePast: Bool { false }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    interner.removeAll()
    counts.removeAll(keepingCapacity: true)
    let input = children[0].values
    for step in 0..<domain.count {
      var places: [Int32: Int] = [:]
      for slot in 0..<input.slots {
        guard let value = input.value(step * input.stride + slot) else { continue }
        let text =
          switch value {
          case .float(let number): NumberText.plain(number)
          case .histogram(let histogram): NativeHistogram.text(histogram)
          }
        let labels = children[0].shape.labels[slot].setting(label, to: text)
        let out = interner.slot(of: grouping.labels(of: labels), dropsName: false).slot
        if let place = places[out] {
          counts[place].count += 1
        } else {
          places[out] = counts.count
          counts.append(((step, out), 1))
        }
      }
    }
    if interner.shape.labels.elementsEqual(ownShape.labels) { return }
    ownShape.removeAll()
    for labels in interner.shape.labels { ownShape.append(labels, dropsName: false) }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for (cell, count) in counts {
      values.set(cell.step * values.slots + Int(cell.slot), count)
    }
  }
}
