import Glibc

/// Functions of Go's `math` package whose last bit differs from the C library's.
///
/// The C library is mostly the more accurate one. But a result may depend on that bit (the
/// remainder of a power, a comparison), and Prometheus' numbers are the contract.
enum GoMath {
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
      result = exponential(fraction * logarithm(x))
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

  /// Go's `math.Exp` on amd64: e^r for a sixteenth of the reduced argument by its series, squared
  /// four times.
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
    for _ in 0..<3 { r *= r + 2 }
    // The last step is fused with the addition, and its missing rounding shows.
    return ldexp(1.0.addingProduct(r, r + 2), Int32(n))
  }

  /// Go's `math.Log`, the algorithm of FreeBSD's.
  static func logarithm(_ x: Double) -> Double {
    if !(x > 0) || !x.isFinite { return log(x) }
    var (mantissa, power) = frexp(x)
    if mantissa < 0.5.squareRoot() {
      mantissa *= 2
      power -= 1
    }
    let f = mantissa - 1
    let k = Double(power)
    let s = f / (2 + f)
    let s2 = s * s
    let s4 = s2 * s2
    let odd5 = 1.818357216161805012e-01 + s4 * 1.479819860511658591e-01
    let odd3 = 2.857142874366239149e-01 + s4 * odd5
    let odd = s2 * (6.666666666666735130e-01 + s4 * odd3)
    let even4 = 2.222219843214978396e-01 + s4 * 1.531383769920937332e-01
    let even = s4 * (3.999999999940941908e-01 + s4 * even4)
    let half = 0.5 * f * f
    let low = k * 1.90821492927058770002e-10
    let high = k * 6.93147180369123816490e-01
    return high - ((half - (s * (half + (odd + even)) + low)) - f)
  }
}
