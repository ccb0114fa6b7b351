import Config
import Diagnostics
import Model
import PromQL

/// Rules of one file that are the same; files are often alternatives of each other.
enum RepeatedRules {
  static let duplicate = Check(
    "rules/duplicate", .warning, aliases: ["rule/duplicate"],
    "two rules with the same name and labels",
    """
    Two recording rules that write the same series overwrite each other: the second sample of a moment
    is refused, and the rule fails. Two alerts of one name and labels are one alert to Alertmanager.
    Where the expressions are equal too, one of them is a left-over and this is an error.

    Rename one, or tell them apart by a label. Rules whose expressions select different values of a
    label are left alone.
    """)
  static let checks = [duplicate]

  /// A rule: what it writes, and from what.
  struct Rule {
    var name: String
    var labels: LabelSet
    var expr: Expr
    var place: FileFacts.Place
  }

  private struct Identity: Hashable {
    let name: String
    let isAlert: Bool
    let labels: LabelSet
  }

  static func find(in rules: [Rule]) -> [Diagnostic] {
    var out: [Diagnostic] = []
    var first: [Identity: Int] = [:]
    first.reserveCapacity(rules.count)
    // What follows the first of its identity.
    var more: [Int: [Int]] = [:]
    for (i, rule) in rules.enumerated() {
      let identity = Identity(
        name: rule.name, isAlert: rule.place.isAlert, labels: rule.labels)
      guard let start = first.updateValue(i, forKey: identity) else { continue }
      first[identity] = start
      let before = ([start] + (more[start] ?? [])).map { rules[$0] }
        .filter { ByteOrder.equal($0.name, rule.name) }
      more[start, default: []].append(i)
      if let first = before.first(where: { $0.expr == rule.expr }) {
        out.append(repeated(rule, first, isSame: true))
      } else if let first = before.first(where: { !areApart($0.expr, rule.expr) }) {
        out.append(repeated(rule, first, isSame: false))
      }
    }
    return out
  }

  private static func repeated(_ rule: Rule, _ first: Rule, isSame: Bool) -> Diagnostic {
    let name = GoText.quote(rule.name)
    var diagnostic = rule.place.diagnostic(
      duplicate,
      isSame
        ? "duplicate rule: \(name) stands here a second time, expression and all"
        : "duplicate rule: \(name) has the same name and labels as another rule",
      severity: isSame ? .error : nil)
    diagnostic.notes = [
      Diagnostic.Note(
        "first defined here, in group \(GoText.quote(first.place.group))",
        range: first.place.range)
    ]
    return diagnostic
  }

  /// Whether the series of two expressions are told apart by their labels, or by what they are of.
  private static func areApart(_ a: Expr, _ b: Expr) -> Bool {
    let left = LabelShape(a)
    let right = LabelShape(b)
    let labels = left.named.union(right.named)
    if labels.contains(where: { left.conflict(with: right, on: $0) }) { return true }
    // Other metrics usually have other labels.
    if Set(subjects(a)).isDisjoint(with: subjects(b)) { return true }
    let (mine, theirs) = (equals(a), equals(b))
    if !mine.isEmpty, !theirs.isEmpty, Set(mine).isDisjoint(with: theirs) { return true }
    // Whether two patterns overlap is hard to tell; other conditions are rarely met together.
    return differ(a, b) || comparisons(a) != comparisons(b)
  }

  /// The metrics whose labels the result has.
  private static func subjects(_ expr: Expr) -> [String] {
    guard case .binary(let node) = expr.unwrapped else {
      return expr.selectors.compactMap(\.name)
    }
    if node.matching?.cardinality == .oneToMany { return subjects(node.rhs) }
    if node.op == .and || node.op == .unless || node.matching?.cardinality == .manyToOne {
      return subjects(node.lhs)
    }
    return subjects(node.lhs) + subjects(node.rhs)
  }

  /// The value a sample must have: two alerts on different ones never fire together.
  private static func equals(_ expr: Expr) -> [Double] {
    guard case .binary(let node) = expr.unwrapped, node.op == .equal, !node.returnsBool,
      case .number(let number) = node.rhs.unwrapped
    else { return [] }
    return [number.value]
  }

  /// Whether a metric is asked for with other matchers of the same label.
  private static func differ(_ a: Expr, _ b: Expr) -> Bool {
    let left = conditions(a)
    return conditions(b).contains { key, matchers in
      left[key].map { $0 != matchers } ?? false
    }
  }

  private static func conditions(_ expr: Expr) -> [MetricLabel: Set<Matcher>] {
    var out: [MetricLabel: Set<Matcher>] = [:]
    for selector in expr.selectors {
      for matcher in selector.matchers where matcher.name != LabelName.metricName {
        out[MetricLabel(metric: selector.name ?? "", label: matcher.name), default: []]
          .insert(matcher)
      }
    }
    return out
  }

  private static func comparisons(_ expr: Expr) -> [BinaryOperator] {
    var found: [BinaryOperator] = []
    expr.walk { part, _ in
      if case .binary(let node) = part, node.op.isComparison { found.append(node.op) }
    }
    return found
  }
}

extension FileFacts.Place {
  /// Where a word stands for the first time in a part of the file.
  static func narrowed(
    _ range: SourceRange, to word: String, in source: SourceText
  ) -> SourceRange {
    let wanted = Array(word.utf8)
    func isName(_ at: Int) -> Bool {
      guard source.bytes.indices.contains(at) else { return false }
      let b = source.bytes[at]
      return (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x5f
        || b == 0x3a
    }
    var at = range.start
    while at + wanted.count <= min(range.end, source.bytes.count) {
      if source.bytes[at...].starts(with: wanted), !isName(at - 1), !isName(at + wanted.count) {
        return SourceRange(at, at + wanted.count)
      }
      at += 1
    }
    return range
  }

  /// A finding at this place, without its text.
  func diagnostic(
    _ check: Check, _ message: String, at part: SourceRange? = nil, severity: Severity? = nil
  ) -> Diagnostic {
    let kind = isAlert ? "alert" : "record"
    var diagnostic = Diagnostic(
      check.id, severity ?? check.severity, message, range: part ?? range,
      context: "in \(kind) \(GoText.quote(rule)), group \(GoText.quote(group))")
    diagnostic.group = group
    diagnostic.rule = rule
    return diagnostic
  }
}
