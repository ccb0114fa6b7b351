import Diagnostics
import Model
import PromQL

/// Labels that are used after something has taken them away.
enum GoneLabels: RuleInspection {
  static let gone = Check(
    "promql/label-gone", .warning, aliases: ["promql/impossible"],
    "a label is used after it was aggregated away",
    """
    `by (x)` or `group_left (x)` names a label that the series do not have any more at this place, so
    it has no effect.

    Keep the label in the inner aggregation, or drop it from the outer one.
    """)

  static let checks = [gone]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    let outline = rule.outline
    for (i, part) in outline.parts.enumerated()
    where part.kind == .aggregate || part.kind == .binary {
      switch part.expr {
      case .aggregate(let node) where !node.without && !node.grouping.isEmpty:
        let shape = outline.shape(of: outline.child(0, of: i))
        for label in node.grouping
        where !shape.mayHave(label) && !isExcluded(label, node.expr) {
          report("by", label, shape, node.shownRange, rule, &findings)
        }
      case .binary(let node):
        guard let matching = node.matching, !matching.include.isEmpty else { continue }
        let one = outline.child(matching.cardinality == .oneToMany ? 0 : 1, of: i)
        let shape = outline.shape(of: one)
        for label in matching.include where !shape.mayHave(label) {
          report("group", label, shape, node.opRange, rule, &findings)
        }
      default: break
      }
    }
  }

  /// Whether a matcher asks for series without the label, as `x=""` does.
  private static func isExcluded(_ label: String, _ expr: Expr) -> Bool {
    expr.selectors.contains { selector in
      selector.matchers.contains { $0.name == label && $0.literalValues == [""] }
    }
  }

  private static func report(
    _ what: String, _ label: String, _ shape: LabelShape, _ range: SourceRange,
    _ rule: RuleSubject, _ findings: inout Findings
  ) {
    guard let thief = shape.thief(of: label), thief != .zero else { return }
    let message =
      what == "by"
      ? "grouped by `\(label)`, which the series have lost before"
      : "takes over `\(label)`, which the other side has lost before"
    findings.expr(
      gone, message, at: range, notes: [findings.note("it is lost here", at: thief)])
  }
}
