import Model
import PromQL

/// An operator between a vector and a scalar, in either order.
final class VectorScalarNode: PlanNode {
  private let op: BinaryOperator
  private let returnsBool: Bool
  /// Whether the scalar stands on the left.
  private let isSwapped: Bool
  private var projection: NameRemoval
  private let staging = ValueBlock()

  init(
    domain: TimeDomain, op: BinaryOperator, vector: PlanNode, scalar: PlanNode, isSwapped: Bool,
    returnsBool: Bool, delaysNames: Bool
  ) {
    self.op = op
    self.returnsBool = returnsBool
    self.isSwapped = isSwapped
    projection = NameRemoval(delaysNames: delaysNames)
    super.init(domain: domain, children: [vector, scalar])
  }

  private var dropsName: Bool { BinaryElement.changesMeaning(op) || returnsBool }

  override var shape: Shape { dropsName ? projection.shape : children[0].shape }
  override var title: String { op.rawValue + (returnsBool ? " bool" : "") + " scalar" }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    if dropsName { projection.update(from: children[0].shape) }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    if !dropsName || projection.isIdentity {
      apply(into: values, evaluation)
      return
    }
    let slots = children[0].values.slots
    staging.reset(slots: slots, steps: domain.count, isConstant: domain.isConstant)
    apply(into: staging, evaluation)
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

  private func apply(into out: ValueBlock, _ evaluation: Evaluation) {
    let input = children[0].values
    for step in 0..<domain.count {
      let row = step * input.stride
      let scalar = children[1].scalar(step)
      let floats = FloatRow(
        input: input.values + row, inputTags: input.tags + row,
        output: out.values + step * input.slots, outputTags: out.tags + step * input.slots,
        count: input.slots)
      applyToFloats(floats, scalar)
      if input.hasHistograms || op == .trimUpper || op == .trimLower {
        applyCarefully(into: out, input, step, scalar, evaluation)
      }
    }
  }

  /// The loops over floats; the operator is chosen once per row.
  private func applyToFloats(_ row: FloatRow, _ s: Double) {
    switch (op, isSwapped) {
    case (.add, false): row.map { $0 + s }
    case (.add, true): row.map { s + $0 }
    case (.subtract, false): row.map { $0 - s }
    case (.subtract, true): row.map { s - $0 }
    case (.multiply, false): row.map { $0 * s }
    case (.multiply, true): row.map { s * $0 }
    case (.divide, false): row.map { $0 / s }
    case (.divide, true): row.map { s / $0 }
    case (.modulo, false), (.power, false), (.atan2, false):
      row.map { ScalarOperation.apply(op, $0, s) }
    case (.modulo, true), (.power, true), (.atan2, true):
      row.map { ScalarOperation.apply(op, s, $0) }
    case (.equal, _): filter(row) { $0 == s }
    case (.notEqual, _): filter(row) { $0 != s }
    case (.greater, false), (.less, true): filter(row) { $0 > s }
    case (.less, false), (.greater, true): filter(row) { $0 < s }
    case (.greaterOrEqual, false), (.lessOrEqual, true): filter(row) { $0 >= s }
    case (.lessOrEqual, false), (.greaterOrEqual, true): filter(row) { $0 <= s }
    case (.trimUpper, _), (.trimLower, _): break
    case (.and, _), (.or, _), (.unless, _):
      preconditionFailure("the type checker lets no set operator take a scalar")
    }
  }

  @inline(__always)
  private func filter(_ row: FloatRow, _ holds: (Double) -> Bool) {
    if returnsBool {
      row.map { holds($0) ? 1 : 0 }
      return
    }
    for i in 0..<row.count where row.inputTags[i] == CellTag.float {
      let value = row.input[i]
      row.output[i] = value
      row.outputTags[i] = holds(value) ? CellTag.float : CellTag.absent
    }
  }

  /// The elements that are histograms, and operators that floats do not know.
  private func applyCarefully(
    into out: ValueBlock, _ input: ValueBlock, _ step: Int, _ scalar: Double,
    _ evaluation: Evaluation
  ) {
    for slot in 0..<input.slots {
      let source = step * input.stride + slot
      guard let element = input.value(source) else { continue }
      if case .float = element, op != .trimUpper, op != .trimLower { continue }
      let outcome =
        isSwapped
        ? BinaryElement.apply(op, .float(scalar), element)
        : BinaryElement.apply(op, element, .float(scalar))
      for annotation in outcome.annotations { annotate(evaluation, annotation, at: 0) }
      guard let result = outcome.value else { continue }
      let cell = step * input.slots + slot
      if returnsBool {
        out.set(cell, outcome.isKept ? 1 : 0)
      } else if outcome.isKept {
        // A comparison keeps the vector's element, on whichever side it stands.
        out.set(cell, op.isComparison ? element : result)
      }
    }
  }
}
