import Model

/// One token of a template.
struct TemplateToken {
  enum Kind {
    case error, bool, char, charConstant, complex, declare, assign, eof, field, identifier
    case leftDelim, leftParen, number, pipe, rawString, rightDelim, rightParen, space, string
    case text, variable
    // Keywords.
    case block, breakKeyword, continueKeyword, dot, define, elseKeyword, end, ifKeyword
    case nilKeyword, range, template, with
  }

  var kind: Kind
  /// Byte offset of the start.
  var position: Int
  var value: [UInt8]
  /// Line of the start, from 1.
  var line: Int

  /// The token as error messages show it.
  var shown: String {
    switch kind {
    case .eof: return "EOF"
    case .error: return value.text
    case .block, .breakKeyword, .continueKeyword, .dot, .define, .elseKeyword, .end, .ifKeyword,
      .nilKeyword, .range, .template, .with:
      return "<\(value.text)>"
    default:
      if value.count <= 10 { return GoText.quote(value.text) }
      return GoText.quote(String(String.UnicodeScalarView(value.text.unicodeScalars.prefix(10))))
        + "..."
    }
  }
}

extension [UInt8] {
  /// The bytes as text, damaged parts replaced.
  var text: String { String(decoding: self, as: UTF8.self) }
}

/// Cuts a template into tokens, as Go's `text/template/parse` does, messages included.
final class TemplateLexer {
  private static let keywords: [String: TemplateToken.Kind] = [
    ".": .dot, "block": .block, "break": .breakKeyword, "continue": .continueKeyword,
    "define": .define, "else": .elseKeyword, "end": .end, "if": .ifKeyword, "range": .range,
    "nil": .nilKeyword, "template": .template, "with": .with, "true": .bool, "false": .bool,
  ]

  private let input: [UInt8]
  private var position = 0
  private var start = 0
  private var startLine = 1
  private var insideAction = false
  private var parenDepth = 0
  private var failed = false

  /// Reads from a byte on, which begins a text outside actions.
  init(_ input: [UInt8], from start: Int = 0) {
    self.input = input
    self.start = start
    position = start
  }

  /// The next token; after the end or an error, only ends follow.
  func next() -> TemplateToken {
    if failed { return TemplateToken(kind: .eof, position: 0, value: [], line: startLine) }
    while true {
      if let token = insideAction ? lexInsideAction() : lexText() { return token }
    }
  }

  // MARK: Text

  private func lexText() -> TemplateToken? {
    if let open = findPair(0x7b, 0x7b, from: position) {
      if open > position {
        let trims = hasLeftTrimMarker(open + 2)
        var end = open
        if trims { while end > start, isSpace(input[end - 1]) { end -= 1 } }
        position = end
        let token = emit(.text)
        position = open
        ignore()
        if !token.value.isEmpty { return token }
      }
      return lexLeftDelim()
    }
    position = input.count
    if position > start { return emit(.text) }
    return TemplateToken(kind: .eof, position: position, value: [], line: startLine)
  }

  private func lexLeftDelim() -> TemplateToken? {
    position += 2
    let marker = hasLeftTrimMarker(position) ? 2 : 0
    if starts("/*", at: position + marker) {
      position += marker
      ignore()
      return lexComment()
    }
    let token = emit(.leftDelim, Self.leftDelim)
    insideAction = true
    position += marker
    ignore()
    parenDepth = 0
    return token
  }

  private func lexComment() -> TemplateToken? {
    guard let close = findPair(0x2a, 0x2f, from: position + 2) else {
      return problem("unclosed comment")
    }
    position = close + 2
    guard let trims = rightDelim() else {
      return problem("comment ends before closing delimiter")
    }
    position += trims ? 4 : 2
    if trims { skipSpaces() }
    ignore()
    return nil
  }

  // MARK: Actions

