import Diagnostics
import Model
import Rules
import YAML

/// A rule file as read: what can run, and everything that is wrong.
package struct RuleFile: Sendable {
  package let source: SourceText
  /// All groups with the rules that are in order, and the others in quarantine.
  package var groups: [RuleGroupDefinition] = []
  package var diagnostics: [Diagnostic] = []
  /// Prometheus' own error texts for the file, empty when it is valid.
  ///
  /// Prometheus stops at the first stage that fails (reading, decoding, validating), so these may
  /// be fewer
  /// than the diagnostics.
  package var referenceTexts: [String] = []
  /// Groups and rules in the file, good or bad.
  package var groupCount = 0
  package var ruleCount = 0
  /// Each rule in file order with its place, for checks that look at the text.
  package var places: [RulePlace] = []
  /// Comments of the file.
  package var comments: [YAMLComment] { YAMLComment.all(in: source, root: root) }
  /// The tree the file was read from; nil for an empty file or one that is no YAML.
  package var root: YAMLNode?
  /// Why the file does not tell all its groups, if it does not: it is no YAML, say.
  package var hold: String?

  package var isValid: Bool { !diagnostics.contains { $0.severity == .error } }

  /// How it was read.
  let options: RuleFileLoader.Options

  init(source: SourceText, options: RuleFileLoader.Options) {
    self.source = source
    self.options = options
  }
}

/// Where a rule stands in its file.
package struct RulePlace: Sendable {
  package let group: String
  /// From 0 within its group.
  package let index: Int
  package let name: String
  package let isAlert: Bool
  /// Literal labels, the group's under the rule's own.
  package let labels: LabelSet
  /// Nil for a rule with errors.
  package let definition: RuleDefinition?
  package let node: YAMLNode
  package let nameNode: YAMLNode?
  package let exprNode: YAMLNode?
}
