import Diagnostics
import Model

/// The four types of a PromQL expression.
package enum ValueType: String, Hashable, Sendable {
  case scalar, vector, matrix, string
  /// The type of an argument list or of nothing.
  case none
}

/// A PromQL expression: an immutable tree in which every node knows its bytes in the text.
///
/// Ranges are UTF-8 byte offsets in the text that was parsed. `==` compares structure and ignores
/// ranges, so equal sub-expressions can be found and shared.
package indirect enum Expr: Sendable {
  case number(NumberLiteral)
  case string(StringLiteral)
  case paren(ParenExpr)
  case unary(UnaryExpr)
  case binary(BinaryExpr)
  case aggregate(AggregateExpr)
  case call(CallExpr)
  case selector(VectorSelector)
  case matrix(MatrixSelector)
  case subquery(SubqueryExpr)
  /// Arithmetic on durations inside `[…]`, `offset` and friends; never a value of its own.
  case duration(DurationExpr)
}

/// A number; written as a duration (`5m`) it keeps that form for printing.
package struct NumberLiteral: Sendable {
  package var value: Double
  package var isDuration = false
  package var range: SourceRange

  package init(_ value: Double, isDuration: Bool = false, range: SourceRange = .zero) {
    self.value = value
    self.isDuration = isDuration
    self.range = range
  }
}

/// A string, unquoted.
package struct StringLiteral: Sendable {
  package var value: String
  /// The bytes where they are not UTF-8 (`"\xff"`); `value` then holds U+FFFD in their place.
  package var rawBytes: [UInt8]?
  package var range: SourceRange

  package init(_ value: String, rawBytes: [UInt8]? = nil, range: SourceRange = .zero) {
    self.value = value
    self.rawBytes = rawBytes
    self.range = range
  }
}

/// An expression in parentheses, kept so that printing is faithful.
package struct ParenExpr: Sendable {
  package var expr: Expr
  package var range: SourceRange

  package init(_ expr: Expr, range: SourceRange = .zero) {
    self.expr = expr
    self.range = range
  }
}

/// A sign before an expression.
package struct UnaryExpr: Sendable {
  /// `+` or `-`.
  package var op: BinaryOperator
  package var expr: Expr
  package var range: SourceRange

  package init(op: BinaryOperator, expr: Expr, range: SourceRange = .zero) {
    self.op = op
    self.expr = expr
    self.range = range
  }
}

/// All infix operators.
package enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case power = "^"
  case atan2
  case equal = "=="
  case notEqual = "!="
  case greater = ">"
  case less = "<"
  case greaterOrEqual = ">="
  case lessOrEqual = "<="
  /// `</` and `>/`: trim the buckets of a native histogram above or below a bound.
  case trimUpper = "</"
  case trimLower = ">/"
  case and, or, unless

  package var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
    default: false
    }
  }

  package var isSet: Bool { self == .and || self == .or || self == .unless }
}

/// How the sides of a vector operation are paired.
package struct VectorMatching: Hashable, Sendable {
  /// Which side may have several series per group.
  package enum Cardinality: String, Hashable, Sendable {
    case oneToOne = "one-to-one"
    case manyToOne = "many-to-one"
    case oneToMany = "one-to-many"
    case manyToMany = "many-to-many"
  }

  package var cardinality: Cardinality = .oneToOne
  /// The labels of `on(…)` or `ignoring(…)`.
  package var labels: [String] = []
  /// `on(…)` (true) or `ignoring(…)`.
  package var isOn = false
  /// The extra labels of `group_left(…)` or `group_right(…)`.
  package var include: [String] = []
  /// `fill(v)`, `fill_left(v)`, `fill_right(v)`: stand-ins for a missing side.
  package var fillLeft: Double?
  package var fillRight: Double?

  package init() {}
}

/// `lhs op rhs`.
package struct BinaryExpr: Sendable {
  package var op: BinaryOperator
  package var lhs: Expr
  package var rhs: Expr
  /// Nil unless both sides are vectors.
  package var matching: VectorMatching?
  package var returnsBool = false
  package var range: SourceRange
  /// Where the operator itself stands.
  package var opRange: SourceRange

  package init(
    op: BinaryOperator, lhs: Expr, rhs: Expr, matching: VectorMatching? = nil,
    returnsBool: Bool = false, range: SourceRange = .zero, opRange: SourceRange = .zero
  ) {
    self.op = op
    self.lhs = lhs
    self.rhs = rhs
    self.matching = matching
    self.returnsBool = returnsBool
    self.range = range
    self.opRange = opRange
  }
}

