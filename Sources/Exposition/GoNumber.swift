import Glibc
import Model

/// Numbers as Go's `strconv` reads them: the same grammar, the same rounding, the same complaints.
enum GoNumber {
  /// Reads a whole text as a sample value; the error text is Prometheus'.
  static func value(_ text: UnsafeBufferPointer<UInt8>) throws(ExpositionProblem) -> Double {
    for c in text where c == UInt8(ascii: "p") || c == UInt8(ascii: "P") || c == UInt8(ascii: "_") {
      throw ExpositionProblem("unsupported character in float")
    }
    return try parse(text)
  }

  /// `strconv.ParseFloat(text, 64)` without hexadecimal and underscores.
  static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(ExpositionProblem) -> Double {
    if let last = text.last, !Byte.isDigit(last), let special = special(text) { return special }
    var i = 0
    if i < text.count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") { i += 1 }
    let whole = digits(text, &i)
    var digitCount = whole
    if i < text.count, text[i] == UInt8(ascii: ".") {
      i += 1
      digitCount += digits(text, &i)
    }
    guard digitCount > 0 else { throw failure("ParseFloat", text, "invalid syntax") }
    if i < text.count, text[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      if i < text.count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") { i += 1 }
      guard digits(text, &i) > 0 else { throw failure("ParseFloat", text, "invalid syntax") }
    }
    guard i == text.count else { throw failure("ParseFloat", text, "invalid syntax") }
    let v = exact(text)
    guard v.isFinite else { throw failure("ParseFloat", text, "value out of range") }
    return v
  }

  /// `strconv.ParseInt(text, 10, 64)` of a text of digits only.
  static func integer(_ text: UnsafeBufferPointer<UInt8>) throws(ExpositionProblem) -> Int64 {
    var v: Int64 = 0
    for c in text {
      let (m, o) = v.multipliedReportingOverflow(by: 10)
      let (s, p) = m.addingReportingOverflow(Int64(c &- 0x30))
      if o || p { throw failure("ParseInt", text, "value out of range") }
      v = s
    }
    return v
  }

  /// Go's conversion of a float to `int64` on amd64: toward zero, the smallest integer when out of
  /// range.
  static func truncated(_ v: Double) -> Int64 {
    v.magnitude < 0x1p63 ? Int64(v) : .min
  }

  /// The correctly rounded value of a text that is known to be a decimal number.
  static func exact(_ text: UnsafeBufferPointer<UInt8>) -> Double {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { buffer in
      for i in 0..<text.count { buffer[i] = CChar(bitPattern: text[i]) }
      buffer[text.count] = 0
      guard let start = buffer.baseAddress else { return .nan }
      return strtod(start, nil)
    }
  }

  private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ i: inout Int) -> Int {
    let start = i
    while i < text.count, Byte.isDigit(text[i]) { i += 1 }
    return i - start
  }

  /// Infinities with an optional sign, NaN without; any case.
  private static func special(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    guard let first = text.first else { return nil }
    let signed = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
    let word = text[(signed ? 1 : 0)...].map { $0 | 0x20 }
    if !signed, word == Array("nan".utf8) { return SpecialValue.nan }
    if word == Array("inf".utf8) || word == Array("infinity".utf8) {
      return first == UInt8(ascii: "-") ? -.infinity : .infinity
    }
    return nil
  }

  private static func failure(
    _ function: String, _ text: UnsafeBufferPointer<UInt8>, _ reason: String
  ) -> ExpositionProblem {
    ExpositionProblem("strconv.\(function): parsing \(QuotedBytes.text(text)): \(reason)")
  }
}
