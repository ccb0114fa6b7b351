import Model

/// Reads entries from tokens: the grammar of the text format and of OpenMetrics.
struct Grammar {
  var lexer: Lexer
  /// Whether labels are only checked, not kept.
  private let skipsLabels: Bool
  private var entry = RawEntry()
  private var hasName = false

  init(_ lexer: Lexer, skipsLabels: Bool = false) {
    self.lexer = lexer
    self.skipsLabels = skipsLabels
  }

  /// The next entry, or nil at the end of the exposition.
  mutating func next() throws(ExpositionProblem) -> RawEntry? {
    while true {
      entry = RawEntry()
      entry.start = lexer.position
      hasName = false
      let token = nextToken()
      switch token {
      case .end:
        if lexer.isOpenMetrics { throw problem("data does not end with # EOF") }
        return nil
      case .endWord:
        if nextToken() != .end { throw problem("unexpected data after # EOF") }
        return nil
      case .lineBreak where !lexer.isOpenMetrics: continue
      case .help, .type, .unit: try readMetadata(token)
      case .comment where !lexer.isOpenMetrics:
        entry.kind = .comment
        entry.text = lexer.tokenRange
        let following = nextToken()
        if following != .lineBreak {
          throw unexpected("linebreak expected after comment", following)
        }
      case .braceOpen, .metricName: try readSeries(token)
      default: throw unexpected("expected a valid start token", token)
      }
      entry.end = lexer.position
      return entry
    }
  }

  private mutating func nextToken() -> Token {
    var token = lexer.next()
    while token == .whitespace { token = lexer.next() }
    return token
  }

  /// Name and labels of a series whose text is known to be good and ends there.
  mutating func series() throws(ExpositionProblem) -> RawEntry {
    entry = RawEntry()
    hasName = false
    try readName(nextToken())
    return entry
  }

  // MARK: Metadata

  private mutating func readMetadata(_ kind: Token) throws(ExpositionProblem) {
    let name = nextToken()
    guard name == .metricName else {
      throw unexpected("expected metric name after \(kind.rawValue)", name)
    }
    entry.name = unquoted(lexer.tokenRange)
    let text = nextToken()
    guard text == .text else {
      throw problem(
        lexer.isOpenMetrics
          ? "expected text in \(kind.rawValue)"
          : "expected text in \(kind.rawValue), got \(text.rawValue)")
    }
    let range = lexer.tokenRange
    let trailing = lexer.isOpenMetrics ? 1 : 0
    entry.text = range.count > 1 ? (range.lowerBound + 1)..<(range.upperBound - trailing) : 0..<0
    switch kind {
    case .type:
      entry.kind = .type
      let text = lexer.bytes(entry.text)
      guard let type = MetricType(text: text, openMetrics: lexer.isOpenMetrics) else {
        throw problem("invalid metric type \(QuotedBytes.text(text))")
      }
      entry.type = type
    case .help:
      entry.kind = .help
      let text = lexer.bytes(entry.text)
      if !QuotedBytes.isValidUTF8(text) {
        throw problem("help text \(QuotedBytes.text(text)) is not a valid utf8 string")
      }
    default:
      entry.kind = .unit
      try checkUnit(lexer.bytes(entry.text), of: lexer.bytes(entry.name))
    }
    if !lexer.isOpenMetrics {
      let following = nextToken()
      if following != .lineBreak {
        throw unexpected("linebreak expected after metadata", following)
      }
    }
  }

  private func checkUnit(_ unit: [UInt8], of name: [UInt8]) throws(ExpositionProblem) {
    if unit.isEmpty { return }
    let prefix = name.count - unit.count
    if prefix < 1 || !name[prefix...].elementsEqual(unit)
      || name[prefix - 1] != UInt8(ascii: "_")
    {
      throw problem(
        "unit \(QuotedBytes.text(unit)) not a suffix of metric \(QuotedBytes.text(name))")
    }
  }

  // MARK: Series

  private mutating func readSeries(_ first: Token) throws(ExpositionProblem) {
    let token = try readName(first)
    guard hasName else {
      throw problem("metric name not set while parsing: \(quote(entry.start..<lexer.position))")
    }
    guard token == .value else { throw unexpected("expected value after metric", token) }
    entry.value = try readNumber()
    if lexer.isOpenMetrics { try readOpenMetricsTail() } else { try readTextTail() }
  }

  /// Reads name and labels; returns the token behind them.
  @discardableResult
  private mutating func readName(_ first: Token) throws(ExpositionProblem) -> Token {
    entry.kind = .series
    var token = first
    if token == .metricName {
      // The name starts where the entry does, blanks in front of it included: so does the
      // reference.
      entry.name = entry.start..<lexer.position
      hasName = true
      entry.keyEnd = lexer.position
      token = nextToken()
    }
    if token == .braceOpen {
      entry.labels = try readLabels(exemplar: false)
      entry.keyEnd = lexer.position
      token = nextToken()
    }
    return token
  }

  private mutating func readTextTail() throws(ExpositionProblem) {
    var token = nextToken()
    if token == .timestamp {
      do throws(ExpositionProblem) {
        entry.timestamp = try GoNumber.integer(lexer.pointer(to: lexer.tokenRange))
      } catch {
        throw whileParsing(error)
      }
      token = nextToken()
      if token != .lineBreak { throw unexpected("expected next entry after timestamp", token) }
    } else if token != .lineBreak {
      throw unexpected("expected timestamp or new record", token)
    }
  }