  private func lexInsideAction() -> TemplateToken? {
    if let trims = rightDelim() {
      return parenDepth == 0 ? lexRightDelim(trims) : problem("unclosed left paren")
    }
    guard let c = advance() else { return problem("unclosed action") }
    switch c {
    case " ", "\t", "\r", "\n": return lexSpace()
    case "=": return emit(.assign)
    case ":":
      if advance() != "=" { return problem("expected :=") }
      return emit(.declare)
    case "|": return emit(.pipe)
    case "\"": return lexQuoted("\"", .string, "unterminated quoted string")
    case "'": return lexQuoted("'", .charConstant, "unterminated character constant")
    case "`": return lexRawQuote()
    case "$": return atTerminator ? emit(.variable) : lexWord(.variable)
    case "." where position < input.count && !(0x30...0x39 ~= input[position]):
      return atTerminator ? emit(.dot) : lexWord(.field)
    case ".", "+", "-", "0"..."9":
      position -= 1
      return lexNumber()
    case "(":
      parenDepth += 1
      return emit(.leftParen)
    case ")":
      parenDepth -= 1
      return parenDepth < 0 ? problem("unexpected right paren") : emit(.rightParen)
    default:
      if isAlphaNumeric(c) { return lexWord(.identifier) }
      if c.isASCII, GoText.isPrint(c) { return emit(.char) }
      return problem("unrecognized character in action: \(Self.codePoint(c))")
    }
  }

  private func lexRightDelim(_ trims: Bool) -> TemplateToken {
    if trims {
      position += 2
      ignore()
    }
    position += 2
    let token = emit(.rightDelim, Self.rightDelim)
    if trims {
      skipSpaces()
      ignore()
    }
    insideAction = false
    return token
  }

  /// A run of blanks; a trim marker's blank belongs to the delimiter.
  private func lexSpace() -> TemplateToken? {
    while position < input.count, isSpace(input[position]) { position += 1 }
    if starts("-}}", at: position) {
      position -= 1
      if position == start { return lexRightDelim(true) }
    }
    let isOne = position == start + 1 && input[start] == 0x20
    return isOne ? emit(.space, Self.blank) : emit(.space)
  }

