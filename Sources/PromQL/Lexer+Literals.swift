import Model

extension Lexer {
  func isDigit(at offset: Int) -> Bool {
    offset < bytes.count && ByteClass.isDigit(bytes[offset])
  }

  // MARK: Strings

  /// A string in single or double quotes; escapes are checked here and resolved by the parser.
  mutating func quotedString(_ quote: UInt8) throws(ParseProblem) -> Token {
    position += 1
    while let byte = peek {
      if isReplacementCharacter(at: position) { throw problem("invalid UTF-8 rune") }
      position += 1
      switch byte {
      case UInt8(ascii: "\\"): try escape(quote)
      case 0x0a: throw problem("unterminated quoted string")
      case quote: return emit(.string)
      default: break
      }
    }
    throw problem("unterminated quoted string")
  }

  /// A string in back quotes, without escapes.
  mutating func rawString() throws(ParseProblem) -> Token {
    position += 1
    while let byte = peek {
      if isReplacementCharacter(at: position) { throw problem("invalid UTF-8 rune") }
      position += 1
      if byte == UInt8(ascii: "`") { return emit(.string) }
    }
    throw problem("unterminated raw string")
  }

  private mutating func escape(_ quote: UInt8) throws(ParseProblem) {
    guard let byte = peek else { throw problem("escape sequence not terminated") }
    var digits: Int
    let base: UInt32
    let limit: UInt32
    switch byte {
    case quote, UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"):
      position += 1
      return
    case 0x30...0x37: (digits, base, limit) = (3, 8, 255)
    case UInt8(ascii: "x"): (digits, base, limit) = (2, 16, 255)
    case UInt8(ascii: "u"): (digits, base, limit) = (4, 16, 0x10ffff)
    case UInt8(ascii: "U"): (digits, base, limit) = (8, 16, 0x10ffff)
    default: throw problem("unknown escape sequence \(codePoint(at: position))")
    }
    if base == 16 { position += 1 }
    var value: UInt32 = 0
    while digits > 0 {
      guard let byte = peek else { throw problem("escape sequence not terminated") }
      guard let digit = Self.digit(byte), digit < base else {
        throw problem("illegal character \(codePoint(at: position)) in escape sequence")
      }
      value = value &* base &+ digit
      position += 1
      digits -= 1
    }
    if value > limit || (0xd800..<0xe000).contains(value) {
      throw problem("escape sequence is an invalid Unicode code point")
    }
  }

  /// `U+0071 'q'`, without the character where it does not print.
  private func codePoint(at offset: Int) -> String {
    let scalar = scalar(at: offset)
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return GoText.isPrint(scalar) ? "U+\(padded) '\(scalar)'" : "U+\(padded)"
  }

  /// The value of a hexadecimal digit.
  static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x61...0x66: UInt32(byte - 0x61 + 10)
    case 0x41...0x46: UInt32(byte - 0x41 + 10)
    default: nil
    }
  }

  // MARK: Numbers

  mutating func numberToken() throws(ParseProblem) -> Token {
    guard scanNumber() else { throw problem("bad number syntax: \(GoText.quote(word))") }
    return emit(.number)
  }

  mutating func numberOrDurationToken() throws(ParseProblem) -> Token {
    if scanNumber() { return emit(.number) }
    if scanRestOfDuration() { return emit(.duration) }
    throw problem("bad number or duration syntax: \(GoText.quote(word))")
  }

  /// Reads `m30s` behind `1`, … ; leaves the offending byte read where it fails.
  private mutating func scanRestOfDuration() -> Bool {
    func isUnit(_ b: UInt8) -> Bool {
      switch b {
      case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "h"), UInt8(ascii: "d"),
        UInt8(ascii: "w"):
        true
      default: false
      }
    }
    // A year can only come first. A second `s` makes `ms`; wrong units are found when the value is
    // read.
    guard accept({ isUnit($0) || $0 == UInt8(ascii: "y") }) else { return false }
    accept { $0 == UInt8(ascii: "s") }
    while accept(ByteClass.isDigit) {
      skipRun(ByteClass.isDigit)
      guard accept(isUnit) else { return false }
      accept { $0 == UInt8(ascii: "s") }
    }
    return !accept(ByteClass.isAlphaNumeric)
  }

  /// Reads what may be a number; the parser finds out what it is worth.
  ///
  /// Where it fails the offending byte has been read, because error texts show it.
  private mutating func scanNumber() -> Bool {
    let first = position
    var isHex = false
    // `0x3` would be ambiguous in series notation: zero, repeated.
    if !isSeries, accept({ $0 == 0x30 }), accept({ $0 | 0x20 == UInt8(ascii: "x") }) {
      accept { $0 == UInt8(ascii: "_") }
      isHex = true
    }
    func isDigit(_ b: UInt8) -> Bool { isHex ? Lexer.digit(b) != nil : ByteClass.isDigit(b) }
    func isDot(_ b: UInt8) -> Bool { b == UInt8(ascii: ".") }
    func isUnderscore(_ b: UInt8) -> Bool { b == UInt8(ascii: "_") }
    func isExponent(_ b: UInt8) -> Bool { b | 0x20 == UInt8(ascii: "e") }
    func isMark(_ b: UInt8) -> Bool { isDot(b) || isUnderscore(b) || isExponent(b) }
    accept(isDot)
    accept(isDigit)
    var hadDot = false
    var hadExponent = false
    while let byte = peek, isDigit(byte) || isMark(byte) {
      if (isDot(byte) && hadDot) || (isExponent(byte) && hadExponent) {
        position += 1
        return false
      }
      if accept(isDot) {
        hadDot = true
        if accept({ isDot($0) || isUnderscore($0) }) || isHex { return false }
      } else if accept(isExponent) {
        hadExponent = true
        accept { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        if accept(isMark) || peek == nil { return false }
      } else if accept(isUnderscore) {
        if accept(isMark) || peek == nil { return false }
      } else {
        skipRun(isDigit)
      }
    }
    guard position > first else { return false }
    guard let byte = peek else { return true }
    return (isSeries && byte == UInt8(ascii: "x")) || !ByteClass.isAlphaNumeric(byte)
  }
}
