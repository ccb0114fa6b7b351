import Diagnostics
import Model
import PromQL

/// Expressions that work until something moves.
enum Fragilities: RuleInspection {
  static let ranking = Check(
    "promql/fragile-ranking", .warning, aliases: ["promql/fragile"],
    "an alert on the top of a ranking",
    """
    `topk`, `bottomk`, `limitk` and `limit_ratio` return other series whenever the order changes, so
    alerts resolve and start anew, and `for` begins again, though nothing got better.

    Compare with a threshold instead of ranking. One of each group (`topk by (…) (1, …)`) is how people
    take doubles away: that is only remarked, and not at all where labels of the group alone are used.
    """)
  static let ratio = Check(
    "promql/fragile-ratio", .info, aliases: ["promql/fragile"],
    "a ratio of two aggregations without `for`",
    """
    When something restarts, the two sides of the ratio lose series at different moments, and for an
    evaluation or two the ratio is far off. Without `for` the alert fires at once.

    Give the alert a `for` of a few evaluations.
    """)
  static let nan = Check(
    "promql/nan", .info, aliases: ["promql/nan"],
    "a division inside an aggregation",
    """
    One series that divides by zero yields NaN or infinity, and a sum or average over it is NaN or
    infinite as a whole: a comparison with NaN is never true.

    Leave out what would divide by zero (`x / (y > 0)`), or aggregate first and divide then.
    """)
  static let zero = Check(
    "promql/division-by-zero", .error,
    "a division by the constant zero",
    """
    The result is infinite or NaN for every series.
    """)

  static let checks = [ranking, ratio, nan, zero]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    var toldNaN = false
    for (i, part) in rule.outline.parts.enumerated()
    where part.kind == .aggregate || part.kind == .binary {
      switch part.expr {
      case .aggregate(let node): aggregation(node, i, rule, &findings, &toldNaN)
      case .binary(let node):
        guard node.op == .divide || node.op == .modulo else { continue }
        if ValueRange(node.rhs) == ValueRange(0), node.rhs.isConstant, !node.lhs.isConstant {
          findings.expr(zero, "division by zero", at: node.opRange)
        }
        quotient(node, i, rule, &findings)
      default: break
      }
    }
  }

  private static func aggregation(
    _ node: AggregateExpr, _ index: Int, _ rule: RuleSubject, _ findings: inout Findings,
    _ toldNaN: inout Bool
  ) {
    switch node.op {
    case .topk, .bottomk, .limitk, .limitRatio:
      guard rule.alert != nil, !rule.outline.isInside(index, where: isAggregation),
        !isLookup(node, index, rule.outline)
      else { return }
      findings.expr(
        ranking, "`\(node.op.rawValue)` returns other series whenever the order changes",
        at: node.shownRange, severity: isSingle(node) ? .info : nil)
    case .sum, .avg, .stddev, .stdvar:
      guard !toldNaN, let division = division(node.expr) else { return }
      toldNaN = true
      findings.expr(
        nan, "one division by zero makes the whole `\(node.op.rawValue)` NaN or infinite",
        at: division)
    default: break
    }
  }

  /// One series of each group.
  private static func isSingle(_ node: AggregateExpr) -> Bool {
    guard !node.grouping.isEmpty, case .number(let count)? = node.parameter?.unwrapped else {
      return false
    }
    return count.value == 1 && (node.op == .topk || node.op == .bottomk)
  }

  /// Whether only labels of the group, which never change, get from here into the result.
  private static func isLookup(
    _ node: AggregateExpr, _ index: Int, _ outline: ExprOutline
  ) -> Bool {
    guard isSingle(node), !node.without else { return false }
    var child = index
    while true {
      let parent = outline.parts[child].parent
      if parent < 0 { return false }
      switch outline.parts[parent].expr {
      case .paren: child = parent
      case .binary(let operation):
        if operation.matching == nil, operation.op.isComparison, !operation.returnsBool {
          child = parent
          continue
        }
        guard let matching = operation.matching, matching.isOn else { return false }
        let isOne =
          child == parent + 1
          ? matching.cardinality == .oneToMany : matching.cardinality == .manyToOne
        return isOne && (matching.labels + matching.include).allSatisfy(node.grouping.contains)
      default: return false
      }
    }
  }

  private static func isAggregation(_ expr: Expr) -> Bool {
    if case .aggregate = expr { return true }
    return false
  }

  /// A division by something that may be zero, whose result gets into the aggregation as it is.
  private static func division(_ expr: Expr) -> SourceRange? {
    switch expr {
    case .paren(let node): return division(node.expr)
    case .unary(let node): return division(node.expr)
    case .binary(let node):
      if node.op.isComparison || node.op.isSet { return nil }
      if node.op == .divide, node.rhs.type == .vector, !Conditions.filters(node.rhs),
        !guarded(node), ValueRange(node.rhs).low <= 0
      {
        return node.opRange
      }
      return division(node.lhs) ?? division(node.rhs)
    default: return nil
    }
  }

  /// Whether a zero cannot come: `clamp_min`, or a count.
  private static func guarded(_ node: BinaryExpr) -> Bool {
    if case .call(let call) = node.rhs.unwrapped {
      return call.function.name.hasPrefix("clamp")
    }
    return false
  }

  private static func quotient(
    _ node: BinaryExpr, _ index: Int, _ rule: RuleSubject, _ findings: inout Findings
  ) {
    guard let alert = rule.alert, alert.holdDuration == .zero, node.op == .divide,
      isAggregation(node.lhs.unwrapped), isAggregation(node.rhs.unwrapped),
      !rule.outline.isInside(
        index,
        where: { if case .binary = $0 { false } else if case .paren = $0 { false } else { true } })
    else { return }
    findings.expr(
      ratio, "the sides of this ratio lose series at different moments, and the alert has no `for`",
      at: node.opRange)
  }
}
