import Model

/// One receiver, be it a webhook or an Alertmanager: what it has been told, and how it is doing.
package struct ReceiverReport: Sendable, Hashable {
  package var kind: DeliveryRecord.Kind
  /// The webhook's name; the Alertmanager's URL without its secrets.
  package var name: String
  /// Groups with alerts in them; none for an Alertmanager.
  package var groups: Int
  /// Alerts in the groups, or in the queue.
  package var alerts: Int
  /// Notifications written and not yet accepted; for an Alertmanager, the batch on its way.
  package var outstanding: Int
  /// Alerts since the start.
  package var sentAlerts: UInt64
  package var droppedAlerts: UInt64
  package var requests: UInt64
  package var failedRequests: UInt64
  package var deadLetters: UInt64
  /// Why the last request failed; empty after a success.
  package var lastError: String
  package var lastSuccess: Timestamp?
  package var breaker: BreakerReport
}

/// A circuit breaker as the API shows it.
package struct BreakerReport: Sendable, Hashable {
  /// `closed`, `half-open` or `open`.
  package var state: String
  /// In a row.
  package var failures: Int
  /// How often it has opened.
  package var trips: UInt64
  /// No request leaves before this time.
  package var notBefore: Timestamp?

  init(_ breaker: CircuitBreaker) {
    state = breaker.state.name
    failures = breaker.failures
    trips = breaker.trips
    notBefore = breaker.notBefore
  }
}

extension Kernel {
  /// The receivers: webhooks in the order of the configuration, then Alertmanagers.
  package var receiversReport: [ReceiverReport] {
    outbox.webhooks.map(\.report) + outbox.queues.map(\.report)
  }

  /// Whether a stop ended with something undelivered.
  package var leavesSomethingUndelivered: Bool { outbox.leavesSomething }

  func writeReceiverMetrics(to out: inout MetricsText) {
    perReceiver(
      "breaker_state", .gauge,
      "The circuit breaker of a receiver: 0 closed, 1 half-open, 2 open.", to: &out
    ) { Double($0.state.rawValue) }
    perReceiver(
      "breaker_trips_total", .counter, "How often the circuit breaker of a receiver opened.",
      to: &out
    ) { Double($0.trips) }
    if outbox.webhooks.isEmpty { return }
    out.family(
      "tocsin_webhook_alerts_refused_total", .counter,
      "Alerts that found no room in the groups of a webhook.")
    for webhook in outbox.webhooks {
      out.sample(webhook.refusedAlerts, [("webhook", webhook.settings.name)])
    }
  }

  private func perReceiver(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, to out: inout MetricsText,
    _ value: (CircuitBreaker) -> Double
  ) {
    if outbox.webhooks.isEmpty && outbox.queues.isEmpty { return }
    out.family("tocsin_receiver_" + name, kind, help)
    for webhook in outbox.webhooks {
      out.sample(
        value(webhook.breaker), [("kind", "webhook"), ("receiver", webhook.settings.name)])
    }
    for queue in outbox.queues {
      out.sample(value(queue.breaker), [("kind", "alertmanager"), ("receiver", queue.shownURL)])
    }
  }
}

extension WebhookReceiver {
  fileprivate var report: ReceiverReport {
    ReceiverReport(
      kind: .webhook, name: settings.name, groups: groupCount, alerts: alertCount,
      outstanding: outstandingCount, sentAlerts: counts.sent, droppedAlerts: counts.dropped,
      requests: counts.requests, failedRequests: counts.failedRequests, deadLetters: deadLetters,
      lastError: lastError, lastSuccess: lastSuccess, breaker: BreakerReport(breaker))
  }
}

extension AlertmanagerQueue {
  fileprivate var report: ReceiverReport {
    ReceiverReport(
      kind: .alertmanager, name: shownURL, groups: 0, alerts: length, outstanding: isBusy ? 1 : 0,
      sentAlerts: counts.sent, droppedAlerts: counts.dropped, requests: counts.requests,
      failedRequests: counts.failedRequests, deadLetters: 0, lastError: lastError,
      lastSuccess: lastSuccess, breaker: BreakerReport(breaker))
  }
}
