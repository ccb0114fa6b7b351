import Model

/// What the outbox has to deliver and what it has told, as they survive a restart.
package struct OutboxCheckpoint: Sendable, Codable, Equatable {
  /// By URL; only those with something in their queue.
  package var alertmanagers: [AlertmanagerCheckpoint]
  /// In the order of the configuration.
  package var webhooks: [WebhookCheckpoint]

  package init(
    alertmanagers: [AlertmanagerCheckpoint] = [], webhooks: [WebhookCheckpoint] = []
  ) {
    self.alertmanagers = alertmanagers
    self.webhooks = webhooks
  }

  package var isEmpty: Bool {
    alertmanagers.allSatisfy(\.alerts.isEmpty) && webhooks.allSatisfy(\.groups.isEmpty)
  }
}

/// The queue of one Alertmanager.
package struct AlertmanagerCheckpoint: Sendable, Codable, Equatable {
  package var url: String
  /// Queued and on their way, oldest first.
  package var alerts: [AlertNotification]

  package init(url: String, alerts: [AlertNotification]) {
    self.url = url
    self.alerts = alerts
  }
}

/// The groups of one webhook.
package struct WebhookCheckpoint: Sendable, Codable, Equatable {
  package var name: String
  /// By key.
  package var groups: [WebhookGroupCheckpoint]

  package init(name: String, groups: [WebhookGroupCheckpoint]) {
    self.name = name
    self.groups = groups
  }
}

/// One group of a webhook.
package struct WebhookGroupCheckpoint: Sendable, Codable, Equatable {
  /// What the receiver was told last, by the alerts' fingerprints in ascending order.
  package struct Told: Sendable, Codable, Equatable {
    package var firing: [UInt64]
    package var resolved: [UInt64]
    package var at: Timestamp
  }

  /// A notification that was written and not yet accepted.
  package struct Outstanding: Sendable, Codable, Equatable {
    package var body: String
    /// The `Idempotency-Key`, the same over all tries.
    package var key: String
    package var told: Told
    package var alerts: [AlertNotification]
    package var created: Timestamp
    package var failures: Int
    package var nextTry: Timestamp?
  }

  package var key: String
  package var labels: LabelSet
  package var alerts: [AlertNotification]
  package var told: Told?
  /// Which alerts fire as far as the receiver may know, in ascending order; nil: those it was told.
  package var believed: [UInt64]?
  package var outstanding: Outstanding?
  package var nextFlush: Timestamp
  package var hasFlushed: Bool
  package var accepted: UInt64
  package var refusedSince: Timestamp?
}
