import Model

/// One webhook of tocsin.yml: its groups and their notifications.
final class WebhookReceiver {
  /// The most requests on their way at a time.
  private static let concurrency = 8

  /// What a request under way belongs to.
  struct Flight {
    let group: String
    /// The breaker's epoch when it left.
    fileprivate let epoch: UInt64
  }

  private(set) var settings: WebhookSettings
  private(set) var counts = DeliveryCounts()
  private(set) var deadLetters: UInt64 = 0
  /// Alerts that found no room.
  private(set) var refusedAlerts: UInt64 = 0
  private(set) var lastError = ""
  private(set) var lastSuccess: Timestamp?
  private(set) var breaker = CircuitBreaker()
  /// Changes with everything that a checkpoint holds, except for how long alerts are believed.
  private(set) var version: UInt64 = 0
  private(set) var alertCount = 0
  private var groups: [String: WebhookGroup] = [:]
  private var deadlines = DeadlineQueue<String>()
  /// Groups whose notification waits for the breaker, the first to go first.
  private var parked: [String] = []
  private var inFlight = 0
  private var isFailing = false
  private var isFull = false

  init(_ settings: WebhookSettings) { self.settings = settings }

  /// Notifications written and not yet accepted.
  var outstandingCount: Int { groups.values.count { $0.outstanding != nil } }
  var groupCount: Int { groups.count }
  var isIdle: Bool { inFlight == 0 && groups.values.allSatisfy { $0.outstanding == nil } }

  var nextDeadline: Timestamp? {
    if inFlight >= Self.concurrency { return nil }
    let admission = parked.isEmpty ? nil : breaker.nextAdmission
    return [deadlines.first, admission].compactMap { $0 }.min()
  }

  /// Takes new settings over; a change of what belongs together sorts the alerts anew, and one of
  /// the address or the credentials tries at once what waits.
  func update(_ new: WebhookSettings, at now: Timestamp) {
    let old = settings
    settings = new
    if old.url != new.url || old.http != new.http {
      _ = breaker.close()
      for key in keys { groups[key]?.tryAgain(at: now) }
      unpark(at: now)
      for key in keys { reschedule(key) }
    }
    if new.groupBy.elementsEqual(old.groupBy, by: ByteOrder.equal) && new.matchers == old.matchers {
      return
    }
    regroup(keys.compactMap { groups[$0] }, at: now)
  }

  /// The groups' keys in a fixed order.
  private var keys: [String] { groups.keys.sorted(by: ByteOrder.less) }

  /// Sorts the alerts of groups into groups of the present settings; what is written is delivered
  /// as it was written.
  private func regroup(_ old: [WebhookGroup], at now: Timestamp) {
    groups = [:]
    alertCount = 0
    deadlines = DeadlineQueue()
    for group in old where isStillRight(group) { adopt(group) }
    for group in old where !isStillRight(group) {
      var rest = group
      rest.keepOutstandingOnly()
      if !rest.isEmpty { adopt(rest) }
    }
    for group in old where !isStillRight(group) {
      for alert in group.alerts.values.sorted(by: AlertNotification.isBefore)
      where wants(alert) { insert(alert, at: now) }
    }
    parked.removeAll { groups[$0]?.outstanding == nil }
    version += 1
  }

  private func isStillRight(_ group: WebhookGroup) -> Bool {
    group.alerts.values.allSatisfy { wants($0) && ByteOrder.equal(key(of: $0).key, group.key) }
  }

  private func adopt(_ group: WebhookGroup) {
    groups[group.key] = group
    alertCount += group.alerts.count
    reschedule(group.key)
  }

  // MARK: alerts come in

  private func wants(_ alert: AlertNotification) -> Bool {
    settings.matchers.allSatisfy { $0.matches(alert.labels) }
  }

  private func key(of alert: AlertNotification) -> (key: String, labels: LabelSet) {
    let isAlone = settings.groupBy.contains { ByteOrder.equal($0, "...") }
    let labels = isAlone ? alert.labels : alert.labels.keeping(settings.groupBy)
    return (RouteKey.text(settings.matchers) + ":" + labels.description, labels)
  }

