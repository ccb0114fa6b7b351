import Glibc
import PromQL

/// The operators between two numbers.
enum ScalarOperation {
  /// The result, 1 or 0 for a comparison.
  static func apply(_ op: BinaryOperator, _ a: Double, _ b: Double) -> Double {
    switch op {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .modulo: fmod(a, b)
    case .power: GoMath.power(a, b)
    case .atan2: Glibc.atan2(a, b)
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual:
      compare(op, a, b) ? 1 : 0
    case .trimUpper, .trimLower, .and, .or, .unless:
      preconditionFailure("a plan has no such operator between scalars")
    }
  }

  /// Whether a comparison holds.
  @inline(__always)
  static func compare(_ op: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
    switch op {
    case .equal: a == b
    case .notEqual: a != b
    case .greater: a > b
    case .less: a < b
    case .greaterOrEqual: a >= b
    case .lessOrEqual: a <= b
    default: preconditionFailure("not a comparison")
    }
  }

  /// Go's `math.Min`: NaN if either is, and −0 below 0.
  @inline(__always)
  static func minimum(_ a: Double, _ b: Double) -> Double {
    if a == -.infinity || b == -.infinity { return -.infinity }
    if a.isNaN || b.isNaN { return .nan }
    if a == 0 && a == b { return a.sign == .minus ? a : b }
    return a < b ? a : b
  }

  /// Go's `math.Max`.
  @inline(__always)
  static func maximum(_ a: Double, _ b: Double) -> Double {
    if a == .infinity || b == .infinity { return .infinity }
    if a.isNaN || b.isNaN { return .nan }
    if a == 0 && a == b { return a.sign == .minus ? b : a }
    return a > b ? a : b
  }
}
