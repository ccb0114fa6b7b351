import Model

/// The notifications for one Alertmanager: one queue, one request at a time.
final class AlertmanagerQueue {
  let url: String
  private(set) var http: HTTPSettings
  private(set) var timeout: PromDuration
  private(set) var counts = DeliveryCounts()
  /// Oldest first; the front `inFlight` of them are on their way.
  private var queue: [AlertNotification] = []
  private var inFlight = 0
  private var failures = 0
  /// No request before this time.
  private var pausedUntil: Timestamp?
  private var isFailing = false

  init(url: String, http: HTTPSettings, timeout: PromDuration) {
    self.url = url
    self.http = http
    self.timeout = timeout
  }

  func update(http: HTTPSettings, timeout: PromDuration) {
    self.http = http
    self.timeout = timeout
  }

  var length: Int { queue.count }
  var isIdle: Bool { queue.isEmpty }
  var isBusy: Bool { inFlight > 0 }

  /// When the queue wants to send next; nil while it has nothing to do or waits for an answer.
  var nextDeadline: Timestamp? {
    if isBusy || queue.isEmpty { return nil }
    return pausedUntil ?? .distantPast
  }

  /// Queues notifications; beyond the capacity the oldest go.
  func append(_ alerts: [AlertNotification], capacity: Int, _ effects: inout EffectList) {
    queue.append(contentsOf: alerts)
    let surplus = queue.count - max(capacity, inFlight)
    if surplus <= 0 { return }
    queue.removeSubrange(inFlight..<(inFlight + surplus))
    counts.dropped += UInt64(surplus)
    effects.log(
      .warn, "notify", "Alert notification queue full, dropping alerts",
      [("alertmanager", url), ("num_dropped", "\(surplus)")])
  }

  /// The next batch, if it may leave now.
  func takeBatch(at now: Timestamp, size: Int) -> [AlertNotification]? {
    guard let deadline = nextDeadline, deadline <= now else { return nil }
    dropStale(at: now)
    if queue.isEmpty { return nil }
    pausedUntil = nil
    inFlight = min(max(1, size), queue.count)
    return Array(queue[..<inFlight])
  }

  /// After a failure: drops what newer news of the same alert has superseded, and firing alerts
  /// whose word has expired, which a receiver would mistake for resolved ones.
  private func dropStale(at now: Timestamp) {
    if failures == 0 { return }
    var seen: Set<LabelSet> = []
    var kept: [AlertNotification] = []
    for alert in queue.reversed() where seen.insert(alert.labels).inserted {
      if alert.isFiring && alert.endsAt <= now {
        counts.dropped += 1
      } else {
        kept.append(alert)
      }
    }
    queue = kept.reversed()
  }

  /// Takes the answer to the batch on its way; the time of the next try is drawn from `random`.
  func finish(
    _ outcome: DeliveryOutcome, at now: Timestamp, giveUp: Bool,
    using random: inout SeededGenerator,
    _ effects: inout EffectList
  ) {
    let size = inFlight
    inFlight = 0
    counts.requests += 1
    counts.latency.observe(outcome.duration.seconds)
    switch DeliveryVerdict(outcome) {
    case .accepted:
      counts.sent += UInt64(size)
      queue.removeFirst(size)
      if isFailing {
        effects.log(.info, "notify", "Alertmanager accepts alerts again", [("alertmanager", url)])
      }
      failures = 0
      isFailing = false
    case .refused(let reason):
      fail(size, reason: reason, "Alertmanager refused alerts", &effects)
      queue.removeFirst(size)
      counts.dropped += UInt64(size)
      failures = 0
    case .retry(let reason, let after):
      failures += 1
      fail(size, reason: reason, "Error sending alerts", &effects)
      if giveUp {
        counts.dropped += UInt64(queue.count)
        queue.removeAll()
        return
      }
      let pause = Backoff.pause(afterFailures: failures, using: &random)
      pausedUntil = now + max(pause, after ?? .zero)
    }
  }

  private func fail(
    _ size: Int, reason: String, _ message: String, _ effects: inout EffectList
  ) {
    counts.failedRequests += 1
    counts.errors += UInt64(size)
    // The first failure of a row is news, its repetitions are not.
    effects.log(
      isFailing ? .debug : .error, "notify", message,
      [("alertmanager", url), ("count", "\(size)"), ("err", reason)])
    isFailing = true
  }

  /// Drops everything; returns how much there was.
  func discard() -> Int {
    let n = queue.count
    queue.removeAll()
    inFlight = 0
    counts.dropped += UInt64(n)
    return n
  }
}
