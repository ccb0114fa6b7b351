import Model

extension Lexer {
  /// The rules for the values behind a metric in series notation.
  mutating func sequenceToken() throws(ParseProblem) -> Token? {
    guard let byte = peek else {
      mode = .statements
      return nil
    }
    let second = position + 1 < bytes.count ? bytes[position + 1] : 0
    if ByteClass.isSpace(byte) {
      position += 1
      let token = emit(.space)
      skipSpaces()
      return token
    }
    if ByteClass.isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(at: position + 1)) {
      return try numberToken()
    }
    switch byte {
    case UInt8(ascii: "{") where second == UInt8(ascii: "{"):
      position += 2
      histogram = .inside
      mode = .histogram
      return emit(.openHistogram)
    case UInt8(ascii: "+"):
      position += 1
      return emit(.infix(.add))
    case UInt8(ascii: "-"):
      position += 1
      return emit(.infix(.subtract))
    case UInt8(ascii: "x"):
      position += 1
      return emit(.times)
    case UInt8(ascii: "_"):
      position += 1
      return emit(.blank)
    case _ where ByteClass.isAlpha(byte): return keywordOrIdentifier()
    default:
      let found = GoText.quote(scalar(at: position))
      throw problem("unexpected character in series sequence: \(found)")
    }
  }

  /// The rules inside `{{…}}`.
  mutating func histogramToken() throws(ParseProblem) -> Token? {
    if case .beforeOperator(let kind) = histogram {
      histogram = .outside
      mode = .sequence
      position += 1
      return emit(kind)
    }
    if bracketOpen { return try bucketToken() }
    mode = .histogram
    guard let byte = peek else {
      throw problem("histogram description incomplete unexpected: '\u{fffd}'")
    }
    if ByteClass.isSpace(byte) {
      position += 1
      let token = emit(.space)
      skipSpaces()
      return token
    }
    if ByteClass.isAlpha(byte) { return try histogramWord() }
    if ByteClass.isDigit(byte) { return try numberToken() }
    switch byte {
    case UInt8(ascii: ":"):
      position += 1
      return emit(.colon)
    case UInt8(ascii: "-"):
      position += 1
      return emit(.infix(.subtract))
    case UInt8(ascii: "["):
      position += 1
      bracketOpen = true
      mode = .buckets
      return emit(.leftBracket)
    case UInt8(ascii: "}") where position + 1 < bytes.count && bytes[position + 1] == byte:
      return closeHistogram()
    default:
      let found = GoText.quote(scalar(at: position))
      throw problem("histogram description incomplete unexpected: \(found)")
    }
  }

  private mutating func closeHistogram() -> Token {
    position += 2
    let token = emit(.closeHistogram)
    switch peek {
    case UInt8(ascii: "x"): histogram = .beforeOperator(.times)
    case UInt8(ascii: "+"): histogram = .beforeOperator(.infix(.add))
    case UInt8(ascii: "-"): histogram = .beforeOperator(.infix(.subtract))
    default:
      histogram = .outside
      mode = .sequence
    }
    return token
  }

  private mutating func histogramWord() throws(ParseProblem) -> Token {
    skipRun(ByteClass.isAlpha)
    let lower = word.lowercased()
    if let key = HistogramKey(rawValue: lower) {
      guard peek == UInt8(ascii: ":") else {
        throw problem("missing `:` for histogram descriptor")
      }
      return emit(.histogramKey(key))
    }
    switch lower {
    case "inf", "nan": return emit(.number)
    case "unknown": return emit(.resetHint(.unknown))
    case "reset": return emit(.resetHint(.reset))
    case "not_reset": return emit(.resetHint(.notReset))
    case "gauge": return emit(.resetHint(.gauge))
    default: throw problem("bad histogram descriptor found: \(GoText.quote(word))")
    }
  }

  /// The rules inside the brackets of a histogram literal.
  mutating func bucketToken() throws(ParseProblem) -> Token? {
    mode = .buckets
    guard let byte = peek else {
      throw problem("invalid character in buckets description: '\u{fffd}'")
    }
    if ByteClass.isSpace(byte) {
      position += 1
      let token = emit(.space)
      skipSpaces()
      return token
    }
    if ByteClass.isDigit(byte) { return try numberToken() }
    switch byte {
    case UInt8(ascii: "-"):
      position += 1
      mode = .number
      return emit(.infix(.subtract))
    case UInt8(ascii: "]"):
      position += 1
      bracketOpen = false
      mode = .histogram
      return emit(.rightBracket)
    case _ where ByteClass.isAlpha(byte):
      position += 1
      return ["inf", "nan"].contains(word.lowercased()) ? emit(.number) : nil
    default:
      let found = GoText.quote(scalar(at: position))
      throw problem("invalid character in buckets description: \(found)")
    }
  }
}
