import Model
import Rules

/// Everything between an alert that is due and a receiver that has accepted it.
final class Outbox {
  private enum Owner {
    case alertmanager(String)
    case webhook(String, group: String)
  }

  private(set) var queues: [AlertmanagerQueue] = []
  private(set) var webhooks: [WebhookReceiver] = []
  /// Alertmanagers that relabelling dropped, by their address labels.
  private(set) var droppedAlertmanagers: [LabelSet] = []
  private var global = GlobalSettings()
  private var relabeling: [RelabelRule] = []
  /// Per configured Alertmanager block: its own relabelling and the queues it feeds.
  private var routes: [(relabeling: [RelabelRule], queues: [AlertmanagerQueue])] = []
  private var owners: [DeliveryID: Owner] = [:]
  private var nextID: UInt64 = 1
  private var random: SeededGenerator
  private var stopsAt: Timestamp?
  private var isAbandoned = false

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Obeys new settings; receivers that stay keep their queues.
  func update(_ settings: Settings, at now: Timestamp, _ effects: inout EffectList) {
    global = settings.global
    relabeling = settings.alertRelabeling
    updateAlertmanagers(settings, &effects)
    updateWebhooks(settings, at: now, &effects)
  }

  private func updateAlertmanagers(_ settings: Settings, _ effects: inout EffectList) {
    let old = queues
    queues = []
    routes = []
    droppedAlertmanagers = []
    for block in settings.alertmanagers {
      let addresses = AlertmanagerAddresses(block)
      droppedAlertmanagers += addresses.dropped
      for problem in addresses.problems {
        effects.log(.error, "notify", "Alertmanager address refused", [("err", problem)])
      }
      var fed: [AlertmanagerQueue] = []
      for url in addresses.urls {
        let known = (queues + old).first { ByteOrder.equal($0.url, url) }
        let queue =
          known ?? AlertmanagerQueue(url: url, http: block.http, timeout: block.timeout)
        queue.update(http: block.http, timeout: block.timeout)
        if !queues.contains(where: { $0 === queue }) { queues.append(queue) }
        fed.append(queue)
      }
      routes.append((block.alertRelabeling, fed))
    }
    for gone in old where !queues.contains(where: { $0 === gone }) {
      warnOfLoss(gone.discard(), receiver: gone.url, &effects)
    }
  }

  private func updateWebhooks(
    _ settings: Settings, at now: Timestamp, _ effects: inout EffectList
  ) {
    let old = webhooks
    webhooks = settings.webhooks.map { new in
      guard let known = old.first(where: { ByteOrder.equal($0.settings.name, new.name) }) else {
        return WebhookReceiver(new)
      }
      known.update(new, at: now)
      return known
    }
    for gone in old where !webhooks.contains(where: { $0 === gone }) {
      warnOfLoss(gone.discard(), receiver: gone.settings.name, &effects)
    }
  }

  private func warnOfLoss(_ alerts: Int, receiver: String, _ effects: inout EffectList) {
    if alerts == 0 { return }
    effects.log(
      .warn, "notify", "Receiver removed with undelivered alerts",
      [("receiver", receiver), ("alerts", "\(alerts)")])
  }

  /// Queues alerts of a rule for all receivers.
  func notify(
    _ due: [AlertInstance], query: String, at now: Timestamp, _ effects: inout EffectList
  ) {
    if due.isEmpty { return }
    let link = GeneratorLink.url(externalURL: global.externalURL, query: query)
    let alerts = due.compactMap { relabeled(AlertNotification($0, generatorURL: link)) }
    for route in routes {
      let relabeled = alerts.compactMap { alert -> AlertNotification? in
        guard let labels = route.relabeling.apply(to: alert.labels) else { return nil }
        var alert = alert
        alert.labels = labels
        return alert
      }
      if relabeled.isEmpty { continue }
      for queue in route.queues {
        queue.append(relabeled, capacity: global.notificationQueueCapacity, &effects)
      }
    }
    for webhook in webhooks {
      for alert in alerts { webhook.notify(alert, at: now) }
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

  var nextDeadline: Timestamp? {
    let all = queues.compactMap(\.nextDeadline) + webhooks.compactMap(\.nextDeadline)
    let end = isAbandoned || isDrained ? nil : stopsAt
    return ([end] + all).compactMap { $0 }.min()
  }

  /// Lets every request leave that may.
  func run(at now: Timestamp, _ effects: inout EffectList) {
    if let stopsAt, stopsAt <= now, !isAbandoned { abandon(&effects) }
    for queue in queues {
      guard let batch = queue.takeBatch(at: now, size: global.notificationBatchSize) else {
        continue
      }
      let request = DeliveryRequest(
        receiver: queue.url, url: .inline(queue.url),
        headers: [("Content-Type", "application/json"), ("User-Agent", global.userAgent)],
        body: AlertmanagerPayload.bytes(batch), http: queue.http, timeout: queue.timeout)
      effects.append(.deliver(newID(.alertmanager(queue.url)), request))
    }
    for webhook in webhooks {
      while let (group, request) = webhook.takeRequest(at: now, global: global) {
        let owner = Owner.webhook(webhook.settings.name, group: group)
        effects.append(.deliver(newID(owner), request))
      }
    }
  }

  private func newID(_ owner: Owner) -> DeliveryID {
    let id = DeliveryID(raw: nextID)
    nextID += 1
    owners[id] = owner
    return id
  }

  /// Takes an answer; unknown requests (of receivers that are gone) are ignored.
  func finish(
    _ id: DeliveryID, _ outcome: DeliveryOutcome, at now: Timestamp, _ effects: inout EffectList
  ) {
    guard let owner = owners.removeValue(forKey: id) else { return }
    let giveUp = stopsAt.map { $0 <= now } ?? false
    switch owner {
    case .alertmanager(let url):
      queues.first { ByteOrder.equal($0.url, url) }?
        .finish(outcome, at: now, giveUp: giveUp, using: &random, &effects)
    case .webhook(let name, let group):
      webhooks.first { ByteOrder.equal($0.settings.name, name) }?
        .finish(group, outcome, at: now, giveUp: giveUp, using: &random, &effects)
    }
  }

  /// Starts draining: what waits for its group leaves at once, tries end at `deadline`.
  func stop(at now: Timestamp) {
    if stopsAt != nil { return }
    stopsAt = now + global.drainTimeout
    for webhook in webhooks { webhook.hurry(at: now) }
  }

  /// Whether nothing is left to deliver.
  var isDrained: Bool { queues.allSatisfy(\.isIdle) && webhooks.allSatisfy(\.isIdle) }

  private func abandon(_ effects: inout EffectList) {
    isAbandoned = true
    for queue in queues { warnOfDrop(queue.discard(), receiver: queue.url, &effects) }
    for webhook in webhooks {
      warnOfDrop(webhook.discard(), receiver: webhook.settings.name, &effects)
    }
    owners = [:]
  }

  private func warnOfDrop(_ alerts: Int, receiver: String, _ effects: inout EffectList) {
    if alerts == 0 { return }
    effects.log(
      .warn, "notify", "Stopping with undelivered alerts",
      [("receiver", receiver), ("alerts", "\(alerts)")])
  }
}
