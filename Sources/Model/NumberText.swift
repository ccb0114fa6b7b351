/// Numbers as text, laid out as Go's `strconv.FormatFloat` with the shortest digits that read back
/// exactly.
package enum NumberText {
  /// Format `'f', -1`: never an exponent; PromQL's printed numbers and API sample values.
  package static func plain(_ v: Double) -> String {
    if let special = special(v) { return special }
    let d = Digits(v)
    return d.sign + d.plain
  }

  /// Format `'g', -1` (Go's `%v`): an exponent below 1e-4 or from 1e6 on (`1e+06`, `1.234567e+06`).
  package static func general(_ v: Double) -> String {
    if let special = special(v) { return special }
    let d = Digits(v)
    return d.sign + (d.exponent < -4 || d.exponent >= 6 ? d.scientific : d.plain)
  }

  /// Format `'e', -1`: the value of an alert in the API (`1e+00`).
  package static func scientific(_ v: Double) -> String {
    if let special = special(v) { return special }
    let d = Digits(v)
    return d.sign + d.scientific
  }

  /// A number as JSON has it, or its text in quotes where JSON has none for it.
  package static func json(_ v: Double) -> String {
    v.isFinite ? plain(v) : "\"\(plain(v))\""
  }

  /// Format `'f', 6` (Go's `%f`): six decimals.
  package static func fixed(_ v: Double) -> String {
    if let special = special(v) { return special }
    return (v.sign == .minus ? "-" : "") + ExactDecimal.text(v.magnitude, decimals: 6)
  }

  private static func special(_ v: Double) -> String? {
    if v.isNaN { return "NaN" }
    if v.isInfinite { return v < 0 ? "-Inf" : "+Inf" }
    return nil
  }
}

/// The shortest decimal digits of a finite double: `0.d₁d₂… × 10^(exponent+1)`.
private struct Digits {
  var sign = ""
  /// Significant digits without leading or trailing zeros ("0" for zero).
  var digits: [UInt8] = []
  /// Decimal exponent of the first digit.
  var exponent = 0

  init(_ v: Double) {
    if v.sign == .minus { sign = "-" }
    var mantissa: [UInt8] = []
    var point: Int?
    var exp = 0
    var bytes = Array(v.magnitude.description.utf8)[...]
    if let e = bytes.firstIndex(of: UInt8(ascii: "e")) {
      exp = Int(String(decoding: bytes[(e + 1)...], as: UTF8.self)) ?? 0
      bytes = bytes[..<e]
    }
    for b in bytes {
      if b == UInt8(ascii: ".") { point = mantissa.count } else { mantissa.append(b) }
    }
    exp += (point ?? mantissa.count) - 1
    while mantissa.count > 1, mantissa.first == UInt8(ascii: "0") {
      mantissa.removeFirst()
      exp -= 1
    }
    while mantissa.count > 1, mantissa.last == UInt8(ascii: "0") { mantissa.removeLast() }
    digits = mantissa
    exponent = mantissa == [UInt8(ascii: "0")] ? 0 : exp
  }

  var plain: String {
    var out: [UInt8] = []
    if exponent < 0 {
      out += Array("0.".utf8) + Array(repeating: UInt8(ascii: "0"), count: -exponent - 1) + digits
    } else {
      let whole = exponent + 1
      if digits.count <= whole {
        out += digits + Array(repeating: UInt8(ascii: "0"), count: whole - digits.count)
      } else {
        out += digits[..<whole] + [UInt8(ascii: ".")] + digits[whole...]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  var scientific: String {
    var out: [UInt8] = [digits[0]]
    if digits.count > 1 { out += [UInt8(ascii: ".")] + digits[1...] }
    let e = String(exponent.magnitude)
    return String(decoding: out, as: UTF8.self) + (exponent < 0 ? "e-" : "e+")
      + (e.count < 2 ? "0" + e : e)
  }
}
