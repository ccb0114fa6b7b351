import Kernel
import Model
import Rules

/// What notifications say, how they are repeated, and what receivers end up believing.
extension Checks {
  /// The kernel wants a notification delivered.
  func asked(_ id: DeliveryID, _ request: DeliveryRequest) {
    deliveries += 1
    let message = Message(request)
    if let problem = message.problem { report("delivery/body", "\(message.receiver): \(problem)") }
    let lane = message.receiver + " " + message.group
    if requests.values.contains(where: { ByteOrder.equal($0.lane, lane) }) {
      report("delivery/order", "two requests at a time for \(lane)")
    }
    requests[id] = (lane, message)
    if message.isWebhook {
      if let key = outstanding[lane], !ByteOrder.equal(key, message.key) {
        report("delivery/key", "\(lane): \(message.key), while \(key) has not been accepted")
      }
      let isRetry = outstanding.updateValue(message.key, forKey: lane) != nil
      if !seenKeys.insert(message.key).inserted {
        let isInherited = inheritedKeys.remove(message.key) != nil
        if !isRetry && !isInherited && !refusedKeys.contains(message.key) {
          report("delivery/key", "\(lane): \(message.key) names another notification again")
        }
        return
      }
    }
    let firing = Dictionary(grouping: model.firingAlerts, by: \.told)
    for telling in message.tellings { check(telling, of: message, firing[telling.labels] ?? []) }
  }

  /// Whether an alert in a notification that is written now stands as it says.
  private func check(
    _ telling: Message.Telling, of message: Message, _ owners: [AlertModel.FiringAlert]
  ) {
    if owners.count > 1 || isShared(telling.labels) { return }
    let isFiring = telling.endsAt.map { $0 > now } ?? true
    let name = EpisodeName(labels: telling.labels, startsAt: telling.startsAt)
    // External labels may have changed since it fired.
    let isKnown =
      everFired.contains(name)
      || everFired.contains { $0.startsAt == telling.startsAt && $0.isNamed(as: name) }
    guard let owner = owners.first else {
      if isFiring && !isKnown {
        report(
          "delivery/invented",
          "\(message.receiver): \(telling.labels) fires since \(telling.startsAt), it never did")
      }
      return
    }
    // A notification that had to wait tells of an earlier time; what is new comes after it.
    if telling.startsAt != owner.alert.firedAt && isKnown { return }
    // Under labels that it had before, an alert expires; it may have them again since a moment ago.
    let pause = model.settings.global.resendDelay + longestInterval + .seconds(10)
    if !isFiring && now - relabeledAt < pause { return }
    if !isFiring && (message.isWebhook || telling.startsAt == owner.alert.firedAt) {
      // Without re-sending, the word of a rule that fails expires, as it does with Prometheus.
      if owner.rule.isFailing && !model.settings.global.resendsOnFailure { return }
      report(
        "delivery/false-resolve",
        "\(message.receiver) at \(now): \(telling.labels) is told as resolved at "
          + "\(Self.text(telling.endsAt)), it fires since \(Self.text(owner.alert.firedAt))")
    }
    if isFiring && message.isWebhook && telling.startsAt != owner.alert.firedAt {
      report(
        "delivery/start",
        "\(message.receiver): \(telling.labels) starts at \(telling.startsAt), "
          + "it fires since \(Self.text(owner.alert.firedAt))")
    }
  }

  /// A receiver's answer has reached the kernel.
  func answered(_ id: DeliveryID, _ outcome: DeliveryOutcome) {
    guard let (lane, message) = requests.removeValue(forKey: id) else { return }
    let key = message.key
    guard case .answered(let status, _, _) = outcome.result else { return }
    let isFinal = (200..<300).contains(status) || status == 400
    if status == 400 { refusedKeys.insert(key) }
    if isFinal, let known = outstanding[lane], ByteOrder.equal(known, key) {
      outstanding[lane] = nil
    }
  }

  /// What a notification says that the kernel wants delivered.
  func message(_ id: DeliveryID, _ request: DeliveryRequest) -> Message {
    requests[id]?.message ?? Message(request)
  }

  /// A request has left the process.
  func left(_ message: Message, index: Int, fate: Network.Fate, at now: Timestamp) {
    guard case .answered(let status, let retryAfter, _) = fate.result else { return }
    if status == 400 {
      // The receiver's last word: what the notification spoke of is lost, and rightly so.
      for telling in message.tellings {
        waived.insert(Waiver(receiver: message.receiver, labels: telling.labels))
      }
    }
    if let until = notBefore[message.receiver + message.key], now < until {
      report("delivery/retry-after", "\(message.receiver) was asked at \(now), not before \(until)")
    }
    if let retryAfter, !message.key.isEmpty {
      notBefore[message.receiver + message.key] = now + retryAfter
    }
  }
}

/// An alert of which a receiver has refused to hear.
struct Waiver: Hashable {
  var receiver: String
  var labels: LabelSet
}
