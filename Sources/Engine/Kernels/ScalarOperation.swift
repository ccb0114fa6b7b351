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
    case .power: power(a, b)
    case .atan2: Glibc.atan2(a, b)
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual:
      compare(op, a, b) ? 1 : 0
    case .trimUpper, .trimLower, .and, .or, .unless:
      preconditionFailure("the type checker lets no such operator between scalars")
    }
  }

  /// Go's `math.Pow`: the integral part of the exponent by squaring, the rest by logarithm.
  ///
  /// The C library's is more accurate in the last bit, but a remainder of a power shows that bit.
  static func power(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if y == 1 { return x }
    if !x.isFinite || !y.isFinite || x == 0 { return pow(x, y) }
    if y == 0.5 { return x.squareRoot() }
    if y == -0.5 { return 1 / x.squareRoot() }
    var whole = y.magnitude.rounded(.down)
    var fraction = y.magnitude - whole
    if fraction != 0 && x < 0 { return .nan }
    if whole >= 0x1p63 {
      if x == -1 { return 1 }
      return (x.magnitude < 1) == (y > 0) ? 0 : .infinity
    }
    var result = 1.0
    var exponent = 0
    if fraction != 0 {
      if fraction > 0.5 {
        fraction -= 1
        whole += 1
      }
      result = exponential(fraction * log(x))
    }
    var base = frexp(x)
    var rest = Int64(whole)
    while rest != 0 {
      if base.1 < -4096 || base.1 > 4096 {
        // Beyond any double already.
        exponent += base.1
        break
      }
      if rest & 1 == 1 {
        result *= base.0
        exponent += base.1
      }
      base = (base.0 * base.0, base.1 << 1)
      if base.0 < 0.5 { base = (base.0 + base.0, base.1 - 1) }
      rest >>= 1
    }
    if y < 0 {
      result = 1 / result
      exponent = -exponent
    }
    return ldexp(result, Int32(clamping: exponent))
  }

  /// Go's `math.Exp` on amd64: e^r for a sixteenth of the reduced argument by its series, squared four times.
  static func exponential(_ x: Double) -> Double {
    if x.isNaN || x > 709.782712893384 || x < -745.1332191019411 { return exp(x) }
    let n = (x * 1.4426950408889634).rounded(.toNearestOrEven)
    var r = x.addingProduct(-n, 0.693147180559662956511601805686950684)
    r.addProduct(-n, 0.28235290563031577122588448175013436025525412068e-12)
    r *= 0.0625
    var series = 2.4801587301587301587e-5
    series = 1.9841269841269841270e-4.addingProduct(series, r)
    series = 1.3888888888888888889e-3.addingProduct(series, r)
    series = 8.3333333333333333333e-3.addingProduct(series, r)
    series = 4.1666666666666666667e-2.addingProduct(series, r)
    series = 1.6666666666666666667e-1.addingProduct(series, r)
    series = 0.5.addingProduct(series, r)
    series = 1.0.addingProduct(series, r)
    r *= series
    for _ in 0..<4 { r *= r + 2 }
    return ldexp(1 + r, Int32(n))
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
