import Model

/// One element of an alert expression's result, labels and annotations already expanded.
package struct AlertCandidate: Hashable, Sendable {
  package var labels: LabelSet
  package var annotations: [Label]
  package var value: Double
  /// What speaks for the alert, if not the condition.
  package var basis: AlertBasis

  package init(
    labels: LabelSet, annotations: [Label] = [], value: Double, basis: AlertBasis = .condition
  ) {
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.basis = basis
  }
}

/// The alert state machine: one pure step per evaluation.
///
/// An alert is born pending when its label set appears in the result, fires once it has been there
/// for `for`, and is resolved when it leaves (after `keep_firing_for`). A pending alert that leaves
/// is forgotten at once; a resolved one is remembered for 15 minutes so that receivers hear of it
/// more than once.
///
/// - Note: The order of the decisions is that of Prometheus' `AlertingRule.Eval`.
package struct AlertMachine: Sendable {
  /// What a breach of the group's `limit` does to the alerts of the rule.
  package enum LimitBreach: Hashable, Sendable {
    /// Every alert is forgotten and starts over, as in Prometheus.
    case forget
    /// The state stands still as after any failed evaluation, so that nothing vanishes in silence.
    case hold
  }

  /// How long a resolved alert is remembered.
  package static let resolvedRetention = PromDuration.minutes(15)

  package var holdDuration: PromDuration
  package var keepFiringFor: PromDuration
  /// The most active alerts; 0 = no limit.
  package var limit: Int
  package var onLimitBreach: LimitBreach

  package init(
    holdDuration: PromDuration = .zero, keepFiringFor: PromDuration = .zero, limit: Int = 0,
    onLimitBreach: LimitBreach = .hold
  ) {
    self.holdDuration = holdDuration
    self.keepFiringFor = keepFiringFor
    self.limit = limit
    self.onLimitBreach = onLimitBreach
  }

  /// Moves all alerts of a rule to `now`, given what the expression yielded at `now`.
  ///
  /// On a problem the table is as before (but see `LimitBreach.forget`).
  ///
  /// - Parameter spared: alerts that stand still when they are not in the result: restored ones
  ///   whose data are still on their way.
  package func step(
    _ alerts: inout AlertTable, observed: [AlertCandidate], sparing spared: Set<LabelSet> = [],
    at now: Timestamp
  ) throws(RuleProblem) -> [AlertTransition] {
    let present = try presence(of: observed, in: alerts)
    try checkLimit(&alerts, observed: observed.count, present: present, at: now)
    var transitions: [AlertTransition] = []
    admit(observed, to: &alerts, at: now, &transitions)
    var forgotten = false
    for place in alerts.instances.indices {
      let isPresent = place >= present.count || present[place]
      if !isPresent && spared.contains(alerts.instances[place].labels) { continue }
      let keep = alerts.update(at: place) {
        isPresent || release(&$0, at: now, &transitions)
      }
      forgotten = forgotten || !keep
      alerts.update(at: place) { advance(&$0, at: now, &transitions) }
    }
    if forgotten {
      alerts.removeAll { $0.state == .inactive && isPastRetention($0, at: now) }
    }
    return transitions
  }

  /// Which of the known alerts are in the result; refuses a label set that occurs twice.
  private func presence(
    of observed: [AlertCandidate], in alerts: AlertTable
  ) throws(RuleProblem) -> [Bool] {
    var present = [Bool](repeating: false, count: alerts.instances.count)
    var newcomers: Set<LabelSet> = []
    for candidate in observed {
      if let place = alerts.position(of: candidate.labels) {
        if present[place] { throw .duplicateAlertLabels }
        present[place] = true
      } else if !newcomers.insert(candidate.labels).inserted {
        throw .duplicateAlertLabels
      }
    }
    return present
  }

  /// Counts what would be active after this step.
  private func checkLimit(
    _ alerts: inout AlertTable, observed: Int, present: [Bool], at now: Timestamp
  ) throws(RuleProblem) {
    if limit <= 0 { return }
    var active = observed
    for (place, alert) in alerts.instances.enumerated() where !present[place] {
      if keepsFiring(alert, at: now) { active += 1 }
    }
    if active <= limit { return }
    if onLimitBreach == .forget { alerts.removeAll() }
    throw .alertLimit(limit, found: active)
  }

  /// Refreshes active alerts and begins the others anew, returning resolved ones included.
  private func admit(
    _ observed: [AlertCandidate], to alerts: inout AlertTable, at now: Timestamp,
    _ transitions: inout [AlertTransition]
  ) {
    for candidate in observed {
      if let place = alerts.position(of: candidate.labels), alerts.instances[place].isActive {
        alerts.update(at: place) {
          $0.value = candidate.value
          $0.annotations = candidate.annotations
          $0.basis = candidate.basis
          $0.keepFiringSince = nil
        }
        continue
      }
      let born = AlertInstance(
        labels: candidate.labels, annotations: candidate.annotations, value: candidate.value,
        activeAt: now, basis: candidate.basis)
      alerts.put(born)
      let reason = AlertTransition.Reason(beginning: candidate.basis)
      transitions.append(
        AlertTransition(born, from: .inactive, to: .pending, at: now, reason: reason))
    }
  }

  /// Whether a firing alert that left the result is held by `keep_firing_for`.
  private func keepsFiring(_ alert: AlertInstance, at now: Timestamp) -> Bool {
    guard alert.state == .firing, keepFiringFor > .zero else { return false }
    return now - (alert.keepFiringSince ?? now) < keepFiringFor
  }

  /// Treats an alert that is not in the result; false when it shall be forgotten.
  private func release(
    _ alert: inout AlertInstance, at now: Timestamp, _ transitions: inout [AlertTransition]
  ) -> Bool {
    alert.basis = .condition
    switch alert.state {
    case .pending:
      alert.state = .inactive
      transitions.append(
        AlertTransition(alert, from: .pending, to: .inactive, at: now, reason: .conditionCleared))
      return false
    case .firing:
      if keepsFiring(alert, at: now) {
        alert.keepFiringSince = alert.keepFiringSince ?? now
        return true
      }
      alert.state = .inactive
      alert.resolvedAt = now
      transitions.append(
        AlertTransition(
          alert, from: .firing, to: .inactive, at: now,
          reason: alert.keepFiringSince == nil ? .conditionCleared : .keepFiringElapsed))
      return true
    case .inactive:
      return !isPastRetention(alert, at: now)
    }
  }

  private func isPastRetention(_ alert: AlertInstance, at now: Timestamp) -> Bool {
    guard let resolvedAt = alert.resolvedAt else { return true }
    return now - resolvedAt > Self.resolvedRetention
  }

  /// Lets a pending alert fire, or takes a firing one back when `for` has grown beyond its age.
  private func advance(
    _ alert: inout AlertInstance, at now: Timestamp, _ transitions: inout [AlertTransition]
  ) {
    let age = now - alert.activeAt
    switch alert.state {
    case .pending where age >= holdDuration:
      alert.state = .firing
      alert.firedAt = now
      transitions.append(
        AlertTransition(alert, from: .pending, to: .firing, at: now, reason: .held))
    case .firing where age < holdDuration:
      alert.state = .pending
      alert.firedAt = nil
      alert.lastSentAt = nil
      alert.keepFiringSince = nil
      transitions.append(
        AlertTransition(alert, from: .firing, to: .pending, at: now, reason: .holdLengthened))
    default: break
    }
  }
}
