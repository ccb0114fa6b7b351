import Model
import Testing

@testable import Kernel

private let start = Timestamp(seconds: 1_700_000_000)

private func alert(_ name: String, firing: Bool = true, ends: PromDuration = .minutes(4))
  -> AlertNotification
{
  AlertNotification(
    labels: ["alertname": name], annotations: [], startsAt: start, endsAt: start + ends,
    generatorURL: "", isFiring: firing)
}

private func answered(_ status: Int, retryAfter: PromDuration? = nil) -> DeliveryOutcome {
  DeliveryOutcome(
    result: .answered(status: status, retryAfter: retryAfter, body: ""),
    duration: .milliseconds(3))
}

@Suite struct AlertmanagerQueueTests {
  private let queue = AlertmanagerQueue(
    url: "http://am", http: HTTPSettings(), timeout: .seconds(10))

  private func names(_ batch: [AlertNotification]?) -> [String]? {
    batch?.map { $0.labels.value(of: "alertname") }
  }

  @Test func sendsBatchesInOrderOneAtATime() {
    var random = SeededGenerator(seed: 0)
    var effects = EffectList()
    queue.append((0..<5).map { alert("\($0)") }, capacity: 100, &effects)
    #expect(names(queue.takeBatch(at: start, size: 2)) == ["0", "1"])
    #expect(queue.takeBatch(at: start, size: 2) == nil)
    queue.append([alert("5")], capacity: 100, &effects)
    queue.finish(answered(200), at: start, givesUp: false, using: &random, &effects)
    #expect(names(queue.takeBatch(at: start, size: 4)) == ["2", "3", "4", "5"])
    queue.finish(answered(200), at: start, givesUp: false, using: &random, &effects)
    #expect(queue.isIdle)
    #expect(queue.counts.sent == 6)
    #expect(effects.effects.isEmpty)
  }

  @Test func dropsTheOldestBeyondTheCapacityButNotThoseOnTheirWay() {
    var effects = EffectList()
    queue.append([alert("0"), alert("1")], capacity: 3, &effects)
    _ = queue.takeBatch(at: start, size: 1)
    queue.append([alert("2"), alert("3"), alert("4")], capacity: 3, &effects)
    #expect(queue.length == 3)
    #expect(queue.counts.dropped == 2)
    var random = SeededGenerator(seed: 0)
    queue.finish(answered(200), at: start, givesUp: false, using: &random, &effects)
    #expect(names(queue.takeBatch(at: start, size: 9)) == ["3", "4"])
  }

  @Test func retriesWithBackOffUntilSuperseded() throws {
    var random = SeededGenerator(seed: 7)
    var effects = EffectList()
    queue.append([alert("a"), alert("b")], capacity: 10, &effects)
    _ = queue.takeBatch(at: start, size: 10)
    queue.finish(answered(503), at: start, givesUp: false, using: &random, &effects)
    #expect(queue.counts.errors == 2)
    let retry = try #require(queue.nextDeadline)
    #expect(retry > start && retry <= start + .seconds(1))
    #expect(queue.takeBatch(at: start, size: 10) == nil)
    queue.append([alert("a", firing: false, ends: .seconds(1))], capacity: 10, &effects)
    let batch = try #require(queue.takeBatch(at: retry, size: 10))
    #expect(names(batch) == ["b", "a"])
    #expect(batch.map(\.isFiring) == [true, false])
    queue.finish(
      answered(429, retryAfter: .seconds(30)), at: retry, givesUp: false, using: &random, &effects)
    #expect(queue.nextDeadline == retry + .seconds(30))
  }

  @Test func firingAlertsWhoseWordExpiredAreNotTold() {
    var random = SeededGenerator(seed: 7)
    var effects = EffectList()
    queue.append([alert("old"), alert("gone", firing: false)], capacity: 10, &effects)
    _ = queue.takeBatch(at: start, size: 10)
    queue.finish(
      DeliveryOutcome(result: .failed("connection refused"), duration: .zero), at: start,
      givesUp: false, using: &random, &effects)
    #expect(names(queue.takeBatch(at: start + .minutes(5), size: 10)) == ["gone"])
    #expect(queue.counts.dropped == 1)
  }

  @Test func refusalsAreFinal() {
    var random = SeededGenerator(seed: 7)
    var effects = EffectList()
    queue.append([alert("a")], capacity: 10, &effects)
    _ = queue.takeBatch(at: start, size: 10)
    queue.finish(answered(400), at: start, givesUp: false, using: &random, &effects)
    #expect(queue.isIdle)
    #expect(queue.counts.dropped == 1)
  }
}
