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

  private(set) var counts = DeliveryCounts()
  private(set) var deadLetters: UInt64 = 0
  /// Alerts that found no room.
  private(set) var refusedAlerts: UInt64 = 0
  private(set) var lastError = ""
  private(set) var lastSuccess: Timestamp?
  private(set) var breaker = CircuitBreaker()
  private var groups: WebhookGroups
  /// Groups whose notification waits for the breaker, the first to go first.
  private var parked: [String] = []
  private var inFlight = 0
  private var isFailing = false
  private var isFull = false
  /// Part of every key: no other process chooses the same.
  private let life: UInt64

  /// - Parameter life: a number that no other process has.
  init(_ settings: WebhookSettings, life: UInt64 = 0) {
    groups = WebhookGroups(settings)
    self.life = life
  }

  var settings: WebhookSettings { groups.settings }
  /// Changes with everything that a checkpoint holds, except for how long alerts are believed.
  var version: UInt64 { groups.version }
  var alertCount: Int { groups.alertCount }
  /// Notifications written and not yet accepted.
  var outstandingCount: Int { groups.outstandingCount }
  var groupCount: Int { groups.count }
  var isIdle: Bool { inFlight == 0 && groups.outstandingCount == 0 }

  var nextDeadline: Timestamp? {
    if inFlight >= Self.concurrency { return nil }
    let admission = parked.isEmpty ? nil : breaker.nextAdmission
    return [groups.nextDeadline, admission].compactMap { $0 }.min()
  }

  /// Takes new settings over; after a change of the address or the credentials what waits is tried
  /// at once.
  func update(_ new: WebhookSettings, at now: Timestamp) {
    let old = settings
    groups.update(new, at: now)
    parked.removeAll { groups[$0]?.outstanding == nil }
    if old.url != new.url || old.http != new.http {
      _ = breaker.close()
      groups.hurry(at: now, flushes: false)
      unpark(at: now)
    }
  }

  /// Sorts an alert into its group if the receiver wants it; with `capacity` alerts in the groups
  /// no new one finds room until others are gone.
  func notify(
    _ alert: AlertNotification, at now: Timestamp, capacity: Int = .max,
    _ effects: inout EffectList
  ) {
    guard groups.concerns(alert) else { return }
    if alertCount == 0 { isFull = false }
    if alertCount >= max(1, capacity) && !alert.isResolved(at: now) && !groups.holds(alert) {
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
    groups.insert(alert, at: now)
  }

  // MARK: requests go out

  /// The next request that may leave now.
  func takeRequest(
    at now: Timestamp, global: GlobalSettings
  ) -> (flight: Flight, request: DeliveryRequest)? {
    while inFlight < Self.concurrency, let key = nextReady(at: now) {
      if groups[key]?.outstanding == nil { write(key, at: now, global: global) }
      guard let outstanding = groups[key]?.outstanding else { continue }
      groups.hold(key)
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
    return groups.takeDue(at: now)
  }

  /// The receiver takes requests again: what waits for it is due, in its order.
  private func unpark(at now: Timestamp) {
    let waiting = parked
    parked = []
    for key in waiting { groups.retry(key, at: now, afterFailure: false) }
  }

  /// Flushes a group; if there is something to tell it becomes the outstanding notification.
  private func write(_ key: String, at now: Timestamp, global: GlobalSettings) {
    guard let (alerts, told) = groups.flush(key, at: now), let group = groups[key] else { return }
    let shown = settings.maxAlerts > 0 ? Array(alerts.prefix(settings.maxAlerts)) : alerts
    let payload = WebhookPayload(
      receiver: settings.name, groupKey: group.key, groupLabels: group.labels,
      externalURL: global.externalURL, alerts: shown,
      truncatedAlerts: alerts.count - shown.count)
    let body = payload.bytes(at: now)
    let outstanding = WebhookGroup.Outstanding(
      body: body, key: idempotencyKey(of: body, in: group), told: told, alerts: alerts,
      created: now)
    groups.put(outstanding, into: key)
  }

  /// Names a notification: what it says, who says it and how much was said before.
  ///
  /// The same text has the same key only until the receiver has accepted something of the group,
  /// and never in two processes: what one could not save of what it told, the next knows nothing
  /// of. Tries after a restart are under the key that was saved with the notification.
  private func idempotencyKey(of body: [UInt8], in group: WebhookGroup) -> String {
    var hash = StableHash()
    hash.combine(StableHash.hex(life))
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
        let pause = Backoff.pause(afterFailures: outstanding.failures + 1, using: &random)
        let asked = min(after ?? .zero, CircuitBreaker.mostPatience)
        groups.retry(key, at: now + max(pause, asked), afterFailure: true)
      }
    }
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
    groups.settle(answer.key, .accepted, at: answer.at)
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
    groups.settle(answer.key, .refused, at: answer.at)
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
    groups.settle(answer.key, .buried, at: answer.at)
  }

  // MARK: beginning and end

  /// The groups as they shall survive a restart.
  func checkpoint() -> WebhookCheckpoint {
    WebhookCheckpoint(
      name: settings.name, groups: groups.orderedKeys.compactMap { groups[$0]?.checkpoint })
  }

  /// Takes up what an earlier process has left.
  func restore(
    _ saved: WebhookCheckpoint, downtime: PromDuration, patience: Timestamp, at now: Timestamp
  ) {
    let old = saved.groups.map { WebhookGroup($0, downtime: downtime, patience: patience) }
    groups.restore(old, at: now)
    parked.removeAll { groups[$0]?.outstanding == nil }
  }

  /// Brings all waiting notifications forward, as when the process stops.
  func hurry(at now: Timestamp) {
    breaker.hurry()
    groups.hurry(at: now, flushes: true)
  }

  /// Drops what is outstanding; returns the number of alerts concerned.
  func discard(_ reason: String, at now: Timestamp, _ effects: inout EffectList) -> Int {
    var lost = 0
    for key in groups.orderedKeys {
      guard let outstanding = groups[key]?.outstanding else { continue }
      lost += outstanding.alerts.count
      bury(Answer(key: key, outstanding: outstanding, none: reason, at: now), &effects)
    }
    groups.removeAll()
    parked = []
    inFlight = 0
    return lost
  }
}
