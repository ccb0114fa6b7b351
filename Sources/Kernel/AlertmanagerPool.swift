import Model

/// The Alertmanagers that are configured and discovered: which there are, what each is told, and
/// what is kept for those that are gone.
struct AlertmanagerPool {
  /// How long the queue of an Alertmanager that is gone is kept in case it comes back: a discovery
  /// may take that long to name it again.
  private static let memory = PromDuration.minutes(5)

  /// One `alertmanagers` entry.
  private struct Block {
    var settings: AlertmanagerSettings
    /// Discovered addresses by mechanism and source.
    var discovered: [Source: TargetGroup] = [:]
    var queues: [AlertmanagerQueue] = []
  }

  private struct Source: Hashable {
    let mechanism: String
    let source: String

    static func precedes(_ a: Source, _ b: Source) -> Bool {
      ByteOrder.equal(a.mechanism, b.mechanism)
        ? ByteOrder.less(a.source, b.source) : ByteOrder.less(a.mechanism, b.mechanism)
    }
  }

  private struct Gone {
    var url: String
    var alerts: [AlertNotification]
    var until: Timestamp
  }

  private(set) var queues: [AlertmanagerQueue] = []
  /// Addresses that relabelling dropped.
  private(set) var dropped: [LabelSet] = []
  private var blocks: [Block] = []
  private var gone: [Gone] = []
  private var changes: UInt64 = 0

  var version: UInt64 { changes &+ queues.reduce(0) { $0 &+ $1.version } }

  /// Obeys new settings; what a block's discoveries have found stays until they say otherwise, if
  /// they are asked the same.
  mutating func update(
    _ settings: [AlertmanagerSettings], at now: Timestamp, _ effects: inout EffectList
  ) {
    let old = blocks
    blocks = settings.enumerated().map { index, settings in
      var block = Block(settings: settings)
      if old.indices.contains(index) {
        let kept = settings.mechanisms(sharedWith: old[index].settings)
        block.discovered = old[index].discovered.filter { kept.contains($0.key.mechanism) }
      }
      return block
    }
    rebuild(at: now, &effects)
  }

  mutating func discover(
    config: Int, mechanism: String, groups: [TargetGroup], at now: Timestamp,
    _ effects: inout EffectList
  ) {
    guard blocks.indices.contains(config) else { return }
    for group in groups {
      let source = Source(mechanism: mechanism, source: group.source)
      blocks[config].discovered[source] = group.targets.isEmpty ? nil : group
    }
    rebuild(at: now, &effects)
  }

  /// Finds the addresses anew; queues of those that stay go on.
  private mutating func rebuild(at now: Timestamp, _ effects: inout EffectList) {
    let old = queues
    queues = []
    dropped = []
    changes += 1
    for index in blocks.indices {
      let block = blocks[index]
      let found = block.discovered.sorted { Source.precedes($0.key, $1.key) }.map(\.value)
      let addresses = AlertmanagerAddresses(block.settings, discovered: found)
      dropped += addresses.dropped
      for problem in addresses.problems {
        effects.log(.error, "notify", "Alertmanager address refused", [("err", problem)])
      }
      blocks[index].queues = addresses.urls.map { url in
        let known = (queues + old).first { ByteOrder.equal($0.url, url) }
        let (http, timeout) = (block.settings.http, block.settings.timeout)
        let queue = known ?? AlertmanagerQueue(url: url, http: http, timeout: timeout)
        queue.update(http: http, timeout: timeout)
        if !queues.contains(where: { $0 === queue }) { queues.append(queue) }
        return queue
      }
    }
    for queue in old where !queues.contains(where: { $0 === queue }) {
      changes &+= queue.version
      keep(queue.takeAll(), of: queue.url, at: now)
    }
    for index in gone.indices.reversed() {
      guard let queue = queues.first(where: { ByteOrder.equal($0.url, gone[index].url) }) else {
        continue
      }
      queue.restore(gone.remove(at: index).alerts)
    }
  }

  private mutating func keep(_ alerts: [AlertNotification], of url: String, at now: Timestamp) {
    if alerts.isEmpty { return }
    gone.append(Gone(url: url, alerts: alerts, until: now + Self.memory))
  }

  /// When to give up on what is kept for those that are gone.
  var nextDeadline: Timestamp? { gone.map(\.until).min() }

  /// Gives up what was kept long enough.
  mutating func forgetGone(at now: Timestamp, _ effects: inout EffectList) {
    for one in gone where one.until <= now {
      effects.log(
        .warn, "notify", "Receiver removed with undelivered alerts",
        [("receiver", SecretText.redacted(url: one.url)), ("alerts", "\(one.alerts.count)")])
    }
    let before = gone.count
    gone.removeAll { $0.until <= now }
    if gone.count != before { changes += 1 }
  }

  /// Queues alerts everywhere, relabelled as each block wants it.
  func append(_ alerts: [AlertNotification], capacity: Int, _ effects: inout EffectList) {
    for block in blocks {
      let relabeled = alerts.compactMap { alert -> AlertNotification? in
        guard let labels = block.settings.alertRelabeling.apply(to: alert.labels) else {
          return nil
        }
        var alert = alert
        alert.labels = labels
        return alert
      }
      for queue in block.queues { queue.append(relabeled, capacity: capacity, &effects) }
    }
  }

  /// By URL; what is kept for those that are gone belongs to it.
  func checkpoint() -> [AlertmanagerCheckpoint] {
    let kept = gone.map { AlertmanagerCheckpoint(url: $0.url, alerts: $0.alerts) }
    return (queues.compactMap(\.checkpoint) + kept).sorted { ByteOrder.less($0.url, $1.url) }
  }

  /// Takes up what an earlier process has left.
  mutating func restore(_ saved: [AlertmanagerCheckpoint], at now: Timestamp) {
    changes += 1
    for one in saved {
      if let queue = queues.first(where: { ByteOrder.equal($0.url, one.url) }) {
        queue.restore(one.alerts)
      } else {
        keep(one.alerts, of: one.url, at: now)
      }
    }
  }
}