  private mutating func readOpenMetricsTail() throws(ExpositionProblem) {
    var token = nextToken()
    if token == .timestamp {
      entry.timestamp = try readSeconds("invalid timestamp")
      token = nextToken()
      if token != .lineBreak && token != .comment {
        throw unexpected("expected next entry after timestamp", token)
      }
    }
    if token == .end { throw problem("data does not end with # EOF") }
    // Anything else ends the sample too; the next entry complains about it.
    if token == .comment { try readExemplar() }
  }

  private mutating func readExemplar() throws(ExpositionProblem) {
    let labels = try readLabels(exemplar: true)
    var token = nextToken()
    guard token == .value else { throw unexpected("expected value after exemplar labels", token) }
    var exemplar = RawExemplar(labels: labels, value: try readNumber())
    token = nextToken()
    if token == .timestamp {
      exemplar.timestamp = try readSeconds("invalid exemplar timestamp")
      token = nextToken()
      if token != .lineBreak {
        throw unexpected("expected next entry after exemplar timestamp", token)
      }
    } else if token == .end {
      throw problem("data does not end with # EOF")
    } else if token != .lineBreak {
      throw unexpected("expected timestamp or comment", token)
    }
    entry.exemplar = exemplar
  }

  private mutating func readLabels(exemplar: Bool) throws(ExpositionProblem) -> [RawLabel] {
    var labels: [RawLabel] = []
    var token = nextToken()
    while true {
      let nameRange = lexer.tokenRange
      let isQuoted = token == .quoted
      if token == .braceClose { return labels }
      if token != .labelName && !isQuoted { throw unexpected("expected label name", token) }
      token = nextToken()
      if isQuoted && (token == .comma || token == .braceClose) {
        // A quoted text on its own is the metric's name.
        if exemplar { throw unexpected("expected label name", token) }
        if hasName {
          throw problem(
            "metric name already set while parsing: \(quote(entry.start..<lexer.position))")
        }
        hasName = true
        entry.name = (nameRange.lowerBound + 1)..<(nameRange.upperBound - 1)
        if token == .braceClose { return labels }
        token = nextToken()
        continue
      }
      guard token == .equal else { throw unexpected("expected equal", token) }
      token = nextToken()
      guard token == .labelValue else { throw unexpected("expected label value", token) }
      let value = lexer.tokenRange
      if !isUTF8(value) {
        throw problem("invalid UTF-8 label value: \(quote(value))")
      }
      if !skipsLabels {
        labels.append(
          RawLabel(
            name: isQuoted ? unquoted(nameRange) : nameRange,
            value: (value.lowerBound + 1)..<(value.upperBound - 1)))
      }
      token = nextToken()
      if token == .comma {
        token = nextToken()
      } else if lexer.isOpenMetrics && token != .braceClose {
        throw unexpected("expected comma or brace close", token)
      }
    }
  }

  // MARK: Numbers

  /// The number of the current token; OpenMetrics tokens start with their space.
  private mutating func readNumber() throws(ExpositionProblem) -> Double {
    let range = lexer.tokenRange
    let text = lexer.pointer(to: lexer.isOpenMetrics ? range.dropFirst() : range)
    do throws(ExpositionProblem) {
      return try GoNumber.value(text)
    } catch {
      throw whileParsing(error)
    }
  }

  private mutating func readSeconds(_ complaint: String) throws(ExpositionProblem) -> Int64 {
    let seconds = try readNumber()
    guard seconds.isFinite else { throw problem("\(complaint) \(NumberText.plain(seconds))") }
    return GoNumber.truncated(seconds * 1000)
  }

  // MARK: Errors

  private func whileParsing(_ problem: ExpositionProblem) -> ExpositionProblem {
    self.problem(
      "\(problem.message) while parsing: \(quote(entry.start..<lexer.position))")
  }

  private func unexpected(_ expectation: String, _ got: Token) -> ExpositionProblem {
    let end = min(lexer.limit, lexer.position + 1)
    return problem(
      "\(expectation), got \(quote(lexer.start..<end)) (\(QuotedBytes.text(got.rawValue.utf8)))"
        + " while parsing: \(quote(entry.start..<end))")
  }

  /// A problem of the entry being read.
  func problem(_ message: String) -> ExpositionProblem {
    var line = 1
    for i in 0..<min(entry.start, lexer.count) where lexer.base[i] == Byte.newline { line += 1 }
    return ExpositionProblem(message, line: line)
  }

  private func quote(_ range: Range<Int>) -> String {
    QuotedBytes.text(lexer.bytes(range.clamped(to: 0..<lexer.limit)))
  }

  private func isUTF8(_ range: Range<Int>) -> Bool {
    var ascii = true
    for i in range where lexer.byte(i) >= 0x80 { ascii = false }
    return ascii || QuotedBytes.isValidUTF8(lexer.bytes(range))
  }

  private func unquoted(_ range: Range<Int>) -> Range<Int> {
    guard range.count >= 2, lexer.byte(range.lowerBound) == Byte.quote,
      lexer.byte(range.upperBound - 1) == Byte.quote
    else { return range }
    return (range.lowerBound + 1)..<(range.upperBound - 1)
  }
}