  /// Sorts an alert into its group if the receiver wants it; with `capacity` alerts in the groups
  /// no new one finds room until others are gone.
  func notify(
    _ alert: AlertNotification, at now: Timestamp, capacity: Int = .max,
    _ effects: inout EffectList
  ) {
    guard wants(alert) else { return }
    let isKnown = groups[key(of: alert).key]?.alerts[alert.labels] != nil
    if !isKnown && alertCount >= max(1, capacity) && !alert.isResolved(at: now) {
      refusedAlerts += 1
      counts.dropped += 1
      effects.log(
        isFull ? .debug : .error, "notify", "Webhook has no room for an alert",
        [
          ("receiver", settings.name), ("capacity", "\(capacity)"),
          ("labels", alert.labels.description),
        ])
      isFull = true
      return
    }
    insert(alert, at: now)
  }

  private func insert(_ alert: AlertNotification, at now: Timestamp) {
    let (key, labels) = key(of: alert)
    // News of the end of something that is not known is no news.
    if groups[key]?.alerts[alert.labels] == nil && alert.isResolved(at: now) { return }
    if groups[key] == nil {
      groups[key] = WebhookGroup(key: key, labels: labels, firstFlush: now + settings.groupWait)
    }
    let isNews = change(key) { $0.insert(alert, wait: settings.groupWait, at: now) } ?? false
    if isNews { version += 1 }
    reschedule(key)
  }

  /// Changes a group in place and keeps the count of alerts.
  private func change<T>(_ key: String, _ body: (inout WebhookGroup) -> T) -> T? {
    guard let index = groups.index(forKey: key) else { return nil }
    let before = groups.values[index].alerts.count
    let result = body(&groups.values[index])
    alertCount += groups.values[index].alerts.count - before
    if alertCount == 0 { isFull = false }
    return result
  }

