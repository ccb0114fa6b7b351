import Diagnostics
import Model

extension PromQLParser {
  /// A number or a duration as a scalar.
  mutating func numberLiteral() throws(ParseProblem) -> NumberLiteral {
    let token = try take()
    switch token.kind {
    case .number: return NumberLiteral(try number(token), range: token.range)
    case .duration:
      let value = try duration(token).seconds
      return NumberLiteral(value, isDuration: true, range: token.range)
    default: throw unexpected(token)
    }
  }

  /// A number or duration with an optional sign, as a value.
  mutating func signedNumber() throws(ParseProblem) -> Double {
    guard let sign = try peek().kind.sign else { return try numberLiteral().value }
    try take()
    let value = try numberLiteral().value
    return sign == .subtract ? -value : value
  }

  private func duration(_ token: Token) throws(ParseProblem) -> PromDuration {
    do {
      return try PromDuration(parsing: spelling(token))
    } catch {
      throw ParseProblem(error.description, range: token.range)
    }
  }

  /// The value of a number token.
  private func number(_ token: Token) throws(ParseProblem) -> Double {
    let text = spelling(token)
    do {
      return try GoNumber.value(of: text)
    } catch {
      throw ParseProblem("error parsing number: \(error.description)", range: token.range)
    }
  }

  /// The contents of a string token, and its bytes where they are not UTF-8.
  func unquoted(_ token: Token) -> (text: String, raw: [UInt8]?) {
    let quoted = lexer.bytes[token.range.start..<token.range.end]
    guard let quote = quoted.first, quoted.count >= 2 else { return ("", nil) }
    let inside = quoted.dropFirst().dropLast()
    if quote == UInt8(ascii: "`") || !inside.contains(UInt8(ascii: "\\")) {
      return (String(decoding: inside, as: UTF8.self), nil)
    }
    let bytes = Self.unescaped(inside)
    let text = String(decoding: bytes, as: UTF8.self)
    return (text, text.utf8.elementsEqual(bytes) ? nil : bytes)
  }

  /// Resolves escapes that the lexer has found to be well-formed.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var i = bytes.startIndex
    func value(_ count: Int, base: UInt32) -> UInt32 {
      bytes[i..<min(i + count, bytes.endIndex)].reduce(0) {
        $0 &* base &+ (Lexer.digit($1) ?? 0)
      }
    }
    while i < bytes.endIndex {
      let byte = bytes[i]
      i += 1
      guard byte == UInt8(ascii: "\\"), i < bytes.endIndex else {
        out.append(byte)
        continue
      }
      let escaped = bytes[i]
      i += 1
      switch escaped {
      case UInt8(ascii: "a"): out.append(0x07)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0c)
      case UInt8(ascii: "n"): out.append(0x0a)
      case UInt8(ascii: "r"): out.append(0x0d)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "v"): out.append(0x0b)
      case UInt8(ascii: "x"):
        out.append(UInt8(truncatingIfNeeded: value(2, base: 16)))
        i += 2
      case 0x30...0x37:
        i -= 1
        out.append(UInt8(truncatingIfNeeded: value(3, base: 8)))
        i += 3
      case UInt8(ascii: "u"), UInt8(ascii: "U"):
        let count = escaped == UInt8(ascii: "u") ? 4 : 8
        let scalar = Unicode.Scalar(value(count, base: 16)) ?? "\u{fffd}"
        out.append(contentsOf: Array(String(scalar).utf8))
        i += count
      default: out.append(escaped)
      }
    }
    return out
  }
}

/// Why a number was refused, in Go's words.
struct GoNumberProblem: Error, CustomStringConvertible {
  let description: String
}

/// Numbers as Go's `strconv` reads them.
enum GoNumber {
  /// An integer in Go's notation (`0x1f`, `0755`, `0b11`, `1_000`), else a decimal floating-point
  /// number.
  static func value(of text: String) throws(GoNumberProblem) -> Double {
    if let integer = integer(text) { return Double(integer) }
    let problem = "strconv.ParseFloat: parsing \(GoText.quote(text)): "
    let lower = text.lowercased()
    if lower == "inf" || lower == "infinity" { return .infinity }
    if lower == "nan" { return SpecialValue.nan }
    guard isDecimal(text.utf8), let value = Double(text.utf8.contains(0x5f) ? plain(text) : text)
    else { throw GoNumberProblem(description: problem + "invalid syntax") }
    if value.isInfinite { throw GoNumberProblem(description: problem + "value out of range") }
    return value
  }

