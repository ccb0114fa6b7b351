import Model
import PromQL

/// Whether an alert's expression asks for anything, and for something that can be.
enum AlertConditions: RuleInspection {
  static let noCondition = Check(
    "alert/no-condition", .warning, aliases: ["alerts/comparison"],
    "an alert without a condition fires whenever there is data",
    """
    An alert fires for every series its expression returns, whatever the value. Without a comparison
    (`> 0`), a set operation (`unless`) or `absent()` that is every series there is.

    Compare with a threshold. An alert that is meant to fire all the time is written `vector(1)`. A
    metric by itself, narrowed by matchers, is only remarked: it may be there in bad times only.
    """)
  static let always = Check(
    "alert/always-fires", .error, aliases: ["alerts/comparison"],
    "the condition is always true",
    """
    The expression returns a series at every evaluation, so the alert never stops: a comparison with
    `bool` returns 0 instead of nothing, and `vector(1) > 0` compares constants.

    Take `bool` away: a comparison without it drops what does not fulfil it. An alert that is meant
    to fire all the time is written `vector(1)`.
    """)
  static let never = Check(
    "alert/never-fires", .error, aliases: ["promql/impossible"],
    "the condition is never true",
    """
    The comparison cannot be fulfilled by any value the expression can have. The usual case is
    `count(x) == 0`: where nothing is there to count, `count` returns nothing at all and not 0.

    Ask with `absent(x)`, or give the missing value one: `(count(x) or vector(0)) == 0`.
    """)

  static let checks = [noCondition, always, never]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    impossible(rule, &findings)
    guard let alert = rule.alert else { return }
    let root = rule.expr.unwrapped
    if root.type == .scalar {
      // A number alone, like `vector(1)`, is meant.
      if case .number = root { return }
      if isHeartbeat(alert.name) { return }
      findings.expr(always, "a scalar is there at every evaluation", at: root.range)
      return
    }
    if case .binary(let node) = root, node.returnsBool, !root.isConstant {
      findings.expr(
        always,
        "with `bool` the comparison returns 0 or 1, never nothing: the alert fires in both cases",
        at: root.range, fix: unbooled(node, rule))
      return
    }
    if root.isConstant {
      constant(root, alert.name, &findings)
    } else if !Conditions.filters(root) {
      // That there is a series of that kind at all may be the condition.
      let isPicked = Conditions.isPicked(root)
      findings.expr(
        noCondition,
        isPicked
          ? "no condition: the alert fires for every such series, whatever its value"
          : "no condition: the alert fires for every series there is",
        at: root.range, severity: isPicked ? .info : nil, label: "compare with a threshold")
    } else if case .binary(let node) = root, node.op.isComparison,
      !Conditions.filters(node.lhs), !Conditions.filters(node.rhs),
      !root.selectors.contains(where: Conditions.picks),
      ValueRange(node.lhs).compared(node.op, ValueRange(node.rhs)) == .always
    {
      findings.expr(
        noCondition,
        "the comparison is true for every value: the alert fires whenever there is data",
        at: root.range)
    }
  }

  private static func constant(_ root: Expr, _ name: String, _ findings: inout Findings) {
    switch Presence(root) {
    case .always:
      // `vector(1)` alone is how people write an alert that is to fire all the time.
      if case .call = root { return }
      if isHeartbeat(name) { return }
      findings.expr(
        always, "constants only: the alert fires at every evaluation", at: root.range)
    case .never:
      findings.expr(never, "constants only: this is never true", at: root.range)
    case .unknown: break
    }
  }

  /// Names by which people call an alert that proves that alerting works.
  private static func isHeartbeat(_ name: String) -> Bool {
    let plain = name.lowercased().filter(\.isLetter)
    return ["watchdog", "deadman", "heartbeat", "alwaysfiring"].contains { plain.contains($0) }
  }

  /// Comparisons anywhere that no value can fulfil; constants are told as a whole.
  private static func impossible(_ rule: RuleSubject, _ findings: inout Findings) {
    for part in rule.outline.parts where part.kind == .binary {
      guard case .binary(let node) = part.expr, node.op.isComparison, !node.returnsBool,
        ValueRange(node.lhs).compared(node.op, ValueRange(node.rhs)) == .never,
        !part.expr.isConstant
      else { continue }
      var notes: [String] = []
      if let counted = counted(node.lhs) ?? counted(node.rhs) {
        notes.append("`\(counted)` returns nothing, not 0, where there is nothing to count")
      }
      findings.expr(
        never, "this comparison is never true", at: node.range,
        notes: notes.map { .init($0) })
    }
  }

  private static func counted(_ expr: Expr) -> String? {
    if case .aggregate(let node) = expr.unwrapped, node.op == .count { return "count" }
    if case .call(let node) = expr.unwrapped, node.function.name == "count_over_time" {
      return "count_over_time"
    }
    return nil
  }

  private static func unbooled(_ node: BinaryExpr, _ rule: RuleSubject) -> ExprFix? {
    // Between two scalars `bool` is required.
    guard node.lhs.type == .vector || node.rhs.type == .vector,
      let word = rule.word("bool", between: node.opRange.end, and: node.rhs.range.start)
    else { return nil }
    return ExprFix(message: "drop `bool`", part: word, replacement: "")
  }
}

