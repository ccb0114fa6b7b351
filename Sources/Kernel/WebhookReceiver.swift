import Model

/// One webhook of tocsin.yml: its groups and their notifications.
final class WebhookReceiver {
  /// The most requests on their way at a time.
  private static let concurrency = 8

  private(set) var settings: WebhookSettings
  private(set) var counts = DeliveryCounts()
  private(set) var deadLetters: UInt64 = 0
  private(set) var lastError = ""
  private(set) var lastSuccess: Timestamp?
  private var groups: [String: WebhookGroup] = [:]
  private var deadlines = DeadlineQueue<String>()
  private var inFlight = 0
  private var isFailing = false
  private var sequence: UInt64 = 0

  init(_ settings: WebhookSettings) { self.settings = settings }

  /// Notifications written and not yet accepted.
  var outstandingCount: Int { groups.values.count { $0.outstanding != nil } }
  var groupCount: Int { groups.count }
  var alertCount: Int { groups.values.reduce(0) { $0 + $1.alerts.count } }
  var isIdle: Bool { inFlight == 0 && outstandingCount == 0 }

  var nextDeadline: Timestamp? { inFlight >= Self.concurrency ? nil : deadlines.first }

  /// Takes new settings over; a change of grouping sorts the alerts anew.
  func update(_ new: WebhookSettings, at now: Timestamp) {
    let regroups = !new.groupBy.elementsEqual(settings.groupBy, by: ByteOrder.equal)
    settings = new
    if !regroups { return }
    let old = groups
    groups = [:]
    deadlines = DeadlineQueue()
    for key in old.keys.sorted(by: ByteOrder.less) {
      guard let group = old[key] else { continue }
      for alert in group.alerts.values.sorted(by: AlertNotification.isBefore) {
        notify(alert, at: now)
      }
      if groups[key] != nil, group.outstanding != nil {
        groups[key]?.adopt(group)
        reschedule(key)
      }
    }
  }

  /// Sorts an alert into its group if the receiver wants it.
  func notify(_ alert: AlertNotification, at now: Timestamp) {
    guard settings.matchers.allSatisfy({ $0.matches(alert.labels) }) else { return }
    let labels = groupLabels(of: alert.labels)
    let key = routeKey + ":" + labels.description
    if groups[key] == nil {
      // News of the end of something that was never told is no news.
      if alert.isResolved(at: now) { return }
      groups[key] = WebhookGroup(key: key, labels: labels, firstFlush: now + settings.groupWait)
    }
    groups[key]?.insert(alert, wait: settings.groupWait, at: now)
    reschedule(key)
  }

  private func groupLabels(of labels: LabelSet) -> LabelSet {
    settings.groupBy.contains { ByteOrder.equal($0, "...") }
      ? labels : labels.keeping(settings.groupBy)
  }

  /// The receiver's route as Alertmanager writes it.
  private var routeKey: String {
    if settings.matchers.isEmpty { return "{}" }
    return "{}/{" + settings.matchers.map(\.description).joined(separator: ",") + "}"
  }

  private func reschedule(_ key: String) {
    guard let group = groups[key] else { return }
    if group.isEmpty {
      groups[key] = nil
      deadlines.remove(key)
    } else if let deadline = group.nextDeadline {
      deadlines.set(key, at: deadline)
    } else {
      deadlines.remove(key)
    }
  }

  /// The next request that may leave now: the group's key and the body.
  func takeRequest(
    at now: Timestamp, global: GlobalSettings
  ) -> (group: String, request: DeliveryRequest)? {
    while inFlight < Self.concurrency, let (key, _) = deadlines.take(dueAt: now) {
      if groups[key]?.outstanding == nil { write(key, at: now, global: global) }
      guard groups[key]?.outstanding != nil else {
        reschedule(key)
        continue
      }
      groups[key]?.outstanding?.nextTry = nil
      inFlight += 1
      if let outstanding = groups[key]?.outstanding {
        return (key, request(outstanding, global: global))
      }
    }
    return nil
  }

  /// Flushes a group; if there is something to tell it becomes the outstanding notification.
  private func write(_ key: String, at now: Timestamp, global: GlobalSettings) {
    guard let (alerts, told) = groups[key]?.flush(at: now, settings: settings),
      let group = groups[key]
    else { return }
    let shown = settings.maxAlerts > 0 ? Array(alerts.prefix(settings.maxAlerts)) : alerts
    let payload = WebhookPayload(
      receiver: settings.name, groupKey: group.key, groupLabels: group.labels,
      externalURL: global.externalURL, alerts: shown,
      truncatedAlerts: alerts.count - shown.count)
    sequence += 1
    let body = payload.bytes(at: now)
    var hash = StableHash()
    hash.combine(settings.name)
    hash.combine(key)
    hash.combine(body)
    let name = "\(StableHash.hex(hash.value))-\(now.milliseconds)-\(sequence)"
    groups[key]?.outstanding = WebhookGroup.Outstanding(
      body: body, key: name, told: told, alerts: alerts, created: now)
  }

