import Diagnostics
import Model

/// Splits PromQL into tokens, on bytes, in one pass.
///
/// What a byte means depends on where it stands: inside braces words are only names, inside a range
/// selector a colon is a separator, and in series notation blanks count. `mode` and the
/// open-bracket flags hold that context. The rules (and the order in which they are tried) are
/// those of Prometheus' lexer, so that the first problem of a bad text is the same one, at the same
/// place.
struct Lexer {
  /// Which rules apply to the next byte.
  enum Mode {
    /// The ordinary rules; inside braces or a histogram literal, theirs.
    case statements
    /// Right behind `[`, until the first number.
    case duration
    /// The values of a series description.
    case sequence
    case histogram
    case buckets
    case number
  }

  /// Where in a histogram literal `{{…}}` we are.
  enum HistogramPlace {
    case outside, inside
    /// Right behind `}}`, before an operator.
    case beforeOperator(TokenKind)
  }

  let bytes: [UInt8]
  var position = 0
  var start = 0
  var mode = Mode.statements
  var parenDepth = 0
  var braceOpen = false
  var bracketOpen = false
  var gotColon = false
  var gotDuration = false
  /// Whether series notation is read.
  let isSeries: Bool
  var histogram = HistogramPlace.outside

  init(_ bytes: [UInt8], series: Bool = false) {
    self.bytes = bytes
    isSeries = series
  }

  /// The next token that is not a comment; at the end `.end`, again and again.
  mutating func next() throws(ParseProblem) -> Token {
    while true {
      if let token = try step() { return token }
    }
  }

  // MARK: Reading

  /// The byte at the reading position, or nil at the end.
  var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Reads the byte if `accepted` holds for it.
  @discardableResult
  mutating func accept(_ accepted: (UInt8) -> Bool) -> Bool {
    guard let byte = peek, accepted(byte) else { return false }
    position += 1
    return true
  }

  mutating func skipSpaces() {
    skipRun(ByteClass.isSpace)
    start = position
  }

  mutating func skipRun(_ accepted: (UInt8) -> Bool) {
    while position < bytes.count, accepted(bytes[position]) { position += 1 }
  }

  /// Ends the token at the reading position.
  mutating func emit(_ kind: TokenKind) -> Token {
    let token = Token(kind: kind, range: SourceRange(start, position))
    start = position
    return token
  }

  /// A problem from the start of the token to the end of the input.
  func problem(_ message: String) -> ParseProblem {
    ParseProblem(message, range: SourceRange(start, bytes.count))
  }

