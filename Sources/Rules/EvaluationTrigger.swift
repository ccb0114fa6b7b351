import Model

/// What makes a group be evaluated.
package enum EvaluationTrigger: String, Hashable, Sendable, CaseIterable {
  /// Its slots, as in Prometheus.
  case slots
  /// Its slots, and every scrape of a target that feeds it.
  case onScrape = "on_scrape"
}

/// One entry of `groups` in tocsin.yml: the groups it is for, and what makes them be evaluated.
package struct TriggerSettings: Hashable, Sendable {
  /// All must match the group's labels, its name as `group` and its path as `file`.
  package var matchers: [Matcher]
  package var trigger: EvaluationTrigger

  package init(matchers: [Matcher] = [], trigger: EvaluationTrigger) {
    self.matchers = matchers
    self.trigger = trigger
  }

  /// Whether the entry is for a group.
  package func matches(_ group: RuleGroupDefinition) -> Bool {
    let labels = group.labels.setting("group", to: group.name).setting("file", to: group.file)
    return matchers.allSatisfy { $0.matches(labels.value(of: $0.name)) }
  }
}

extension [TriggerSettings] {
  /// What the first entry that matches says of a group.
  package func trigger(for group: RuleGroupDefinition) -> EvaluationTrigger {
    first { $0.matches(group) }?.trigger ?? .slots
  }
}
