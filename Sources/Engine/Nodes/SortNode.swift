import Model

/// `sort`, `sort_desc`, `sort_by_label`, `sort_by_label_desc`: an order for the result of an
/// instant query.
final class SortNode: PlanNode {
  enum Key {
    case value
    case labels([String])
  }

  private let key: Key
  private let isDescending: Bool

  init(domain: TimeDomain, key: Key, isDescending: Bool, argument: PlanNode) {
    self.key = key
    self.isDescending = isDescending
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { children[0].shape }
  override var title: String { isDescending ? "sort_desc" : "sort" }

  private var sortsValues: Bool { if case .value = key { true } else { false } }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    if domain.spansRange { annotate(evaluation, .ineffectiveSort, at: 0) }
    let input = children[0].values
    let dropsHistograms = sortsValues && input.hasHistograms
    for step in 0..<domain.count {
      for slot in 0..<values.slots {
        let source = step * input.stride + slot
        if dropsHistograms && input.tags[source] == CellTag.histogram { continue }
        values.copy(step * values.slots + slot, from: input, source)
      }
    }
  }

  override func order(step: Int) -> [Int]? {
    let base = step * values.stride
    let present = (0..<values.slots).filter { values.tags[base + $0] != CellTag.absent }
    let labels = shape.labels
    switch key {
    case .value:
      return present.sorted { a, b in
        let x = values.values[base + a]
        let y = values.values[base + b]
        // NaN comes last either way; equal values keep the order of their slots.
        if x.isNaN || y.isNaN { return x.isNaN == y.isNaN ? a < b : y.isNaN }
        if x == y { return a < b }
        return isDescending ? x > y : x < y
      }
    case .labels(let names):
      let keys = Dictionary(
        uniqueKeysWithValues: present.map { slot in
          (slot, names.map { labels[slot].value(of: $0) })
        })
      return present.sorted { a, b in
        let isBefore = Self.precedes(keys[a] ?? [], keys[b] ?? [])
        if let isBefore { return isDescending ? !isBefore : isBefore }
        return isDescending ? labels[b] < labels[a] : labels[a] < labels[b]
      }
    }
  }

  /// Whether the first difference speaks for `a`; nil if there is none.
  private static func precedes(_ a: [String], _ b: [String]) -> Bool? {
    for (x, y) in zip(a, b) where !ByteOrder.equal(x, y) { return NaturalOrder.precedes(x, y) }
    return nil
  }
}