/// Whether an expression returns something at every evaluation, for expressions of constants.
enum Presence {
  case always, never, unknown

  init(_ expr: Expr) {
    switch expr {
    case .number, .string, .duration: self = .always
    case .paren(let node): self.init(node.expr)
    case .unary(let node): self.init(node.expr)
    case .aggregate(let node): self.init(node.expr)
    case .call(let node): self = Presence(node)
    case .binary(let node): self = Presence(node)
    case .selector, .matrix, .subquery: self = .unknown
    }
  }

  private init(_ node: CallExpr) {
    switch node.function.name {
    case "absent":
      switch node.arguments.first.map({ Presence($0) }) ?? .unknown {
      case .always: self = .never
      case .never: self = .always
      case .unknown: self = .unknown
      }
    case "vector", "scalar", "time", "pi": self = .always
    default: self = node.arguments.first.map { Presence($0) } ?? .always
    }
  }

  private init(_ node: BinaryExpr) {
    let left = Presence(node.lhs)
    let right = Presence(node.rhs)
    switch node.op {
    case .or: self = left == .always || right == .always ? .always : left == right ? left : .unknown
    case .and: self = left == .never || right == .never ? .never : left == right ? left : .unknown
    case .unless: self = left == .never || right == .always ? .never : .unknown
    case _ where left == .never || right == .never: self = .never
    case _ where left == .unknown || right == .unknown: self = .unknown
    case _ where node.op.isComparison && !node.returnsBool:
      switch ValueRange(node.lhs).compared(node.op, ValueRange(node.rhs)) {
      case .always: self = .always
      case .never: self = .never
      case .depends: self = .unknown
      }
    default: self = .always
    }
  }
}

/// Whether an expression leaves anything out by value or presence.
enum Conditions {
  /// Labels that say where a series comes from, not what it is about.
  private static let origins: Set<String> = [
    LabelName.metricName, LabelName.job, LabelName.instance, "namespace", "cluster", "container",
    "pod", "service", "endpoint", "prometheus",
  ]

  /// Whether a selector picks by something else than where a series comes from.
  static func picks(_ node: VectorSelector) -> Bool {
    node.matchers.contains { !origins.contains($0.name) && !$0.matches("") }
      || node.matchers.contains { !origins.contains($0.name) && $0.kind == .notEqual }
  }

  /// A selector that picks, by itself or over a range.
  static func isPicked(_ expr: Expr) -> Bool {
    switch expr {
    case .selector(let node): picks(node)
    case .matrix(let node): picks(node.selector)
    case .paren(let node): isPicked(node.expr)
    case .call(let node):
      node.function.name.hasSuffix("_over_time") && node.arguments.contains(where: isPicked)
    default: false
    }
  }

  /// A comparison without `bool`, a set operation, `absent`; or something nobody knows.
  static func filters(_ expr: Expr) -> Bool {
    switch expr {
    case .number, .string, .duration: return false
    case .paren(let node): return filters(node.expr)
    case .unary(let node): return filters(node.expr)
    case .selector(let node):
      // The series of a recording rule may be there only at times; so are those of alerts.
      guard let name = node.name, !name.contains(":"), !name.hasPrefix("ALERTS") else {
        return true
      }
      // What such metrics have to say stands in their labels.
      let isDescription = ["_info", "_metadata", "_labels", "_annotations"]
        .contains { name.hasSuffix($0) }
      return isDescription && picks(node)
    case .matrix(let node): return filters(.selector(node.selector))
    case .subquery(let node): return filters(node.expr)
    case .aggregate(let node): return filters(node.expr)
    case .call(let node):
      if node.function.name.hasPrefix("absent") { return true }
      return node.arguments.contains(where: filters)
    case .binary(let node):
      if node.op.isComparison && !node.returnsBool { return true }
      switch node.op {
      case .and, .unless: return true
      case .or: return filters(node.lhs) && filters(node.rhs)
      default: return filters(node.lhs) || filters(node.rhs)
      }
    }
  }
}
