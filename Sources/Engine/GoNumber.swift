import Glibc
import Model

/// Numbers inside messages, as Go's `fmt` lays them out.
enum GoNumber {
  /// `%g`: shortest digits, an exponent below 1e-4 or from 1e6 on (Go keeps %v's 21 digits for
  /// itself).
  static func shortest(_ v: Double) -> String {
    if v.isNaN || v.isInfinite || v == 0 { return NumberText.general(v) }
    let magnitude = v.magnitude
    return magnitude < 1e-4 || magnitude >= 1e6
      ? NumberText.scientific(v) : NumberText.general(v)
  }

  /// `%.<digits>g`.
  static func significant(_ v: Double, digits: Int) -> String { formatted(v, digits) }

  /// `%f`: six decimals.
  static func fixed(_ v: Double) -> String { NumberText.fixed(v) }

  /// As OpenMetrics writes label values: at least one decimal.
  static func openMetrics(_ v: Double) -> String {
    if v == 1 { return "1.0" }
    if v == 0 { return "0.0" }
    if v == -1 { return "-1.0" }
    if v.isNaN { return "NaN" }
    if v.isInfinite { return v < 0 ? "-Inf" : "+Inf" }
    let text = shortest(v)
    return text.utf8.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: ".") }
      ? text : text + ".0"
  }

  /// `strconv.ParseFloat` for what stands in label values: decimals, hexadecimals, infinities, NaN.
  static func parse(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    guard let first = bytes.first else { return nil }
    var rest = bytes[...]
    if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let word = String(decoding: rest, as: UTF8.self).lowercased()
    let isNegative = first == UInt8(ascii: "-")
    if word == "inf" || word == "infinity" { return isNegative ? -.infinity : .infinity }
    if word == "nan" { return rest.count == bytes.count ? SpecialValue.nan : nil }
    // What strtod takes beyond Go: blanks, "nan(…)".
    let isPlain = rest.allSatisfy { b in
      b >= 0x30 && b <= 0x39 || (b | 0x20) >= 0x61 && (b | 0x20) <= 0x66
        || b == 0x2e || b == 0x2b || b == 0x2d || (b | 0x20) == 0x78 || (b | 0x20) == 0x70
    }
    guard isPlain else { return nil }
    let isHex = word.hasPrefix("0x")
    if isHex && !word.contains("p") { return nil }
    if rest.first == 0x2b || rest.first == 0x2d { return nil }
    return text.withCString { start in
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(start, &end)
      guard let end, end.pointee == 0, UnsafePointer(end) != start else { return nil }
      return value.isInfinite ? nil : value
    }
  }

  private static func formatted(_ v: Double, _ digits: Int) -> String {
    if v.isNaN || v.isInfinite { return NumberText.general(v) }
    var buffer = [CChar](repeating: 0, count: 64)
    let n = withVaList([CInt(digits), v]) { vsnprintf(&buffer, buffer.count, "%.*g", $0) }
    return String(decoding: buffer.prefix(Int(n)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
