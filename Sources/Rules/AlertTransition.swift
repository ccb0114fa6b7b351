import Model

/// One change of an alert's state, with what led to it.
package struct AlertTransition: Hashable, Sendable {
  /// Why the state changed.
  package enum Reason: String, Hashable, Sendable, CaseIterable, Codable {
    /// The condition began to hold.
    case conditionMet = "condition met"
    /// The data behind it are gone and its policy is to fire.
    case noData = "no data"
    /// The rule failed and its policy is to fire.
    case evaluationFailed = "evaluation failed"
    /// The condition held for the whole of `for`.
    case held = "held for the required time"
    /// The condition no longer holds.
    case conditionCleared = "condition cleared"
    /// The condition cleared earlier and `keep_firing_for` has now run out.
    case keepFiringElapsed = "keep_firing_for elapsed"
    /// `for` became longer than the alert is old.
    case holdLengthened = "for was lengthened"
    /// The rule, its group or its labels are gone from the configuration.
    case ruleRemoved = "rule removed"
  }

  package var labels: LabelSet
  package var annotations: [Label]
  package var from: AlertState
  package var to: AlertState
  package var at: Timestamp
  package var value: Double
  package var reason: Reason

  package init(
    _ alert: AlertInstance, from: AlertState, to: AlertState, at: Timestamp, reason: Reason
  ) {
    labels = alert.labels
    annotations = alert.annotations
    self.from = from
    self.to = to
    self.at = at
    value = alert.value
    self.reason = reason
  }
}

extension AlertTransition.Reason {
  /// Why an alert begins.
  init(beginning basis: AlertBasis) {
    switch basis {
    case .condition, .targetDown: self = .conditionMet
    case .noData: self = .noData
    case .error: self = .evaluationFailed
    }
  }
}

/// Why a rule's evaluation yielded nothing; the wording is Prometheus'.
package enum RuleProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case duplicateAlertLabels
  case duplicateRecordLabels
  case alertLimit(Int, found: Int)
  case seriesLimit(Int, found: Int)
  case notAVector
  /// The expression failed; the engine's text.
  case query(String)
  /// The results could not be stored.
  case append(String)

  package var description: String {
    switch self {
    case .duplicateAlertLabels:
      "vector contains metrics with the same labelset after applying alert labels"
    case .duplicateRecordLabels:
      "vector contains metrics with the same labelset after applying rule labels"
    case .alertLimit(let limit, let found): "exceeded limit of \(limit) with \(found) alerts"
    case .seriesLimit(let limit, let found): "exceeded limit of \(limit) with \(found) series"
    case .notAVector: "rule result is not a vector or scalar"
    case .query(let text): text
    case .append(let text): text
    }
  }
}
