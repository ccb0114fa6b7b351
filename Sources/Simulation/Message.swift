import JSON
import Kernel
import Model

/// A notification as a receiver reads it.
struct Message: Sendable {
  struct Telling: Sendable {
    var labels: LabelSet
    var startsAt: Timestamp
    /// Nil: the webhook said that the alert fires.
    var endsAt: Timestamp?
  }

  var receiver: String
  var isWebhook: Bool
  /// Of webhooks; empty for an Alertmanager.
  var key = ""
  var group = ""
  var tellings: [Telling] = []
  var truncated = 0
  var bodyHash: UInt64
  /// What is not as it should be, if anything.
  var problem: String?

  init(_ request: DeliveryRequest) {
    receiver = request.receiver
    isWebhook = !request.receiver.utf8.contains(UInt8(ascii: ":"))
    var hash = StableHash()
    hash.combine(request.body)
    bodyHash = hash.value
    key = request.headers.first { ByteOrder.equal($0.name, "Idempotency-Key") }?.value ?? ""
    guard let json = try? JSONValue(parsing: request.body) else {
      problem = "the body is not JSON"
      return
    }
    group = json["groupKey"]?.string ?? ""
    truncated = json["truncatedAlerts"]?.int ?? 0
    for alert in (isWebhook ? json["alerts"]?.array : json.array) ?? [] { read(alert) }
    if tellings.isEmpty { problem = "the notification speaks of no alert" }
    if isWebhook && key.isEmpty { problem = "the notification has no Idempotency-Key" }
  }

  private mutating func read(_ alert: JSONValue) {
    let labels = LabelSet((alert["labels"]?.object ?? []).map { ($0.key, $0.value.string ?? "") })
    guard let startsAt = Timestamp(rfc3339: alert["startsAt"]?.string ?? ""),
      let endsAt = Timestamp(rfc3339: alert["endsAt"]?.string ?? "")
    else {
      problem = "an alert's times cannot be read"
      return
    }
    let fires = isWebhook && alert["status"]?.string == "firing"
    tellings.append(Telling(labels: labels, startsAt: startsAt, endsAt: fires ? nil : endsAt))
  }
}

/// Labels and start of an alert: one episode as receivers name it.
struct EpisodeName: Hashable, Sendable {
  var labels: LabelSet
  var startsAt: Timestamp

  func isNamed(as other: EpisodeName) -> Bool {
    let name = LabelName.alertName
    return ByteOrder.equal(labels.value(of: name), other.labels.value(of: name))
  }
}

/// What a receiver knows: everything it has accepted, each idempotency key once.
struct ReceiverMemory: Sendable {
  private(set) var told: Set<EpisodeName> = []
  /// Until when each alert fires, as far as the receiver knows.
  private(set) var firesUntil: [LabelSet: Timestamp] = [:]
  /// Since when each alert was said to fire that was told of last.
  private(set) var began: [LabelSet: Timestamp] = [:]
  /// When it was told of each alert last.
  private(set) var heard: [LabelSet: Timestamp] = [:]
  private var keys: [String: UInt64] = [:]
  private(set) var accepted = 0
  private(set) var repeated = 0

  /// Takes a message; says what is wrong with it.
  mutating func accept(_ message: Message, at now: Timestamp) -> String? {
    if !message.key.isEmpty {
      if let known = keys[message.key] {
        repeated += 1
        return known == message.bodyHash ? nil : "one idempotency key, two bodies: \(message.key)"
      }
      keys[message.key] = message.bodyHash
    }
    accepted += 1
    for telling in message.tellings {
      told.insert(EpisodeName(labels: telling.labels, startsAt: telling.startsAt))
      began[telling.labels] = telling.startsAt
      heard[telling.labels] = now
      if let end = telling.endsAt {
        firesUntil[telling.labels] = message.isWebhook || end <= now ? nil : end
      } else {
        firesUntil[telling.labels] = .distantFuture
      }
    }
    return nil
  }

  /// The alerts that fire at `now`, as far as the receiver knows.
  func firing(at now: Timestamp) -> Set<LabelSet> {
    Set(firesUntil.filter { $0.value > now }.keys)
  }
}
