import JSON
import Model

@testable import Kernel

/// A receiver that answers by a script, in virtual time.
final class WebhookLine {
  private(set) var receiver: WebhookReceiver
  var now = WebhookLine.start
  var answer: (_ request: DeliveryRequest) -> DeliveryOutcome.Result = { _ in
    .answered(status: 200, retryAfter: nil, body: "")
  }
  private(set) var tries: [(at: Timestamp, request: DeliveryRequest)] = []
  private(set) var effects = EffectList()
  private var random: SeededGenerator
  private(set) var settings: WebhookSettings
  private var lives: UInt64 = 1
  static let start = Timestamp(seconds: 1_700_000_000)

  init(seed: UInt64 = 1, _ change: (inout WebhookSettings) -> Void = { _ in }) {
    var settings = WebhookSettings(name: "ops", url: .inline("http://hook"))
    change(&settings)
    self.settings = settings
    receiver = WebhookReceiver(settings, life: lives)
    random = SeededGenerator(seed: seed)
  }

  static func answered(_ status: Int, after: PromDuration? = nil) -> DeliveryOutcome.Result {
    .answered(status: status, retryAfter: after, body: "")
  }

  func notify(_ alert: AlertNotification) {
    receiver.notify(alert, at: now, &effects)
    exchange()
  }

  /// A reload changes the settings.
  func reload(_ change: (inout WebhookSettings) -> Void) {
    change(&settings)
    receiver.update(settings, at: now)
    exchange()
  }

  /// Sends and answers whatever may leave now.
  func exchange() {
    while let (flight, request) = receiver.takeRequest(at: now, global: GlobalSettings()) {
      tries.append((now, request))
      receiver.finish(
        flight, DeliveryOutcome(result: answer(request), duration: .zero), at: now,
        givesUp: false, using: &random, &effects)
    }
  }

  func run(for duration: PromDuration) {
    let end = now + duration
    while let next = receiver.nextDeadline, next <= end {
      now = max(now, next)
      exchange()
    }
    now = end
  }

  /// The process dies and comes back after a while with what was saved: all, or what it was given.
  func restart(
    after pause: PromDuration, patience: PromDuration = .minutes(2),
    from given: WebhookCheckpoint? = nil
  ) {
    let saved = given ?? receiver.checkpoint()
    let died = now
    now = now + pause
    lives += 1
    receiver = WebhookReceiver(settings, life: lives)
    receiver.restore(saved, downtime: now - died, patience: now + patience, at: now)
    exchange()
  }

  var offsets: [Double] { tries.map { ($0.at - Self.start).seconds } }
  var keys: [String] {
    tries.map { $0.request.headers.first { $0.name == "Idempotency-Key" }?.value ?? "" }
  }
  /// `1+ 2-`: what each try says, alert by alert: that it fires, or that it is over.
  var words: [String] {
    tries.map { _, request in
      (request.json["alerts"]?.array ?? []).map { alert in
        (alert["labels"]?["i"]?.string ?? "?") + (alert["status"]?.string == "firing" ? "+" : "-")
      }.joined(separator: " ")
    }
  }
  /// Whether a request speaks of an alert.
  static func says(_ request: DeliveryRequest, _ number: String) -> Bool {
    (request.json["alerts"]?.array ?? []).contains { $0["labels"]?["i"]?.string == number }
  }
  var letters: [DeadLetter] {
    effects.effects.compactMap { effect -> DeadLetter? in
      guard case .deadLetter(let letter) = effect else { return nil }
      return letter
    }
  }
  var messages: [String] {
    effects.effects.compactMap { effect -> String? in
      guard case .log(let record) = effect, record.level != .debug else { return nil }
      return record.message
    }
  }
}
