import Model
import PromQL

/// One operator of a plan: a shape that follows its children's shapes, and values for a block of
/// steps.
///
/// Equal sub-expressions of a plan are one node. A node is evaluated at most once for the contents
/// of its time domain; its children come first, then its shape if one of theirs changed, then its
/// values.
class PlanNode {
  let domain: TimeDomain
  let children: [PlanNode]
  let values: ValueBlock
  /// Where the node and its arguments stand in the text, once per place the expression occurs at.
  ///
  /// Annotations name these places. The first offset is the node's own, the others its arguments'.
  var sites: [[Int]] = []
  private var evaluatedTick: UInt64 = 0
  /// The shape's meaning at the last evaluation; zero before the first.
  private var knownCompaction: UInt64 = 0

  init(domain: TimeDomain, children: [PlanNode], values: ValueBlock = ValueBlock()) {
    self.domain = domain
    self.children = children
    self.values = values
  }

  /// The label sets the node may yield.
  var shape: Shape { preconditionFailure("a node must say what its shape is") }

  /// Where in the expression the operator was found first, for people who look at a plan.
  var expr: Expr?

  /// Where a function over ranges takes its samples from.
  var windows: WindowSource? { nil }

  /// A name for what has no place in the text.
  var title: String { "\(type(of: self))" }

  /// Whether the values of a step follow from samples up to its time alone, whatever the query.
  var readsOnlyThePast: Bool { children.allSatisfy(\.readsOnlyThePast) }

  /// Brings shape and values up to date with the domain.
  func evaluate(_ evaluation: Evaluation) throws(QueryProblem) {
    if evaluatedTick == domain.tick { return }
    try evaluation.checkCancelled()
    for child in children { try child.evaluate(evaluation) }
    try updateShape(evaluation)
    if shape.compaction != knownCompaction {
      if knownCompaction > 0 { evaluation.rebuilds += 1 }
      knownCompaction = shape.compaction
    }
    try evaluation.touch(shape.count * domain.count)
    values.reset(slots: shape.count, steps: domain.count, isConstant: domain.isConstant)
    try compute(evaluation)
    evaluatedTick = domain.tick
  }

  /// Follows the children's shapes; does nothing if they are as before.
  func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {}

  /// Fills `values`, which has the right size and is absent everywhere.
  func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    preconditionFailure("a node must compute its values")
  }

  /// The order of the result at a step of an instant query, for operators that define one.
  func order(step: Int) -> [Int]? { nil }

  /// Gives up what the node holds in the store.
  func close(_ evaluation: Evaluation) {}

  /// Adds a remark at one of the node's sites (0 is the node, 1… are its arguments).
  final func annotate(_ evaluation: Evaluation, _ annotation: Annotation, at site: Int) {
    for offsets in sites {
      evaluation.annotations.add(annotation, at: offsets[min(site, offsets.count - 1)])
    }
  }

  /// The one value of a scalar node at a step.
  @inline(__always)
  final func scalar(_ step: Int) -> Double { values.values[step * values.stride] }
}
