import Model

/// The root under delayed name removal: drops the names that are due.
final class ResultNode: PlanNode {
  private var projection = SlotProjection()

  init(domain: TimeDomain, argument: PlanNode) {
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { projection.shape }
  override var title: String { "result" }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    projection.update(from: children[0].shape) { labels, dropsName in
      (dropsName ? MetadataLabels.drop(labels) : labels, false)
    }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    if projection.isIdentity {
      values.copyAll(from: input)
      return
    }
    for step in 0..<domain.count {
      for slot in 0..<input.slots {
        let source = step * input.stride + slot
        if input.tags[source] == CellTag.absent { continue }
        let cell = step * values.slots + Int(projection.target[slot])
        if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
        values.copy(cell, from: input, source)
      }
    }
  }

  override func order(step: Int) -> [Int]? {
    children[0].order(step: step)?.map { Int(projection.target[$0]) }
  }
}

/// A node whose argument is evaluated for its remarks only: `start_timestamp` of anything but a
/// selector.
final class EmptyNode: PlanNode {
  private let ownShape = Shape()

  init(domain: TimeDomain, argument: PlanNode) {
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { ownShape }
  override var title: String { "empty" }
  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {}
}
