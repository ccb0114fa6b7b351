/// Cuts an exposition into tokens, byte for byte as Prometheus' generated lexers do.
///
/// What a token covers when it is *not* recognised shows in the error texts, so this follows the
/// reference in its oddities too: no backing up once a longer token has failed, NUL as an end mark
/// outside of label values and help texts, and a line feed that the text format adds behind the
/// last byte.
struct Lexer {
  let base: UnsafePointer<UInt8>
  /// Bytes that exist.
  let count: Int
  /// Bytes the lexer sees: the text format adds one line feed.
  let limit: Int
  let isOpenMetrics: Bool
  /// The next byte to read.
  var position: Int
  /// Where the current token starts.
  var start: Int
  var state = LexerState.initial

  init(_ base: UnsafePointer<UInt8>, count: Int, openMetrics: Bool, at position: Int = 0) {
    self.base = base
    self.count = count
    self.limit = openMetrics ? count : count + 1
    self.isOpenMetrics = openMetrics
    self.position = position
    self.start = position
  }

  /// The byte at an index below `limit`.
  @inline(__always)
  func byte(_ i: Int) -> UInt8 { i < count ? base[i] : Byte.newline }

  /// The bytes of a range below `limit`.
  func bytes(_ range: Range<Int>) -> [UInt8] { range.map(byte) }

