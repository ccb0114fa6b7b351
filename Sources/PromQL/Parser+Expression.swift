import Diagnostics
import Model

extension BinaryOperator {
  /// How tightly the operator binds; more is tighter.
  package var precedence: Int {
    switch self {
    case .or: 1
    case .and, .unless: 2
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual, .trimUpper,
      .trimLower:
      3
    case .add, .subtract: 4
    case .multiply, .divide, .modulo, .atan2: 5
    case .power: 6
    }
  }

  /// The precedence that an operand on the right must have at least.
  var rightPrecedence: Int { self == .power ? precedence : precedence + 1 }
}

extension PromQLParser {
  /// An expression of operators that bind at least as tightly as `minimum`.
  mutating func expression(above minimum: Int) throws(ParseProblem) -> Term {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.maximumDepth { throw tooDeep(try peek().range, Self.maximumDepth) }
    var lhs = try operand()
    while case .infix(let op) = try peek().kind, op.precedence >= minimum {
      let token = try take()
      let (modifiers, returnsBool) = try binaryModifiers()
      let rhs = try expression(above: op.rightPrecedence)
      lhs = try binary(
        lhs, op, rhs, modifiers: modifiers, returnsBool: returnsBool, at: token.range)
    }
    return lhs
  }

  func tooDeep(_ range: SourceRange, _ limit: Int) -> ParseProblem {
    ParseProblem("expression is nested too deeply (more than \(limit) levels)", range: range)
  }

  /// The height of a node over one of a height, within the limit.
  func height(over child: Int, at range: SourceRange) throws(ParseProblem) -> Int {
    if child >= Self.maximumHeight { throw tooDeep(range, Self.maximumHeight) }
    return child + 1
  }

  private mutating func binary(
    _ lhs: Term, _ op: BinaryOperator, _ rhs: Term, modifiers: VectorMatching, returnsBool: Bool,
    at opRange: SourceRange
  ) throws(ParseProblem) -> Term {
    let range = SourceRange(lhs.expr.range.start, rhs.expr.range.end)
    var matching: VectorMatching? = modifiers
    let fills = modifiers.fillLeft != nil || modifiers.fillRight != nil
    if fills && !options.fillModifiers {
      throw ParseProblem("binop fill modifiers are experimental and not enabled", range: range)
    }
    if lhs.type == .vector && rhs.type == .vector {
      if op.isSet && modifiers.cardinality == .oneToOne { matching?.cardinality = .manyToMany }
    } else if modifiers.labels.isEmpty && !fills {
      // Otherwise the modifiers stay, for the type checker to refuse them.
      matching = nil
    }
    if max(lhs.height, rhs.height) >= Self.maximumHeight {
      // What is wrong inside is the better thing to report.
      try TypeChecker(bytes: lexer.bytes).check(lhs.expr)
      throw tooDeep(opRange, Self.maximumHeight)
    }
    let node = BinaryExpr(
      op: op, lhs: lhs.expr, rhs: rhs.expr, matching: matching, returnsBool: returnsBool,
      range: range, opRange: opRange)
    let isScalar = lhs.type == .scalar && rhs.type == .scalar
    return Term(
      expr: .binary(node), type: isScalar ? .scalar : .vector,
      height: max(lhs.height, rhs.height) + 1)
  }

  /// What may stand between an infix operator and its right side.
  private mutating func binaryModifiers() throws(ParseProblem) -> (VectorMatching, Bool) {
    var matching = VectorMatching()
    let returnsBool = try take(if: .keyword(.bool))
    let kind = try peek().kind
    if kind == .keyword(.on) || kind == .keyword(.ignoring) {
      try take()
      matching.isOn = kind == .keyword(.on)
      matching.labels = try groupingLabels()
      let side = try peek().kind
      if side == .keyword(.groupLeft) || side == .keyword(.groupRight) {
        try take()
        matching.cardinality = side == .keyword(.groupLeft) ? .manyToOne : .oneToMany
        if try peek().kind == .leftParen { matching.include = try groupingLabels() }
      }
    }
    try fillModifiers(&matching)
    return (matching, returnsBool)
  }

