import Config
import Diagnostics
import Model
import YAML

/// The house rules of `lint` in tocsin.yml.
enum Policies {
  static let label = Check(
    "policy/label", .error, aliases: ["rule/label", "rule/reject"],
    "a label breaks the house rules",
    """
    `required_labels`, `forbidden_labels`, `allowed_values` and `label_patterns` of the `lint` block in
    tocsin.yml say which labels alerts carry, and with which values. A value that is a template is not
    compared.
    """)
  static let annotation = Check(
    "policy/annotation", .error, aliases: ["alerts/annotation"],
    "an annotation breaks the house rules",
    """
    `required_annotations` and `annotation_patterns` of the `lint` block in tocsin.yml say which
    annotations alerts carry, and what they look like. A value that is a template is not compared.
    """)
  static let name = Check(
    "policy/name", .error, aliases: ["rule/name"],
    "a name breaks the house rules",
    """
    `alert_name` and `record_name` of the `lint` block in tocsin.yml are regular expressions for names.
    """)
  static let hold = Check(
    "policy/for", .error, aliases: ["rule/for"],
    "a `for` breaks the house rules",
    """
    `min_for` and `max_for` of the `lint` block in tocsin.yml bound the `for` of alerts.
    """)
  static let owner = Check(
    "policy/owner", .error, aliases: ["rule/owner"],
    "a rule without an owner",
    """
    With `required_owner: true` in the `lint` block of tocsin.yml every rule needs a comment
    `# tocsin rule/owner NAME`, or its file a `# tocsin file/owner NAME`; `owners` lists who there is.
    pint's `# pint rule/owner NAME` counts too.
    """)

  static let checks = [label, annotation, name, hold, owner]

  static func inspect(
    _ rule: RuleSubject, _ settings: LintSettings, owner name: String?, _ findings: inout Findings
  ) {
    naming(rule, settings, &findings)
    if settings.requiresOwner || (!settings.owners.isEmpty && name != nil) {
      owners(rule, settings, name, &findings)
    }
    guard let alert = rule.alert else { return }
    labels(rule, settings, &findings)
    annotations(rule, settings, &findings)
    let place = rule.field("for")?.value ?? rule.place.nameNode ?? rule.place.node
    if let least = settings.minFor, alert.holdDuration < least {
      findings.node(
        hold, "`for` is \(alert.holdDuration), the house rules ask for at least \(least)",
        at: place)
    }
    if let most = settings.maxFor, alert.holdDuration > most {
      findings.node(
        hold, "`for` is \(alert.holdDuration), the house rules allow \(most)", at: place)
    }
  }

  private static func naming(
    _ rule: RuleSubject, _ settings: LintSettings, _ findings: inout Findings
  ) {
    guard let pattern = rule.place.isAlert ? settings.alertName : settings.recordName,
      !pattern.regexp.matches(rule.place.name)
    else { return }
    findings.node(
      name, "the name does not match `\(pattern.pattern)`",
      at: rule.place.nameNode ?? rule.place.node)
  }

  private static func owners(
    _ rule: RuleSubject, _ settings: LintSettings, _ name: String?, _ findings: inout Findings
  ) {
    let place = rule.place.nameNode ?? rule.place.node
    if let name {
      if !settings.owners.isEmpty, !settings.owners.contains(where: { ByteOrder.equal($0, name) }) {
        findings.node(owner, "there is no owner \(GoText.quote(name))", at: place)
      }
    } else {
      findings.node(
        owner, "the rule has no owner", at: place, label: "add `# tocsin rule/owner NAME`")
    }
  }

  private static func labels(
    _ rule: RuleSubject, _ settings: LintSettings, _ findings: inout Findings
  ) {
    let place = rule.place.nameNode ?? rule.place.node
    for name in settings.requiredLabels where rule.entry(name, in: "labels") == nil {
      findings.node(label, "the label \(GoText.quote(name)) is required", at: place)
    }
    for name in settings.forbiddenLabels {
      guard let entry = rule.entry(name, in: "labels") else { continue }
      findings.node(label, "the label \(GoText.quote(name)) is not allowed", at: entry.key)
    }
    for (name, values) in settings.allowedValues {
      guard let entry = rule.entry(name, in: "labels"), let text = entry.value.text,
        !isTemplate(text), !values.contains(where: { ByteOrder.equal($0, text) })
      else { continue }
      findings.node(
        label,
        "\(GoText.quote(text)) is no value for \(GoText.quote(name)): "
          + "allowed are \(values.joined(separator: ", "))",
        at: entry.value,
        label: NearestName.find(text, among: values).map { "did you mean `\($0)`?" })
    }
    patterns(settings.labelPatterns, "labels", label, rule, &findings)
  }

  private static func annotations(
    _ rule: RuleSubject, _ settings: LintSettings, _ findings: inout Findings
  ) {
    let place = rule.place.nameNode ?? rule.place.node
    for name in settings.requiredAnnotations where rule.entry(name, in: "annotations") == nil {
      findings.node(annotation, "the annotation \(GoText.quote(name)) is required", at: place)
    }
    patterns(settings.annotationPatterns, "annotations", annotation, rule, &findings)
  }

  private static func patterns(
    _ patterns: [LintSettings.Pattern], _ block: String, _ check: Check, _ rule: RuleSubject,
    _ findings: inout Findings
  ) {
    for pattern in patterns {
      guard let entry = rule.entry(pattern.name, in: block), let text = entry.value.text,
        !isTemplate(text), !pattern.regexp.matches(text)
      else { continue }
      findings.node(
        check, "\(GoText.quote(pattern.name)) does not match `\(pattern.pattern)`",
        at: entry.value)
    }
  }

  private static func isTemplate(_ text: String) -> Bool { text.contains("{{") }
}
