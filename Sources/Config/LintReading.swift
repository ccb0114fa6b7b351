import Diagnostics
import Model
import YAML

/// `lint` of tocsin.yml: policies for checks.
package struct LintSettings: Sendable {
  /// What a label or annotation must look like.
  package struct Pattern: Sendable {
    package var name: String
    package var pattern: String
    package var regexp: Regexp

    package init(name: String, pattern: String, regexp: Regexp) {
      self.name = name
      self.pattern = pattern
      self.regexp = regexp
    }
  }

  package var requiredLabels: [String] = []
  package var requiredAnnotations: [String] = []
  /// Values a label may have.
  package var allowedValues: [(label: String, values: [String])] = []
  package var forbiddenLabels: [String] = []
  package var labelPatterns: [Pattern] = []
  package var annotationPatterns: [Pattern] = []
  package var alertName: Pattern?
  package var recordName: Pattern?
  package var minFor: PromDuration?
  package var maxFor: PromDuration?
  package var requiresOwner = false
  /// The owners there are; none given = any.
  package var owners: [String] = []
  /// Ids of checks that are not wanted.
  package var disabled: [String] = []
  /// Other severities than usual, by id.
  package var severities: [(id: String, severity: Severity)] = []
  /// Where ids stand, for those that are not known.
  package var ids: [(id: String, node: YAMLNode)] = []

  package init() {}
}

/// Reads the `lint` block.
struct LintReading {
  let reader: YAMLReader

  func read(_ lint: YAMLFields) -> LintSettings {
    var out = LintSettings()
    func texts(_ name: String) -> [String] { (lint.strings(name) ?? []).map(\.text) }
    out.requiredLabels = texts("required_labels")
    out.requiredAnnotations = texts("required_annotations")
    out.forbiddenLabels = texts("forbidden_labels")
    out.owners = texts("owners")
    for (text, node) in lint.strings("disable") ?? [] {
      out.disabled.append(text)
      out.ids.append((text, node))
    }
    if let values = lint.fields("allowed_values", "a mapping of lists") {
      for field in values.fields {
        let items = (reader.items(of: field.value, "a list") ?? []).compactMap {
          reader.text(of: $0)
        }
        out.allowedValues.append((field.name, items))
      }
      values.leave()
    }
    out.labelPatterns = patterns(lint, "label_patterns")
    out.annotationPatterns = patterns(lint, "annotation_patterns")
    out.alertName = lint.node("alert_name").flatMap { pattern("alert_name", $0) }
    out.recordName = lint.node("record_name").flatMap { pattern("record_name", $0) }
    out.minFor = lint.duration("min_for")
    out.maxFor = lint.duration("max_for")
    out.requiresOwner = lint.bool("required_owner") ?? false
    if let severities = lint.fields("severity", "a mapping of severities") {
      for field in severities.fields {
        if let word = severities.word(field.name, of: Severity.allCases.map(\.rawValue)),
          let severity = Severity(rawValue: word)
        {
          out.severities.append((field.name, severity))
        }
        out.ids.append((field.name, field.key))
      }
      severities.leave()
    }
    lint.close()
    return out
  }

  private func patterns(_ lint: YAMLFields, _ name: String) -> [LintSettings.Pattern] {
    (lint.map(name) ?? []).compactMap { pattern($0.name, $0.field.value) }
  }

  private func pattern(_ name: String, _ node: YAMLNode) -> LintSettings.Pattern? {
    guard let text = reader.text(of: node) else { return nil }
    do throws(RegexpProblem) {
      return LintSettings.Pattern(
        name: name, pattern: text, regexp: try Regexp(anchored: text))
    } catch {
      reader.report("config/regexp", error.description, at: node)
      return nil
    }
  }
}
