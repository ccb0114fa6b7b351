import Model

/// The notifications for one Alertmanager: one queue, one request at a time.
final class AlertmanagerQueue {
  let url: String
  private(set) var http: HTTPSettings
  private(set) var timeout: PromDuration
  private(set) var counts = DeliveryCounts()
  private(set) var breaker = CircuitBreaker()
  private(set) var lastError = ""
  private(set) var lastSuccess: Timestamp?
  /// Changes with what the queue holds.
  private(set) var version: UInt64 = 0
  /// Oldest first; the front `inFlight` of them are on their way.
  private var queue: [AlertNotification] = []
  private var inFlight = 0
  private var epoch: UInt64 = 0
  private var failures = 0
  /// What waits was meant for an earlier time: it may be superseded or expired.
  private var isLate = false
  /// No request before this time.
  private var pausedUntil: Timestamp?
  private var isFailing = false

  init(url: String, http: HTTPSettings, timeout: PromDuration) {
    self.url = url
    self.http = http
    self.timeout = timeout
  }

  /// Takes new settings over; other ones are tried at once.
  func update(http: HTTPSettings, timeout: PromDuration) {
    if http != self.http {
      pausedUntil = nil
      _ = breaker.close()
    }
    self.http = http
    self.timeout = timeout
  }

  var length: Int { queue.count }
  var isIdle: Bool { queue.isEmpty }
  var isBusy: Bool { inFlight > 0 }
  /// Without user, password and the like, for logs and records.
  var shownURL: String { SecretText.redacted(url: url) }

  /// When the queue wants to send next; nil while it has nothing to do or waits for an answer.
  var nextDeadline: Timestamp? {
    if isBusy || queue.isEmpty { return nil }
    return max(pausedUntil ?? .distantPast, breaker.nextAdmission ?? .distantPast)
  }

  /// Queues notifications; beyond the capacity the oldest go.
  func append(_ alerts: [AlertNotification], capacity: Int, _ effects: inout EffectList) {
    if alerts.isEmpty { return }
    version += 1
    queue.append(contentsOf: alerts)
    if queue.count > max(capacity, inFlight) && failures > 0 { dropSuperseded() }
    let surplus = queue.count - max(capacity, inFlight)
    if surplus <= 0 { return }
    queue.removeSubrange(inFlight..<(inFlight + surplus))
    counts.dropped += UInt64(surplus)
    effects.log(
      .warn, "notify", "Alert notification queue full, dropping alerts",
      [("alertmanager", shownURL), ("num_dropped", "\(surplus)")])
  }

  /// Takes up what an earlier process, or an earlier life of this queue, has left: it goes first.
  func restore(_ alerts: [AlertNotification]) {
    if alerts.isEmpty { return }
    version += 1
    queue.insert(contentsOf: alerts, at: inFlight)
    isLate = true
  }

  /// The next batch, if it may leave now.
  func takeBatch(at now: Timestamp, size: Int) -> [AlertNotification]? {
    guard let deadline = nextDeadline, deadline <= now else { return nil }
    if failures > 0 || isLate { dropSuperseded() }
    // A slow receiver, too, makes words wait until they have expired.
    dropExpired(at: now)
    isLate = false
    if queue.isEmpty { return nil }
    pausedUntil = nil
    inFlight = min(max(1, size), queue.count)
    epoch = breaker.send()
    return Array(queue[..<inFlight])
  }

  /// Drops what newer news of the same alert has superseded, except for what is on its way.
  private func dropSuperseded() {
    var seen: Set<LabelSet> = []
    let waiting = queue[inFlight...].reversed().filter { seen.insert($0.labels).inserted }
    if inFlight + waiting.count == queue.count { return }
    version += 1
    queue.replaceSubrange(inFlight..., with: waiting.reversed())
  }

  /// Drops firing alerts whose word has expired, which a receiver would mistake for resolved ones.
  private func dropExpired(at now: Timestamp) {
    let before = queue.count
    queue.removeAll { $0.isFiring && $0.endsAt <= now }
    if queue.count == before { return }
    counts.dropped += UInt64(before - queue.count)
    version += 1
  }