  private mutating func fillModifiers(_ matching: inout VectorMatching) throws(ParseProblem) {
    switch try peek().kind {
    case .keyword(.fill):
      try take()
      let value = try fillValue()
      matching.fillLeft = value
      matching.fillRight = value
    case .keyword(.fillLeft):
      try take()
      matching.fillLeft = try fillValue()
      if try take(if: .keyword(.fillRight)) { matching.fillRight = try fillValue() }
    case .keyword(.fillRight):
      try take()
      matching.fillRight = try fillValue()
      if try take(if: .keyword(.fillLeft)) { matching.fillLeft = try fillValue() }
    default: break
    }
  }

  private mutating func fillValue() throws(ParseProblem) -> Double {
    try expect(.leftParen)
    let value = try signedNumber()
    try expect(.rightParen)
    return value
  }

  // MARK: Operands

  /// A signed operand, or a primary expression with its modifiers.
  private mutating func operand() throws(ParseProblem) -> Term {
    guard let sign = try peek().kind.sign else { return try modified(try primary()) }
    let token = try take()
    // A sign binds like a multiplication, so only `^` goes before it.
    let term = try expression(above: BinaryOperator.power.precedence)
    if case .number(var number) = term.expr {
      if sign == .subtract { number.value = -number.value }
      number.range.start = token.range.start
      return Term(expr: .number(number), type: .scalar, height: 1)
    }
    let range = SourceRange(token.range.start, term.expr.range.end)
    return Term(
      expr: .unary(UnaryExpr(op: sign, expr: term.expr, range: range)), type: term.type,
      height: try height(over: term.height, at: token.range))
  }

  private mutating func primary() throws(ParseProblem) -> Term {
    let token = try peek()
    switch token.kind {
    case .number, .duration:
      return Term(expr: .number(try numberLiteral()), type: .scalar, height: 1)
    case .string:
      try take()
      let (value, raw) = unquoted(token)
      let literal = StringLiteral(value, rawBytes: raw, range: token.range)
      return Term(expr: .string(literal), type: .string, height: 1)
    case .leftParen: return try parenthesized()
    case .leftBrace: return try selector(named: nil)
    case .aggregator(let op):
      try take()
      switch try peek().kind {
      case .leftParen, .keyword(.by), .keyword(.without):
        return try aggregation(op, at: token.range.start)
      default: return try selector(named: token)
      }
    case .identifier, .query:
      try take()
      if try peek().kind == .leftParen { return try call(token) }
      return try selector(named: token)
    case let kind where kind.isMetricName:
      try take()
      return try selector(named: token)
    default: throw unexpected(token)
    }
  }

  /// Whether an expression can begin with a token.
  private func beginsExpression(_ kind: TokenKind) -> Bool {
    switch kind {
    case .number, .duration, .string, .leftParen, .leftBrace: true
    default: kind.sign != nil || kind.isMetricName
    }
  }

  private mutating func parenthesized() throws(ParseProblem) -> Term {
    let open = try take()
    let inner = try expression(above: 0)
    let close = try expect(.rightParen)
    let range = SourceRange(open.range.start, close.range.end)
    return Term(
      expr: .paren(ParenExpr(inner.expr, range: range)), type: inner.type,
      height: try height(over: inner.height, at: open.range))
  }

  private mutating func selector(named name: Token?) throws(ParseProblem) -> Term {
    Term(expr: .selector(try vectorSelector(named: name)), type: .vector, height: 1)
  }

  /// `(a, b)` behind a function or an aggregation.
  private mutating func arguments() throws(ParseProblem) -> [Term] {
    try expect(.leftParen)
    var arguments: [Term] = []
    if try take(if: .rightParen) { return arguments }
    while true {
      arguments.append(try expression(above: 0))
      let separator = try peek()
      if separator.kind == .rightParen { break }
      guard separator.kind == .comma else { throw unexpected(separator) }
      try take()
      if !beginsExpression(try peek().kind) {
        throw ParseProblem(
          "trailing commas not allowed in function call args", range: separator.range)
      }
    }
    try take()
    return arguments
  }

