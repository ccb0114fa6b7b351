import PromQL

/// The numbers an expression's samples can have, by the language alone.
///
/// NaN is left out: it fulfils no comparison but `!=`, so "never" stays true, and "always" is only
/// claimed where no NaN can arise.
struct ValueRange: Equatable {
  var low: Double
  var high: Double

  static let all = ValueRange(low: -.infinity, high: .infinity)
  static let notNegative = ValueRange(low: 0, high: .infinity)

  /// Whether the range is one number.
  var constant: Double? { low == high ? low : nil }

  /// What a comparison with a constant range yields for every number here.
  enum Verdict { case always, never, depends }

  init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  init(_ value: Double) {
    low = value.isNaN ? -.infinity : value
    high = value.isNaN ? .infinity : value
  }

  /// The numbers of an expression.
  init(_ expr: Expr) {
    switch expr {
    case .number(let node): self.init(node.value)
    case .paren(let node): self.init(node.expr)
    case .unary(let node):
      let inner = ValueRange(node.expr)
      self = node.op == .subtract ? ValueRange(low: -inner.high, high: -inner.low) : inner
    case .aggregate(let node): self.init(node)
    case .call(let node): self.init(node)
    case .binary(let node): self.init(node)
    case .subquery(let node): self.init(node.expr)
    case .string, .selector, .matrix, .duration: self = .all
    }
  }

  private init(_ node: AggregateExpr) {
    switch node.op {
    case .count, .countValues: self = ValueRange(low: 1, high: .infinity)
    case .group: self = ValueRange(1)
    case .stddev, .stdvar: self = .notNegative
    case .sum: self = ValueRange(node.expr).low >= 0 ? .notNegative : .all
    case .avg, .min, .max, .topk, .bottomk, .limitk, .limitRatio: self.init(node.expr)
    case .quantile: self = .all
    }
  }

  private init(_ node: CallExpr) {
    switch node.function.name {
    case "absent", "absent_over_time", "present_over_time": self = ValueRange(1)
    case "count_over_time": self = ValueRange(low: 1, high: .infinity)
    case "rate", "increase", "irate", "resets", "changes", "abs", "stddev_over_time",
      "stdvar_over_time", "sqrt", "exp":
      self = .notNegative
    case "vector", "ceil", "floor", "round", "sort", "sort_desc", "max_over_time",
      "min_over_time", "avg_over_time", "last_over_time", "first_over_time", "label_replace",
      "label_join", "sort_by_label", "sort_by_label_desc":
      self = node.arguments.first.map { ValueRange($0) } ?? .all
      if node.function.name == "round", node.arguments.count > 1 { self = .all }
      if ["ceil", "floor", "round"].contains(node.function.name), constant == nil {
        self = low >= 0 ? .notNegative : .all
      }
    case "sum_over_time":
      self = node.arguments.first.map { ValueRange($0).low >= 0 } == true ? .notNegative : .all
    case "sgn": self = ValueRange(low: -1, high: 1)
    default: self = .all
    }
  }

  private init(_ node: BinaryExpr) {
    let left = ValueRange(node.lhs)
    let right = ValueRange(node.rhs)
    self = .all
    if node.returnsBool {
      self = ValueRange(low: 0, high: 1)
      switch left.compared(node.op, right) {
      case .always: self = ValueRange(1)
      case .never: self = ValueRange(0)
      case .depends: break
      }
      return
    }
    switch node.op {
    case .or:
      self = ValueRange(low: min(left.low, right.low), high: max(left.high, right.high))
    case .and, .unless: self = left
    case _ where node.op.isComparison:
      self = node.lhs.type == .scalar ? right : left
      filter(node.op, node.lhs.type == .scalar ? left : right, isFlipped: node.lhs.type == .scalar)
    case .add:
      self = ValueRange(low: left.low + right.low, high: left.high + right.high).orAll
    case .subtract:
      self = ValueRange(low: left.low - right.high, high: left.high - right.low).orAll
    case .multiply where left.low >= 0 && right.low >= 0:
      self = ValueRange(low: left.low * right.low, high: left.high * right.high).orNotNegative
    case .divide where left.low >= 0 && right.low >= 0:
      self = .notNegative
      if let a = left.constant, let b = right.constant, b > 0 { self = ValueRange(a / b) }
    default: break
    }
  }

  private var orAll: ValueRange { low.isNaN || high.isNaN ? .all : self }
  private var orNotNegative: ValueRange { low.isNaN || high.isNaN ? .notNegative : self }

  /// What a filter lets through.
  private mutating func filter(_ op: BinaryOperator, _ bound: ValueRange, isFlipped: Bool) {
    guard let limit = bound.constant else { return }
    switch (op, isFlipped) {
    case (.greater, false), (.greaterOrEqual, false), (.less, true), (.lessOrEqual, true):
      low = max(low, limit)
    case (.less, false), (.lessOrEqual, false), (.greater, true), (.greaterOrEqual, true):
      high = min(high, limit)
    case (.equal, _): self = ValueRange(limit)
    default: break
    }
    if low > high { self = .all }
  }

  /// Compares with another range, number by number.
  func compared(_ op: BinaryOperator, _ other: ValueRange) -> Verdict {
    switch op {
    case .greater: verdict(always: low > other.high, never: high <= other.low)
    case .greaterOrEqual: verdict(always: low >= other.high, never: high < other.low)
    case .less: verdict(always: high < other.low, never: low >= other.high)
    case .lessOrEqual: verdict(always: high <= other.low, never: low > other.high)
    case .equal:
      verdict(
        always: constant != nil && constant == other.constant,
        never: high < other.low || low > other.high)
    case .notEqual:
      verdict(
        always: high < other.low || low > other.high,
        never: constant != nil && constant == other.constant)
    default: .depends
    }
  }

  private func verdict(always: Bool, never: Bool) -> Verdict {
    always ? .always : never ? .never : .depends
  }
}
