import Model

/// The groups of one webhook: which alert is in which, and when each is looked at.
///
/// After a change of settings an alert moves to the group that is right for it now, with what the
/// receiver believes of it. While a notification that speaks of it has not been accepted it stays
/// where it is, so that nobody says anything newer of it before.
struct WebhookGroups {
  private(set) var settings: WebhookSettings
  private(set) var alertCount = 0
  /// Notifications written and not yet accepted.
  private(set) var outstandingCount = 0
  /// Changes with everything that a checkpoint holds, except for how long alerts are believed.
  private(set) var version: UInt64 = 0
  private var groups: [String: WebhookGroup] = [:]
  private var deadlines = DeadlineQueue<String>()
  /// Alerts that wait for a notification before they move, and the group they are in.
  private var staying: [LabelSet: String] = [:]
  /// Alerts that the receiver does not want any more, and of whose end it is to hear.
  private var unwanted: Set<LabelSet> = []
  /// How many notifications were settled, at least: where the numbers of a new group begin, so
  /// that one that is made anew does not use a key again.
  private var settled: UInt64 = 0

  /// The first half of every group's key.
  private var route: String

  init(_ settings: WebhookSettings) {
    self.settings = settings
    route = RouteKey.text(settings.matchers)
  }

  var count: Int { groups.count }

  /// The groups' keys in a fixed order.
  var orderedKeys: [String] { groups.keys.sorted(by: ByteOrder.less) }

  subscript(key: String) -> WebhookGroup? { groups[key] }

  /// When a group has something to do.
  var nextDeadline: Timestamp? { mutating get { deadlines.first } }

  /// The next group whose time has come.
  mutating func takeDue(at now: Timestamp) -> String? { deadlines.take(dueAt: now)?.key }

  // MARK: alerts come in

  /// Whether the receiver has to hear of an alert: it wants it, or knows it from before.
  func concerns(_ alert: AlertNotification) -> Bool {
    settings.wants(alert) || unwanted.contains(alert.labels) && holds(alert)
  }

  /// Whether an alert is in a group.
  func holds(_ alert: AlertNotification) -> Bool {
    groups[place(of: alert)]?.alerts[alert.labels] != nil
  }

  /// Sorts an alert that concerns the receiver into its group.
  mutating func insert(_ alert: AlertNotification, at now: Timestamp) {
    let key = place(of: alert)
    // News of the end of something that is not known is no news.
    if groups[key]?.alerts[alert.labels] == nil && alert.isResolved(at: now) { return }
    open(key, for: alert, at: now)
    let wait = settings.groupWait
    let isNews = change(key) { $0.insert(alert, wait: wait, at: now) } ?? false
    if isNews { version += 1 }
    reschedule(key)
  }

  /// The key of the group that an alert is in, or would be in.
  private func place(of alert: AlertNotification) -> String {
    staying[alert.labels] ?? home(of: alert).key
  }

  /// The group that is right for an alert by the present settings.
  private func home(of alert: AlertNotification) -> (key: String, labels: LabelSet) {
    let isAlone = settings.groupBy.contains { ByteOrder.equal($0, "...") }
    let labels = isAlone ? alert.labels : alert.labels.keeping(settings.groupBy)
    return (route + ":" + labels.description, labels)
  }

  /// Makes the group of an alert if there is none.
  private mutating func open(_ key: String, for alert: AlertNotification, at now: Timestamp) {
    if groups[key] != nil { return }
    groups[key] = WebhookGroup(
      key: key, labels: home(of: alert).labels, firstFlush: now + settings.groupWait,
      accepted: settled)
  }

  /// Changes a group in place and keeps the count of alerts.
  private mutating func change<T>(_ key: String, _ body: (inout WebhookGroup) -> T) -> T? {
    guard let index = groups.index(forKey: key) else { return nil }
    let before = groups.values[index].alerts.count
    let result = body(&groups.values[index])
    alertCount += groups.values[index].alerts.count - before
    return result
  }

  private mutating func reschedule(_ key: String) {
    guard let group = groups[key] else { return }
    if group.isEmpty {
      groups[key] = nil
      deadlines.remove(key)
      version += 1
    } else if let deadline = group.nextDeadline {
      deadlines.set(key, at: deadline)
    } else {
      deadlines.remove(key)
    }
  }

  // MARK: notifications

  /// Looks at a group whose time has come; what is to be told, if anything.
  mutating func flush(
    _ key: String, at now: Timestamp
  ) -> (alerts: [AlertNotification], told: WebhookGroup.Told)? {
    let told = groups[key]?.told
    let (settings, unwanted) = (settings, unwanted)
    let flushed = change(key) { $0.flush(at: now, settings: settings, unwanted: unwanted) } ?? nil
    if groups[key]?.told != told { version += 1 }
    if flushed == nil { reschedule(key) }
    return flushed
  }

