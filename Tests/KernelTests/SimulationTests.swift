import JSON
import Model
import Rules
import TestSupport
import Testing

@testable import Kernel

/// A kernel among flaky targets and receivers, reloaded and suspended at random; one seed is one
/// world.
private final class FlakyWorld {
  let world: World
  private var random: SeededGenerator
  /// Per target whether its condition holds and whether it answers.
  private var isHot: [String: Bool] = [:]
  private var targetFaults = 0.1
  private var receiverFaults = 0.3
  private var variant = 0
  /// What each receiver believes of each alert, by its last accepted word: until when it fires.
  private(set) var beliefs: [String: [String: Timestamp]] = [:]
  private(set) var trace = StableHash()
  private(set) var problems: [String] = []
  private var lastSlots: [String: Timestamp] = [:]

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    world = World(try Self.settings(variant: 0), seed: seed)
    world.scrape = { [unowned self] url, at in self.answer(url, at) }
    world.deliver = { [unowned self] request, at in self.receive(request, at) }
  }

  private static func settings(variant: Int) throws -> Settings {
    var settings = Settings()
    settings.scrapes = [Sample.scrape(targets: ["a:1", "b:1", "c:1", "d:1"])]
    settings.groups = [
      Sample.group(
        "one", interval: .seconds(15),
        rules: [
          try Sample.alert("Hot", "hot > 0", for: .seconds(variant == 1 ? 30 : 45)),
          try Sample.alert(
            "Kept", "hot > 0", keep: .minutes(2),
            labels: ["severity": variant == 2 ? "page" : "warn"]),
          try Sample.record("job:hot:sum", "sum(hot)"),
        ]),
      Sample.group(
        "two", interval: .seconds(30),
        rules: [
          try Sample.alert("Down", "up == 0", for: .minutes(1)),
          try Sample.alert("ManyHot", "job:hot:sum > 2"),
        ] + (variant == 3 ? [try Sample.alert("Watchdog", "1")] : [])),
    ]
    settings.webhooks = [Sample.webhook("hook"), Sample.webhook("waits")]
    settings.webhooks[1].groupWait = .seconds(20)
    settings.webhooks[1].groupBy = ["..."]
    settings.alertmanagers = [Sample.alertmanager("am1:9093"), Sample.alertmanager("am2:9093")]
    return settings
  }

  private func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &random) < p }

  private func answer(_ url: String, _ at: Timestamp) -> ScrapeOutcome.Result {
    if chance(targetFaults) {
      switch Int.random(in: 0..<4, using: &random) {
      case 0: return .failure("context deadline exceeded")
      case 1: return world.text("hot{ 1\n")
      case 2: return .bodyTooLarge(limit: 10)
      default: return .body(Array("hot 1\n".utf8), contentType: "")
      }
    }
    if chance(0.1) { isHot[url, default: false].toggle() }
    return world.text("hot \(isHot[url] == true ? 1 : 0)\nother 1\n")
  }

  private func receive(_ request: DeliveryRequest, _ at: Timestamp) -> DeliveryOutcome.Result? {
    trace.combine(request.receiver)
    trace.combine(request.body)
    if chance(receiverFaults) {
      switch Int.random(in: 0..<4, using: &random) {
      case 0: return .failed("connection refused")
      case 1: return .answered(status: 500, retryAfter: nil, body: "")
      case 2: return .answered(status: 429, retryAfter: .seconds(7), body: "")
      default:
        // Accepted, but the answer is lost.
        believe(request, at)
        return .failed("unexpected EOF")
      }
    }
    believe(request, at)
    return .answered(status: 200, retryAfter: nil, body: "")
  }

  private func believe(_ request: DeliveryRequest, _ at: Timestamp) {
    for alert in request.json["alerts"]?.array ?? request.json.array ?? [] {
      let labels = LabelSet((alert["labels"]?.object ?? []).map { ($0.key, $0.value.string ?? "") })
      let fires =
        alert["status"].map { $0.string == "firing" }
        ?? ((alert["endsAt"]?.string ?? "") > AlertmanagerPayload.time(at))
      beliefs[request.receiver, default: [:]][labels.description] =
        fires ? at + .minutes(4) : nil
    }
  }

  func live(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        variant = Int.random(in: 0..<4, using: &random)
        world.send(.reload(try Self.settings(variant: variant)))
      case 1: world.sleep(for: .seconds(Int64.random(in: 0..<200, using: &random)))
      case 2: targetFaults = chance(0.5) ? 0 : 0.5
      case 3: receiverFaults = chance(0.5) ? 0 : 0.9
      default: break
      }
      world.run(for: .milliseconds(Int64.random(in: 1..<40_000, using: &random)))
      checkSlots()
    }
  }

  private func checkSlots() {
    for group in world.kernel.scheduler.groups {
      guard let slot = group.runner.lastEvaluation else { continue }
      let key = group.definition.key
      if slot > world.now || group.schedule.slot(atOrBefore: slot) != slot {
        problems.append("group \(key) evaluated off its slots at \(slot)")
      }
      if let last = lastSlots[key], slot < last { problems.append("group \(key) went back") }
      lastSlots[key] = slot
    }
    for record in world.logs.suffix(50) where record.message == "Rule results dropped" {
      problems.append("results dropped: \(record.fields)")
    }
  }

  /// Lets everything work again and compares what receivers believe with what fires.
  func settle() {
    targetFaults = 0
    receiverFaults = 0
    for target in world.kernel.targetsReport.active { isHot[target.url] = isHot[target.url] }
    world.run(for: .minutes(8))
    let firing = Set(
      world.kernel.alertsReport.filter {
        $0.state == .firing && world.now - $0.activeAt > .minutes(6)
      }
      .map(\.labels.description))
    let possible = Set(
      world.kernel.alertsReport.filter { $0.state == .firing }.map(\.labels.description))
    let receivers = [
      "hook", "waits", "http://am1:9093/api/v2/alerts", "http://am2:9093/api/v2/alerts",
    ]
    for receiver in receivers {
      let known = beliefs[receiver] ?? [:]
      let isWebhook = !receiver.utf8.contains(UInt8(ascii: ":"))
      let believed = Set(
        known.filter { isWebhook || $0.value > world.now }.map(\.key))
      if !firing.isSubset(of: believed) {
        problems.append("\(receiver) does not know of \(firing.subtracting(believed).sorted())")
      }
      if !believed.isSubset(of: possible) && quiet(believed.subtracting(possible)) {
        problems.append("\(receiver) still believes \(believed.subtracting(possible).sorted())")
      }
    }
  }

  /// Whether these alerts ended long enough ago for everyone to have heard.
  private func quiet(_ labels: Set<String>) -> Bool {
    let recent = Set(
      world.logs.filter { $0.message == "Alert resolved" }.suffix(40).compactMap { record in
        let fields = Dictionary(record.fields.map { ($0.name, $0.value) }) { $1 }
        return (fields["at"] ?? "") > (world.now - .minutes(2)).rfc3339 ? fields["labels"] : nil
      })
    return !labels.isSubset(of: recent)
  }
}

@Suite struct SimulationTests {
  @Test(arguments: 0..<60) func everyReceiverLearnsTheTruth(seed: UInt64) throws {
    let flaky = try FlakyWorld(seed: seed)
    try flaky.live(steps: 60)
    flaky.settle()
    #expect(flaky.problems.isEmpty, "seed \(seed): \(flaky.problems.prefix(3))")
  }

  @Test func oneSeedIsOneWorld() throws {
    let digests = try (0..<2).map { _ in
      let flaky = try FlakyWorld(seed: 4711)
      try flaky.live(steps: 80)
      flaky.settle()
      return flaky.trace.value
    }
    #expect(digests[0] == digests[1])
  }
}