/// All aggregation operators.
package enum AggregateOperator: String, Hashable, Sendable, CaseIterable {
  case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk
  case countValues = "count_values"
  case quantile
  case limitk
  case limitRatio = "limit_ratio"

  /// Whether the operator takes a parameter before the vector.
  package var takesParameter: Bool {
    switch self {
    case .topk, .bottomk, .countValues, .quantile, .limitk, .limitRatio: true
    default: false
    }
  }

  package var isExperimental: Bool { self == .limitk || self == .limitRatio }
}

/// `sum by (job) (…)`.
package struct AggregateExpr: Sendable {
  package var op: AggregateOperator
  package var expr: Expr
  package var parameter: Expr?
  package var grouping: [String]
  package var without: Bool
  package var range: SourceRange

  package init(
    op: AggregateOperator, expr: Expr, parameter: Expr? = nil, grouping: [String] = [],
    without: Bool = false, range: SourceRange = .zero
  ) {
    self.op = op
    self.expr = expr
    self.parameter = parameter
    self.grouping = grouping
    self.without = without
    self.range = range
  }
}

/// `rate(x[5m])`: a call of a function that exists (the parser refuses others).
package struct CallExpr: Sendable {
  package var function: FunctionSignature
  package var arguments: [Expr]
  package var range: SourceRange

  package init(function: FunctionSignature, arguments: [Expr], range: SourceRange = .zero) {
    self.function = function
    self.arguments = arguments
    self.range = range
  }
}

/// `@ <timestamp>`, `@ start()`, `@ end()`.
package enum AtModifier: Hashable, Sendable {
  case timestamp(Timestamp)
  case start
  case end
}

/// A duration that may be an expression (`offset step()`), resolved when the query's range is
/// known.
package struct DurationValue: Sendable {
  /// The value where it is a plain literal, else zero until resolved.
  package var constant: PromDuration
  package var expr: DurationExpr?

  package init(_ constant: PromDuration, expr: DurationExpr? = nil) {
    self.constant = constant
    self.expr = expr
  }

  package static let zero = DurationValue(.zero)
}

/// Arithmetic on durations.
package indirect enum DurationExpr: Sendable {
  case literal(NumberLiteral)
  case negate(DurationExpr, range: SourceRange)
  case plus(DurationExpr, range: SourceRange)
  case paren(DurationExpr, range: SourceRange)
  case binary(BinaryOperator, DurationExpr, DurationExpr, range: SourceRange)
  /// `step()`, `range()`, `min_of(a, b)`, `max_of(a, b)`.
  case step(range: SourceRange)
  case queryRange(range: SourceRange)
  case minOf(DurationExpr, DurationExpr, range: SourceRange)
  case maxOf(DurationExpr, DurationExpr, range: SourceRange)
}

/// `name{matchers} offset 5m @ 100`.
package struct VectorSelector: Sendable {
  /// The name written before the braces or as a quoted string inside, if any.
  package var name: String?
  /// All matchers in the order written; the one for `name` comes last.
  package var matchers: [Matcher]
  package var offset: DurationValue = .zero
  package var at: AtModifier?
  package var anchored = false
  package var smoothed = false
  package var range: SourceRange

  package init(name: String?, matchers: [Matcher], range: SourceRange = .zero) {
    self.name = name
    self.matchers = matchers
    self.range = range
  }
}

/// `selector[5m]`.
package struct MatrixSelector: Sendable {
  package var selector: VectorSelector
  package var window: DurationValue
  package var range: SourceRange

  package init(selector: VectorSelector, window: DurationValue, range: SourceRange = .zero) {
    self.selector = selector
    self.window = window
    self.range = range
  }
}

/// `expr[1h:5m] offset 5m @ 100`.
package struct SubqueryExpr: Sendable {
  package var expr: Expr
  package var window: DurationValue
  /// Nil for the default step.
  package var step: DurationValue?
  package var offset: DurationValue = .zero
  package var at: AtModifier?
  package var range: SourceRange

  package init(
    expr: Expr, window: DurationValue, step: DurationValue? = nil, range: SourceRange = .zero
  ) {
    self.expr = expr
    self.window = window
    self.step = step
    self.range = range
  }
}

/// What the parser knows of a function: name, argument and result types.
package struct FunctionSignature: Sendable {
  package var name: String
  package var argumentTypes: [ValueType]
  /// 0: exactly the arguments listed; n > 0: the last n may be left out; −1: the last may repeat
  /// any number of times.
  package var variadic: Int
  package var returnType: ValueType
  package var isExperimental: Bool

  package init(
    _ name: String, _ argumentTypes: [ValueType], variadic: Int = 0,
    returns returnType: ValueType = .vector, experimental: Bool = false
  ) {
    self.name = name
    self.argumentTypes = argumentTypes
    self.variadic = variadic
    self.returnType = returnType
    self.isExperimental = experimental
  }
}