  /// A field, variable, keyword or identifier, of which at least a byte is behind us.
  private func lexWord(_ kind: TemplateToken.Kind) -> TemplateToken? {
    while position < input.count {
      let b = input[position]
      if (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x5f {
        position += 1
      } else if b >= 0x80, let c = peek(), isAlphaNumeric(c) {
        _ = advance()
      } else {
        break
      }
    }
    if !atTerminator {
      return problem("bad character \(peek().map(Self.codePoint) ?? "U+FFFD")")
    }
    let word = input[start..<position]
    if kind == .identifier, word.count <= 8,
      let keyword = Self.keywords[String(decoding: word, as: UTF8.self)]
    {
      return emit(keyword)
    }
    return emit(kind)
  }

  private func lexQuoted(
    _ quote: Unicode.Scalar, _ kind: TemplateToken.Kind, _ message: String
  ) -> TemplateToken? {
    while let c = advance() {
      if c == quote { return emit(kind) }
      if c == "\n" { break }
      if c == "\\" {
        guard let next = advance(), next != "\n" else { break }
      }
    }
    return problem(message)
  }

  private func lexRawQuote() -> TemplateToken? {
    while let c = advance() {
      if c == "`" { return emit(.rawString) }
    }
    return problem("unterminated raw quoted string")
  }

  private func lexNumber() -> TemplateToken? {
    guard scanNumber() else { return badNumber() }
    guard let sign = peek(), sign == "+" || sign == "-" else { return emit(.number) }
    guard scanNumber(), input[position - 1] == UInt8(ascii: "i") else { return badNumber() }
    return emit(.complex)
  }

  private func badNumber() -> TemplateToken? {
    let text = String(decoding: input[start..<position], as: UTF8.self)
    return problem("bad number syntax: \(GoText.quote(text))")
  }

  /// Scans generously: what is no number after all, the parser notices.
  private func scanNumber() -> Bool {
    accept("+-")
    var digits = "0123456789_"
    if accept("0") {
      if accept("xX") {
        digits = "0123456789abcdefABCDEF_"
      } else if accept("oO") {
        digits = "01234567_"
      } else if accept("bB") {
        digits = "01_"
      }
    }
    acceptRun(digits)
    if accept(".") { acceptRun(digits) }
    if digits.utf8.count == 11, accept("eE") {
      accept("+-")
      acceptRun("0123456789_")
    }
    if digits.utf8.count == 23, accept("pP") {
      accept("+-")
      acceptRun("0123456789_")
    }
    accept("i")
    if let c = peek(), isAlphaNumeric(c) {
      _ = advance()
      return false
    }
    return true
  }

  // MARK: Reading

  // The commonest tokens share their bytes.
  private static let leftDelim = Array("{{".utf8)
  private static let rightDelim = Array("}}".utf8)
  private static let blank = Array(" ".utf8)

  private func emit(_ kind: TemplateToken.Kind, _ known: [UInt8]? = nil) -> TemplateToken {
    let token = TemplateToken(
      kind: kind, position: start, value: known ?? Array(input[start..<position]),
      line: startLine)
    ignore()
    return token
  }

  /// Drops what lies before the current place.
  private func ignore() {
    for b in input[start..<position] where b == 0x0a { startLine += 1 }
    start = position
  }

  private func problem(_ message: String) -> TemplateToken {
    failed = true
    return TemplateToken(
      kind: .error, position: start, value: Array(message.utf8), line: startLine)
  }

  private func peek() -> Unicode.Scalar? {
    let saved = position
    defer { position = saved }
    return advance()
  }

  private func advance() -> Unicode.Scalar? {
    guard position < input.count else { return nil }
    let first = input[position]
    if first < 0x80 {
      position += 1
      return Unicode.Scalar(first)
    }
    let width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    let end = min(position + width, input.count)
    let scalar = String(decoding: input[position..<end], as: UTF8.self).unicodeScalars.first
    position = end
    return scalar
  }

  @discardableResult
  private func accept(_ set: String) -> Bool {
    guard position < input.count, set.utf8.contains(input[position]) else { return false }
    position += 1
    return true
  }

  private func acceptRun(_ set: String) { while accept(set) {} }

  private func skipSpaces() {
    while position < input.count, isSpace(input[position]) { position += 1 }
  }

  private func starts(_ text: StaticString, at i: Int) -> Bool {
    text.withUTF8Buffer { wanted in
      i + wanted.count <= input.count && wanted.elementsEqual(input[i..<i + wanted.count])
    }
  }

  /// Where two bytes follow each other.
  private func findPair(_ first: UInt8, _ second: UInt8, from: Int) -> Int? {
    input.withUnsafeBufferPointer { input in
      var i = from
      while i + 1 < input.count {
        if input[i] == first, input[i + 1] == second { return i }
        i += 1
      }
      return nil
    }
  }

  /// Whether a right delimiter stands here; true inside if it trims.
  private func rightDelim() -> Bool? {
    if starts("}}", at: position) { return false }
    if position < input.count, isSpace(input[position]), starts("-}}", at: position + 1) {
      return true
    }
    return nil
  }

  private func hasLeftTrimMarker(_ i: Int) -> Bool {
    i + 1 < input.count && input[i] == UInt8(ascii: "-") && isSpace(input[i + 1])
  }

  private var atTerminator: Bool {
    guard let c = peek() else { return true }
    switch c {
    case " ", "\t", "\r", "\n", ".", ",", "|", ":", ")", "(": return true
    default: return starts("}}", at: position)
    }
  }

  private func isSpace(_ b: UInt8) -> Bool { b == 0x20 || b == 0x09 || b == 0x0d || b == 0x0a }

  private func isAlphaNumeric(_ c: Unicode.Scalar) -> Bool {
    c == "_" || GoText.isLetter(c) || GoText.isDigit(c)
  }

  /// Verb `#U`: `U+007B '{'`.
  private static func codePoint(_ c: Unicode.Scalar) -> String {
    let digits = String(c.value, radix: 16, uppercase: true)
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return GoText.isPrint(c) ? "U+\(padded) '\(c)'" : "U+\(padded)"
  }
}
