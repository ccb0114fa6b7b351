import Model
import Rules

/// Everything between an alert that is due and a receiver that has accepted it.
final class Outbox {
  private enum Owner {
    case alertmanager(AlertmanagerQueue)
    case webhook(WebhookReceiver, WebhookReceiver.Flight)
  }

  private(set) var webhooks: [WebhookReceiver] = []
  private var alertmanagers: AlertmanagerPool
  private var global = GlobalSettings()
  private var relabeling: [RelabelRule] = []
  private var owners: [DeliveryID: Owner] = [:]
  private var nextID: UInt64 = 1
  private var random: SeededGenerator
  private let survives: Bool
  /// Part of the keys of notifications: another in every process.
  private let life: UInt64
  private var receiversMade: UInt64 = 0
  private var stopsAt: Timestamp?
  private var isAbandoned = false
  /// Whether the process ends with something undelivered.
  private(set) var leavesSomething = false
  private var changes: UInt64 = 0

  /// - Parameters:
  ///   - seed: of the jitter, and of what tells this process from all others.
  ///   - survives: whether checkpoints are saved: what cannot be delivered before the process ends
  ///     is then left to the next.
  init(seed: UInt64, survives: Bool = false) {
    random = SeededGenerator(seed: seed)
    self.survives = survives
    life = SeededGenerator.mixed(seed ^ 0x6c69_6665)
    alertmanagers = AlertmanagerPool()
  }

  /// The queues of all Alertmanagers that are known now.
  var queues: [AlertmanagerQueue] { alertmanagers.queues }
  /// Alertmanagers that relabelling dropped, by their address labels.
  var droppedAlertmanagers: [LabelSet] { alertmanagers.dropped }

  /// Obeys new settings; receivers that stay keep their queues.
  func update(_ settings: Settings, at now: Timestamp, _ effects: inout EffectList) {
    changes += 1
    global = settings.global
    relabeling = settings.alertRelabeling
    alertmanagers.update(settings.alertmanagers, at: now, &effects)
    let old = webhooks
    webhooks = settings.webhooks.map { new in
      guard let known = heir(of: old, new, settings.webhooks) else {
        receiversMade += 1
        return WebhookReceiver(new, life: SeededGenerator.mixed(life &+ receiversMade))
      }
      if !ByteOrder.equal(known.settings.name, new.name) {
        effects.log(
          .info, "notify", "Receiver has a new name, and goes on under it",
          [("receiver", new.name), ("was", known.settings.name)])
      }
      known.update(new, at: now)
      return known
    }
    for gone in old where !webhooks.contains(where: { $0 === gone }) {
      let lost = gone.discard("the receiver was removed", at: now, &effects)
      if lost == 0 { continue }
      effects.log(
        .warn, "notify", "Receiver removed with undelivered alerts",
        [("receiver", gone.settings.name), ("alerts", "\(lost)")])
    }
  }

  /// The receiver that goes on with new settings: that of the same name, or one that nobody names
  /// any more at an address that only these settings have.
  private func heir(
    of old: [WebhookReceiver], _ new: WebhookSettings, _ all: [WebhookSettings]
  ) -> WebhookReceiver? {
    if let same = old.first(where: { ByteOrder.equal($0.settings.name, new.name) }) { return same }
    if all.count(where: { $0.url == new.url }) > 1 { return nil }
    let nameless = old.filter { known in
      known.settings.url == new.url
        && !all.contains { ByteOrder.equal($0.name, known.settings.name) }
    }
    return nameless.count == 1 ? nameless[0] : nil
  }

  /// A discovery has a new list of Alertmanagers for one of its sources.
  func discover(
    config: Int, mechanism: String, groups: [TargetGroup], at now: Timestamp,
    _ effects: inout EffectList
  ) {
    changes += 1
    alertmanagers.discover(
      config: config, mechanism: mechanism, groups: groups, at: now, &effects)
  }

  /// Queues alerts of a rule for all receivers.
  func notify(
    _ due: [AlertInstance], query: String, at now: Timestamp, _ effects: inout EffectList
  ) {
    if due.isEmpty { return }
    let link = GeneratorLink.url(externalURL: global.externalURL, query: query)
    let alerts = due.compactMap { relabeled(AlertNotification($0, generatorURL: link)) }
    alertmanagers.append(alerts, capacity: global.notificationQueueCapacity, &effects)
    for webhook in webhooks {
      for alert in alerts {
        webhook.notify(
          alert, at: now, capacity: global.notificationQueueCapacity, &effects)
      }
    }
  }

  /// Adds the external labels the alert lacks and applies the global relabelling.
  private func relabeled(_ alert: AlertNotification) -> AlertNotification? {
    var alert = alert
    if !global.externalLabels.isEmpty {
      alert.labels = global.externalLabels.merging(alert.labels)
    }
    guard let labels = relabeling.apply(to: alert.labels) else { return nil }
    alert.labels = labels
    return alert
  }

  /// The labels with which receivers are told of an alert; nil if relabelling drops it.
  func labels(toldOf alert: AlertInstance) -> LabelSet? {
    relabeled(AlertNotification(alert, generatorURL: ""))?.labels
  }

  // MARK: requests and answers

  var nextDeadline: Timestamp? {
    if isAbandoned { return nil }
    let all = queues.compactMap(\.nextDeadline) + webhooks.compactMap(\.nextDeadline)
    let end = stopsAt == nil || isDrained ? nil : stopsAt
    return ([end, alertmanagers.nextDeadline] + all).compactMap { $0 }.min()
  }

