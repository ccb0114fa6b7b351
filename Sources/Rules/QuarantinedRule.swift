import Model

/// A rule that stands in its file and cannot be loaded.
///
/// It is not lost from sight: reports show it unhealthy in its place, and after a reload the last
/// version that could be loaded runs on in its stead.
package struct QuarantinedRule: Hashable, Sendable {
  /// Its place among all rules of the group, from 0.
  package var position: Int
  /// Nil where not even that can be read.
  package var kind: RuleReport.Kind?
  /// Empty where it cannot be read.
  package var name: String
  /// The expression as written.
  package var query: String
  /// Literal labels, the group's under the rule's own, by name.
  package var labels: [Label]
  /// What is wrong, with its place in the file.
  package var message: String
  /// Line in the rule file, from 1; 0 if unknown.
  package var line: Int

  package init(
    position: Int, kind: RuleReport.Kind?, name: String, query: String = "", labels: [Label] = [],
    message: String, line: Int = 0
  ) {
    self.position = position
    self.kind = kind
    self.name = name
    self.query = query
    self.labels = labels
    self.message = message
    self.line = line
  }

  /// Kind, name and labels, as of a rule that is in order; nil where the kind is unknown.
  var identity: String? {
    kind.map { RuleIdentity.text(kind: $0, name: name, labels: labels) }
  }
}

/// A place in a group: a rule, or what stands there and cannot be loaded.
package enum RuleEntry: Sendable {
  case rule(RuleDefinition)
  case quarantined(QuarantinedRule)
}

extension RuleGroupDefinition {
  /// All rules in the order of the file.
  package var entries: [RuleEntry] {
    if quarantined.isEmpty { return rules.map(RuleEntry.rule) }
    var out: [RuleEntry] = []
    var bad = quarantined.sorted { $0.position < $1.position }[...]
    var good = rules[...]
    while true {
      if let next = bad.first, next.position <= out.count || good.isEmpty {
        out.append(.quarantined(next))
        bad = bad.dropFirst()
      } else if let next = good.popFirst() {
        out.append(.rule(next))
      } else {
        return out
      }
    }
  }
}

extension RuleReport {
  /// A rule that was never good: it is there, it is unhealthy, it does not run.
  init(_ rule: QuarantinedRule) {
    self.init(
      kind: rule.kind ?? .alerting, name: rule.name, query: rule.query, labels: rule.labels,
      health: .err, lastError: rule.message, evaluationTime: 0, lastEvaluation: nil, samples: 0,
      evaluations: 0, failures: 0, warnings: [], line: rule.line, quarantine: rule.message,
      state: .unknown, holdDuration: .zero, keepFiringFor: .zero, annotations: [], alerts: [])
  }
}
