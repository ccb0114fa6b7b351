import Diagnostics
import Model
import PromQL
import Rules
import Template
import YAML

/// What goes wrong when a template that parses is executed.
enum TemplateExecution: RuleInspection {
  static let failing = Check(
    "template/execution", .error, aliases: ["alerts/template"],
    "a template fails whenever it is expanded",
    """
    The template parses, and is executed here with stand-ins for labels and value. What fails whatever
    they are - a field that does not exist (`.labels` for `.Labels`), a function with too few
    arguments - fails in every alert, and the text becomes `<error expanding template: …>`.
    """)
  static let query = Check(
    "template/query", .error, aliases: ["alerts/template"],
    "a query inside a template is no PromQL",
    """
    The text handed to `query` does not parse, so the template fails whenever it is expanded.
    """)

  static let checks = [failing, query]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let alert = rule.alert else { return }
    for (fields, block) in [(alert.labels, "labels"), (alert.annotations, "annotations")] {
      for field in fields where !field.template.surelyExecutes {
        guard let node = rule.entry(field.name, in: block)?.value else { continue }
        if !queries(field, node, &findings) { execute(field, node, &findings) }
      }
    }
  }

  private static func queries(
    _ field: AlertRule.Field, _ node: YAMLNode, _ findings: inout Findings
  ) -> Bool {
    var failed = false
    for reference in field.template.references.queries {
      do throws(ParseProblem) {
        _ = try PromQLParser.parse(reference.text)
      } catch {
        failed = true
        let bytes = Array(field.text.utf8)
        // A literal without escapes stands in the template as it is, behind its quote.
        let start = min(bytes.count, reference.offset + 1)
        let literal = Array(reference.text.utf8)
        var part = SourceRange(reference.offset, min(bytes.count, start + literal.count + 1))
        if bytes[start...].starts(with: literal) { part = error.range.shifted(by: start) }
        findings.node(query, error.message, at: node, part: part)
      }
    }
    return failed
  }

  private static func execute(
    _ field: AlertRule.Field, _ node: YAMLNode, _ findings: inout Findings
  ) {
    let names = field.template.references.labels.map(\.text)
    let labels = LabelSet(Set(names).sorted(by: ByteOrder.less).map { ($0, "1") })
    let input = TemplateInput(labels: labels, value: .float(1))
    let context = TemplateContext(time: Timestamp(seconds: 1_700_000_000)) { _, _ in
      [TemplateSample(labels: labels, value: 1)]
    }
    var limits = TemplateLimits()
    limits.steps = 20_000
    limits.outputSize = 1 << 20
    do throws(TemplateProblem) {
      _ = try field.template.expand(input, context: context, limits: limits)
    } catch {
      guard let message = certain(error.description) else { return }
      let place = min(error.offset, field.text.utf8.count)
      findings.node(
        failing, message, at: node, part: SourceRange(place, min(place + 1, field.text.utf8.count)))
    }
  }

  /// The part of a message that says what is wrong with the template rather than with the data.
  private static func certain(_ message: String) -> String? {
    for sign in [
      "can't evaluate field", "wrong number of args", "is not a method but has arguments",
      "can't give argument to non-function", "wrong type for value; expected",
      "is not a method", "can't call method/function",
    ] {
      guard let start = message.utf8.firstRange(of: sign.utf8) else { continue }
      return String(message[start...])
    }
    return nil
  }
}
