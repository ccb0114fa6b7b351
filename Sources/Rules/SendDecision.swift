import Model

/// Decides which alerts of a rule are due at the receivers.
package struct SendDecision: Sendable {
  package var resendDelay: PromDuration
  package var interval: PromDuration

  package init(resendDelay: PromDuration, interval: PromDuration) {
    self.resendDelay = resendDelay
    self.interval = interval
  }

  /// Marks the alerts due at `now` as sent and returns them as they are to be told.
  ///
  /// - Note: As Prometheus' `sendAlerts`: never pending, at once when resolved since the last send,
  ///   else when the last send lies strictly more than the delay back; valid for four rounds.
  package func takeDue(from alerts: inout AlertTable, at now: Timestamp) -> [AlertInstance] {
    take(from: &alerts, at: now) { isDue($0, at: now) }
  }

  /// Marks the firing alerts as sent again that receivers would take for resolved before `end`.
  package func renew(
    in alerts: inout AlertTable, expiringBefore end: Timestamp, at now: Timestamp
  ) -> [AlertInstance] {
    take(from: &alerts, at: now) { alert in
      alert.state == .firing && alert.validUntil.map { $0 < end } ?? false
    }
  }

  private func take(
    from alerts: inout AlertTable, at now: Timestamp, where isMeant: (AlertInstance) -> Bool
  ) -> [AlertInstance] {
    var taken: [AlertInstance] = []
    for (place, alert) in alerts.instances.enumerated() where isMeant(alert) {
      taken.append(
        alerts.update(at: place) {
          $0.lastSentAt = now
          $0.validUntil = now + max(interval, resendDelay) * 4
          return $0
        })
    }
    return taken
  }

  private func isDue(_ alert: AlertInstance, at now: Timestamp) -> Bool {
    if alert.state == .pending { return false }
    guard let lastSentAt = alert.lastSentAt else { return true }
    if let resolvedAt = alert.resolvedAt, resolvedAt > lastSentAt { return true }
    return lastSentAt + resendDelay < now
  }
}
