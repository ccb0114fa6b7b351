import Model

/// A node that gives each slot of its first child a value of its own and drops the metric name.
///
/// Where names dropped make slots collide, the values are computed aside and scattered with a
/// check.
class ProjectedNode: PlanNode {
  private var projection: NameRemoval
  private let staging = ValueBlock()

  init(domain: TimeDomain, children: [PlanNode], delaysNames: Bool) {
    projection = NameRemoval(delaysNames: delaysNames)
    super.init(domain: domain, children: children)
  }

  override var shape: Shape { projection.shape }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    projection.update(from: children[0].shape)
  }

  final override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    if projection.isIdentity {
      try transform(into: values, evaluation)
      return
    }
    let slots = children[0].values.slots
    staging.reset(slots: slots, steps: domain.count, isConstant: domain.isConstant)
    try transform(into: staging, evaluation)
    for step in 0..<domain.count {
      for slot in 0..<slots {
        let source = step * slots + slot
        if staging.tags[source] == CellTag.absent { continue }
        let cell = step * values.slots + projection.target(slot)
        if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
        values.copy(cell, from: staging, source)
      }
    }
  }

  /// Fills a block with as many slots as the first child has.
  func transform(into out: ValueBlock, _ evaluation: Evaluation) throws(QueryProblem) {
    preconditionFailure("a projected node must transform its values")
  }
}

/// `abs(v)`, `clamp(v, a, b)`, `hour(v)`, … and the unary minus.
final class MathFunctionNode: ProjectedNode {
  private let function: MathFunction

  init(
    domain: TimeDomain, function: MathFunction, argument: PlanNode, parameters: [PlanNode],
    delaysNames: Bool
  ) {
    self.function = function
    super.init(domain: domain, children: [argument] + parameters, delaysNames: delaysNames)
  }

  override var title: String { function.rawValue }

  override func transform(into out: ValueBlock, _ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    for step in 0..<domain.count {
      let row = step * input.stride
      let target = step * input.slots
      function.apply(
        FloatRow(
          input: input.values + row, inputTags: input.tags + row, output: out.values + target,
          outputTags: out.tags + target, count: input.slots),
        p0: children.count > 1 ? children[1].scalar(step) : 1,
        p1: children.count > 2 ? children[2].scalar(step) : 0)
      if function == .negate && input.hasHistograms {
        for slot in 0..<input.slots where input.tags[row + slot] == CellTag.histogram {
          out.set(target + slot, input.histogram(row + slot).multiplied(by: -1))
        }
      }
    }
  }
}

/// `timestamp(v)` of anything but a selector: the evaluation time where there is a value.
final class EvaluationTimeNode: ProjectedNode {
  init(domain: TimeDomain, argument: PlanNode, delaysNames: Bool) {
    super.init(domain: domain, children: [argument], delaysNames: delaysNames)
  }

  override var title: String { "timestamp" }

  override func transform(into out: ValueBlock, _ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    for step in 0..<domain.count {
      let row = step * input.stride
      let time = Double(domain.time(step)) / 1000
      for slot in 0..<input.slots where input.tags[row + slot] != CellTag.absent {
        out.set(step * input.slots + slot, time)
      }
    }
  }
}

/// `histogram_count(v)` and the other functions from one native histogram to a number.
final class HistogramFunctionNode: ProjectedNode {
  private let function: NativeHistogram.Function

  init(
    domain: TimeDomain, function: NativeHistogram.Function, argument: PlanNode, delaysNames: Bool
  ) {
    self.function = function
    super.init(domain: domain, children: [argument], delaysNames: delaysNames)
  }

  override var title: String { function.rawValue }

  override func transform(into out: ValueBlock, _ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    if !input.hasHistograms { return }
    for step in 0..<domain.count {
      let row = step * input.stride
      for slot in 0..<input.slots where input.tags[row + slot] == CellTag.histogram {
        out.set(
          step * input.slots + slot, NativeHistogram.apply(function, input.histogram(row + slot)))
      }
    }
  }
}
