import Diagnostics
import Model

extension PromQLParser {
  /// The most seconds a duration can have; Prometheus keeps nanoseconds in 64 bits.
  private static let limit = 0x1p63 / 1e9

  /// The duration of a range or a step.
  mutating func positiveDuration() throws(ParseProblem) -> DurationValue {
    let expr = try durationExpr(above: 0)
    if case .literal(let number) = expr, number.value <= 0 {
      throw ParseProblem("duration must be greater than 0", range: number.range)
    }
    return value(of: expr)
  }

  /// The duration behind `offset`.
  ///
  /// Arithmetic goes on only behind something in parentheses or behind two signs: `a offset 5m * 2`
  /// is `(a offset 5m) * 2`, `a offset (5m) * 2` is not.
  mutating func offsetDuration() throws(ParseProblem) -> DurationValue {
    let token = try peek()
    if token.kind == .leftParen { return value(of: try durationExpr(above: 0)) }
    guard let sign = token.kind.sign else { return value(of: try durationOperand()) }
    try take()
    let next = try peek().kind
    if next.sign != nil {
      let inner = try durationExpr(above: BinaryOperator.power.precedence)
      let signed = try applying(sign, at: token.range, to: inner)
      return value(of: try durationOperators(after: signed, above: 0))
    }
    if next == .leftParen {
      try take()
      var inner = try durationExpr(above: 0)
      try expect(.rightParen)
      if case .literal = inner {} else { inner = wrapped(inner) }
      return value(of: try applying(sign, at: token.range, to: inner))
    }
    let inner = try durationOperand(signed: token.range.start)
    switch inner {
    case .literal: return value(of: try applying(sign, at: token.range, to: inner))
    default:
      let range = SourceRange(token.range.start, inner.range.end)
      return value(
        of: sign == .subtract ? .negate(inner, range: range) : .plus(inner, range: range))
    }
  }

  private func value(of expr: DurationExpr) -> DurationValue {
    guard case .literal(let number) = expr else { return DurationValue(.zero, expr: expr) }
    let nanoseconds = (number.value * 1e9).rounded()
    return DurationValue(
      PromDuration(milliseconds: (Int64(exactly: nanoseconds) ?? .max) / 1_000_000))
  }

  // MARK: Arithmetic

  private mutating func durationExpr(above minimum: Int) throws(ParseProblem) -> DurationExpr {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.maximumDepth { throw tooDeep(try peek().range, Self.maximumDepth) }
    var operand: DurationExpr
    let token = try peek()
    if let sign = token.kind.sign {
      try take()
      let inner = try durationExpr(above: BinaryOperator.power.precedence)
      operand = try applying(sign, at: token.range, to: inner)
    } else {
      operand = try durationOperand()
    }
    return try durationOperators(after: operand, above: minimum)
  }

  private mutating func durationOperators(
    after operand: DurationExpr, above minimum: Int
  ) throws(ParseProblem) -> DurationExpr {
    var lhs = operand
    while let op = durationOperator(try peek().kind), op.precedence >= minimum {
      let token = try take()
      durationOperators += 1
      if durationOperators > Self.maximumHeight { throw tooDeep(token.range, Self.maximumHeight) }
      let rhs = try durationExpr(above: op.rightPrecedence)
      try requireArithmetic(lhs.range)
      if op == .divide || op == .modulo, case .literal(let number) = rhs, number.value == 0 {
        throw ParseProblem(
          op == .divide ? "division by zero" : "modulo by zero", range: token.range)
      }
      lhs = .binary(op, lhs, rhs, range: SourceRange(lhs.range.start, rhs.range.end))
    }
    return lhs
  }

  private func durationOperator(_ kind: TokenKind) -> BinaryOperator? {
    guard case .infix(let op) = kind else { return nil }
    switch op {
    case .add, .subtract, .multiply, .divide, .modulo, .power: return op
    default: return nil
    }
  }

  /// A duration without operators; `signed` is where its sign stands, if that is a part of the same
  /// rule.
  private mutating func durationOperand(
    signed start: Int? = nil
  ) throws(ParseProblem) -> DurationExpr {
    let token = try peek()
    switch token.kind {
    case .number, .duration:
      let number = try numberLiteral()
      try requireInRange(number, at: number.range)
      return .literal(number)
    case .leftParen:
      try take()
      let inner = try durationExpr(above: 0)
      try expect(.rightParen)
      try requireArithmetic(inner.range)
      if case .literal = inner { return inner }
      return wrapped(inner)
    case .query(.step), .query(.range):
      try take()
      try expect(.leftParen)
      let range = SourceRange(token.range.start, try expect(.rightParen).range.end)
      try requireArithmetic(SourceRange(start ?? range.start, range.end))
      return token.kind == .query(.step) ? .step(range: range) : .queryRange(range: range)
    case .query(.minOf), .query(.maxOf):
      try take()
      try expect(.leftParen)
      let lhs = try durationExpr(above: 0)
      try expect(.comma)
      let rhs = try durationExpr(above: 0)
      let range = SourceRange(token.range.start, try expect(.rightParen).range.end)
      try requireArithmetic(SourceRange(start ?? range.start, range.end))
      return token.kind == .query(.minOf)
        ? .minOf(lhs, rhs, range: range) : .maxOf(lhs, rhs, range: range)
    default: throw unexpected(token)
    }
  }

  /// The expression in parentheses; two pairs are one.
  private func wrapped(_ expr: DurationExpr) -> DurationExpr {
    if case .paren = expr { return expr }
    return .paren(expr, range: expr.range)
  }

  /// A sign before a duration; a plus vanishes, a minus before a literal makes it negative.
  private func applying(
    _ sign: BinaryOperator, at range: SourceRange, to expr: DurationExpr
  ) throws(ParseProblem) -> DurationExpr {
    guard case .literal(var number) = expr else {
      if sign == .add { return expr }
      return .negate(expr, range: SourceRange(range.start, expr.range.end))
    }
    if sign == .subtract { number.value = -number.value }
    try requireInRange(number, at: range)
    number.range.start = range.start
    return .literal(number)
  }

  private func requireInRange(
    _ number: NumberLiteral, at range: SourceRange
  ) throws(ParseProblem) {
    guard number.value.magnitude <= Self.limit else {
      throw ParseProblem("duration out of range", range: range)
    }
  }

  private func requireArithmetic(_ range: SourceRange) throws(ParseProblem) {
    if !options.durationExpressions {
      throw ParseProblem("experimental duration expression is not enabled", range: range)
    }
  }
}

extension DurationExpr {
  /// The bytes of the expression in the text, parentheses around it left out as Prometheus does.
  package var range: SourceRange {
    switch self {
    case .literal(let number): number.range
    case .negate(_, let range), .plus(_, let range), .paren(_, let range),
      .binary(_, _, _, let range), .step(let range), .queryRange(let range),
      .minOf(_, _, let range), .maxOf(_, _, let range):
      range
    }
  }
}
