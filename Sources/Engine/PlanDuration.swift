import Model
import PromQL

/// A length of time in a plan: known when the plan is made, or arithmetic that needs the query's
/// step and range.
enum PlanDuration {
  case constant(Int64)
  case computed(DurationExpr, isNegativeAllowed: Bool)

  init(_ value: DurationValue, isNegativeAllowed: Bool) {
    if let expr = value.expr {
      self = .computed(expr, isNegativeAllowed: isNegativeAllowed)
    } else {
      self = .constant(value.constant.milliseconds)
    }
  }

  /// The milliseconds for the query that runs.
  func resolve(_ evaluation: Evaluation) throws(QueryProblem) -> Int64 {
    try resolve(step: evaluation.step, range: evaluation.end - evaluation.start)
  }

  /// The milliseconds for a query of a step and a range.
  func resolve(step: Int64, range: Int64) throws(QueryProblem) -> Int64 {
    switch self {
    case .constant(let milliseconds): return milliseconds
    case .computed(let expr, let isNegativeAllowed):
      let context = DurationContext(step: Double(step) / 1000, range: Double(range) / 1000)
      let seconds = try context.evaluate(expr)
      if seconds <= 0 && !isNegativeAllowed {
        throw QueryProblem("duration must be greater than 0")
      }
      guard seconds.magnitude <= 9.2e9 else { throw QueryProblem("duration is out of range") }
      return Int64(seconds * 1000)
    }
  }

  /// A text that is the same for equal durations.
  var key: String {
    switch self {
    case .constant(let milliseconds): "\(milliseconds)"
    case .computed(let expr, _): DurationContext.key(expr)
    }
  }
}

/// Duration arithmetic in seconds.
private struct DurationContext {
  let step: Double
  let range: Double

  func evaluate(_ expr: DurationExpr) throws(QueryProblem) -> Double {
    switch expr {
    case .literal(let literal): return literal.value
    case .negate(let inner, _): return -(try evaluate(inner))
    case .plus(let inner, _): return try evaluate(inner)
    case .paren(let inner, _): return try evaluate(inner)
    case .step: return step
    case .queryRange: return range
    case .minOf(let a, let b, _): return min(try evaluate(a), try evaluate(b))
    case .maxOf(let a, let b, _): return max(try evaluate(a), try evaluate(b))
    case .binary(let op, let left, let right, _):
      return try combine(op, try evaluate(left), try evaluate(right))
    }
  }

  private func combine(
    _ op: BinaryOperator, _ a: Double, _ b: Double
  ) throws(QueryProblem) -> Double {
    switch op {
    case .divide where b == 0: throw QueryProblem("division by zero")
    case .modulo where b == 0: throw QueryProblem("modulo by zero")
    default: return ScalarOperation.apply(op, a, b)
    }
  }

  static func key(_ expr: DurationExpr) -> String {
    switch expr {
    case .literal(let literal): "\(literal.value)"
    case .negate(let inner, _): "-\(key(inner))"
    case .plus(let inner, _): key(inner)
    case .paren(let inner, _): "(\(key(inner)))"
    case .binary(let op, let a, let b, _): "(\(key(a)) \(op.rawValue) \(key(b)))"
    case .step: "step()"
    case .queryRange: "range()"
    case .minOf(let a, let b, _): "min_of(\(key(a)), \(key(b)))"
    case .maxOf(let a, let b, _): "max_of(\(key(a)), \(key(b)))"
    }
  }
}

/// When a selector or subquery looks: `offset` and `@`.
struct TimeModifier {
  var offset: PlanDuration
  var at: AtModifier?

  /// Whether the same samples are seen at every step.
  var isPinned: Bool { at != nil }

  /// Whether nothing behind a step is seen, and the same by every query.
  var readsOnlyThePast: Bool {
    guard at == nil, case .constant(let milliseconds) = offset else { return false }
    return milliseconds >= 0
  }

  var key: String {
    switch at {
    case nil: "offset \(offset.key)"
    case .timestamp(let t): "offset \(offset.key) @\(t.milliseconds)"
    case .start: "offset \(offset.key) @start"
    case .end: "offset \(offset.key) @end"
    }
  }

  /// A time far enough from the ends of the integers that lengths of time can be added to it.
  static func bounded(_ milliseconds: Int64) -> Int64 {
    max(-(1 << 60), min(1 << 60, milliseconds))
  }

  /// What the steps of a domain look at: the first instant, and the distance between two (zero if
  /// pinned).
  func times(
    of domain: TimeDomain, _ evaluation: Evaluation
  ) throws(QueryProblem) -> (first: Int64, step: Int64) {
    let offset = try offset.resolve(evaluation)
    switch at {
    case nil: return (domain.start - offset, domain.step)
    case .timestamp(let t): return (TimeModifier.bounded(t.milliseconds) - offset, 0)
    case .start: return (evaluation.start - offset, 0)
    case .end: return (evaluation.end - offset, 0)
    }
  }
}