  /// The bytes of a range that does not reach the line feed the text format adds.
  func pointer(to range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: base + range.lowerBound, count: min(range.upperBound, count) - range.lowerBound)
  }

  /// The bytes of the current token.
  var tokenRange: Range<Int> { start..<position }

  /// Moves to the next byte and returns it; 0 behind the end.
  @inline(__always)
  private mutating func advance() -> UInt8 {
    position += 1
    if position >= limit { return 0 }
    var c = byte(position)
    if c == 0, state == .labelValue || state == .metaText || state == .comment {
      while c == 0 {
        position += 1
        if position >= limit { return 0 }
        c = byte(position)
      }
    }
    return c
  }

  /// Moves on while `belongs` holds.
  @inline(__always)
  private mutating func advance(while belongs: (UInt8) -> Bool) {
    while belongs(advance()) {}
  }

  private mutating func take(_ token: Token, then next: LexerState) -> Token {
    _ = advance()
    state = next
    return token
  }

  mutating func next() -> Token {
    if position >= limit { return .end }
    start = position
    return isOpenMetrics ? nextOpenMetrics(byte(position)) : nextText(byte(position))
  }

  // MARK: Text format

  private mutating func nextText(_ first: UInt8) -> Token {
    var c = first
    if state == .initial, c == Byte.hash {
      c = advance()
      guard Byte.isBlank(c) else { return consumeComment() }
      while Byte.isBlank(c) { c = advance() }
      state = .comment
    }
    if state == .metaText { return metaText(c) }
    if Byte.isBlank(c) {
      advance(while: Byte.isBlank)
      return .whitespace
    }
    switch state {
    case .initial: return lineStart(c)
    case .comment: return commentWord(c)
    case .metaName: return metaName(c)
    case .labels: return labelPart(c)
    case .labelValue:
      return c == Byte.quote && quoted(lineFeeds: true) ? end(.labelValue, .labels) : .invalid
    case .value:
      if c == Byte.braceOpen { return take(.braceOpen, then: .labels) }
      if c == Byte.newline || c == 0 { return .invalid }
      advance { !Byte.isBlank($0) && $0 != Byte.newline && $0 != Byte.braceOpen && $0 != 0 }
      return end(.value, .timestamp)
    default:
      if c == Byte.newline { return take(.lineBreak, then: .initial) }
      guard Byte.isDigit(c) else { return .invalid }
      advance(while: Byte.isDigit)
      return .timestamp
    }
  }

  private mutating func lineStart(_ c: UInt8) -> Token {
    switch c {
    case 0:
      _ = advance()
      return .end
    case Byte.newline: return take(.lineBreak, then: .initial)
    case Byte.braceOpen: return take(.braceOpen, then: .labels)
    default:
      guard Byte.isNameStart(c) else { return .invalid }
      advance(while: Byte.isNamePart)
      return end(.metricName, .value)
    }
  }

  private mutating func commentWord(_ c: UInt8) -> Token {
    let token: Token
    switch c {
    case UInt8(ascii: "H"): token = word("ELP") ? .help : .invalid
    case UInt8(ascii: "T"): token = word("YPE") ? .type : .invalid
    default: token = .invalid
    }
    if token == .invalid { return consumeComment() }
    guard Byte.isBlank(advance()) else { return consumeComment() }
    advance(while: Byte.isBlank)
    return end(token, .metaName)
  }

  /// Reads the rest of a keyword; stands on its last byte when it matches.
  private mutating func word(_ rest: StaticString) -> Bool {
    for i in 0..<rest.utf8CodeUnitCount where advance() != rest.utf8Start[i] { return false }
    return true
  }

  /// A comment that is not metadata reaches to the end of its line.
  private mutating func consumeComment() -> Token {
    var c = position < limit ? byte(position) : 0
    while true {
      if c == 0 { return .end }
      if c == Byte.newline {
        state = .initial
        return .comment
      }
      c = advance()
    }
  }

  private mutating func metaName(_ c: UInt8) -> Token {
    if c == Byte.quote {
      return quoted(lineFeeds: true) ? end(.metricName, .metaText) : .invalid
    }
    guard Byte.isNameStart(c) else { return .invalid }
    advance(while: Byte.isNamePart)
    return end(.metricName, .metaText)
  }

  private mutating func metaText(_ first: UInt8) -> Token {
    var c = first
    if Byte.isBlank(c) {
      while Byte.isBlank(c) { c = advance() }
      if c == Byte.newline || c == 0 { return .whitespace }
    }
    while c != Byte.newline && c != 0 { c = advance() }
    state = .initial
    return .text
  }

  private mutating func labelPart(_ c: UInt8) -> Token {
    switch c {
    case Byte.comma: return take(.comma, then: state)
    case Byte.equal: return take(.equal, then: state == .labels ? .labelValue : .exemplarValue)
    case Byte.braceClose:
      return take(.braceClose, then: state == .labels ? .value : .exemplarValue)
    case Byte.quote: return quoted(lineFeeds: state == .labels) ? .quoted : .invalid
    default:
      guard Byte.isLabelStart(c) else { return .invalid }
      advance(while: Byte.isLabelPart)
      return .labelName
    }
  }

  /// Reads from an opening quote to behind the closing one.
  private mutating func quoted(lineFeeds: Bool) -> Bool {
    while true {
      let c = advance()
      switch c {
      case Byte.quote:
        _ = advance()
        return true
      case Byte.backslash:
        let escaped = advance()
        if escaped == 0 || escaped == Byte.newline { return false }
      case Byte.newline where !lineFeeds: return false
      case 0: return false
      default: break
      }
    }
  }

  private mutating func end(_ token: Token, _ next: LexerState) -> Token {
    state = next
    return token
  }

  // MARK: OpenMetrics

  private mutating func nextOpenMetrics(_ c: UInt8) -> Token {
    switch state {
    case .initial:
      if c == Byte.hash {
        guard advance() == Byte.space else { return .invalid }
        let word = advance()
        state = .comment
        return openMetricsWord(word)
      }
      if c == 0 || c == Byte.newline { return .invalid }
      return lineStart(c)
    case .comment: return openMetricsWord(c)
    case .metaName: return metaName(c)
    case .metaText:
      guard c == Byte.space else { return .invalid }
      while true {
        let c = advance()
        if c == 0 { return .invalid }
        if c == Byte.newline { return take(.text, then: .initial) }
      }
    case .labels, .exemplar: return labelPart(c)
    case .labelValue:
      return c == Byte.quote && quoted(lineFeeds: false) ? end(.labelValue, .labels) : .invalid
    case .value:
      if c == Byte.braceOpen { return take(.braceOpen, then: .labels) }
      return spaceAndWord(c) ? end(.value, .timestamp) : .invalid
    case .timestamp: return afterValue(c)
    case .exemplarValue:
      if c == Byte.quote {
        return quoted(lineFeeds: false) ? end(.labelValue, .exemplar) : .invalid
      }
      return spaceAndWord(c) ? end(.value, .exemplarTimestamp) : .invalid
    case .exemplarTimestamp:
      if c == Byte.newline { return take(.lineBreak, then: .initial) }
      return spaceAndWord(c) ? .timestamp : .invalid
    }
  }

  private mutating func openMetricsWord(_ c: UInt8) -> Token {
    let token: Token
    switch c {
    case UInt8(ascii: "E"):
      guard word("OF") else { return .invalid }
      if advance() == Byte.newline { _ = advance() }
      return end(.endWord, .initial)
    case UInt8(ascii: "H"): token = word("ELP ") ? .help : .invalid
    case UInt8(ascii: "T"): token = word("YPE ") ? .type : .invalid
    case UInt8(ascii: "U"): token = word("NIT ") ? .unit : .invalid
    default: token = .invalid
    }
    return token == .invalid ? token : take(token, then: .metaName)
  }

  /// One space and at least one byte that is neither space nor line feed.
  private mutating func spaceAndWord(_ c: UInt8) -> Bool {
    guard c == Byte.space else { return false }
    let isWord = { (c: UInt8) in c != Byte.space && c != Byte.newline && c != 0 }
    guard isWord(advance()) else { return false }
    advance(while: isWord)
    return true
  }

  private mutating func afterValue(_ c: UInt8) -> Token {
    if c == Byte.newline { return take(.lineBreak, then: .initial) }
    guard c == Byte.space else { return .invalid }
    let isWord = { (c: UInt8) in c != Byte.space && c != Byte.newline && c != 0 }
    var c = advance()
    guard isWord(c) else { return .invalid }
    if c == Byte.hash {
      c = advance()
      if c == Byte.space {
        return advance() == Byte.braceOpen ? take(.comment, then: .exemplar) : .invalid
      }
      guard isWord(c) else { return .timestamp }
    }
    advance(while: isWord)
    return .timestamp
  }
}