  /// Lets every request leave that may.
  func run(at now: Timestamp, _ effects: inout EffectList) {
    if let stopsAt, stopsAt <= now, !isAbandoned { abandon(at: now, &effects) }
    if isAbandoned { return }
    alertmanagers.forgetGone(at: now, &effects)
    for queue in queues {
      guard let batch = queue.takeBatch(at: now, size: global.notificationBatchSize) else {
        continue
      }
      let request = DeliveryRequest(
        receiver: queue.url, url: .inline(queue.url),
        headers: [("Content-Type", "application/json"), ("User-Agent", global.userAgent)],
        body: AlertmanagerPayload.bytes(batch), http: queue.http, timeout: queue.timeout)
      effects.append(.deliver(newID(.alertmanager(queue)), request))
    }
    for webhook in webhooks {
      while let (flight, request) = webhook.takeRequest(at: now, global: global) {
        effects.append(.deliver(newID(.webhook(webhook, flight)), request))
      }
    }
  }

  private func newID(_ owner: Owner) -> DeliveryID {
    let id = DeliveryID(raw: nextID)
    nextID += 1
    owners[id] = owner
    return id
  }

  /// Takes an answer; that of a receiver which is gone changes nothing any more.
  func finish(
    _ id: DeliveryID, _ outcome: DeliveryOutcome, at now: Timestamp, _ effects: inout EffectList
  ) {
    guard let owner = owners.removeValue(forKey: id) else { return }
    let givesUp = !survives && stopsAt.map { $0 <= now } ?? false
    switch owner {
    case .alertmanager(let queue):
      queue.finish(outcome, at: now, givesUp: givesUp, using: &random, &effects)
    case .webhook(let webhook, let flight):
      webhook.finish(flight, outcome, at: now, givesUp: givesUp, using: &random, &effects)
    }
  }

  // MARK: the end

  /// Starts draining: what waits for its group leaves at once, tries end at `deadline`.
  func stop(at now: Timestamp) {
    if stopsAt != nil { return }
    stopsAt = now + global.drainTimeout
    for queue in queues { queue.hurry() }
    for webhook in webhooks { webhook.hurry(at: now) }
  }

  /// Whether nothing is left to deliver, or nobody tries any more.
  var isDrained: Bool {
    isAbandoned || queues.allSatisfy(\.isIdle) && webhooks.allSatisfy(\.isIdle)
  }

  private func abandon(at now: Timestamp, _ effects: inout EffectList) {
    leavesSomething = !isDrained
    if survives {
      let left =
        queues.reduce(0) { $0 + $1.length } + webhooks.reduce(0) { $0 + $1.outstandingCount }
      if left > 0 {
        effects.log(
          .warn, "notify", "Stopping: what is undelivered is left to the next start",
          [("queued", "\(left)")])
      }
    } else {
      for queue in queues { warn(queue.discard(), receiver: queue.shownURL, &effects) }
      for webhook in webhooks {
        let lost = webhook.discard("the process ends", at: now, &effects)
        warn(lost, receiver: webhook.settings.name, &effects)
      }
      owners = [:]
    }
    isAbandoned = true
  }

  private func warn(_ alerts: Int, receiver: String, _ effects: inout EffectList) {
    if alerts == 0 { return }
    effects.log(
      .warn, "notify", "Stopping with undelivered alerts",
      [("receiver", receiver), ("alerts", "\(alerts)")])
  }

  // MARK: what survives

  /// Changes when the checkpoint says something else than before.
  var version: UInt64 {
    changes &+ alertmanagers.version &+ webhooks.reduce(0) { $0 &+ $1.version }
  }

  /// What is undelivered and what was told.
  func checkpoint() -> OutboxCheckpoint {
    OutboxCheckpoint(
      alertmanagers: alertmanagers.checkpoint(), webhooks: webhooks.map { $0.checkpoint() })
  }

  /// Takes up what an earlier process has left; comes after the first settings.
  ///
  /// - Parameters:
  ///   - savedAt: when that process spoke last: the time until now does not count for what is to
  ///     be believed for some time.
  ///   - patience: how long the rules may need until they speak again.
  func restore(
    _ saved: OutboxCheckpoint, savedAt: Timestamp, patience: PromDuration, at now: Timestamp,
    _ effects: inout EffectList
  ) {
    changes += 1
    alertmanagers.restore(saved.alertmanagers, at: now)
    let limit = now + patience + global.resendDelay + max(patience, global.resendDelay)
    var restored = 0
    for one in saved.webhooks {
      let outstanding = one.groups.count { $0.outstanding != nil }
      guard let webhook = webhooks.first(where: { ByteOrder.equal($0.settings.name, one.name) })
      else {
        if outstanding == 0 { continue }
        bury(one, at: now, &effects)
        effects.log(
          .warn, "notify",
          "Undelivered notifications of a receiver that is not configured any more",
          [("receiver", one.name), ("notifications", "\(outstanding)")])
        continue
      }
      webhook.restore(one, downtime: max(.zero, now - savedAt), patience: limit, at: now)
      restored += outstanding
    }
    let queued = saved.alertmanagers.reduce(0) { $0 + $1.alerts.count }
    if restored + queued == 0 { return }
    effects.log(
      .info, "notify", "Undelivered notifications of the last run are taken up",
      [("webhooks", "\(restored)"), ("alertmanager_alerts", "\(queued)")])
  }

  /// Writes down what was to be delivered to a receiver that is not there any more.
  private func bury(
    _ gone: WebhookCheckpoint, at now: Timestamp, _ effects: inout EffectList
  ) {
    for group in gone.groups {
      guard let outstanding = group.outstanding else { continue }
      effects.append(
        .deadLetter(
          DeadLetter(
            time: now, receiver: gone.name, group: group.key, key: outstanding.key,
            reason: "the receiver was removed", created: outstanding.created,
            tries: outstanding.failures, alerts: outstanding.alerts.count,
            body: Array(outstanding.body.utf8))))
    }
  }
}
