import Diagnostics
import Model
import PromQL

/// Counters compared as they are.
enum RawCounters: RuleInspection {
  static let raw = Check(
    "promql/raw-counter", .warning, aliases: ["promql/counter"],
    "the value of a counter itself is compared",
    """
    A counter only grows until its process restarts. Compared with a threshold it fires from the
    first crossing until the next restart, and says nothing about what happens now.

    Compare `rate(x[5m])` or `increase(x[1h])`.
    """)

  static let checks = [raw]

  /// Functions under which the value of a counter itself does no harm.
  private static let harmless: Set<String> = [
    "rate", "irate", "increase", "resets", "changes", "delta", "idelta", "deriv", "predict_linear",
    "absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp",
    "start_timestamp", "scalar",
  ]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    guard rule.alert != nil else { return }
    var told: Set<String> = []
    for (i, part) in rule.outline.parts.enumerated() where part.kind == .selector {
      guard case .selector(let node) = part.expr, let name = node.name,
        isCompared(i, in: rule.outline), isCounter(name, rule), !told.contains(name)
      else { continue }
      told.insert(name)
      findings.expr(
        raw, "`\(name)` is a counter: its value grows until a restart", at: node.range,
        label: "compare its `rate` or `increase`")
    }
  }

  private static func isCounter(_ name: String, _ rule: RuleSubject) -> Bool {
    let types =
      rule.context.metrics.isEmpty
      ? [] : rule.context.metrics[name]?.types.filter { $0 != .unknown } ?? []
    if !types.isEmpty { return types.allSatisfy { $0 == .counter } }
    return MetricNames.looksLikeCounter(name)
  }

  /// Whether the value gets into a comparison with a constant other than zero, unchanged but for
  /// sums and factors.
  private static func isCompared(_ index: Int, in outline: ExprOutline) -> Bool {
    var child = index
    while true {
      let parent = outline.parts[child].parent
      if parent < 0 { return false }
      // An aggregation's vector and an operator's left side come first.
      let isFirst = child == parent + 1
      defer { child = parent }
      switch outline.parts[parent].expr {
      case .paren, .unary: continue
      case .aggregate(let node):
        if [.count, .group, .countValues].contains(node.op) || !isFirst { return false }
      case .call(let node):
        if harmless.contains(node.function.name) { return false }
        if outline.parts[child].expr.type == .matrix { return false }
      case .matrix, .subquery: return false
      case .binary(let node):
        let other = isFirst ? node.rhs : node.lhs
        if node.op.isComparison {
          guard let bound = ValueRange(other).constant, other.isConstant else {
            return false
          }
          // Whether something ever happened is a fair question.
          return !(bound == 0 || bound.isNaN) && node.op != .equal && node.op != .notEqual
        }
        // Beside another vector it may be a difference or a share of two counters.
        if node.op.isSet ? !isFirst : !other.isConstant { return false }
      default: return false
      }
    }
  }
}