  /// Takes the answer to the batch on its way.
  ///
  /// The time of the next try is drawn from `random`; with `givesUp` there is none.
  func finish(
    _ outcome: DeliveryOutcome, at now: Timestamp, givesUp: Bool,
    using random: inout SeededGenerator,
    _ effects: inout EffectList
  ) {
    let size = inFlight
    let batch = queue[..<size]
    inFlight = 0
    counts.requests += 1
    counts.latency.observe(outcome.duration.seconds)
    let attempt = failures + 1
    func record(_ result: DeliveryRecord.Outcome, _ error: String = "") {
      effects.record(
        .delivery(
          DeliveryRecord(
            kind: .alertmanager, receiver: shownURL,
            alerts: batch.map {
              DeliveryRecord.Mention(labels: $0.labels, isFiring: $0.isFiring)
            },
            attempt: attempt, outcome: result, status: outcome.status, error: error,
            duration: outcome.duration)))
    }
    switch DeliveryVerdict(outcome) {
    case .accepted:
      record(.accepted)
      succeed(size, at: now, &effects)
    case .refused(let reason):
      record(.refused, reason)
      _ = breaker.close()
      fail(size, reason: reason, "Alertmanager refused alerts", &effects)
      remove(size)
      counts.dropped += UInt64(size)
      failures = 0
    case .retry(let reason, let after):
      failures += 1
      fail(size, reason: reason, "Error sending alerts", &effects)
      record(givesUp ? .abandoned : .retrying, reason)
      if givesUp {
        counts.dropped += UInt64(queue.count)
        remove(queue.count)
        return
      }
      pause(at: now, after: after, reason: reason, using: &random, &effects)
    }
  }

  private func remove(_ size: Int) {
    queue.removeFirst(size)
    version += 1
  }

  private func succeed(_ size: Int, at now: Timestamp, _ effects: inout EffectList) {
    counts.sent += UInt64(size)
    remove(size)
    _ = breaker.close()
    if isFailing {
      effects.log(
        .info, "notify", "Alertmanager accepts alerts again", [("alertmanager", shownURL)])
    }
    failures = 0
    isFailing = false
    lastError = ""
    lastSuccess = now
  }

  private func pause(
    at now: Timestamp, after: PromDuration?, reason: String, using random: inout SeededGenerator,
    _ effects: inout EffectList
  ) {
    let pause = Backoff.pause(afterFailures: failures, using: &random)
    let asked = min(after ?? .zero, CircuitBreaker.mostPatience)
    pausedUntil = now + max(pause, asked)
    if breaker.fail(at: now, sent: epoch, retryAfter: after, using: &random) {
      effects.log(
        .warn, "notify", "Alertmanager fails again and again: circuit breaker open",
        [("alertmanager", shownURL), ("failures", "\(breaker.failures)"), ("err", reason)])
    }
  }

  private func fail(
    _ size: Int, reason: String, _ message: String, _ effects: inout EffectList
  ) {
    counts.failedRequests += 1
    counts.errors += UInt64(size)
    lastError = reason
    // The first failure of a row is news, its repetitions are not.
    effects.log(
      isFailing ? .debug : .error, "notify", message,
      [("alertmanager", shownURL), ("count", "\(size)"), ("err", reason)])
    isFailing = true
  }

  /// Tries at once, as when the process stops.
  func hurry() {
    pausedUntil = nil
    breaker.hurry()
  }

  /// The queue as it shall survive a restart; nil if it is empty.
  var checkpoint: AlertmanagerCheckpoint? {
    queue.isEmpty ? nil : AlertmanagerCheckpoint(url: url, alerts: queue)
  }

  /// Empties the queue; returns what was in it.
  func takeAll() -> [AlertNotification] {
    let all = queue
    queue = []
    inFlight = 0
    version += 1
    return all
  }

  /// Drops everything; returns how much there was.
  func discard() -> Int {
    let n = takeAll().count
    counts.dropped += UInt64(n)
    return n
  }
}
