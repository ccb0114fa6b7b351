/// Turns plain decimal numbers into doubles, correctly rounded, without a copy or a library call.
///
/// Up to nineteen digits with a decimal exponent within ±27 are exact here: small ones by one
/// floating-point operation on two exact numbers (Clinger), the others by one 128-bit integer
/// division or product, whose remainder decides the rounding. What does not fit is left to the
/// caller.
struct DecimalReader: @unchecked Sendable {
  /// 10⁰…10²²: the powers of ten that a double holds exactly.
  private let powersOfTen: UnsafePointer<Double>
  /// 5⁰…5²⁷: the powers of five that 64 bits hold.
  private let powersOfFive: UnsafePointer<UInt64>

  static let shared = DecimalReader()

  private init() {
    let tens = UnsafeMutablePointer<Double>.allocate(capacity: 23)
    let fives = UnsafeMutablePointer<UInt64>.allocate(capacity: 28)
    var ten = 1.0
    for i in 0..<23 {
      tens[i] = ten
      ten *= 10
    }
    var five: UInt64 = 1
    for i in 0..<28 {
      fives[i] = five
      five &*= 5
    }
    powersOfTen = UnsafePointer(tens)
    powersOfFive = UnsafePointer(fives)
  }

  /// Reads the number at `p` and moves behind it; nil (and `p` unmoved) where there is none or it
  /// does not fit.
  ///
  /// The bytes must end with one that is no part of a number, a line feed say.
  @inline(__always)
  func read(_ p: inout UnsafePointer<UInt8>) -> Double? {
    var q = p
    let negative = q[0] == UInt8(ascii: "-")
    if negative || q[0] == UInt8(ascii: "+") { q += 1 }
    var mantissa: UInt64 = 0
    let first = q
    var digit = q[0] &- 0x30
    while digit < 10 {
      mantissa = mantissa &* 10 &+ UInt64(digit)
      q += 1
      digit = q[0] &- 0x30
    }
    var count = q - first
    var exponent = 0
    if q[0] == UInt8(ascii: ".") {
      q += 1
      let fraction = q
      digit = q[0] &- 0x30
      while digit < 10 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        q += 1
        digit = q[0] &- 0x30
      }
      exponent = fraction - q
      count -= exponent
    }
    if count == 0 || count > 19 { return nil }
    if q[0] | 0x20 == UInt8(ascii: "e") {
      guard let e = readExponent(&q) else { return nil }
      exponent += e
    }
    guard let value = value(mantissa, exponent) else { return nil }
    p = q
    return negative ? -value : value
  }

  @inline(never)
  private func readExponent(_ q: inout UnsafePointer<UInt8>) -> Int? {
    q += 1
    let negative = q[0] == UInt8(ascii: "-")
    if negative || q[0] == UInt8(ascii: "+") { q += 1 }
    let first = q
    var e = 0
    while q[0] &- 0x30 < 10, q - first < 6 {
      e = e * 10 + Int(q[0] &- 0x30)
      q += 1
    }
    guard q > first, q[0] &- 0x30 >= 10 else { return nil }
    return negative ? -e : e
  }

  /// `mantissa × 10^exponent`, or nil where it does not fit.
  @inline(__always)
  private func value(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    if mantissa < 1 << 53 {
      if exponent == 0 { return Double(mantissa) }
      if exponent < 0 && exponent >= -22 { return Double(mantissa) / powersOfTen[-exponent] }
      if exponent > 0 && exponent <= 22 { return Double(mantissa) * powersOfTen[exponent] }
      if mantissa == 0 { return 0 }
    }
    return rounded(mantissa, exponent)
  }

  @inline(never)
  private func rounded(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    guard exponent >= -27 && exponent <= 27 else { return nil }
    if exponent < 0 {
      // w / 5ᵏ with both shifted to the top; one bit down so that the quotient fits 64 bits.
      let five = powersOfFive[-exponent]
      let down = mantissa.leadingZeroBitCount
      let up = five.leadingZeroBitCount
      let w = mantissa &<< UInt64(down)
      let (quotient, remainder) =
        (five &<< UInt64(up)).dividingFullWidth((high: w &>> 1, low: w &<< 63))
      return Self.double(quotient, sticky: remainder != 0, scale: up - down - 63 + exponent)
    }
    let (high, low) = mantissa.multipliedFullWidth(by: powersOfFive[exponent])
    if high == 0 { return Self.double(low, sticky: false, scale: exponent) }
    let shift = high.leadingZeroBitCount
    let top = shift == 0 ? high : high &<< UInt64(shift) | low &>> UInt64(64 - shift)
    let rest = shift == 0 ? low : low &<< UInt64(shift)
    return Self.double(top, sticky: rest != 0, scale: exponent + 64 - shift)
  }

  /// `bits × 2^scale`, rounded half to even; `sticky` tells that more non-zero bits follow.
  private static func double(_ bits: UInt64, sticky: Bool, scale: Int) -> Double {
    let excess = max(0, 11 - bits.leadingZeroBitCount)
    var kept = bits &>> UInt64(excess)
    if excess > 0 {
      let half = UInt64(1) &<< UInt64(excess - 1)
      let rest = bits & (half &<< 1 &- 1)
      if rest > half || (rest == half && (sticky || kept & 1 == 1)) { kept += 1 }
    }
    // The power is far from the ends of the exponent range, so the product is exact.
    let power = Double(bitPattern: UInt64(1023 + scale + excess) &<< 52)
    return Double(kept) * power
  }
}
