import Model

/// What an alert rule does when the world fails it; the defaults are Prometheus' behaviour.
package struct AlertPolicy: Hashable, Sendable {
  /// When the data behind an alert vanish.
  package enum OnNoData: String, Hashable, Sendable, CaseIterable {
    /// The alert ends as if its condition were false.
    case resolve
    /// The alert stands still until there are data again.
    case hold
    /// No data count as a condition that holds.
    case fire
  }

  /// When the rule cannot be evaluated.
  package enum OnError: String, Hashable, Sendable, CaseIterable {
    /// The alerts stand still.
    case hold
    /// A failure counts as a condition that holds.
    case fire
  }

  /// What the clock of `for` does while a target that feeds the rule is down.
  package enum ForWhileTargetDown: String, Hashable, Sendable, CaseIterable {
    case run, freeze
  }

  package var onNoData = OnNoData.resolve
  package var onError = OnError.hold
  package var forWhileTargetDown = ForWhileTargetDown.run

  package init(
    onNoData: OnNoData = .resolve, onError: OnError = .hold,
    forWhileTargetDown: ForWhileTargetDown = .run
  ) {
    self.onNoData = onNoData
    self.onError = onError
    self.forWhileTargetDown = forWhileTargetDown
  }
}

/// One entry of `policies`: the alert rules it is for, and what they do.
package struct PolicySettings: Hashable, Sendable {
  /// All must match the rule's labels as configured, `alertname` among them.
  package var matchers: [Matcher]
  package var policy: AlertPolicy

  package init(matchers: [Matcher] = [], policy: AlertPolicy) {
    self.matchers = matchers
    self.policy = policy
  }

  /// Whether the entry is for a rule.
  package func matches(_ rule: AlertRule) -> Bool {
    let labels = LabelSet(
      labels: rule.labels.map { Label(name: $0.name, value: $0.text) }
        + [Label(name: LabelName.alertName, value: rule.name)])
    return matchers.allSatisfy { $0.matches(labels.value(of: $0.name)) }
  }
}

extension [PolicySettings] {
  /// The policy of a rule: that of the first entry that matches.
  package func policy(for rule: AlertRule) -> AlertPolicy? {
    first { $0.matches(rule) }?.policy
  }
}

/// Why an alert stands as it does.
package enum AlertBasis: String, Hashable, Sendable, CaseIterable {
  /// Its condition held or cleared.
  case condition
  /// Its data are gone and its policy speaks.
  case noData = "no_data"
  /// Its rule fails and its policy speaks.
  case error
  /// A target that feeds it is down and the clock of `for` stands still.
  case targetDown = "target_down"
}