  /// The character at an offset; U+FFFD past the end and for malformed bytes.
  func scalar(at offset: Int) -> Unicode.Scalar {
    guard offset < bytes.count else { return "\u{fffd}" }
    var decoder = UTF8()
    var rest = bytes[offset...].makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&rest) { return scalar }
    return "\u{fffd}"
  }

  /// Whether U+FFFD, which Prometheus takes for malformed UTF-8, stands at an offset.
  func isReplacementCharacter(at offset: Int) -> Bool {
    offset + 2 < bytes.count && bytes[offset] == 0xef && bytes[offset + 1] == 0xbf
      && bytes[offset + 2] == 0xbd
  }

  /// The token's text so far.
  var word: String { String(decoding: bytes[start..<position], as: UTF8.self) }

  // MARK: Rules

  /// Applies one rule; nil when it only skipped something.
  private mutating func step() throws(ParseProblem) -> Token? {
    switch mode {
    case .statements:
      switch histogram {
      case .outside: break
      default: return try histogramToken()
      }
      return braceOpen ? try tokenInsideBraces() : try statementToken()
    case .duration: return try durationToken()
    case .sequence: return try sequenceToken()
    case .histogram: return try histogramToken()
    case .buckets: return try bucketToken()
    case .number:
      mode = .statements
      return try numberToken()
    }
  }

  private mutating func skipComment() {
    skipRun({ $0 != 0x0a && $0 != 0x0d })
    start = position
  }

  private mutating func statementToken() throws(ParseProblem) -> Token? {
    guard let byte = peek else { return try endToken() }
    if ByteClass.isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(at: position + 1)) {
      return try numberOrDurationToken()
    }
    if ByteClass.isAlpha(byte) { return try wordToken(byte) }
    switch byte {
    case UInt8(ascii: "#"):
      skipComment()
      return nil
    case 0x20, 0x09, 0x0a, 0x0d:
      skipSpaces()
      return nil
    case UInt8(ascii: ":"): return try wordToken(byte)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return try quotedString(byte)
    case UInt8(ascii: "`"): return try rawString()
    case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
    case UInt8(ascii: "{"):
      position += 1
      braceOpen = true
      return emit(.leftBrace)
    case UInt8(ascii: "["), UInt8(ascii: "]"): return try bracket(byte)
    default: return try operatorToken(byte)
    }
  }

  private mutating func endToken() throws(ParseProblem) -> Token {
    if parenDepth != 0 { throw problem("unclosed left parenthesis") }
    if bracketOpen { throw problem("unclosed left bracket") }
    return emit(.end)
  }

  private mutating func operatorToken(_ byte: UInt8) throws(ParseProblem) -> Token {
    let second = position + 1 < bytes.count ? bytes[position + 1] : 0
    let (kind, length): (TokenKind, Int)
    switch byte {
    case UInt8(ascii: ","): (kind, length) = (.comma, 1)
    case UInt8(ascii: "+"): (kind, length) = (.infix(.add), 1)
    case UInt8(ascii: "-"): (kind, length) = (.infix(.subtract), 1)
    case UInt8(ascii: "*"): (kind, length) = (.infix(.multiply), 1)
    case UInt8(ascii: "/"): (kind, length) = (.infix(.divide), 1)
    case UInt8(ascii: "%"): (kind, length) = (.infix(.modulo), 1)
    case UInt8(ascii: "^"): (kind, length) = (.infix(.power), 1)
    case UInt8(ascii: "@"): (kind, length) = (.at, 1)
    case UInt8(ascii: "="):
      if second == UInt8(ascii: "~") { throw problem("unexpected character after '=': '~'") }
      (kind, length) = second == UInt8(ascii: "=") ? (.infix(.equal), 2) : (.equal, 1)
    case UInt8(ascii: "!"):
      guard second == UInt8(ascii: "=") else {
        let found = GoText.quote(scalar(at: position + 1))
        throw problem("unexpected character after '!': \(found)")
      }
      (kind, length) = (.infix(.notEqual), 2)
    case UInt8(ascii: "<"):
      switch second {
      case UInt8(ascii: "="): (kind, length) = (.infix(.lessOrEqual), 2)
      case UInt8(ascii: "/"): (kind, length) = (.infix(.trimUpper), 2)
      default: (kind, length) = (.infix(.less), 1)
      }
    case UInt8(ascii: ">"):
      switch second {
      case UInt8(ascii: "="): (kind, length) = (.infix(.greaterOrEqual), 2)
      case UInt8(ascii: "/"): (kind, length) = (.infix(.trimLower), 2)
      default: (kind, length) = (.infix(.greater), 1)
      }
    default: throw problem("unexpected character: \(GoText.quote(scalar(at: position)))")
    }
    position += length
    return emit(kind)
  }

  mutating func parenthesis(_ byte: UInt8) throws(ParseProblem) -> Token {
    position += 1
    if byte == UInt8(ascii: "(") {
      parenDepth += 1
      return emit(.leftParen)
    }
    let token = emit(.rightParen)
    parenDepth -= 1
    if parenDepth < 0 { throw problem("unexpected right parenthesis ')'") }
    return token
  }

  private mutating func bracket(_ byte: UInt8) throws(ParseProblem) -> Token {
    if byte == UInt8(ascii: "[") {
      position += 1
      if bracketOpen {
        throw problem("unexpected left bracket '['")
      }
      gotColon = false
      let token = emit(.leftBracket)
      skipSpaces()
      bracketOpen = true
      mode = .duration
      return token
    }
    position += 1
    if !bracketOpen { throw problem("unexpected right bracket ']'") }
    bracketOpen = false
    return emit(.rightBracket)
  }

  /// A word, or inside a range selector a colon or one of the words of duration expressions.
  private mutating func wordToken(_ byte: UInt8) throws(ParseProblem) -> Token {
    guard bracketOpen else { return keywordOrIdentifier() }
    switch byte {
    case UInt8(ascii: ":"):
      position += 1
      if gotColon { throw problem("unexpected colon ':'") }
      gotColon = true
      return emit(.colon)
    case UInt8(ascii: "s"), UInt8(ascii: "S"), UInt8(ascii: "m"), UInt8(ascii: "M"),
      UInt8(ascii: "r"), UInt8(ascii: "R"):
      if let kind = durationWord() { return emit(kind) }
    default: break
    }
    let found = GoText.quote(Unicode.Scalar(byte))
    throw problem("unexpected character: \(found), expected ':'")
  }

  /// Reads a word of duration expressions (`step`, `range`, `min_of`, `max_of`), or nothing it
  /// knows.
  private mutating func durationWord() -> TokenKind? {
    skipRun(ByteClass.isAlpha)
    switch word.lowercased() {
    case "step": return .query(.step)
    case "range": return .query(.range)
    case "min_of": return .query(.minOf)
    case "max_of": return .query(.maxOf)
    default: return nil
    }
  }

  mutating func keywordOrIdentifier() -> Token {
    var hasColon = false
    while let byte = peek, ByteClass.isAlphaNumeric(byte) || byte == UInt8(ascii: ":") {
      hasColon = hasColon || byte == UInt8(ascii: ":")
      position += 1
    }
    var kind = hasColon ? TokenKind.metricIdentifier : .identifier
    if !hasColon, position - start <= 12, let known = TokenKind.words[word.lowercased()] {
      kind = known
      // The fill modifiers are words only before a parenthesis, so metrics of that name keep
      // working.
      switch known {
      case .keyword(.fill), .keyword(.fillLeft), .keyword(.fillRight):
        if !isFollowedByLeftParen { kind = .identifier }
      default: break
      }
    }
    if isSeries, peek != UInt8(ascii: "{") { mode = .sequence } else { mode = .statements }
    return emit(kind)
  }

  private var isFollowedByLeftParen: Bool {
    var i = position
    while i < bytes.count, ByteClass.isSpace(bytes[i]) { i += 1 }
    return i < bytes.count && bytes[i] == UInt8(ascii: "(")
  }

  private mutating func tokenInsideBraces() throws(ParseProblem) -> Token? {
    guard let byte = peek else { throw problem("unexpected end of input inside braces") }
    if ByteClass.isAlpha(byte) {
      skipRun(ByteClass.isAlphaNumeric)
      return emit(.identifier)
    }
    let second = position + 1 < bytes.count ? bytes[position + 1] : 0
    switch byte {
    case UInt8(ascii: "#"):
      skipComment()
      return nil
    case 0x20, 0x09, 0x0a, 0x0d:
      skipSpaces()
      return nil
    case UInt8(ascii: ","):
      position += 1
      return emit(.comma)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return try quotedString(byte)
    case UInt8(ascii: "`"): return try rawString()
    case UInt8(ascii: "="):
      position += second == UInt8(ascii: "~") ? 2 : 1
      return emit(second == UInt8(ascii: "~") ? .equalRegexp : .equal)
    case UInt8(ascii: "!"):
      position += 2
      if second == UInt8(ascii: "~") { return emit(.notEqualRegexp) }
      if second == UInt8(ascii: "=") { return emit(.infix(.notEqual)) }
      let found = GoText.quote(scalar(at: position - 1))
      throw problem("unexpected character after '!' inside braces: \(found)")
    case UInt8(ascii: "{"): throw problem("unexpected left brace '{'")
    case UInt8(ascii: "}"):
      position += 1
      braceOpen = false
      if isSeries { mode = .sequence }
      return emit(.rightBrace)
    default:
      let found = GoText.quote(scalar(at: position))
      throw problem("unexpected character inside braces: \(found)")
    }
  }

  private mutating func durationToken() throws(ParseProblem) -> Token? {
    guard let byte = peek else {
      throw problem("unexpected end of input in duration expression")
    }
    if ByteClass.isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(at: position + 1)) {
      gotDuration = true
      mode = .statements
      return try numberOrDurationToken()
    }
    switch byte {
    case UInt8(ascii: "]"):
      position += 1
      bracketOpen = false
      gotColon = false
      mode = .statements
      return emit(.rightBracket)
    case UInt8(ascii: ":"):
      position += 1
      let token = emit(.colon)
      if !gotDuration {
        throw problem("unexpected colon before duration in duration expression")
      }
      if gotColon { throw problem("unexpected repeated colon in duration expression") }
      gotColon = true
      return token
    case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
    case 0x20, 0x09, 0x0a, 0x0d:
      skipSpaces()
      return nil
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"),
      UInt8(ascii: "%"), UInt8(ascii: "^"), UInt8(ascii: ","):
      return try operatorToken(byte)
    case UInt8(ascii: "s"), UInt8(ascii: "S"), UInt8(ascii: "m"), UInt8(ascii: "M"),
      UInt8(ascii: "r"), UInt8(ascii: "R"):
      if let kind = durationWord() { return emit(kind) }
    default: break
    }
    let found = GoText.quote(scalar(at: start))
    throw problem("unexpected character in duration expression: \(found)")
  }
}

/// Classes of bytes; letters and digits are those of ASCII only.
enum ByteClass {
  static func isSpace(_ b: UInt8) -> Bool { b == 0x20 || b == 0x09 || b == 0x0a || b == 0x0d }
  static func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
  static func isAlpha(_ b: UInt8) -> Bool {
    (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b == 0x5f
  }
  static func isAlphaNumeric(_ b: UInt8) -> Bool { isAlpha(b) || isDigit(b) }
}