  /// Makes a notification the outstanding one of its group.
  mutating func put(_ outstanding: WebhookGroup.Outstanding, into key: String) {
    if groups[key] == nil { return }
    groups[key]?.outstanding = outstanding
    outstandingCount += 1
    version += 1
  }

  /// The outstanding notification of a group is on its way, or waits for the receiver.
  mutating func hold(_ key: String) {
    groups[key]?.outstanding?.nextTry = nil
    reschedule(key)
  }

  /// The outstanding notification of a group is tried again at a time, after one more failure or
  /// without.
  mutating func retry(_ key: String, at time: Timestamp, afterFailure: Bool) {
    if afterFailure {
      groups[key]?.outstanding?.failures += 1
      version += 1
    }
    groups[key]?.outstanding?.nextTry = time
    reschedule(key)
  }

  /// What becomes of an outstanding notification.
  enum Settlement {
    case accepted, refused, buried
  }

  /// The outstanding notification of a group is through: alerts that waited for that move.
  mutating func settle(_ key: String, _ settlement: Settlement, at now: Timestamp) {
    guard let done = groups[key]?.outstanding else { return }
    _ = change(key) { group in
      switch settlement {
      case .accepted: group.accept()
      case .refused: _ = group.refuse(at: now)
      case .buried: group.bury()
      }
    }
    outstandingCount -= 1
    if settlement != .refused { settled += 1 }
    version += 1
    if !staying.isEmpty {
      for alert in done.alerts { staying[alert.labels] = nil }
      release(key, at: now)
    }
    reschedule(key)
  }

  /// Makes everything that waits due at once: what is written, and with `flushes` the groups too.
  mutating func hurry(at now: Timestamp, flushes: Bool) {
    for key in orderedKeys {
      _ = change(key) { group in
        if flushes { group.hurry(by: now) }
        group.tryAgain(at: now)
      }
      reschedule(key)
    }
  }

  // MARK: settings change

  /// Takes new settings over.
  mutating func update(_ new: WebhookSettings, at now: Timestamp) {
    let old = settings
    settings = new
    route = RouteKey.text(new.matchers)
    let showsMore = old.maxAlerts > 0 && (new.maxAlerts == 0 || new.maxAlerts > old.maxAlerts)
    let isFaster = new.groupInterval < old.groupInterval || new.groupWait < old.groupWait
    for key in orderedKeys where showsMore || isFaster {
      _ = change(key) { group in
        // Of the rest the receiver knows a number only.
        if showsMore && group.alerts.count > old.maxAlerts { group.tellAfresh() }
        group.hurry(by: now + (group.hasFlushed ? new.groupInterval : new.groupWait))
      }
      reschedule(key)
    }
    if new.groupBy.elementsEqual(old.groupBy, by: ByteOrder.equal) && new.matchers == old.matchers {
      return
    }
    sort(at: now)
  }

  /// Puts every alert where it belongs by the present settings.
  private mutating func sort(at now: Timestamp) {
    staying = [:]
    unwanted = []
    for key in orderedKeys { release(key, at: now) }
    version += 1
  }

  /// Moves the alerts of a group that belong elsewhere, and drops those that nobody wants, unless
  /// the outstanding notification speaks of them.
  private mutating func release(_ key: String, at now: Timestamp) {
    guard let group = groups[key] else { return }
    let wait = settings.groupWait
    for alert in group.alerts.values.sorted(by: AlertNotification.isBefore) {
      let home = home(of: alert).key
      let isHome = ByteOrder.equal(home, key)
      let isWanted = settings.wants(alert)
      let stays = group.speaks(of: alert)
      let isBelieved = group.believed.contains(alert.fingerprint)
      if !isWanted && (stays || isBelieved) { unwanted.insert(alert.labels) }
      if stays && !isHome { staying[alert.labels] = key }
      if stays || isHome && (isWanted || isBelieved) { continue }
      _ = change(key) { $0.remove(alert) }
      staying[alert.labels] = nil
      if !isWanted && !isBelieved { continue }
      open(home, for: alert, at: now)
      _ = change(home) { $0.take(alert, isBelieved: isBelieved, wait: wait, at: now) }
      reschedule(home)
    }
    reschedule(key)
  }

  // MARK: beginning and end

  /// Takes up saved groups; alerts that have come since find their places among them.
  mutating func restore(_ saved: [WebhookGroup], at now: Timestamp) {
    let fresh = orderedKeys.compactMap { groups[$0] }.flatMap { group in
      group.alerts.values.sorted(by: AlertNotification.isBefore)
    }
    removeAll()
    for group in saved {
      groups[group.key] = group
      alertCount += group.alerts.count
      if group.outstanding != nil { outstandingCount += 1 }
      settled = max(settled, group.accepted)
      reschedule(group.key)
    }
    sort(at: now)
    for alert in fresh where concerns(alert) { insert(alert, at: now) }
  }

  mutating func removeAll() {
    groups = [:]
    alertCount = 0
    outstandingCount = 0
    deadlines = DeadlineQueue()
    staying = [:]
    unwanted = []
    version += 1
  }
}
