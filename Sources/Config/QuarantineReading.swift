import Diagnostics
import Model
import Rules
import YAML

/// What becomes of the parts of a rule file that have errors.
enum QuarantineReading {
  /// Errors as one text: each with file, line and column.
  static func message(_ diagnostics: some Sequence<Diagnostic>) -> String {
    diagnostics.filter { $0.severity == .error }.map(text).joined(separator: "; ")
  }

  private static func text(_ diagnostic: Diagnostic) -> String {
    guard let source = diagnostic.source else { return diagnostic.message }
    let place = diagnostic.position.map { "\($0.line):\($0.column): " } ?? ""
    return source.name + ":" + place + diagnostic.message
  }

  /// A rule that cannot run; of what cannot be read even in part, the place alone.
  static func rule(
    _ place: RulePlace?, at node: YAMLNode, position: Int, message: String
  ) -> QuarantinedRule {
    let line = node.content.mark.line
    guard let place else {
      return QuarantinedRule(
        position: position, kind: nil, name: "", message: message, line: line)
    }
    return QuarantinedRule(
      position: position, kind: place.name.isEmpty ? nil : place.isAlert ? .alerting : .recording,
      name: place.name, query: place.exprNode?.text ?? "", labels: place.labels.labels,
      message: message, line: line)
  }

  /// A rule in order whose group cannot be used.
  static func rule(
    _ definition: RuleDefinition, position: Int, message: String
  ) -> QuarantinedRule {
    QuarantinedRule(
      position: position, kind: definition.kind, name: definition.name,
      query: definition.expr.description, labels: definition.labels, message: message,
      line: definition.line)
  }
}

extension RuleGroupDefinition {
  /// Puts every rule into quarantine: the group's own settings cannot be used.
  mutating func quarantineAll(_ message: String) {
    headProblem = message
    quarantined = entries.enumerated().map { position, entry in
      switch entry {
      case .rule(let rule):
        QuarantineReading.rule(rule, position: position, message: message)
      case .quarantined(let rule): rule
      }
    }
    rules = []
  }

  /// Takes over the rules of a second group of the same name, which has no identity of its own.
  mutating func quarantine(_ second: RuleGroupDefinition, _ message: String) {
    var second = second
    second.quarantineAll(message)
    let start = rules.count + quarantined.count
    quarantined += second.quarantined.map {
      var rule = $0
      rule.position += start
      return rule
    }
  }
}
