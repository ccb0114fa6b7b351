import Model

/// The alerts that one webhook tells together, and what it has told of them.
///
/// Works as a group of Alertmanager: a first notification after `group_wait`, then at most one per
/// `group_interval`, and only when something new fires, all is resolved, something is resolved, or
/// the repeat interval has passed. In addition a notification that could not be delivered stays as
/// it was first written, is tried until it is accepted or too old, and everything newer waits
/// behind it.
struct WebhookGroup {
  /// What the receiver was told last, by the alerts' fingerprints.
  struct Told: Hashable, Sendable {
    var firing: Set<UInt64>
    var resolved: Set<UInt64>
    var at: Timestamp
  }

  /// A notification on its way or waiting for its next try.
  struct Outstanding {
    let body: [UInt8]
    /// Names the notification over all its tries.
    let key: String
    let told: Told
    /// The alerts it speaks of, as they were.
    let alerts: [AlertNotification]
    let created: Timestamp
    var failures = 0
    /// Nil while a request is on its way or waits for the receiver.
    var nextTry: Timestamp?
  }

  let key: String
  let labels: LabelSet
  private(set) var alerts: [LabelSet: AlertNotification] = [:]
  private(set) var told: Told?
  var outstanding: Outstanding?
  /// When the group is looked at next.
  private(set) var nextFlush: Timestamp
  private(set) var hasFlushed = false
  /// How many notifications were accepted; part of the key of the next.
  private(set) var accepted: UInt64 = 0
  /// Since when the receiver refuses what the group has to say.
  private(set) var refusedSince: Timestamp?

  init(key: String, labels: LabelSet, firstFlush: Timestamp) {
    self.key = key
    self.labels = labels
    nextFlush = firstFlush
  }

  /// Adds or refreshes an alert; one that began before the wait did makes the first flush due at
  /// once.
  ///
  /// - Returns: whether it says something new, beyond being believed longer.
  mutating func insert(
    _ alert: AlertNotification, wait: PromDuration, at now: Timestamp
  ) -> Bool {
    let old = alerts.updateValue(alert, forKey: alert.labels)
    if !hasFlushed && alert.startsAt + wait < now { nextFlush = min(nextFlush, now) }
    guard let old else { return true }
    return old.startsAt != alert.startsAt || old.isFiring != alert.isFiring
      || !alert.isFiring && old.endsAt != alert.endsAt
  }

  var isEmpty: Bool { alerts.isEmpty && outstanding == nil }

  /// When the group has something to do; nil while a request is on its way or waits for the
  /// receiver.
  var nextDeadline: Timestamp? {
    guard let outstanding else { return nextFlush }
    return outstanding.nextTry
  }

  /// Looks at the group; the alerts to tell, sorted, if it is time to tell them.
  mutating func flush(
    at now: Timestamp, settings: WebhookSettings
  ) -> (alerts: [AlertNotification], told: Told)? {
    hasFlushed = true
    nextFlush = now + settings.groupInterval
    let all = alerts.values.sorted(by: AlertNotification.isBefore)
    let firing = all.filter { !$0.isResolved(at: now) }
    let resolved = all.filter { $0.isResolved(at: now) }
    let next = Told(
      firing: Set(firing.map(\.fingerprint)), resolved: Set(resolved.map(\.fingerprint)), at: now)
    let isDue =
      needsTelling(next, settings: settings)
      || settings.sendResolved && hasOverlooked(resolved, settings: settings)
    let content = settings.sendResolved ? all : firing
    if isDue && !content.isEmpty { return (content, next) }
    if isDue { told = next }
    forget(resolved)
    return nil
  }

  /// Alertmanager's `DedupStage.needsUpdate`.
  private func needsTelling(_ next: Told, settings: WebhookSettings) -> Bool {
    guard let told else { return !next.firing.isEmpty }
    if !next.firing.isSubset(of: told.firing) { return true }
    if next.firing.isEmpty { return !told.firing.isEmpty }
    if settings.sendResolved && !next.resolved.isSubset(of: told.resolved) { return true }
    return told.at < next.at - settings.repeatInterval
  }

  /// Whether an alert came, lasted and went without a word: while a notification before it could
  /// not be delivered.
  ///
  /// What comes and goes between two notifications is not told, as with Alertmanager.
  private func hasOverlooked(_ resolved: [AlertNotification], settings: WebhookSettings) -> Bool {
    let least = settings.groupWait + settings.groupInterval
    return resolved.contains { alert in
      guard alert.endsAt - alert.startsAt > least else { return false }
      guard let told else { return true }
      let isKnown =
        told.firing.contains(alert.fingerprint) || told.resolved.contains(alert.fingerprint)
      return !isKnown || alert.startsAt > told.at
    }
  }

  /// The receiver has accepted the outstanding notification.
  mutating func accept() {
    guard let done = outstanding else { return }
    told = done.told
    outstanding = nil
    refusedSince = nil
    accepted += 1
    forget(done.resolved)
  }

  /// The receiver does not want the outstanding notification: what it says is said afresh at the
  /// next interval.
  ///
  /// - Returns: since when that happens.
  mutating func refuse(at now: Timestamp) -> Timestamp {
    let since = refusedSince ?? now
    refusedSince = since
    outstanding = nil
    return since
  }

  /// The outstanding notification goes to the dead letters; firing alerts are told afresh, the end
  /// of others is not told any more.
  mutating func bury() {
    guard let done = outstanding else { return }
    outstanding = nil
    refusedSince = nil
    accepted += 1
    forget(done.resolved)
  }

  /// Drops everything but the outstanding notification.
  mutating func keepOutstandingOnly() {
    alerts = [:]
    told = nil
  }

  /// Forgets alerts unless something newer is known of them.
  private mutating func forget(_ gone: [AlertNotification]) {
    for alert in gone where alerts[alert.labels] == alert { alerts[alert.labels] = nil }
  }

  /// Makes the group due at once, as when the process stops.
  mutating func hurry(at now: Timestamp) { nextFlush = min(nextFlush, now) }
}

extension WebhookGroup.Outstanding {
  /// The alerts whose end it tells.
  var resolved: [AlertNotification] {
    alerts.filter { told.resolved.contains($0.fingerprint) }
  }
}

extension WebhookGroup {
  /// The group as it shall survive a restart.
  var checkpoint: WebhookGroupCheckpoint {
    WebhookGroupCheckpoint(
      key: key, labels: labels, alerts: alerts.values.sorted(by: AlertNotification.isBefore),
      told: told.map(WebhookGroupCheckpoint.Told.init),
      outstanding: outstanding.map(WebhookGroupCheckpoint.Outstanding.init),
      nextFlush: nextFlush, hasFlushed: hasFlushed, accepted: accepted,
      refusedSince: refusedSince)
  }

  /// Takes up a saved group; its firing alerts are believed at least until `patience`, which gives
  /// the rules time to speak.
  init(_ saved: WebhookGroupCheckpoint, downtime: PromDuration, patience: Timestamp) {
    key = saved.key
    labels = saved.labels
    nextFlush = saved.nextFlush
    for var alert in saved.alerts {
      if alert.isFiring { alert.endsAt = max(alert.endsAt + downtime, patience) }
      alerts[alert.labels] = alert
    }
    told = saved.told.map(Told.init)
    outstanding = saved.outstanding.map(Outstanding.init)
    hasFlushed = saved.hasFlushed
    accepted = saved.accepted
    refusedSince = saved.refusedSince
  }
}
