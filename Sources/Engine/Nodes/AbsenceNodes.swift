import Model

/// `absent(v)`: one element where the argument has none.
final class AbsentNode: PlanNode {
  private let ownShape: Shape

  /// Takes the labels of the answer from the argument's equality matchers.
  init(domain: TimeDomain, argument: PlanNode, labels: LabelSet) {
    ownShape = .single(labels)
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { ownShape }
  override var title: String { "absent" }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    for step in 0..<domain.count {
      let row = input.tags + step * input.stride
      var isPresent = false
      for slot in 0..<input.slots where row[slot] != CellTag.absent {
        isPresent = true
        break
      }
      if !isPresent { values.set(step, 1) }
    }
  }
}

/// `absent_over_time(v[r])`: one element where no window has a sample.
final class AbsentOverTimeNode: PlanNode {
  private let source: WindowSource
  private let ownShape: Shape
  private var found: [Bool] = []

  init(domain: TimeDomain, source: WindowSource, labels: LabelSet, delaysNames: Bool) {
    self.source = source
    ownShape = Shape()
    ownShape.append(labels, dropsName: delaysNames)
    super.init(domain: domain, children: [])
  }

  override var shape: Shape { ownShape }
  override var title: String { "absent_over_time" }
  override var windows: WindowSource? { source }
  override var readsOnlyThePast: Bool { source.readsOnlyThePast }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    try source.prepare(evaluation, for: domain)
  }

  override func close(_ evaluation: Evaluation) { source.close(evaluation) }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let times = try source.times(evaluation, for: domain)
    found.removeAll(keepingCapacity: true)
    found.append(contentsOf: repeatElement(false, count: domain.count))
    var touched = 0
    source.forEachColumn(evaluation, times, steps: domain.count) { _, column in
      touched += column.count
      var floats = SlidingRange()
      var histograms = SlidingRange()
      for step in 0..<domain.count where !found[step] {
        let end = times.end(step)
        if let sampleTimes = column.times {
          floats.move(sampleTimes, column.count, after: end - times.range, through: end)
        }
        histograms.move(column.histograms, after: end - times.range, through: end)
        if floats.low < floats.high || histograms.low < histograms.high { found[step] = true }
      }
    }
    try evaluation.touch(touched)
    for step in 0..<domain.count where !found[step] { values.set(step, 1) }
  }
}
