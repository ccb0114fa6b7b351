import Diagnostics
import Model
import PromQL
import Rules
import Template
import YAML

/// Reads one rule of a group.
struct RuleReading {
  let file: RuleFileReading
  let group: String
  let groupLabels: [YAMLNamedText]
  let index: Int
  let node: YAMLNode

  private var reader: YAMLReader { file.reader }

  /// What Prometheus writes in front of its errors about a rule.
  private struct Prefix {
    let group: String
    let index: Int
    let name: String

    var text: String {
      "group \(GoText.quote(group)), rule \(index + 1), \(GoText.quote(name)): "
    }
  }

  /// The rule with its place; nil when it is no mapping at all.
  func read() -> RulePlace? {
    let groupContext = reader.makeContext
    reader.rule = nil
    let (index, group) = (index, group)
    reader.makeContext = {
      "in rule \(index + 1), " + (groupContext.map { String($0().dropFirst(3)) } ?? "")
    }
    defer { reader.makeContext = groupContext }
    guard let fields = reader.fields(of: node, "a rule") else { return nil }
    let errorsBefore = reader.diagnostics.count
    let record = fields.string("record") ?? ""
    let alert = fields.string("alert") ?? ""
    let name = alert.isEmpty ? record : alert
    if !name.isEmpty {
      let kind = alert.isEmpty ? "record" : "alert"
      reader.makeContext = {
        "in \(kind) \(GoText.quote(name))"
          + (group.isEmpty ? "" : ", group \(GoText.quote(group))")
      }
      reader.rule = name
    }
    let prefix = Prefix(group: group, index: index, name: name)
    checkKind(fields, record, alert, prefix)
    let expr = readExpr(fields, prefix)
    let hold = file.duration(fields, "for") ?? .zero
    let keepFiring = file.duration(fields, "keep_firing_for") ?? .zero
    let labels = names(fields, "labels", "label", prefix)
    let annotations = names(fields, "annotations", "annotation", prefix)
    if !record.isEmpty {
      checkRecording(fields, record, hold, keepFiring, annotations.isEmpty, prefix)
    }
    let merged = merge(labels)
    var labelFields: [AlertRule.Field] = []
    var annotationFields: [AlertRule.Field] = []
    if !alert.isEmpty {
      labelFields = templates(merged, "label", alert, prefix)
      annotationFields = templates(annotations, "annotation", alert, prefix)
    }
    file.close(fields)
    let hasErrors = reader.diagnostics[errorsBefore...].contains { $0.severity == .error }
    let literal = LabelSet(
      labels: merged.map { Label(name: $0.name, value: $0.text) })
    let exprNode = fields.node("expr")
    var definition: RuleDefinition?
    if !hasErrors, let expr {
      let line = node.content.mark.line
      let place = exprNode.flatMap(exprPlace)
      definition =
        alert.isEmpty
        ? .recording(
          RecordingRule(name: record, expr: expr, labels: literal, line: line, place: place))
        : .alert(
          AlertRule(
            name: alert, expr: expr, holdDuration: hold, keepFiringFor: keepFiring,
            labels: labelFields, annotations: annotationFields, line: line, place: place))
    }
    return RulePlace(
      group: group, index: index, name: name, isAlert: !alert.isEmpty, labels: literal,
      definition: definition, node: node,
      nameNode: fields.node(alert.isEmpty ? "record" : "alert"), exprNode: exprNode)
  }

  /// Says where in the file a byte of the expression stands.
  private func exprPlace(_ node: YAMLNode) -> ExprPlace? {
    guard let text = node.text else { return nil }
    return ExprPlace(text: text) { offset in
      let source = node.content.source
      let start = node.sourceRange(ofContent: SourceRange(offset, offset)).start
      let position = source.position(at: start)
      return "\(source.name):\(position.line):\(position.column)"
    }
  }

  /// `line:column` of a node as Prometheus prints it; `0:0` for a field that is not there.
  private func mark(_ node: YAMLNode?) -> String {
    node.map { "\($0.mark.line):\($0.mark.column): " } ?? "0:0: "
  }

  private func checkKind(
    _ fields: YAMLFields, _ record: String, _ alert: String, _ prefix: Prefix
  ) {
    let recordNode = fields.node("record")
    let alertNode = fields.node("alert")
    var marks: String { mark(recordNode) + mark(alertNode) }
    if !record.isEmpty && !alert.isEmpty, let recordNode, let alertNode {
      let message = "only one of 'record' and 'alert' must be set"
      file.invalid(
        "rules/kind", message, at: alertNode, reference: marks + prefix.text + message,
        notes: [
          Diagnostic.Note(
            "the other is here", source: recordNode.content.source,
            range: recordNode.content.range)
        ])
    }
    if record.isEmpty && alert.isEmpty {
      let message = "one of 'record' or 'alert' must be set"
      file.invalid(
        "rules/kind", message, at: recordNode ?? alertNode ?? node,
        reference: marks + prefix.text + message)
    }
  }

