import Diagnostics
import Model

/// Reads PromQL.
///
/// The grammar is Prometheus', and so are the messages: a text that Prometheus refuses is refused
/// with the same words at the same place. Prometheus' parser is generated; its messages depend on
/// how far the generated automaton has got when a token does not fit. Three things reproduce that
/// here:
///
/// - Tokens are read one ahead and only when the automaton would read them, so a problem inside a
/// finished part
///   (a bad number) wins over a problem in the next token, and the other way round.
/// - `context` says which construct claims an unexpected token ("… in aggregation"): the innermost
/// open
///   construct that has a rule for errors, whatever stands between.
/// - Types are checked only when the whole text has parsed.
package struct PromQLParser {
  /// How deep parentheses, calls and signs may be nested; deeper ones are refused rather than
  /// risking the stack.
  package static let maximumDepth = 250
  /// How high the tree may grow: a chain `a + b + c + …` grows with every operator, without
  /// nesting.
  package static let maximumHeight = 1000

  /// Parses and type-checks an expression.
  package static func parse(
    _ text: String, options: ParserOptions = .all
  ) throws(ParseProblem) -> Expr {
    var parser = PromQLParser(text, options: options)
    let term = try parser.wholeExpression()
    try TypeChecker(bytes: parser.lexer.bytes).check(term.expr)
    return term.expr
  }

  /// Parses a selector (`up{job="x"}`) and returns its matchers, the one on the name last.
  package static func parseMetricSelector(_ text: String) throws(ParseProblem) -> [Matcher] {
    var parser = PromQLParser(text, options: .all)
    let selector = try parser.wholeSelector()
    return selector.matchers
  }

  /// Parses a metric (`up{job="x"}`) as a label set.
  package static func parseMetric(_ text: String) throws(ParseProblem) -> LabelSet {
    var parser = PromQLParser(text, options: .all)
    return try parser.wholeMetric()
  }

  /// Parses a series description: a metric and its values in expanding notation.
  package static func parseSeriesDescription(_ text: String) throws(ParseProblem)
    -> SeriesDescription
  {
    var parser = PromQLParser(text, options: .all, series: true)
    return try parser.wholeSeries()
  }

  /// Which construct an unexpected token is blamed on.
  struct Context {
    var construct = ""
    var expected = ""

    static let none = Context()
    static let aggregation = Context(construct: "aggregation")
  }

  let text: String
  let options: ParserOptions
  var lexer: Lexer
  var context = Context.none
  var depth = 0
  /// How many operators the durations of the text have.
  var durationOperators = 0
  /// The end of the newest token that can end an expression.
  var lastClosing = 0
  private var lookahead: Token?

  init(_ text: String, options: ParserOptions, series: Bool = false) {
    self.text = text
    self.options = options
    lexer = Lexer(Array(text.utf8), series: series)
  }

  // MARK: Tokens

  /// The next token, which stays.
  mutating func peek() throws(ParseProblem) -> Token {
    if let lookahead { return lookahead }
    let token = try lexer.next()
    switch token.kind {
    case .rightBrace, .rightParen, .rightBracket, .duration, .number:
      lastClosing = token.range.end
    default: break
    }
    lookahead = token
    return token
  }

  /// The next token, which is used up.
  @discardableResult
  mutating func take() throws(ParseProblem) -> Token {
    let token = try peek()
    lookahead = nil
    return token
  }

  /// Uses up the next token if it is of a kind.
  mutating func take(if kind: TokenKind) throws(ParseProblem) -> Bool {
    guard try peek().kind == kind else { return false }
    try take()
    return true
  }

  /// Uses up a token that must be of a kind.
  @discardableResult
  mutating func expect(_ kind: TokenKind) throws(ParseProblem) -> Token {
    let token = try take()
    guard token.kind == kind else { throw unexpected(token) }
    return token
  }

  /// The spelling of a token.
  func spelling(_ token: Token) -> String {
    String(decoding: lexer.bytes[token.range.start..<token.range.end], as: UTF8.self)
  }

  /// The problem of a token that does not fit here.
  func unexpected(_ token: Token, in context: Context? = nil) -> ParseProblem {
    let context = context ?? self.context
    var message = "unexpected \(token.name(text: spelling(token)))"
    if !context.construct.isEmpty { message += " in \(context.construct)" }
    if !context.expected.isEmpty { message += ", expected \(context.expected)" }
    return ParseProblem(message, range: token.range)
  }

  // MARK: Whole texts

  private mutating func wholeExpression() throws(ParseProblem) -> Term {
    if try peek().kind == .end {
      throw ParseProblem("no expression found in input", range: .zero)
    }
    let term = try expression(above: 0)
    try expect(.end)
    return term
  }

  private mutating func wholeSelector() throws(ParseProblem) -> VectorSelector {
    var name: Token?
    if try peek().kind.isMetricName { name = try take() }
    if name == nil, try peek().kind != .leftBrace { throw unexpected(try peek()) }
    let selector = try vectorSelector(named: name)
    try expect(.end)
    return selector
  }

  private mutating func wholeMetric() throws(ParseProblem) -> LabelSet {
    let labels = try metric()
    try expect(.end)
    return labels
  }
}

/// A parsed expression with what the parser wants to know of it without walking it.
struct Term {
  var expr: Expr
  var type: ValueType
  /// The height of the tree.
  var height: Int
}
