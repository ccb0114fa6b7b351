import Diagnostics
import Model
import PromQL
import Rules
import Template

/// What the templates of an alert do with its labels and its value.
enum TemplateLabels: RuleInspection {
  static let changing = Check(
    "template/value-in-label", .error, aliases: ["alerts/template"],
    "a label that changes makes a new alert each time",
    """
    Labels are the identity of an alert. A label that holds `$value`, `.Value`, the answer of a
    `query` or the time changes from one evaluation to the next: each time the old alert is resolved,
    a new one starts, and its `for` begins again. With a `for` such an alert never fires.

    Put the value into an annotation. Where the value only chooses between fixed texts
    (`{{ if gt $value 90.0 }}`) the same happens at each change of the choice, which is a warning.
    """)
  static let gone = Check(
    "template/label-gone", .error, aliases: ["alerts/template"],
    "a template uses a label that the expression cannot return",
    """
    The expression takes the label away, by aggregation for instance, so `{{ $labels.x }}` is always
    empty.

    Keep the label: `sum by (x) (…)`, or take it out of the text.
    """)

  static let checks = [changing, gone]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let alert = rule.alert else { return }
    for field in alert.labels where !field.template.isPlain {
      values(field, rule, alert, &findings)
      labels(field, "labels", rule, &findings)
    }
    for field in alert.annotations where !field.template.isPlain {
      labels(field, "annotations", rule, &findings)
    }
  }

  private static func values(
    _ field: AlertRule.Field, _ rule: RuleSubject, _ alert: AlertRule, _ findings: inout Findings
  ) {
    guard let change = field.template.changes.first,
      let node = rule.entry(field.name, in: "labels")?.value
    else { return }
    let size = change.text.utf8.count
    let message =
      change.way == .written
      ? "the label \(GoText.quote(field.name)) changes with `\(change.text)`"
      : "the label \(GoText.quote(field.name)) changes whenever `\(change.text)` makes it another"
    let effect =
      alert.holdDuration == .zero
      ? "each change resolves the alert and starts another"
      : "each change starts another alert, whose `for` of \(alert.holdDuration) begins again"
    findings.node(
      changing, message, at: node, part: SourceRange(change.offset, change.offset + size),
      severity: change.way == .decides ? .warning : nil,
      notes: [.init(effect), .init("annotations may change freely")])
  }

  private static func labels(
    _ field: AlertRule.Field, _ block: String, _ rule: RuleSubject, _ findings: inout Findings
  ) {
    if rule.outline.shape(of: 0).mayHaveAny,
      !field.text.utf8.contains(sequence: LabelName.metricName.utf8)
    {
      return
    }
    var told: Set<String> = []
    for reference in field.template.references.labels {
      guard let thief = rule.outline.shape(of: 0).thief(of: reference.text),
        told.insert(reference.text).inserted,
        let node = rule.entry(field.name, in: block)?.value
      else { continue }
      let place = Self.place(of: reference, in: field.text)
      var notes: [Diagnostic.Note] = []
      if thief != .zero { notes.append(findings.note("it is lost here", at: thief)) }
      findings.node(
        gone, "the expression returns no label `\(reference.text)`, so this is always empty",
        at: node, part: place, notes: notes)
    }
  }

  /// The operand a reference stands in: its name begins at the offset or shortly behind it.
  static func place(of reference: TemplateReferences.Reference, in text: String) -> SourceRange {
    let bytes = Array(text.utf8)
    let wanted = Array(reference.text.utf8)
    var at = max(0, min(reference.offset, bytes.count))
    // Go's positions of fields point behind the first name.
    let from = max(0, at - 10)
    at = from
    while at + wanted.count <= bytes.count {
      if bytes[at...].starts(with: wanted) {
        var start = at
        while start > 0, !isEdge(bytes[start - 1]) { start -= 1 }
        return SourceRange(start, at + wanted.count)
      }
      at += 1
    }
    return SourceRange(from, bytes.count)
  }

  private static func isEdge(_ b: UInt8) -> Bool {
    b <= 0x20 || b == UInt8(ascii: "{") || b == UInt8(ascii: "(") || b == UInt8(ascii: "|")
  }
}

extension String.UTF8View {
  /// Whether the bytes stand together anywhere.
  func contains(sequence wanted: String.UTF8View) -> Bool { firstRange(of: wanted) != nil }

  /// Where bytes begin inside these.
  func firstRange(of wanted: String.UTF8View) -> String.Index? {
    guard let head = wanted.first else { return startIndex }
    var at = startIndex
    while let found = self[at...].firstIndex(of: head) {
      if self[found...].starts(with: wanted) { return found }
      at = index(after: found)
    }
    return nil
  }
}