  private func readExpr(_ fields: YAMLFields, _ prefix: Prefix) -> Expr? {
    let place = fields.node("expr")
    let text = fields.string("expr") ?? ""
    guard let place, !text.isEmpty else {
      // An expr of the wrong type is reported already.
      if place == nil || place?.isNull == true || place?.text?.isEmpty == true {
        let message = "field 'expr' must be set in rule"
        file.invalid(
          "rules/expr", message, at: place ?? node, reference: mark(place) + prefix.text + message)
      }
      return nil
    }
    do throws(ParseProblem) {
      return try file.parsed(text)
    } catch {
      file.invalid(
        ExprProblem.diagnostic(error, in: place),
        reference: mark(place) + prefix.text + "could not parse expression: " + error.text(in: text)
      )
      return nil
    }
  }

  private func checkRecording(
    _ fields: YAMLFields, _ record: String, _ hold: PromDuration, _ keepFiring: PromDuration,
    _ hasNoAnnotations: Bool, _ prefix: Prefix
  ) {
    let place = fields.node("record")
    func refuse(_ field: String) {
      let message = "invalid field '\(field)' in recording rule"
      file.invalid(
        "rules/field", message, at: fields.field(field)?.key ?? node,
        reference: mark(place) + prefix.text + message)
    }
    if !hasNoAnnotations { refuse("annotations") }
    if hold != .zero { refuse("for") }
    if keepFiring != .zero { refuse("keep_firing_for") }
    if record.utf8.contains(where: { $0 == 0x7b || $0 == 0x7d }) {
      let message = "braces present in the recording rule name; should it be in expr?: \(record)"
      file.invalid(
        "rules/record-name", message, at: place ?? node,
        reference: mark(place) + prefix.text + message)
    }
  }

  /// A label or annotation with its place.
  private struct Named {
    let name: String
    let text: String
    let field: YAMLFields.Field
    /// Whether the group gave it.
    var isInherited = false
  }

  /// The entries of `labels` or `annotations`, their names checked.
  private func names(
    _ fields: YAMLFields, _ key: String, _ what: String, _ prefix: Prefix
  ) -> [Named] {
    (fields.map(key) ?? []).map { name, text, field in
      if name.isEmpty || (what == "label" && name == LabelName.metricName) {
        let message = "invalid \(what) name: \(name)"
        file.invalid("rules/\(what)-name", message, at: field.key, reference: prefix.text + message)
      }
      return Named(name: name, text: text, field: field)
    }
  }

  /// The group's labels with the rule's laid over them.
  private func merge(_ labels: [Named]) -> [Named] {
    if groupLabels.isEmpty { return labels }
    let inherited = groupLabels.filter { pair in
      !labels.contains { ByteOrder.equal($0.name, pair.name) }
    }
    return inherited.map {
      Named(name: $0.name, text: $0.text, field: $0.field, isInherited: true)
    } + labels
  }

  private func templates(
    _ named: [Named], _ what: String, _ alert: String, _ prefix: Prefix
  ) -> [AlertRule.Field] {
    var out: [AlertRule.Field] = []
    for entry in named {
      do throws(TemplateProblem) {
        let template = try Template.alertField(entry.text, alertName: alert)
        out.append(AlertRule.Field(name: entry.name, text: entry.text, template: template))
      } catch {
        report(error, what, entry, alert, prefix)
      }
    }
    return out.count < 2 ? out : out.sorted { ByteOrder.less($0.name, $1.name) }
  }

  private func report(
    _ problem: TemplateProblem, _ what: String, _ named: Named, _ alert: String, _ prefix: Prefix
  ) {
    let stage = "error parsing template __alert_\(alert): "
    let full = problem.description
    let text =
      full.utf8.starts(with: stage.utf8)
      ? String(full.utf8.dropFirst(stage.utf8.count)) ?? full : full
    let target = named.field.value.content
    let title = "\(what) \(GoText.quote(named.name)): "
    let diagnostic = Diagnostic(
      "template/syntax", .error, title + bare(text, alert), source: target.source,
      range: target.sourceRange(ofContent: TemplatePlace.range(of: problem, in: named.text)),
      label: TemplatePlace.hint(problem))
    // Prometheus looks at the templates of a rule's own labels only; the group's are ours to check.
    file.invalid(diagnostic, reference: named.isInherited ? nil : prefix.text + title + text)
  }

  /// The message behind `template: __alert_X:1: `.
  private func bare(_ text: String, _ alert: String) -> String {
    let head = Array("template: __alert_\(alert):".utf8)
    guard text.utf8.starts(with: head) else { return text }
    let rest = text.utf8.dropFirst(head.count).drop { $0 >= 0x30 && $0 <= 0x3a }
    return String(rest.drop { $0 == 0x20 }) ?? text
  }
}
