import JSON
import Model
import Testing

@testable import Kernel

/// A receiver and its alerts under everything that may happen to them: reloads, restarts, answers
/// that get lost.
private final class Muddle {
  private static let groupings = [["alertname"], ["..."], [], ["team"], ["team", "i"]]
  private static let routes: [[Matcher]] = [
    [], [Matcher("team", equals: "x")], [Matcher("team", equals: "y")],
  ]

  private(set) var now = Timestamp(seconds: 1_700_000_000)
  private(set) var receiver: WebhookReceiver
  private var settings = WebhookSettings(name: "ops", url: .inline("http://hook"))
  private var random: SeededGenerator
  private var jitter = SeededGenerator(seed: 1)
  private var flying: [(flight: WebhookReceiver.Flight, request: DeliveryRequest)] = []
  private var effects = EffectList()
  private var isRough = true
  private var lives: UInt64 = 1
  private var saved = WebhookCheckpoint(name: "ops", groups: [])
  /// Since when each alert fires.
  private(set) var firing: [LabelSet: Timestamp] = [:]
  /// What the receiver thinks.
  private(set) var believed: Set<LabelSet> = []
  private var known: Set<String> = []
  private(set) var keys: [String: [UInt8]] = [:]

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    settings.groupInterval = .seconds(20)
    receiver = WebhookReceiver(settings, life: 1)
  }

  let alerts: [LabelSet] = (0..<5).map { number in
    ["alertname": "A\(number % 2)", "i": "\(number)", "team": number % 3 == 0 ? "x" : "y"]
  }

  func wants(_ labels: LabelSet) -> Bool {
    settings.matchers.allSatisfy { $0.matches(labels) }
  }

  /// Lets one thing happen.
  func stir() {
    switch random.pick(13) {
    case 12:
      settings.groupWait = .seconds(Int64(random.pick(3) * 7))
      settings.groupInterval = .seconds(Int64(5 + random.pick(3) * 15))
      receiver.update(settings, at: now)
    case 0...4: change(alerts[random.pick(alerts.count)])
    case 5:
      settings.groupBy = Self.groupings[random.pick(Self.groupings.count)]
      receiver.update(settings, at: now)
    case 6:
      settings.matchers = Self.routes[random.pick(Self.routes.count)]
      receiver.update(settings, at: now)
    case 7: restart()
    default: pass(.milliseconds(Int64(random.pick(40_000))))
    }
    pass(.milliseconds(1))
  }

  /// Everything works for a while.
  func calm() {
    isRough = false
    while !flying.isEmpty { answer() }
    // As rules do after a while.
    for labels in alerts where firing[labels] != nil { tell(labels) }
    pass(.minutes(10))
    isRough = true
  }

  private func change(_ labels: LabelSet) {
    if firing.removeValue(forKey: labels) != nil {
      tell(labels)
    } else {
      firing[labels] = now
      tell(labels)
    }
  }

  private func tell(_ labels: LabelSet) {
    let notification = AlertNotification(
      labels: labels, annotations: [], startsAt: firing[labels] ?? now - .seconds(1),
      endsAt: firing[labels] == nil ? now : now + .hours(100), generatorURL: "",
      isFiring: firing[labels] != nil)
    receiver.notify(notification, at: now, &effects)
  }

  /// Killed, and started with what was saved before the last request left, or later.
  private func restart() {
    flying = []
    if random.pick(2) == 0 { saved = receiver.checkpoint() }
    let told = saved
    lives += 1
    receiver = WebhookReceiver(settings, life: lives)
    receiver.restore(told, downtime: .zero, patience: now, at: now)
    // What the rules have said since is repeated.
    for labels in alerts { tell(labels) }
  }

  private func pass(_ time: PromDuration) {
    let end = now + time
    exchange()
    while let next = receiver.nextDeadline, next <= end {
      now = max(now, next)
      exchange()
    }
    now = end
    while let _ = flying.first, !isRough || random.pick(2) == 0 { answer() }
    exchange()
  }

  private func exchange() {
    while let sent = receiver.takeRequest(at: now, global: GlobalSettings()) {
      saved = receiver.checkpoint()
      flying.append(sent)
      if !isRough { answer() }
    }
  }

  private func answer() {
    let (flight, request) = flying.remove(at: random.pick(flying.count))
    let fate = isRough ? random.pick(5) : 0
    if fate < 2 { arrive(request) }
    let result: DeliveryOutcome.Result =
      switch fate {
      case 0: .answered(status: 200, retryAfter: nil, body: "")
      case 1: .failed("unexpected EOF")
      case 2: .answered(status: 400, retryAfter: nil, body: "")
      default: .failed("connection refused")
      }
    receiver.finish(
      flight, DeliveryOutcome(result: result, duration: .zero), at: now, givesUp: false,
      using: &jitter, &effects)
  }

  private func arrive(_ request: DeliveryRequest) {
    let key = request.headers.first { $0.name == "Idempotency-Key" }?.value ?? ""
    #expect(keys[key, default: request.body] == request.body)
    keys[key] = request.body
    if !known.insert(key).inserted { return }
    for alert in request.json["alerts"]?.array ?? [] {
      let labels = LabelSet(
        (alert["labels"]?.object ?? []).map { ($0.key, $0.value.string ?? "") })
      if alert["status"]?.string == "firing" {
        believed.insert(labels)
      } else {
        believed.remove(labels)
      }
    }
  }
}

extension SeededGenerator {
  fileprivate mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}

@Suite struct WebhookBeliefTests {
  /// Whatever is reloaded, restarted, lost or refused: once things are calm the receiver knows of
  /// every alert that fires and that it wants, and of none that it fires although it is over.
  @Test func afterAMuddleTheReceiverKnowsWhatIsTrue() {
    for seed in 0..<100 as Range<UInt64> {
      let muddle = Muddle(seed: seed)
      for round in 0..<4 {
        for _ in 0..<25 { muddle.stir() }
        muddle.calm()
        for labels in muddle.alerts {
          let isBelieved = muddle.believed.contains(labels)
          if muddle.firing[labels] == nil {
            #expect(!isBelieved, "seed \(seed) round \(round): \(labels) is over")
          } else if muddle.wants(labels) {
            #expect(isBelieved, "seed \(seed) round \(round): \(labels) fires")
          }
        }
        #expect(muddle.receiver.isIdle)
      }
    }
  }
}