  private func request(
    _ outstanding: WebhookGroup.Outstanding, global: GlobalSettings
  ) -> DeliveryRequest {
    DeliveryRequest(
      receiver: settings.name, url: settings.url,
      headers: [
        ("Content-Type", "application/json"), ("User-Agent", global.userAgent),
        ("Idempotency-Key", outstanding.key),
      ],
      body: outstanding.body, http: settings.http, timeout: settings.timeout)
  }

  /// Takes the answer to a group's request.
  func finish(
    _ key: String, _ outcome: DeliveryOutcome, at now: Timestamp, giveUp: Bool,
    using random: inout SeededGenerator, _ effects: inout EffectList
  ) {
    inFlight = max(0, inFlight - 1)
    guard let outstanding = groups[key]?.outstanding else { return }
    counts.requests += 1
    counts.latency.observe(outcome.duration.seconds)
    switch DeliveryVerdict(outcome) {
    case .accepted:
      accept(key, outstanding, at: now, &effects)
    case .refused(let reason):
      note(reason, of: outstanding, "Webhook refused a notification", &effects)
      counts.dropped += UInt64(outstanding.alerts.count)
      groups[key]?.giveUp(forgetsResolved: isTooOld(outstanding, at: now))
    case .retry(let reason, let after):
      note(reason, of: outstanding, "Error notifying webhook", &effects)
      if giveUp || isTooOld(outstanding, at: now) {
        bury(key, outstanding, reason: reason, &effects)
      } else {
        let failures = outstanding.failures + 1
        let pause = Backoff.pause(afterFailures: failures, using: &random)
        groups[key]?.outstanding?.failures = failures
        groups[key]?.outstanding?.nextTry = now + max(pause, after ?? .zero)
      }
    }
    reschedule(key)
  }

  private func isTooOld(_ outstanding: WebhookGroup.Outstanding, at now: Timestamp) -> Bool {
    now - outstanding.created >= settings.deadLetterAfter
  }

  private func accept(
    _ key: String, _ outstanding: WebhookGroup.Outstanding, at now: Timestamp,
    _ effects: inout EffectList
  ) {
    counts.sent += UInt64(outstanding.alerts.count)
    lastSuccess = now
    lastError = ""
    groups[key]?.accept()
    effects.log(
      .info, "notify", "Notification delivered",
      [
        ("receiver", settings.name), ("group", key), ("alerts", "\(outstanding.alerts.count)"),
        ("tries", "\(outstanding.failures + 1)"), ("key", outstanding.key),
      ])
    isFailing = false
  }

  private func note(
    _ reason: String, of outstanding: WebhookGroup.Outstanding, _ message: String,
    _ effects: inout EffectList
  ) {
    counts.failedRequests += 1
    counts.errors += UInt64(outstanding.alerts.count)
    lastError = reason
    effects.log(
      isFailing ? .debug : .error, "notify", message,
      [
        ("receiver", settings.name), ("err", reason), ("tries", "\(outstanding.failures + 1)"),
        ("key", outstanding.key),
      ])
    isFailing = true
  }

  private func bury(
    _ key: String, _ outstanding: WebhookGroup.Outstanding, reason: String,
    _ effects: inout EffectList
  ) {
    deadLetters += 1
    counts.dropped += UInt64(outstanding.alerts.count)
    effects.log(
      .error, "notify", "Notification given up",
      [
        ("receiver", settings.name), ("group", key), ("err", reason),
        ("alerts", "\(outstanding.alerts.count)"), ("key", outstanding.key),
      ])
    groups[key]?.giveUp(forgetsResolved: true)
  }

  /// Brings all waiting notifications forward, as when the process stops.
  func hurry(at now: Timestamp) {
    for key in groups.keys.sorted(by: ByteOrder.less) {
      groups[key]?.hurry(at: now)
      if groups[key]?.outstanding?.nextTry != nil { groups[key]?.outstanding?.nextTry = now }
      reschedule(key)
    }
  }

  /// Drops what is outstanding; returns the number of alerts concerned.
  func discard() -> Int {
    let lost = groups.values.reduce(0) { $0 + ($1.outstanding?.alerts.count ?? 0) }
    counts.dropped += UInt64(lost)
    groups = [:]
    deadlines = DeadlineQueue()
    inFlight = 0
    return lost
  }
}
