import Model
import PromQL

/// Rewrites a query so that its selectors look at one fixed time, whatever time it is evaluated at.
enum AtPinning {
  private static let timeDependent: Set<String> = [
    "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month",
    "year", "predict_linear", "range", "start", "step", "time", "timestamp",
  ]

  /// Whether pinning cannot make the result independent of the evaluation time.
  static func dependsOnEvaluationTime(_ expr: Expr) -> Bool {
    anyNode(of: expr) { node in
      if case .call(let call) = node { return timeDependent.contains(call.function.name) }
      return false
    }
  }

  static func anyNode(of expr: Expr, _ test: (Expr) -> Bool) -> Bool {
    test(expr) || expr.children.contains { anyNode(of: $0, test) }
  }

  /// Puts `@ t` on every selector and subquery that has none and is not inside a pinned subquery.
  static func pin(_ expr: Expr, at t: Timestamp) -> Expr {
    switch expr {
    case .selector(let s): return .selector(pin(s, t))
    case .matrix(var m):
      m.selector = pin(m.selector, t)
      return .matrix(m)
    case .subquery(var s):
      if case .timestamp = s.at { return expr }
      s.at = .timestamp(t)
      return .subquery(s)
    default: return expr.mapChildren { pin($0, at: t) }
    }
  }

  private static func pin(_ selector: VectorSelector, _ t: Timestamp) -> VectorSelector {
    if case .timestamp = selector.at { return selector }
    var pinned = selector
    pinned.at = .timestamp(t)
    return pinned
  }
}
