import Model
import PromQL

/// An operator between two elements of which at least one may be a histogram.
enum BinaryElement {
  struct Outcome {
    /// The result; nil if the operator is not defined for the two.
    var value: SampleValue?
    /// Whether a comparison holds; true for arithmetic.
    var isKept = true
    var annotations: [Annotation] = []
  }

  /// Whether the result is no longer the metric it was.
  static func changesMeaning(_ op: BinaryOperator) -> Bool {
    switch op {
    case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: true
    default: false
    }
  }

  static func apply(_ op: BinaryOperator, _ left: SampleValue, _ right: SampleValue) -> Outcome {
    switch (left, right) {
    case (.float(let a), .float(let b)): return floats(op, a, b)
    case (.float(let a), .histogram(let b)):
      guard op == .multiply else { return incompatible("float", op, "histogram") }
      return Outcome(value: .histogram(b.multiplied(by: a).compacted()))
    case (.histogram(let a), .float(let b)):
      switch op {
      case .multiply: return Outcome(value: .histogram(a.multiplied(by: b).compacted()))
      case .divide: return Outcome(value: .histogram(a.divided(by: b).compacted()))
      case .trimUpper: return Outcome(value: .histogram(a.trimmed(at: b, keepsBelow: true)))
      case .trimLower: return Outcome(value: .histogram(a.trimmed(at: b, keepsBelow: false)))
      default: return incompatible("histogram", op, "float")
      }
    case (.histogram(let a), .histogram(let b)): return histograms(op, a, b)
    }
  }

  private static func incompatible(
    _ left: String, _ op: BinaryOperator, _ right: String
  ) -> Outcome {
    Outcome(
      value: nil, isKept: false,
      annotations: [.incompatibleTypes(left, op.rawValue, right)])
  }

  private static func floats(_ op: BinaryOperator, _ a: Double, _ b: Double) -> Outcome {
    if op == .trimUpper || op == .trimLower { return incompatible("float", op, "float") }
    if op.isComparison {
      return Outcome(value: .float(a), isKept: ScalarOperation.compare(op, a, b))
    }
    return Outcome(value: .float(ScalarOperation.apply(op, a, b)))
  }

  private static func histograms(
    _ op: BinaryOperator, _ a: FloatHistogram, _ b: FloatHistogram
  ) -> Outcome {
    switch op {
    case .add, .subtract:
      let isAdd = op == .add
      guard let sum = isAdd ? a.adding(b) : a.subtracting(b) else {
        return Outcome(
          value: nil, isKept: false, annotations: [.incompatibleBucketLayout(op.rawValue)])
      }
      var result = sum.histogram
      if !isAdd { result.counterResetHint = .gauge }
      var outcome = Outcome(value: .histogram(result.compacted()))
      if sum.resetsCollide {
        outcome.annotations.append(.counterResetCollision(isAdd ? .addition : .subtraction))
      }
      if sum.boundsReconciled {
        outcome.annotations.append(.mismatchedCustomBuckets(isAdd ? .addition : .subtraction))
      }
      return outcome
    case .equal: return Outcome(value: .histogram(a), isKept: a.equals(b))
    case .notEqual: return Outcome(value: .histogram(a), isKept: !a.equals(b))
    default: return incompatible("histogram", op, "histogram")
    }
  }
}
