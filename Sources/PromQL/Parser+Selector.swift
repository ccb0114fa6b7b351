import Diagnostics
import Model

extension PromQLParser {
  // MARK: Label matchers

  /// A selector; the next token is behind its name.
  mutating func vectorSelector(named name: Token?) throws(ParseProblem) -> VectorSelector {
    var selector = VectorSelector(name: nil, matchers: [], range: name?.range ?? .zero)
    if try peek().kind == .leftBrace {
      let (matchers, range) = try labelMatchers()
      selector.matchers = matchers
      selector.range = SourceRange(name?.range.start ?? range.start, range.end)
    }
    if let name {
      let text = spelling(name)
      selector.name = text
      selector.matchers.append(Matcher(LabelName.metricName, equals: text))
    }
    return selector
  }

  private mutating func labelMatchers() throws(ParseProblem) -> ([Matcher], SourceRange) {
    func problem(_ token: Token, _ expected: String) -> ParseProblem {
      unexpected(token, in: Context(construct: "label matching", expected: expected))
    }
    let open = try take()
    var matchers: [Matcher] = []
    while try peek().kind != .rightBrace {
      let label = try take()
      switch label.kind {
      case .identifier:
        let op = try take()
        guard let kind = matchKind(op.kind) else { throw problem(op, "label matching operator") }
        matchers.append(try matcher(spelling(label), kind, from: label.range.start))
      case .string:
        let name = unquoted(label).text
        if let kind = matchKind(try peek().kind) {
          try take()
          matchers.append(try matcher(name, kind, from: label.range.start))
        } else {
          matchers.append(Matcher(LabelName.metricName, equals: name))
        }
      default: throw problem(label, "identifier or \"}\"")
      }
      if try peek().kind == .rightBrace { break }
      let separator = try take()
      guard separator.kind == .comma else { throw problem(separator, "\",\" or \"}\"") }
      // A comma may end the list, but not make it.
    }
    let close = try take()
    return (matchers, SourceRange(open.range.start, close.range.end))
  }

  private func matchKind(_ kind: TokenKind) -> Matcher.Kind? {
    switch kind {
    case .equal: .equal
    case .infix(.notEqual): .notEqual
    case .equalRegexp: .regexp
    case .notEqualRegexp: .notRegexp
    default: nil
    }
  }

  private mutating func matcher(
    _ name: String, _ kind: Matcher.Kind, from start: Int
  ) throws(ParseProblem) -> Matcher {
    let token = try take()
    guard token.kind == .string else {
      throw unexpected(token, in: Context(construct: "label matching", expected: "string"))
    }
    do {
      return try Matcher(name, kind, unquoted(token).text)
    } catch {
      throw ParseProblem(error.description, range: SourceRange(start, token.range.end))
    }
  }

  // MARK: Modifiers

  /// The expression with all that may stand behind it: ranges, `offset`, `@`, `anchored`,
  /// `smoothed`.
  mutating func modified(_ term: Term) throws(ParseProblem) -> Term {
    var term = term
    while true {
      let token = try peek()
      switch token.kind {
      case .leftBracket: try addRange(to: &term)
      case .keyword(.offset): try addOffset(to: &term)
      case .at: try addTime(to: &term)
      case .keyword(.anchored), .keyword(.smoothed):
        try take()
        try extend(&term.expr, anchored: token.kind == .keyword(.anchored))
      default: return term
      }
    }
  }

  private mutating func addRange(to term: inout Term) throws(ParseProblem) {
    let outer = context
    defer { context = outer }
    let durations = "number, duration, step(), or range()"
    let open = try take()
    context = Context(construct: "subquery or range selector", expected: durations)
    let window = try positiveDuration()
    context = Context(construct: "subquery or range", expected: "\":\" or \"]\"")
    let separator = try take()
    if separator.kind == .rightBracket {
      let range = SourceRange(open.range.start, separator.range.end)
      term.expr = .matrix(try matrixSelector(of: term.expr, window, bracket: range))
      term.type = .matrix
      return
    }
    guard separator.kind == .colon else { throw unexpected(separator) }
    context = Context(
      construct: "subquery selector", expected: "number, duration, step(), range(), or \"]\"")
    var step: DurationValue?
    if try peek().kind != .rightBracket { step = try positiveDuration() }
    context = Context(construct: "subquery selector", expected: "\"]\"")
    let close = try expect(.rightBracket)
    term.height = try height(over: term.height, at: open.range)
    term.expr = .subquery(
      SubqueryExpr(
        expr: term.expr, window: window, step: step,
        range: SourceRange(term.expr.range.start, close.range.end)))
    term.type = .matrix
  }