  private mutating func call(_ name: Token) throws(ParseProblem) -> Term {
    let arguments = try arguments()
    let range = SourceRange(name.range.start, lastClosing)
    let text = spelling(name)
    guard let function = FunctionSignature.named(text) else {
      throw ParseProblem(
        "unknown function with name \(GoText.quote(text))", range: name.range)
    }
    if function.isExperimental && !options.experimentalFunctions {
      throw ParseProblem("function \(GoText.quote(text)) is not enabled", range: name.range)
    }
    let node = CallExpr(function: function, arguments: arguments.map(\.expr), range: range)
    let tallest = arguments.reduce(0) { max($0, $1.height) }
    return Term(
      expr: .call(node), type: function.returnType,
      height: try height(over: tallest, at: name.range))
  }

  // MARK: Aggregations

  private mutating func aggregation(
    _ op: AggregateOperator, at start: Int
  ) throws(ParseProblem) -> Term {
    let outer = context
    context = .aggregation
    var grouping: (labels: [String], without: Bool)? = try groupingModifier()
    if try peek().kind != .leftParen { throw unexpected(try peek()) }
    let arguments = try arguments()
    var range = SourceRange(start, lastClosing)
    context = outer
    if grouping == nil {
      grouping = try groupingModifier()
      if grouping != nil { range.end = lastClosing }
    }
    if arguments.isEmpty {
      throw ParseProblem("no arguments for aggregate expression provided", range: range)
    }
    if op.isExperimental && !options.experimentalFunctions {
      throw ParseProblem(
        "\(op.rawValue)() is experimental and must be enabled with "
          + "--enable-feature=promql-experimental-functions", range: range)
    }
    let wanted = op.takesParameter ? 2 : 1
    guard arguments.count == wanted else {
      throw ParseProblem(
        "wrong number of arguments for aggregate expression provided, expected \(wanted), "
          + "got \(arguments.count)", range: range)
    }
    let node = AggregateExpr(
      op: op, expr: arguments[wanted - 1].expr, parameter: wanted == 2 ? arguments[0].expr : nil,
      grouping: grouping?.labels ?? [], without: grouping?.without ?? false, range: range)
    let tallest = arguments.reduce(0) { max($0, $1.height) }
    return Term(
      expr: .aggregate(node), type: .vector, height: try height(over: tallest, at: range))
  }

  private mutating func groupingModifier() throws(ParseProblem) -> (
    labels: [String], without: Bool
  )? {
    let kind = try peek().kind
    guard kind == .keyword(.by) || kind == .keyword(.without) else { return nil }
    try take()
    return (try groupingLabels(), kind == .keyword(.without))
  }

  /// `(a, "b c")` behind `by`, `on`, `group_left`, ….
  private mutating func groupingLabels() throws(ParseProblem) -> [String] {
    func problem(_ token: Token, _ expected: String) -> ParseProblem {
      unexpected(token, in: Context(construct: "grouping opts", expected: expected))
    }
    let open = try take()
    guard open.kind == .leftParen else { throw problem(open, "\"(\"") }
    var labels: [String] = []
    while try peek().kind != .rightParen {
      let token = try take()
      var label = spelling(token)
      if token.kind == .string {
        label = unquoted(token).text
        if label.isEmpty {
          throw ParseProblem("invalid label name for grouping: \"\"", range: token.range)
        }
      } else if !token.kind.isGroupingLabel {
        throw problem(token, "label")
      }
      labels.append(label)
      if try peek().kind == .rightParen { break }
      let separator = try take()
      guard separator.kind == .comma else { throw problem(separator, "\",\" or \")\"") }
    }
    try take()
    return labels
  }
}
