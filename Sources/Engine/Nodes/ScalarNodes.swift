import Model
import PromQL

/// Scalars that need no argument.
final class ScalarSourceNode: PlanNode {
  enum Source {
    case number(Double)
    /// The evaluation time, and the bounds, length and step of the query, in seconds.
    case time, queryStart, queryEnd, queryRange, queryStep
  }

  private let source: Source
  private let ownShape = Shape.single()

  init(domain: TimeDomain, source: Source) {
    self.source = source
    super.init(domain: domain, children: [])
  }

  override var shape: Shape { ownShape }
  override var title: String { "\(source)" }
  override var readsOnlyThePast: Bool {
    switch source {
    case .number, .time: true
    case .queryStart, .queryEnd, .queryRange, .queryStep: false
    }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for step in 0..<domain.count {
      let value =
        switch source {
        case .number(let number): number
        case .time: Double(domain.time(step)) / 1000
        case .queryStart: Double(evaluation.start) / 1000
        case .queryEnd: Double(evaluation.end) / 1000
        case .queryRange: Double(evaluation.end - evaluation.start) / 1000
        case .queryStep: Double(evaluation.step) / 1000
        }
      values.set(step, value)
    }
  }
}

/// `scalar(v)`: the value of the only float of a vector, else NaN.
final class ScalarOfVectorNode: PlanNode {
  private let ownShape = Shape.single()

  init(domain: TimeDomain, argument: PlanNode) {
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { ownShape }
  override var title: String { "scalar" }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].values
    for step in 0..<domain.count {
      let row = step * input.stride
      var found = 0
      var value = Double.nan
      for slot in 0..<input.slots where input.tags[row + slot] == CellTag.float {
        found += 1
        value = input.values[row + slot]
      }
      values.set(step, found == 1 ? value : .nan)
    }
  }
}

/// `vector(s)`, and scalars where a vector is wanted: the same value with no labels.
final class VectorOfScalarNode: PlanNode {
  init(domain: TimeDomain, argument: PlanNode) {
    super.init(domain: domain, children: [argument])
  }

  override var shape: Shape { children[0].shape }
  override var title: String { "vector" }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for step in 0..<domain.count { values.set(step, children[0].scalar(step)) }
  }
}

/// An operator or `min_of`/`max_of` between two scalars.
final class ScalarBinaryNode: PlanNode {
  enum Operation: Hashable {
    case infix(BinaryOperator)
    case minOf, maxOf
  }

  private let operation: Operation
  private let ownShape = Shape.single()

  init(domain: TimeDomain, operation: Operation, left: PlanNode, right: PlanNode) {
    self.operation = operation
    super.init(domain: domain, children: [left, right])
  }

  override var shape: Shape { ownShape }
  override var title: String { "\(operation)" }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    for step in 0..<domain.count {
      let a = children[0].scalar(step)
      let b = children[1].scalar(step)
      let value =
        switch operation {
        case .infix(let op): ScalarOperation.apply(op, a, b)
        case .minOf: ScalarOperation.minimum(a, b)
        case .maxOf: ScalarOperation.maximum(a, b)
        }
      values.set(step, value)
    }
  }
}