  private func matrixSelector(
    of expr: Expr, _ window: DurationValue, bracket: SourceRange
  ) throws(ParseProblem) -> MatrixSelector {
    guard case .selector(let selector) = expr else {
      throw ParseProblem("ranges only allowed for vector selectors", range: bracket)
    }
    if selector.offset.constant != .zero {
      throw ParseProblem("no offset modifiers allowed before range", range: bracket)
    }
    if case .timestamp = selector.at {
      throw ParseProblem("no @ modifiers allowed before range", range: bracket)
    }
    return MatrixSelector(
      selector: selector, window: window, range: SourceRange(selector.range.start, bracket.end))
  }

  private mutating func addOffset(to term: inout Term) throws(ParseProblem) {
    let outer = context
    defer { context = outer }
    try take()
    context = Context(construct: "offset", expected: "number, duration, step(), or range()")
    let offset = try offsetDuration()
    let end = lastClosing
    func replace(_ old: inout DurationValue) throws(ParseProblem) {
      if old.constant != .zero || old.expr != nil {
        throw ParseProblem("offset may not be set multiple times", range: term.expr.range)
      }
      old = offset
    }
    switch term.expr {
    case .selector(var selector):
      try replace(&selector.offset)
      selector.range.end = end
      term.expr = .selector(selector)
    case .matrix(var matrix):
      try replace(&matrix.selector.offset)
      matrix.range.end = end
      term.expr = .matrix(matrix)
    case .subquery(var subquery):
      try replace(&subquery.offset)
      subquery.range.end = end
      term.expr = .subquery(subquery)
    default: throw modifierProblem("offset", term.expr)
    }
  }

  private func modifierProblem(_ modifier: String, _ expr: Expr) -> ParseProblem {
    ParseProblem(
      "\(modifier) modifier must be preceded by an instant vector selector or range vector "
        + "selector or a subquery", range: expr.range)
  }

  private mutating func addTime(to term: inout Term) throws(ParseProblem) {
    let time = try atModifier(of: term.expr.range)
    let end = lastClosing
    func replace(_ old: inout AtModifier?) throws(ParseProblem) {
      if old != nil {
        throw ParseProblem("@ <timestamp> may not be set multiple times", range: term.expr.range)
      }
      old = time
    }
    switch term.expr {
    case .selector(var selector):
      try replace(&selector.at)
      selector.range.end = end
      term.expr = .selector(selector)
    case .matrix(var matrix):
      try replace(&matrix.selector.at)
      matrix.range.end = end
      term.expr = .matrix(matrix)
    case .subquery(var subquery):
      try replace(&subquery.at)
      subquery.range.end = end
      term.expr = .subquery(subquery)
    default: throw modifierProblem("@", term.expr)
    }
  }

  private mutating func atModifier(of range: SourceRange) throws(ParseProblem) -> AtModifier {
    let outer = context
    defer { context = outer }
    try take()
    context = Context(construct: "@", expected: "timestamp")
    let token = try peek()
    if token.kind == .query(.start) || token.kind == .query(.end) {
      try take()
      try expect(.leftParen)
      try expect(.rightParen)
      return token.kind == .query(.start) ? .start : .end
    }
    let seconds = try signedNumber()
    guard seconds > -0x1p63 && seconds < 0x1p63 else {
      throw ParseProblem(
        "timestamp out of bounds for @ modifier: \(NumberText.fixed(seconds))", range: range)
    }
    let milliseconds = (seconds * 1000).rounded()
    return .timestamp(
      Timestamp(milliseconds: Int64(exactly: milliseconds) ?? (seconds < 0 ? .min : .max)))
  }

  private func extend(_ expr: inout Expr, anchored: Bool) throws(ParseProblem) {
    let name = anchored ? "anchored" : "smoothed"
    let range = expr.range
    func problem(_ message: String) -> ParseProblem { ParseProblem(message, range: range) }
    guard options.extendedRangeSelectors else {
      throw problem("\(name) modifier is experimental and not enabled")
    }
    func mark(_ selector: inout VectorSelector) throws(ParseProblem) {
      if anchored { selector.anchored = true } else { selector.smoothed = true }
      if selector.anchored && selector.smoothed {
        throw problem("anchored and smoothed modifiers cannot be used together")
      }
    }
    switch expr {
    case .selector(var selector):
      try mark(&selector)
      expr = .selector(selector)
    case .matrix(var matrix):
      try mark(&matrix.selector)
      expr = .matrix(matrix)
    case .subquery: throw problem("\(name) modifier is not supported for subqueries")
    default: throw problem("\(name) modifier not implemented")
    }
  }
}
