import Model

/// The alerts that one webhook tells together, and what it has told of them.
///
/// Works as a group of Alertmanager: a first notification after `group_wait`, then at most one per
/// `group_interval`, and only when something new fires, all is resolved, something is resolved, or
/// the repeat interval has passed. In addition a notification that could not be delivered stays as
/// it was first written, is tried until it is accepted or too old, and everything newer waits
/// behind it.
struct WebhookGroup {
  /// What the receiver was told last.
  struct Told {
    var firing: Set<LabelSet>
    var resolved: Set<LabelSet>
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
    /// Nil while a request is on its way.
    var nextTry: Timestamp?
  }

  let key: String
  let labels: LabelSet
  private(set) var alerts: [LabelSet: AlertNotification] = [:]
  private(set) var told: Told?
  var outstanding: Outstanding?
  /// When the group is looked at next.
  private(set) var nextFlush: Timestamp
  private var hasFlushed = false

  init(key: String, labels: LabelSet, firstFlush: Timestamp) {
    self.key = key
    self.labels = labels
    nextFlush = firstFlush
  }

  /// Adds or refreshes an alert; one that began before the wait did makes the first flush due at
  /// once.
  mutating func insert(_ alert: AlertNotification, wait: PromDuration, at now: Timestamp) {
    alerts[alert.labels] = alert
    if !hasFlushed && alert.startsAt + wait < now { nextFlush = min(nextFlush, now) }
  }

  var isEmpty: Bool { alerts.isEmpty && outstanding == nil }

  /// When the group has something to do; nil while a request is on its way.
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
    let firing = Set(all.filter { !$0.isResolved(at: now) }.map(\.labels))
    let resolved = Set(all.filter { $0.isResolved(at: now) }.map(\.labels))
    let next = Told(firing: firing, resolved: resolved, at: now)
    let isDue = needsTelling(next, settings: settings)
    let content = settings.sendResolved ? all : all.filter { firing.contains($0.labels) }
    if isDue && !content.isEmpty { return (content, next) }
    if isDue { told = next }
    forget(all.filter { resolved.contains($0.labels) })
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

  /// The receiver has accepted the outstanding notification.
  mutating func accept() {
    guard let done = outstanding else { return }
    told = done.told
    outstanding = nil
    forget(done.alerts.filter { done.told.resolved.contains($0.labels) })
  }

  /// The outstanding notification will never be accepted.
  mutating func giveUp(forgetsResolved: Bool) {
    guard let done = outstanding else { return }
    outstanding = nil
    if forgetsResolved {
      forget(done.alerts.filter { done.told.resolved.contains($0.labels) })
    }
  }

  /// Forgets alerts unless something newer is known of them.
  private mutating func forget(_ gone: [AlertNotification]) {
    for alert in gone where alerts[alert.labels] == alert { alerts[alert.labels] = nil }
  }

  /// Makes the group due at once, as when the process stops.
  mutating func hurry(at now: Timestamp) { nextFlush = min(nextFlush, now) }

  /// Takes over what an equal group of a receiver's former settings knows.
  mutating func adopt(_ old: WebhookGroup) {
    for (labels, alert) in old.alerts { alerts[labels] = alert }
    told = old.told
    outstanding = old.outstanding
    hasFlushed = old.hasFlushed
    nextFlush = old.nextFlush
  }
}
