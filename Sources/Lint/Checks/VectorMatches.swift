import Diagnostics
import Model
import PromQL

/// Whether the two sides of an operator can ever meet.
enum VectorMatches: RuleInspection {
  static let impossible = Check(
    "promql/match-impossible", .error, aliases: ["promql/impossible", "promql/vector_matching"],
    "the two sides of an operator can never match",
    """
    Series of both sides are paired by equal labels. Here the labels of one side exclude those of the
    other, whatever the data: a matcher demands a label that an aggregation on the other side has
    taken away, or the sides demand different values. The result is always empty.

    Say which labels count, with `on (…)` or `ignoring (…)`, or keep the label on both sides.
    """)
  static let unlikely = Check(
    "promql/match-unlikely", .warning, aliases: ["promql/vector_matching", "promql/impossible"],
    "the two sides of an operator probably never match",
    """
    One side has a label the other does not seem to have: a matcher pins `state="active"` on one side
    and the other never mentions `state`, or an aggregation keeps a label that the other side has
    lost. Without `on` or `ignoring` all labels must be equal, so nothing would match. Where the label
    may be missing on both sides - `cluster` in an installation of one - this is only remarked.

    Add `ignoring (state)`, or aggregate both sides alike. With `--server` the question is settled:
    the finding becomes an error or goes away.
    """)

  static let checks = [impossible, unlikely]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    let outline = rule.outline
    for (i, part) in outline.parts.enumerated() where part.kind == .binary {
      guard case .binary(let node) = part.expr, let matching = node.matching, node.op != .or,
        node.lhs.type == .vector, node.rhs.type == .vector,
        matching.fillLeft == nil, matching.fillRight == nil
      else { continue }
      let left = outline.shape(of: outline.child(0, of: i))
      let right = outline.shape(of: outline.child(1, of: i))
      Pair(node: node, matching: matching, rule: rule).inspect(left, right, &findings)
    }
  }

  /// Labels whose values tell kinds of one thing apart, which totals beside them do not carry.
  static let enumerations: Set<String> = [
    "state", "status", "mode", "phase", "code", "type", "reason", "result", "outcome", "kind",
    "level", "severity", "condition", "operation", "op", "method", "event", "action", "direction",
    "stage", "le", "quantile", "status_code", "response_code", "http_code", "error",
  ]

  /// Labels that tell installations apart; who has one only has none of them.
  static let installations: Set<String> = [
    "cluster", "prometheus", "replica", "prometheus_replica", "region", "datacenter", "dc",
    "environment", "env", "tenant",
  ]

  /// The canonical text of what proves that the sides meet.
  static func question(_ node: BinaryExpr) -> Expr? {
    guard var matching = node.matching, node.op != .or else { return nil }
    matching.cardinality = .manyToMany
    matching.include = []
    matching.fillLeft = nil
    matching.fillRight = nil
    return .binary(
      BinaryExpr(
        op: .and, lhs: .paren(ParenExpr(node.lhs)), rhs: .paren(ParenExpr(node.rhs)),
        matching: matching))
  }
}

/// One operator between vectors.
private struct Pair {
  let node: BinaryExpr
  let matching: VectorMatching
  let rule: RuleSubject

  func inspect(_ left: LabelShape, _ right: LabelShape, _ findings: inout Findings) {
    if live(&findings) { return }
    let labels = left.matched(with: right, matching)
    if let label = labels.first(where: { left.conflict(with: right, on: $0) }) {
      conflict(label, left, right, &findings)
    } else if let label = labels.first(where: { lost($0, left, right) }) {
      let (poor, side) = left.mayHave(label) ? (right, "right") : (left, "left")
      findings.expr(
        VectorMatches.unlikely,
        "the \(side) side has no label `\(label)`, so it matches only series without it",
        at: node.opRange, severity: isDoubtful(label, left, right) ? .info : nil,
        notes: loss(of: label, poor, side, findings) + [consequence])
    } else {
      pinned(left, right, &findings)
    }
  }

  private func conflict(
    _ label: String, _ left: LabelShape, _ right: LabelShape, _ findings: inout Findings
  ) {
    var notes: [Diagnostic.Note] = []
    let message: String
    if let poor = [(left, "left", right), (right, "right", left)].first(where: {
      !$0.0.mayHave(label)
    }) {
      let wanted = poor.2.conditions[label]?.first { !$0.matchesEmpty }
      message =
        "the sides never match: one demands `\(wanted?.description ?? label)`, "
        + "and the \(poor.1) side has no label `\(label)`"
      notes = loss(of: label, poor.0, poor.1, findings)
    } else {
      let mine = left.conditions[label]?.map(\.description).joined(separator: ",") ?? ""
      let theirs = right.conditions[label]?.map(\.description).joined(separator: ",") ?? ""
      message = "the sides never match: `\(mine)` on the left, `\(theirs)` on the right"
    }
    findings.expr(
      VectorMatches.impossible, message, at: node.opRange,
      severity: node.op == .unless ? .warning : nil, notes: notes + [consequence])
  }

