import Model
import Storage

/// `info(v, {…})`: the elements of a vector with labels from the info series of the same target.
///
/// Which info series is newest decides about labels, so the shape depends on samples and is made at
/// each evaluation; it is replaced only if it differs.
final class InfoNode: PlanNode {
  /// The labels that tie an info series to others.
  private static let identifying = [LabelName.instance, LabelName.job]

  private let nameMatchers: [Matcher]
  /// Conditions on the labels to be added; with any, only those labels are.
  private let dataMatchers: [Matcher]
  private let ownShape = Shape()
  private var interner = ShapeInterner()
  private var cells: [(step: Int, slot: Int32, source: Int)] = []
  private var latest = LatestColumns()

  init(domain: TimeDomain, argument: PlanNode, names: [Matcher], data: [Matcher]) {
    nameMatchers = names
    dataMatchers = data
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { ownShape }
  override var title: String { "info" }
  // The shape follows from values: that of one step says nothing of the others'.
  override var readsOnlyThePast: Bool { false }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    interner.removeAll()
    cells.removeAll(keepingCapacity: true)
    let base = children[0]
    let ignored = base.shape.labels.map(isInfo)
    let selector = evaluation.store.select(nameMatchers + dataMatchers)
    let members = candidates(selector.members, Array(base.shape.labels), ignored)
    for step in 0..<domain.count {
      evaluation.store.latest(
        of: selector, at: Timestamp(milliseconds: domain.time(step)),
        lookback: evaluation.settings.lookback, into: &latest)
      let row = step * base.values.stride
      let hasElements = (0..<base.values.slots).contains {
        base.values.tags[row + $0] != CellTag.absent
      }
      if !hasElements { continue }
      let newest = try newestBySignature(selector, members)
      for slot in 0..<base.values.slots where base.values.tags[row + slot] != CellTag.absent {
        let labels = base.shape.labels[slot]
        guard
          let result = ignored[slot] ? labels : try enriched(labels, newest, selector)
        else { continue }
        let out = interner.slot(of: result, dropsName: false).slot
        cells.append((step, out, row + slot))
      }
    }
    adoptShape()
  }

  private func adoptShape() {
    let new = interner.shape
    let isSame =
      new.count == ownShape.count
      && (0..<new.count).allSatisfy {
        new.labels[$0] == ownShape.labels[$0] && new.dropsName($0) == ownShape.dropsName($0)
      }
    if isSame { return }
    ownShape.removeAll()
    for slot in 0..<new.count { ownShape.append(new.labels[slot], dropsName: new.dropsName(slot)) }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for (step, slot, source) in cells {
      let cell = step * values.slots + Int(slot)
      if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
      values.copy(cell, from: children[0].values, source)
    }
  }

  /// Info series themselves are passed on as they are.
  private func isInfo(_ labels: LabelSet) -> Bool {
    nameMatchers.allSatisfy { $0.matches(labels) }
  }

  /// The members whose identifying labels occur in the vector.
  private func candidates(
    _ members: Members, _ labels: [LabelSet], _ ignored: [Bool]
  ) -> [Int] {
    var wanted: [[String: Bool]] = Self.identifying.map { _ in [:] }
    for (slot, set) in labels.enumerated() where !ignored[slot] {
      for (i, name) in Self.identifying.enumerated() {
        if let value = set[name] { wanted[i][value] = true }
      }
    }
    if wanted.allSatisfy(\.isEmpty) { return [] }
    return members.indices.filter { member in
      zip(Self.identifying, wanted).allSatisfy { name, values in
        values.isEmpty || values[members[member].labels.value(of: name)] != nil
      }
    }
  }

  /// Per info metric, by signature, the member with the newest sample.
  private func newestBySignature(
    _ selector: Selector, _ members: [Int]
  ) throws(QueryProblem) -> [String: [LabelSet: Int]] {
    var newest: [String: [LabelSet: Int]] = [:]
    for member in members where latest.presence[member] != .absent {
      let labels = selector.members[member].labels
      if latest.presence[member] == .histogram {
        throw QueryProblem("this should be an info metric, with float samples: \(labels)")
      }
      let name = labels.metricName ?? ""
      let signature = labels.keeping(Self.identifying)
      guard let known = newest[name]?[signature] else {
        newest[name, default: [:]][signature] = member
        continue
      }
      let (old, new) = (latest.timestamps[known], latest.timestamps[member])
      if old == new {
        throw QueryProblem(
          "found duplicate series for info metric: existing \(selector.members[known].labels) "
            + "@ \(old), new \(labels) @ \(new)")
      }
      if old < new { newest[name]?[signature] = member }
    }
    return newest
  }

  /// The labels with what the info series add; nil if an info series is required and there is none.
  private func enriched(
    _ labels: LabelSet, _ newest: [String: [LabelSet: Int]], _ selector: Selector
  ) throws(QueryProblem) -> LabelSet? {
    let signature = labels.keeping(Self.identifying)
    var added: [Label] = []
    var isMatched = false
    for name in newest.keys.sorted(by: ByteOrder.less) {
      guard let member = newest[name]?[signature] else { continue }
      isMatched = true
      for label in selector.members[member].labels.labels
      where !ByteOrder.equal(label.name, LabelName.metricName) {
        let isWanted =
          dataMatchers.isEmpty || dataMatchers.contains { ByteOrder.equal($0.name, label.name) }
        if !isWanted { continue }
        if let known = added.first(where: { ByteOrder.equal($0.name, label.name) }),
          !ByteOrder.equal(known.value, label.value)
        {
          throw QueryProblem("conflicting label: \(label.name)")
        }
        if labels[label.name] == nil { added.append(label) }
      }
    }
    if !isMatched && !dataMatchers.allSatisfy(\.matchesEmpty) { return nil }
    return added.isEmpty ? labels : LabelSet(labels: labels.labels + added)
  }
}
