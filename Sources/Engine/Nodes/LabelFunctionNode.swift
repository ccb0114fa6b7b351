import Model

/// `label_replace` and `label_join`: new labels, the same values.
final class LabelFunctionNode: PlanNode {
  enum Change {
    /// Sets a label to a template filled from another label's match, if that matches.
    case replace(destination: String, source: String, Regexp, RegexpReplacement)
    case join(destination: String, separator: String, sources: [String])
  }

  private let change: Change
  private var projection = SlotProjection()

  init(domain: TimeDomain, change: Change, argument: PlanNode) {
    self.change = change
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { projection.shape }

  override var title: String {
    if case .join = change { "label_join" } else { "label_replace" }
  }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    let change = change
    projection.update(from: children[0].shape) { labels, dropsName in
      Self.apply(change, labels, dropsName)
    }
  }

  private static func apply(
    _ change: Change, _ labels: LabelSet, _ dropsName: Bool
  ) -> (LabelSet, Bool) {
    let destination: String
    let value: String
    switch change {
    case .replace(let name, let source, let regexp, let template):
      guard let text = regexp.expanding(template, in: labels.value(of: source)) else {
        return (labels, dropsName)
      }
      destination = name
      value = text
    case .join(let name, let separator, let sources):
      destination = name
      value = sources.map { labels.value(of: $0) }.joined(separator: separator)
    }
    // A metric name that is set on purpose stays.
    let keepsName = ByteOrder.equal(destination, LabelName.metricName)
    return (labels.setting(destination, to: value), dropsName && !keepsName)
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
}
