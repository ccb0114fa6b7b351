import Glibc
import Model

/// Go's `strconv.FormatFloat`: shortest digits or a precision, laid out as `e`, `f` or `g`.
enum GoFloat {
  /// Formats a value; a negative precision asks for the shortest digits that read back exactly.
  static func text(_ v: Double, _ verb: UInt8, precision: Int) -> String {
    if v.isNaN { return "NaN" }
    if v.isInfinite { return v < 0 ? "-Inf" : "+Inf" }
    switch verb {
    case UInt8(ascii: "b"): return binary(v)
    case UInt8(ascii: "x"), UInt8(ascii: "X"): return hexadecimal(v, verb, precision)
    default: break
    }
    let isUpper = verb == UInt8(ascii: "E") || verb == UInt8(ascii: "G")
    let kind = verb | 0x20
    let text: String
    if precision < 0 {
      switch kind {
      case UInt8(ascii: "e"): text = NumberText.scientific(v)
      case UInt8(ascii: "f"): text = NumberText.plain(v)
      default: text = NumberText.general(v)
      }
    } else {
      switch kind {
      case UInt8(ascii: "e"): text = printed("%.*e", precision, v)
      case UInt8(ascii: "f"): text = printed("%.*f", precision, v)
      default: text = general(v, precision)
      }
    }
    return isUpper ? text.uppercased() : text
  }

  /// `%g` with a precision: Go leaves out trailing zeros and takes an exponent from the precision
  /// on, or from the number of digits on where all of them are before the point.
  private static func general(_ v: Double, _ precision: Int) -> String {
    let wanted = max(precision, 1)
    let scientific = printed("%.*e", wanted - 1, v)
    guard let mark = scientific.utf8.firstIndex(of: UInt8(ascii: "e")),
      let exponent = Int(scientific[scientific.index(after: mark)...])
    else { return scientific }
    var digits = scientific[..<mark].utf8.filter { $0 >= 0x30 && $0 <= 0x39 }
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    let sign = v.sign == .minus ? "-" : ""
    // Zero has no digits in Go's eyes, and its point stands at 0.
    let isZero = v == 0
    let count = isZero ? 0 : digits.count
    let point = isZero ? 0 : exponent + 1
    let threshold = wanted > count && count >= point ? count : wanted
    if !isZero, exponent < -4 || exponent >= threshold {
      let fraction = digits.dropFirst()
      let magnitude = String(exponent.magnitude)
      return sign + String(decoding: digits.prefix(1), as: UTF8.self)
        + (fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self))
        + (exponent < 0 ? "e-" : "e+") + (magnitude.count < 2 ? "0" : "") + magnitude
    }
    if exponent < 0 {
      return sign + "0." + String(repeating: "0", count: -exponent - 1)
        + String(decoding: digits, as: UTF8.self)
    }
    let whole = exponent + 1
    if digits.count <= whole {
      return sign + String(decoding: digits, as: UTF8.self)
        + String(repeating: "0", count: whole - digits.count)
    }
    return sign + String(decoding: digits[..<whole], as: UTF8.self) + "."
      + String(decoding: digits[whole...], as: UTF8.self)
  }

  /// Runs C's formatter, which rounds exactly at any precision.
  private static func printed(_ format: String, _ precision: Int, _ v: Double) -> String {
    withVaList([Int32(clamping: precision), v]) { arguments in
      // At most 309 digits stand before the point.
      let capacity = precision + 340
      return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        let count = vsnprintf(buffer.baseAddress, capacity, format, arguments)
        let used = UnsafeRawBufferPointer(buffer).prefix(max(0, min(Int(count), capacity - 1)))
        return String(decoding: used, as: UTF8.self)
      }
    }
  }

  /// Verb `b`: `4503599627370496p-52`.
  private static func binary(_ v: Double) -> String {
    let raw = Int(v.exponentBitPattern)
    let mantissa = raw == 0 ? v.significandBitPattern : v.significandBitPattern | 1 << 52
    let exponent = max(raw, 1) - 1075
    return (v.sign == .minus ? "-" : "") + "\(mantissa)p" + (exponent < 0 ? "" : "+")
      + "\(exponent)"
  }

  /// Verb `x`: `0x1.8p+01`.
  private static func hexadecimal(_ v: Double, _ verb: UInt8, _ precision: Int) -> String {
    // Normalized, so that the digit before the point is 1 (0 for zero).
    var mantissa: UInt64 = v == 0 ? 0 : v.significand.significandBitPattern | 1 << 52
    var exponent = v == 0 ? 0 : Int(v.exponent)
    // 60 bits behind the point: 15 digits.
    mantissa <<= 8
    if precision >= 0 && precision < 15 {
      let shift = UInt64(60 - precision * 4)
      let rest = mantissa & ((1 << shift) - 1)
      mantissa >>= shift
      let half: UInt64 = 1 << (shift - 1)
      if rest > half || rest == half && mantissa & 1 == 1 { mantissa += 1 }
      mantissa <<= shift
      if mantissa >= 1 << 61 {
        mantissa >>= 1
        exponent += 1
      }
    }
    let lead = mantissa >> 60
    var digits = String(mantissa & ((1 << 60) - 1), radix: 16)
    digits = String(repeating: "0", count: 15 - digits.count) + digits
    if precision < 0 {
      while digits.hasSuffix("0") { digits.removeLast() }
    } else if precision <= 15 {
      digits = String(digits.prefix(precision))
    } else {
      digits += String(repeating: "0", count: precision - 15)
    }
    let power = String(exponent.magnitude)
    let text =
      (v.sign == .minus ? "-" : "") + "0x\(lead)" + (digits.isEmpty ? "" : "." + digits)
      + (exponent < 0 ? "p-" : "p+") + (power.count < 2 ? "0" : "") + power
    return verb == UInt8(ascii: "X") ? text.uppercased() : text
  }
}
