import Diagnostics
import Model
import YAML

/// What the checks of one rule have found.
struct Findings {
  /// A finding, and what would refute it.
  struct Finding {
    var diagnostic: Diagnostic
    /// If any rule shows that the metric has the label, the finding falls.
    var refutedBy: [MetricLabel] = []
  }

  private(set) var all: [Finding] = []
  private let rule: RuleSubject

  init(_ rule: RuleSubject) { self.rule = rule }

  /// A finding about a part of the expression.
  mutating func expr(
    _ check: Check, _ message: String, at part: SourceRange, severity: Severity? = nil,
    label: String? = nil, notes: [Diagnostic.Note] = [], fix: ExprFix? = nil,
    refutedBy: [MetricLabel] = []
  ) {
    let (source, range) = rule.place(of: part)
    var diagnostic = Diagnostic(
      check.id, severity ?? check.severity, message, source: source, range: range, label: label,
      notes: notes)
    if let fix {
      let target = rule.place(of: fix.part).range
      diagnostic.fix = Diagnostic.Fix(
        fix.message, range: target, replacement: fix.replacement, isCertain: fix.isCertain)
    }
    add(diagnostic, refutedBy)
  }

  /// A finding about a node of the rule.
  mutating func node(
    _ check: Check, _ message: String, at node: YAMLNode, part: SourceRange? = nil,
    severity: Severity? = nil, label: String? = nil, notes: [Diagnostic.Note] = [],
    fix: Diagnostic.Fix? = nil
  ) {
    let target = node.content
    let range = part.map(target.sourceRange) ?? target.range
    add(
      Diagnostic(
        check.id, severity ?? check.severity, message, source: target.source, range: range,
        label: label, notes: notes, fix: fix), [])
  }

  /// A note that shows a part of the expression.
  func note(_ message: String, at part: SourceRange) -> Diagnostic.Note {
    let (source, range) = rule.place(of: part)
    return Diagnostic.Note(message, source: source, range: range)
  }

  private mutating func add(_ diagnostic: Diagnostic, _ refutedBy: [MetricLabel]) {
    var diagnostic = diagnostic
    let kind = rule.place.isAlert ? "alert" : "record"
    let group = rule.place.group
    diagnostic.context =
      "in \(kind) \(GoText.quote(rule.place.name))"
      + (group.isEmpty ? "" : ", group \(GoText.quote(group))")
    diagnostic.group = group
    diagnostic.rule = rule.place.name
    all.append(Finding(diagnostic: diagnostic, refutedBy: refutedBy))
  }
}

/// A replacement of a part of an expression.
struct ExprFix {
  var message: String
  var part: SourceRange
  var replacement: String
  var isCertain = true
}

/// A metric together with one of its labels.
struct MetricLabel: Hashable, Sendable {
  var metric: String
  var label: String
}
