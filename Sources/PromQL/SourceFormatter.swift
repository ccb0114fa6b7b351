/// Formats PromQL for people who keep it in files.
///
/// A part that is longer than 100 bytes is broken as Prometheus' formatter breaks it, but for
/// operators: they stand on lines of their own, no deeper than their sides, so that the text can
/// begin a block of YAML. Comments stay where they are, and so does the spelling of every literal
/// and name.
package struct SourceFormatter {
  /// A text that was formatted.
  package struct Result: Hashable, Sendable {
    /// On as many lines as it takes.
    package var text: String
    /// On one line; nil where comments forbid it.
    package var line: String?
  }

  /// The length in bytes from which a part gets lines of its own.
  static let width = 100

  private let source: CommentedTokens
  private let joins: Bool
  private var out = ""
  private var indent = 0
  private var wantsLine = false

  private init(_ source: CommentedTokens, joins: Bool) {
    self.source = source
    self.joins = joins
  }

  /// The formatted text, which parses to an equal expression.
  package static func format(
    _ text: String, options: ParserOptions = .all
  ) throws(ParseProblem) -> Result {
    let expr = try PromQLParser.parse(text, options: options)
    var builder = SourceLayoutBuilder(try CommentedTokens(text))
    let layout = builder.whole()
    let end = builder.source.tokens.count - 1
    var lines = SourceFormatter(builder.source, joins: false)
    lines.print(layout, level: 0)
    for comment in builder.source.leading[end] { lines.comment(comment, level: 0) }
    var result = Result(text: lines.out, line: nil)
    if !builder.source.hasComments {
      var line = SourceFormatter(builder.source, joins: true)
      line.print(layout, level: 0)
      result.line = line.out
    }
    precondition(
      (try? PromQLParser.parse(result.text, options: options)) == expr,
      "a formatted expression must say what it said")
    return result
  }

  private mutating func print(_ layout: SourceLayout, level: Int) {
    let isBroken = !joins && layout.isBroken(source, width: Self.width)
    var level = (own: level, current: level)
    var isSpaced = false
    for item in layout.items {
      switch item {
      case .token(let i, let spaced):
        put(i, spaced: spaced || isSpaced)
        isSpaced = false
      case .part(let part):
        if isSpaced, !wantsLine, source.leading[part.first].isEmpty { out += " " }
        isSpaced = false
        print(part, level: level.current)
      case .lineBreak(let deeper, let spaced):
        guard isBroken else {
          isSpaced = spaced
          continue
        }
        level.current = level.own + deeper
        indent = level.current
        wantsLine = true
      case .blank: isSpaced = true
      }
    }
  }

  private mutating func put(_ token: Int, spaced: Bool) {
    for text in source.leading[token] { comment(text, level: indent) }
    if wantsLine { startLine() } else if spaced, !out.isEmpty { out += " " }
    out += source.texts[token]
    if let text = source.trailing[token] {
      out += "  " + text
      wantsLine = true
    }
  }

  private mutating func comment(_ text: String, level: Int) {
    indent = level
    wantsLine = true
    startLine()
    out += text
    wantsLine = true
  }

  private mutating func startLine() {
    if !out.isEmpty { out += "\n" }
    out += String(repeating: "  ", count: indent)
    wantsLine = false
  }
}
