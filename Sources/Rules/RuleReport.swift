import Model

/// Whether the last evaluation of a rule went well.
package enum RuleHealth: String, Hashable, Sendable {
  case unknown, ok, err
}

/// The state of a rule as the API words it: that of its alerts, or `unknown` before the first
/// evaluation.
package enum RuleState: String, Hashable, Sendable {
  case unknown, inactive, pending, firing
}

/// A group as `/api/v1/rules` shows it.
package struct RuleGroupReport: Sendable {
  package var name: String
  package var file: String
  package var interval: PromDuration
  package var queryOffset: PromDuration
  package var limit: Int
  package var labels: LabelSet
  package var lastEvaluation: Timestamp?
  /// Seconds the last evaluation took.
  package var evaluationTime: Double
  package var rules: [RuleReport]
}

/// A rule as `/api/v1/rules` shows it.
package struct RuleReport: Sendable {
  /// The kind, in the words of the API.
  package enum Kind: String, Sendable { case alerting, recording }

  package var kind: Kind
  package var name: String
  /// The expression in canonical form.
  package var query: String
  /// As configured, templates unexpanded, by name.
  package var labels: [Label]
  package var health: RuleHealth
  package var lastError: String
  /// Seconds the last evaluation took.
  package var evaluationTime: Double
  package var lastEvaluation: Timestamp?
  /// Samples written by the last evaluation that succeeded.
  package var samples: Int
  /// Evaluations and failures since the rule was loaded.
  package var evaluations: UInt64
  package var failures: UInt64
  /// Hints of the last evaluation, as a query's `warnings`.
  package var warnings: [String]
  /// Line in the rule file, from 1; 0 if unknown.
  package var line: Int
  /// What is wrong with the rule as it stands in its file; nil for a rule in order.
  ///
  /// What the report shows is then the last good version, which runs on, or a rule that was never
  /// good and does not run.
  package var quarantine: String?
  // Alert rules only:
  package var state: RuleState
  package var holdDuration: PromDuration
  package var keepFiringFor: PromDuration
  package var annotations: [Label]
  package var alerts: [AlertReport]
  /// The policy of tocsin.yml that the rule obeys; nil where none is for it.
  package var policy: AlertPolicy?
  /// What the last evaluation cost.
  package var cost = RuleCost()
  /// Seconds all evaluations took since the rule was loaded.
  package var totalTime = 0.0
}

/// An alert as `/api/v1/alerts` and `/api/v1/rules` show it: only pending and firing ones.
package struct AlertReport: Sendable {
  package var rule: String
  package var group: String
  package var file: String
  package var labels: LabelSet
  package var annotations: [Label]
  package var state: AlertState
  package var activeAt: Timestamp
  package var firedAt: Timestamp?
  package var keepFiringSince: Timestamp?
  package var value: Double
  package var basis: AlertBasis

  package init(_ alert: AlertInstance, rule: String, group: String, file: String) {
    self.rule = rule
    self.group = group
    self.file = file
    labels = alert.labels
    annotations = alert.annotations
    state = alert.state
    activeAt = alert.activeAt
    firedAt = alert.firedAt
    keepFiringSince = alert.keepFiringSince
    value = alert.value
    basis = alert.basis
  }
}
