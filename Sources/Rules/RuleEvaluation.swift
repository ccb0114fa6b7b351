import Model

/// What one evaluation of one rule did.
package struct RuleEvaluation: Sendable {
  /// The rule's place in its group.
  package var index: Int
  package var rule: String
  /// Why it yielded nothing; the rule's state then stands still.
  package var problem: RuleProblem?
  /// Whether the evaluation before went otherwise: a problem appeared, changed or is gone.
  package var isNews = false
  /// Results that were computed but not stored.
  package var appendProblem: String?
  package var transitions: [AlertTransition] = []
  /// What an alert rule's expression yielded, fields expanded; nil if it failed.
  package var observed: [AlertCandidate]?
  /// Alerts that are due at the receivers.
  package var due: [AlertInstance] = []
  /// Samples written.
  package var samples = 0
  /// The engine's remarks.
  package var warnings: [String] = []
  /// Templates that could not be expanded; their error text went into the alert.
  package var templateProblems: [String] = []
  package var templateExpansions = 0
  /// Seconds.
  package var duration = 0.0
  package var cost = RuleCost()
  /// The expression in canonical form, for links.
  package var query = ""

  package init(index: Int, rule: String) {
    self.index = index
    self.rule = rule
  }

  /// Whether nothing went wrong.
  package var isFine: Bool { complaint.isEmpty }

  /// All that went wrong, for telling news from repetition.
  var complaint: String {
    [problem?.description, appendProblem, templateProblems.first].compactMap { $0 }
      .joined(separator: "\n")
  }
}

/// What evaluating a rule's expression takes.
package struct RuleCost: Sendable {
  /// Series that the selectors select.
  package var series = 0
  /// Samples read and values computed by the last evaluation.
  package var samples = 0
  /// Shapes made anew since the rule was loaded.
  package var shapeRebuilds: UInt64 = 0
}