  private func reschedule(_ key: String) {
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

  // MARK: requests go out

  /// The next request that may leave now.
  func takeRequest(
    at now: Timestamp, global: GlobalSettings
  ) -> (flight: Flight, request: DeliveryRequest)? {
    while inFlight < Self.concurrency, let key = nextReady(at: now) {
      if groups[key]?.outstanding == nil { write(key, at: now, global: global) }
      guard let outstanding = groups[key]?.outstanding else {
        reschedule(key)
        continue
      }
      groups[key]?.outstanding?.nextTry = nil
      if !breaker.admits(at: now) {
        parked.append(key)
        continue
      }
      inFlight += 1
      return (Flight(group: key, epoch: breaker.send()), request(outstanding, global: global))
    }
    return nil
  }

  /// A group whose time has come: one that waits for the receiver first.
  private func nextReady(at now: Timestamp) -> String? {
    if !parked.isEmpty && breaker.admits(at: now) { return parked.removeFirst() }
    return deadlines.take(dueAt: now)?.key
  }

  /// The receiver takes requests again: what waits for it is due, in its order.
  private func unpark(at now: Timestamp) {
    let waiting = parked
    parked = []
    for key in waiting {
      groups[key]?.outstanding?.nextTry = now
      reschedule(key)
    }
  }

  /// Flushes a group; if there is something to tell it becomes the outstanding notification.
  private func write(_ key: String, at now: Timestamp, global: GlobalSettings) {
    let told = groups[key]?.told
    let flushed = change(key) { $0.flush(at: now, settings: settings) }
    guard let group = groups[key] else { return }
    if group.told != told { version += 1 }
    guard let (alerts, told) = flushed ?? nil else { return }
    let shown = settings.maxAlerts > 0 ? Array(alerts.prefix(settings.maxAlerts)) : alerts
    let payload = WebhookPayload(
      receiver: settings.name, groupKey: group.key, groupLabels: group.labels,
      externalURL: global.externalURL, alerts: shown,
      truncatedAlerts: alerts.count - shown.count)
    let body = payload.bytes(at: now)
    groups[key]?.outstanding = WebhookGroup.Outstanding(
      body: body, key: idempotencyKey(of: body, in: group), told: told, alerts: alerts,
      created: now)
    version += 1
  }

  /// A function of what is told and of how much was told before: a process that is restarted
  /// before it could save anything chooses the same again.
  private func idempotencyKey(of body: [UInt8], in group: WebhookGroup) -> String {
    var hash = StableHash()
    hash.combine(settings.name)
    hash.combine(group.key)
    hash.combine(body)
    let first = hash.value
    hash.combine("second half")
    return "\(StableHash.hex(first))\(StableHash.hex(hash.value))-\(group.accepted + 1)"
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

  // MARK: answers come in

  /// Takes the answer to a request; with `givesUp` there is no next try.
  func finish(
    _ flight: Flight, _ outcome: DeliveryOutcome, at now: Timestamp, givesUp: Bool,
    using random: inout SeededGenerator, _ effects: inout EffectList
  ) {
    inFlight = max(0, inFlight - 1)
    let key = flight.group
    let verdict = DeliveryVerdict(outcome)
    pass(verdict, of: flight, at: now, using: &random, &effects)
    counts.requests += 1
    counts.latency.observe(outcome.duration.seconds)
    guard let outstanding = groups[key]?.outstanding else { return }
    var answer = Answer(key: key, outstanding: outstanding, outcome: outcome, at: now)
    switch verdict {
    case .accepted: accept(answer, &effects)
    case .refused(let reason): refuse(answer, reason: reason, &effects)
    case .retry(let reason, let after):
      answer.reason = reason
      note(answer, "Error notifying webhook", &effects)
      if givesUp || isTooOld(outstanding, at: now) {
        bury(answer, &effects)
      } else {
        record(answer, .retrying, &effects)
        let failures = outstanding.failures + 1
        let pause = Backoff.pause(afterFailures: failures, using: &random)
        let asked = min(after ?? .zero, CircuitBreaker.mostPatience)
        groups[key]?.outstanding?.failures = failures
        groups[key]?.outstanding?.nextTry = now + max(pause, asked)
      }
      version += 1
    }
    reschedule(key)
  }

  /// One answer with what it answers.
  private struct Answer {
    let key: String
    let outstanding: WebhookGroup.Outstanding
    let outcome: DeliveryOutcome
    let at: Timestamp
    var reason = ""

    init(
      key: String, outstanding: WebhookGroup.Outstanding, outcome: DeliveryOutcome, at: Timestamp
    ) {
      self.key = key
      self.outstanding = outstanding
      self.outcome = outcome
      self.at = at
    }

    /// The lack of one, for want of a try.
    init(
      key: String, outstanding: WebhookGroup.Outstanding, none reason: String, at: Timestamp
    ) {
      let outcome = DeliveryOutcome(result: .failed(reason), duration: .zero)
      self.init(key: key, outstanding: outstanding, outcome: outcome, at: at)
      self.reason = reason
    }
  }

  /// Tells the breaker; when it changes, that is worth a line.
  private func pass(
    _ verdict: DeliveryVerdict, of flight: Flight, at now: Timestamp,
    using random: inout SeededGenerator, _ effects: inout EffectList
  ) {
    if case .retry(let reason, let after) = verdict {
      let opens = breaker.fail(
        at: now, sent: flight.epoch, retryAfter: after, using: &random)
      if opens {
        effects.log(
          .warn, "notify", "Webhook fails again and again: circuit breaker open",
          [("receiver", settings.name), ("failures", "\(breaker.failures)"), ("err", reason)])
      }
      buryOld(exceptFor: flight.group, reason: reason, at: now, &effects)
    } else {
      if breaker.close() {
        effects.log(
          .info, "notify", "Webhook answers again: circuit breaker closed",
          [("receiver", settings.name)])
      }
      unpark(at: now)
    }
  }

  /// Gives up what has waited too long for the receiver without a try of its own.
  private func buryOld(
    exceptFor flying: String, reason: String, at now: Timestamp, _ effects: inout EffectList
  ) {
    for key in parked where key != flying {
      guard let outstanding = groups[key]?.outstanding, isTooOld(outstanding, at: now) else {
        continue
      }
      bury(Answer(key: key, outstanding: outstanding, none: reason, at: now), &effects)
      reschedule(key)
    }
    parked.removeAll { groups[$0]?.outstanding == nil }
  }

  private func isTooOld(_ outstanding: WebhookGroup.Outstanding, at now: Timestamp) -> Bool {
    now - outstanding.created >= settings.deadLetterAfter
  }

  private func accept(_ answer: Answer, _ effects: inout EffectList) {
    let outstanding = answer.outstanding
    counts.sent += UInt64(outstanding.alerts.count)
    lastSuccess = answer.at
    lastError = ""
    isFailing = false
    version += 1
    _ = change(answer.key) { $0.accept() }
    record(answer, .accepted, &effects)
    effects.log(
      .info, "notify", "Notification delivered",
      [
        ("receiver", settings.name), ("group", answer.key),
        ("alerts", "\(outstanding.alerts.count)"), ("tries", "\(outstanding.failures + 1)"),
        ("key", outstanding.key),
      ])
  }

  /// A refusal is final for this text, not for its news: it is told afresh at the next interval,
  /// and goes to the dead letters when that has failed for too long.
  private func refuse(_ answer: Answer, reason: String, _ effects: inout EffectList) {
    var answer = answer
    answer.reason = reason
    note(answer, "Webhook refused a notification", &effects)
    let since = groups[answer.key]?.refusedSince ?? answer.at
    if answer.at - since >= settings.deadLetterAfter { return bury(answer, &effects) }
    record(answer, .refused, &effects)
    version += 1
    _ = change(answer.key) { $0.refuse(at: answer.at) }
  }

  private func note(_ answer: Answer, _ message: String, _ effects: inout EffectList) {
    counts.failedRequests += 1
    counts.errors += UInt64(answer.outstanding.alerts.count)
    lastError = answer.reason
    effects.log(
      isFailing ? .debug : .error, "notify", message,
      [
        ("receiver", settings.name), ("err", answer.reason),
        ("tries", "\(answer.outstanding.failures + 1)"), ("key", answer.outstanding.key),
      ])
    isFailing = true
  }

  private func record(
    _ answer: Answer, _ outcome: DeliveryRecord.Outcome, _ effects: inout EffectList
  ) {
    let outstanding = answer.outstanding
    effects.record(
      .delivery(
        DeliveryRecord(
          kind: .webhook, receiver: settings.name, group: answer.key, key: outstanding.key,
          alerts: outstanding.alerts.map {
            DeliveryRecord.Mention(
              labels: $0.labels, isFiring: outstanding.told.firing.contains($0.fingerprint))
          },
          attempt: outstanding.failures + 1, outcome: outcome, status: answer.outcome.status,
          error: answer.reason, duration: answer.outcome.duration)))
  }

  /// Gives the outstanding notification of a group up.
  private func bury(_ answer: Answer, _ effects: inout EffectList) {
    let outstanding = answer.outstanding
    deadLetters += 1
    counts.dropped += UInt64(outstanding.alerts.count)
    version += 1
    record(answer, .abandoned, &effects)
    effects.append(
      .deadLetter(
        DeadLetter(
          time: answer.at, receiver: settings.name, group: answer.key, key: outstanding.key,
          reason: answer.reason, created: outstanding.created, tries: outstanding.failures + 1,
          alerts: outstanding.alerts.count, body: outstanding.body)))
    effects.log(
      .error, "notify", "Notification given up",
      [
        ("receiver", settings.name), ("group", answer.key), ("err", answer.reason),
        ("alerts", "\(outstanding.alerts.count)"), ("key", outstanding.key),
      ])
    _ = change(answer.key) { $0.bury() }
  }

  // MARK: beginning and end

  /// The groups as they shall survive a restart.
  func checkpoint() -> WebhookCheckpoint {
    WebhookCheckpoint(
      name: settings.name, groups: keys.compactMap { groups[$0] }.map(\.checkpoint))
  }

  /// Takes up what an earlier process has left.
  func restore(
    _ saved: WebhookCheckpoint, downtime: PromDuration, patience: Timestamp, at now: Timestamp
  ) {
    let fresh = keys.compactMap { groups[$0] }
    let old = saved.groups.map { WebhookGroup($0, downtime: downtime, patience: patience) }
    regroup(old, at: now)
    for group in fresh {
      for alert in group.alerts.values.sorted(by: AlertNotification.isBefore) {
        insert(alert, at: now)
      }
    }
  }

  /// Brings all waiting notifications forward, as when the process stops.
  func hurry(at now: Timestamp) {
    breaker.hurry()
    for key in keys {
      _ = change(key) { group in
        group.hurry(at: now)
        if group.outstanding?.nextTry != nil { group.outstanding?.nextTry = now }
      }
      reschedule(key)
    }
  }

  /// Drops what is outstanding; returns the number of alerts concerned.
  func discard(_ reason: String, at now: Timestamp, _ effects: inout EffectList) -> Int {
    var lost = 0
    for key in keys {
      guard let outstanding = groups[key]?.outstanding else { continue }
      lost += outstanding.alerts.count
      bury(Answer(key: key, outstanding: outstanding, none: reason, at: now), &effects)
    }
    groups = [:]
    alertCount = 0
    deadlines = DeadlineQueue()
    parked = []
    inFlight = 0
    version += 1
    return lost
  }
}

extension WebhookGroup {
  /// Makes a notification that waits due at once.
  mutating func tryAgain(at now: Timestamp) {
    if outstanding?.nextTry != nil { outstanding?.nextTry = now }
  }
}