  /// An unsigned decimal integer.
  static func unsigned(_ text: String) throws(GoNumberProblem) -> UInt64 {
    let problem = "strconv.ParseUint: parsing \(GoText.quote(text)): "
    guard !text.isEmpty, text.utf8.allSatisfy(ByteClass.isDigit) else {
      throw GoNumberProblem(description: problem + "invalid syntax")
    }
    guard let value = UInt64(text) else {
      throw GoNumberProblem(description: problem + "value out of range")
    }
    return value
  }

  private static func plain(_ text: String) -> String {
    String(decoding: text.utf8.filter { $0 != 0x5f }, as: UTF8.self)
  }

  private static func integer(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard underscoresAreSound(bytes) else { return nil }
    var digits = bytes[...]
    var radix = 10
    if bytes.count > 1, bytes[0] == 0x30 {
      switch bytes[1] | 0x20 {
      case UInt8(ascii: "x"): (radix, digits) = (16, digits.dropFirst(2))
      case UInt8(ascii: "o"): (radix, digits) = (8, digits.dropFirst(2))
      case UInt8(ascii: "b"): (radix, digits) = (2, digits.dropFirst(2))
      default: (radix, digits) = (8, digits.dropFirst(1))
      }
    }
    var value: Int64 = 0
    var any = false
    for byte in digits where byte != 0x5f {
      guard let digit = Lexer.digit(byte), digit < radix else { return nil }
      let (product, o1) = value.multipliedReportingOverflow(by: Int64(radix))
      let (sum, o2) = product.addingReportingOverflow(Int64(digit))
      if o1 || o2 { return nil }
      value = sum
      any = true
    }
    return any ? value : nil
  }

  /// Whether underscores stand between digits only, or between a base prefix and a digit.
  private static func underscoresAreSound(_ bytes: [UInt8]) -> Bool {
    guard bytes.contains(0x5f) else { return true }
    var previous = UInt8(ascii: "^")
    var rest = bytes[...]
    var isHex = false
    if bytes.count >= 2, bytes[0] == 0x30 {
      switch bytes[1] | 0x20 {
      case UInt8(ascii: "b"), UInt8(ascii: "o"), UInt8(ascii: "x"):
        isHex = bytes[1] | 0x20 == UInt8(ascii: "x")
        previous = UInt8(ascii: "0")
        rest = rest.dropFirst(2)
      default: break
      }
    }
    for byte in rest {
      if ByteClass.isDigit(byte) || (isHex && Lexer.digit(byte) != nil) {
        previous = UInt8(ascii: "0")
      } else if byte == 0x5f {
        if previous != UInt8(ascii: "0") { return false }
        previous = 0x5f
      } else {
        if previous == 0x5f { return false }
        previous = UInt8(ascii: "!")
      }
    }
    return previous != 0x5f
  }

  /// Digits with at most one point, and perhaps an exponent.
  private static func isDecimal(_ text: String.UTF8View) -> Bool {
    let bytes = Array(text)
    guard underscoresAreSound(bytes) else { return false }
    var i = 0
    var digits = 0
    var hadDot = false
    func isDigit(_ b: UInt8) -> Bool { ByteClass.isDigit(b) || b == 0x5f }
    while i < bytes.count, isDigit(bytes[i]) || (bytes[i] == 0x2e && !hadDot) {
      if bytes[i] == 0x2e { hadDot = true } else { digits += 1 }
      i += 1
    }
    guard digits > 0 else { return false }
    guard i < bytes.count else { return true }
    guard bytes[i] | 0x20 == UInt8(ascii: "e") else { return false }
    i += 1
    if i < bytes.count, bytes[i] == 0x2b || bytes[i] == 0x2d { i += 1 }
    return i < bytes.count && bytes[i...].allSatisfy(isDigit)
  }
}