  private var consequence: Diagnostic.Note {
    .init(
      node.op == .unless ? "so `unless` takes nothing away" : "so the result is always empty")
  }

  private func loss(
    of label: String, _ shape: LabelShape, _ side: String, _ findings: Findings
  ) -> [Diagnostic.Note] {
    guard let thief = shape.thief(of: label), thief != .zero else { return [] }
    return [findings.note("the \(side) side loses `\(label)` here", at: thief)]
  }

  /// Whether the series may well be without the label on both sides: nothing but `on` speaks for
  /// it, or it tells installations apart where there are several.
  private func isDoubtful(_ label: String, _ left: LabelShape, _ right: LabelShape) -> Bool {
    if left.mustHave(label) || right.mustHave(label) { return false }
    if VectorMatches.installations.contains(label) { return true }
    return !left.expected.contains(label) && !right.expected.contains(label)
  }

  /// Whether one side is meant to carry the label and an aggregation of the other has dropped it.
  private func lost(_ label: String, _ left: LabelShape, _ right: LabelShape) -> Bool {
    if matching.isOn { return left.mayHave(label) != right.mayHave(label) }
    return (left.expected.contains(label) && !right.mayHave(label))
      || (right.expected.contains(label) && !left.mayHave(label))
  }

  /// `state="active"` on one side, and no word of `state` on the other.
  private func pinned(_ left: LabelShape, _ right: LabelShape, _ findings: inout Findings) {
    for (mine, theirs, other, side) in [
      (left, right, node.rhs, "right"), (right, left, node.lhs, "left"),
    ] {
      for label in mine.conditions.keys.sorted(by: ByteOrder.less)
      where VectorMatches.enumerations.contains(label) && isMatched(label) {
        guard let matcher = mine.conditions[label]?.first(where: { !$0.matchesEmpty }),
          theirs.conditions[label] == nil, theirs.mayHave(label)
        else { continue }
        let selectors = other.selectors
        let names = selectors.compactMap(\.name)
        // A recorded series may have been made with the label; a whole selector may hold it.
        guard names.count == selectors.count, !names.contains(where: { $0.contains(":") }),
          !mentions(label, other)
        else { continue }
        findings.expr(
          VectorMatches.unlikely,
          "the sides probably never match: `\(matcher)` on one, "
            + "and the \(side) side never mentions `\(label)`",
          at: node.opRange,
          notes: [.init("check with --server"), consequence], fix: ignoring(label),
          refutedBy: names.map { MetricLabel(metric: $0, label: label) })
        return
      }
    }
  }

  private func isMatched(_ label: String) -> Bool {
    matching.isOn == matching.labels.contains { ByteOrder.equal($0, label) }
  }

  private func mentions(_ label: String, _ expr: Expr) -> Bool {
    var found = false
    expr.walk { part, _ in
      switch part {
      case .selector(let node):
        if node.matchers.contains(where: { $0.name == label }) { found = true }
      case .aggregate(let node): if node.grouping.contains(label) { found = true }
      case .binary(let node):
        if node.matching?.include.contains(label) == true { found = true }
      case .string(let text): if text.value == label { found = true }
      default: break
      }
    }
    return found
  }

  private func ignoring(_ label: String) -> ExprFix? {
    guard !matching.isOn, matching.labels.isEmpty, matching.cardinality != .manyToMany else {
      return nil
    }
    let end = SourceRange(node.opRange.end, node.opRange.end)
    return ExprFix(
      message: "match without it: `\(node.op.rawValue) ignoring (\(label))`", part: end,
      replacement: " ignoring (\(label))", isCertain: false)
  }

  /// What a server says; true when it has settled the question.
  private func live(_ findings: inout Findings) -> Bool {
    guard rule.context.server != nil, let question = VectorMatches.question(node),
      let both = rule.context.answers[question.description]?.series,
      let left = rule.context.answers[node.lhs.description]?.series,
      let right = rule.context.answers[node.rhs.description]?.series, left > 0, right > 0
    else { return false }
    if both == 0 && node.op != .unless && !Conditions.filters(node.lhs)
      && !Conditions.filters(node.rhs)
    {
      findings.expr(
        VectorMatches.impossible,
        "the sides do not match now: \(left) and \(right) series go in, none come out",
        at: node.opRange)
      return true
    }
    return both > 0
  }
}
