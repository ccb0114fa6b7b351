/// Decimal digits of doubles without rounding errors, for fixed numbers of decimals.
enum ExactDecimal {
  /// A finite, non-negative number with exactly `decimals` digits after the point, ties to even.
  static func text(_ v: Double, decimals: Int) -> String {
    if v == 0 { return pad("0", decimals) }
    // v = mantissa × 2^exponent; the wanted integer is round(v × 10^decimals).
    let mantissa = UInt64(v.significandBitPattern) | (v.isNormal ? 1 << 52 : 0)
    let exponent = max(Int(v.exponentBitPattern), 1) - 1075
    var number = BigDigits(mantissa)
    for _ in 0..<decimals { number.multiply(by: 10) }
    if exponent >= 0 {
      for _ in 0..<exponent { number.multiply(by: 2) }
    } else {
      number.shiftRightRounding(by: -exponent)
    }
    return pad(number.description, decimals)
  }

  private static func pad(_ digits: String, _ decimals: Int) -> String {
    let missing = max(0, decimals + 1 - digits.count)
    let all = String(repeating: "0", count: missing) + digits
    return decimals == 0 ? all : all.dropLast(decimals) + "." + all.suffix(decimals)
  }
}

/// A natural number of any size, in 32-bit limbs, the least significant first.
private struct BigDigits: CustomStringConvertible {
  private var limbs: [UInt32]

  init(_ value: UInt64) {
    limbs = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
  }

  mutating func multiply(by factor: UInt32) {
    var carry: UInt64 = 0
    for i in limbs.indices {
      let product = UInt64(limbs[i]) * UInt64(factor) + carry
      limbs[i] = UInt32(truncatingIfNeeded: product)
      carry = product >> 32
    }
    if carry > 0 { limbs.append(UInt32(carry)) }
  }

  /// Divides by 2^count, rounding to the nearest and ties to even.
  mutating func shiftRightRounding(by count: Int) {
    let isTieOrMore = bit(count - 1)
    let isMore = isTieOrMore && (0..<(count - 1)).contains { bit($0) }
    let isOdd = bit(count)
    var out: [UInt32] = []
    let whole = count / 32
    let rest = UInt64(count % 32)
    for i in limbs.indices.dropFirst(whole) {
      let high = i + 1 < limbs.count ? UInt64(limbs[i + 1]) << 32 : 0
      out.append(UInt32(truncatingIfNeeded: (high | UInt64(limbs[i])) >> rest))
    }
    limbs = out.isEmpty ? [0] : out
    if isMore || (isTieOrMore && isOdd) { increment() }
  }

  private func bit(_ i: Int) -> Bool {
    i / 32 < limbs.count && limbs[i / 32] >> UInt32(i % 32) & 1 == 1
  }

  private mutating func increment() {
    for i in limbs.indices {
      limbs[i] &+= 1
      if limbs[i] != 0 { return }
    }
    limbs.append(1)
  }

  var description: String {
    var rest = limbs
    var digits: [UInt8] = []
    while let top = rest.last {
      if top == 0 {
        rest.removeLast()
        continue
      }
      var remainder: UInt64 = 0
      for i in rest.indices.reversed() {
        let value = remainder << 32 | UInt64(rest[i])
        rest[i] = UInt32(value / 10)
        remainder = value % 10
      }
      digits.append(0x30 + UInt8(remainder))
    }
    return digits.isEmpty ? "0" : String(decoding: digits.reversed(), as: UTF8.self)
  }
}
