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
    /// Whether an earlier process has written it, and may have sent it.
    var isInherited = false
    var failures = 0
    /// Nil while a request is on its way or waits for the receiver.
    var nextTry: Timestamp?
  }

  let key: String
  let labels: LabelSet
  private(set) var alerts: [LabelSet: AlertNotification] = [:]
  private(set) var told: Told?
  /// The alerts that fire as far as the receiver knows, or may know: from this group, from another
  /// that they were in before, or from a notification whose answer was lost.
  ///
  /// When they are over it is told so, whatever else there is to tell.
  private(set) var believed: Set<UInt64> = []
  var outstanding: Outstanding?
  /// When the group is looked at next.
  private(set) var nextFlush: Timestamp
  private(set) var hasFlushed = false
  /// How many notifications were settled, those of earlier groups of the receiver included; part
  /// of the key of the next.
  private(set) var accepted: UInt64
  /// Since when the receiver refuses what the group has to say.
  private(set) var refusedSince: Timestamp?

  init(key: String, labels: LabelSet, firstFlush: Timestamp, accepted: UInt64 = 0) {
    self.key = key
    self.labels = labels
    nextFlush = firstFlush
    self.accepted = accepted
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

  /// Takes an alert over from another group, with what the receiver believes of it.
  mutating func take(
    _ alert: AlertNotification, isBelieved: Bool, wait: PromDuration, at now: Timestamp
  ) {
    _ = insert(alert, wait: wait, at: now)
    if isBelieved { believed.insert(alert.fingerprint) }
  }

  /// Gives an alert away: what was told of it is another group's business.
  mutating func remove(_ alert: AlertNotification) {
    alerts[alert.labels] = nil
    believed.remove(alert.fingerprint)
    told?.firing.remove(alert.fingerprint)
    told?.resolved.remove(alert.fingerprint)
  }

  var isEmpty: Bool { alerts.isEmpty && outstanding == nil }

  /// When the group has something to do; nil while a request is on its way or waits for the
  /// receiver.
  var nextDeadline: Timestamp? {
    guard let outstanding else { return nextFlush }
    return outstanding.nextTry
  }

  /// Looks at the group; the alerts to tell, sorted, if it is time to tell them.
  ///
  /// - Parameter unwanted: alerts that the receiver does not want any more: only their end is told.
  mutating func flush(
    at now: Timestamp, settings: WebhookSettings, unwanted: Set<LabelSet>
  ) -> (alerts: [AlertNotification], told: Told)? {
    hasFlushed = true
    nextFlush = now + settings.groupInterval
    let all = alerts.values.sorted(by: AlertNotification.isBefore).filter {
      unwanted.isEmpty || !unwanted.contains($0.labels) || $0.isResolved(at: now)
    }
    let firing = all.filter { !$0.isResolved(at: now) }
    let resolved = all.filter { $0.isResolved(at: now) }
    let next = Told(
      firing: Set(firing.map(\.fingerprint)), resolved: Set(resolved.map(\.fingerprint)), at: now)
    let isDue =
      needsTelling(next, settings: settings)
      || settings.sendResolved && hasOverlooked(resolved, settings: settings)
    let content = settings.sendResolved ? all : firing
    if !settings.sendResolved { forget(resolved) }
    if isDue && !content.isEmpty { return (content, next) }
    if isDue { told = next }
    forget(resolved)
    return nil
  }

  /// Alertmanager's `DedupStage.needsUpdate`, and whether something is over that the receiver
  /// believes to fire.
  private func needsTelling(_ next: Told, settings: WebhookSettings) -> Bool {
    if settings.sendResolved && !next.resolved.isDisjoint(with: believed) { return true }
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

  /// Whether the outstanding notification speaks of an alert.
  func speaks(of alert: AlertNotification) -> Bool {
    guard let told = outstanding?.told else { return false }
    return told.firing.contains(alert.fingerprint) || told.resolved.contains(alert.fingerprint)
  }

  /// The receiver has accepted the outstanding notification.
  mutating func accept() {
    guard let done = outstanding else { return }
    told = done.told
    outstanding = nil
    refusedSince = nil
    accepted += 1
    forget(done.resolved)
    believed.subtract(done.told.resolved)
    believed.formUnion(done.told.firing)
  }

  /// The receiver does not want the outstanding notification: what it says is said afresh at the
  /// next interval.
  ///
  /// - Returns: since when that happens.
  mutating func refuse(at now: Timestamp) -> Timestamp {
    let since = refusedSince ?? now
    refusedSince = since
    giveUp()
    return since
  }

  /// The outstanding notification goes to the dead letters; firing alerts are told afresh, the end
  /// of others is not told any more.
  mutating func bury() {
    guard let done = outstanding else { return }
    // At least the last try may have arrived.
    believed.formUnion(done.told.firing)
    giveUp()
    refusedSince = nil
    accepted += 1
    forget(done.resolved)
  }

  /// The outstanding notification is not tried any more; an earlier try may have arrived.
  private mutating func giveUp() {
    guard let done = outstanding else { return }
    outstanding = nil
    if done.failures > 0 || done.isInherited { believed.formUnion(done.told.firing) }
    // Should they fire again, that is news in any case.
    told?.firing.subtract(done.told.resolved)
  }

  /// Forgets alerts that are over, unless something newer is known of them; should they fire
  /// again, that is news.
  private mutating func forget(_ gone: [AlertNotification]) {
    for alert in gone where alerts[alert.labels] == alert {
      alerts[alert.labels] = nil
      believed.remove(alert.fingerprint)
      told?.firing.remove(alert.fingerprint)
    }
  }

  /// Tells the receiver everything at the next look.
  mutating func tellAfresh() { told?.firing = [] }

  /// Is looked at no later than a time.
  mutating func hurry(by time: Timestamp) { nextFlush = min(nextFlush, time) }

  /// Makes a notification that waits due at once.
  mutating func tryAgain(at now: Timestamp) {
    if outstanding?.nextTry != nil { outstanding?.nextTry = now }
  }
}

extension WebhookGroup.Outstanding {
  /// The alerts whose end it tells.
  var resolved: [AlertNotification] {
    alerts.filter { told.resolved.contains($0.fingerprint) }
  }
}

extension WebhookSettings {
  /// Whether the receiver is to hear of an alert.
  func wants(_ alert: AlertNotification) -> Bool {
    matchers.allSatisfy { $0.matches(alert.labels) }
  }
}

extension WebhookGroup {
  /// The group as it shall survive a restart.
  var checkpoint: WebhookGroupCheckpoint {
    WebhookGroupCheckpoint(
      key: key, labels: labels, alerts: alerts.values.sorted(by: AlertNotification.isBefore),
      told: told.map(WebhookGroupCheckpoint.Told.init),
      believed: believed == told?.firing ?? [] ? nil : believed.sorted(),
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
    believed = Set(saved.believed ?? saved.told?.firing ?? [])
    outstanding = saved.outstanding.map(Outstanding.init)
    hasFlushed = saved.hasFlushed
    accepted = saved.accepted
    refusedSince = saved.refusedSince
  }
}
