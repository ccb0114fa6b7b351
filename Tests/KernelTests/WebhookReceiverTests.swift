import JSON
import Model
import Testing

@testable import Kernel

private let start = Timestamp(seconds: 1_700_000_000)

private func alert(
  _ labels: LabelSet, starts: Timestamp = start, ends: Timestamp? = nil
) -> AlertNotification {
  AlertNotification(
    labels: labels, annotations: [], startsAt: starts, endsAt: ends ?? starts + .hours(1),
    generatorURL: "", isFiring: ends == nil)
}

/// A receiver under test with its clock and its answers.
private final class Bench {
  let receiver: WebhookReceiver
  var now = start
  var random = SeededGenerator(seed: 3)
  var effects = EffectList()
  var sent: [(group: String, request: DeliveryRequest)] = []

  init(_ change: (inout WebhookSettings) -> Void = { _ in }) {
    var settings = WebhookSettings(name: "ops", url: .inline("http://hook"))
    change(&settings)
    receiver = WebhookReceiver(settings)
  }

  /// Takes all requests that may leave now.
  func take() -> [DeliveryRequest] {
    var requests: [DeliveryRequest] = []
    while let next = receiver.takeRequest(at: now, global: GlobalSettings()) {
      sent.append(next)
      requests.append(next.request)
    }
    return requests
  }

  func answer(_ status: Int, retryAfter: PromDuration? = nil) {
    let (group, _) = sent.removeFirst()
    receiver.finish(
      group,
      DeliveryOutcome(
        result: .answered(status: status, retryAfter: retryAfter, body: "no"), duration: .zero),
      at: now, giveUp: false, using: &random, &effects)
  }

  func fail() {
    let (group, _) = sent.removeFirst()
    receiver.finish(
      group, DeliveryOutcome(result: .failed("refused"), duration: .zero), at: now, giveUp: false,
      using: &random, &effects)
  }

  /// `status name/status …` of a body.
  static func summary(_ request: DeliveryRequest) throws -> String {
    let json = try JSONValue(parsing: request.body)
    let alerts = (json["alerts"]?.array ?? []).map {
      "\($0["labels"]?["i"]?.string ?? "-")/\($0["status"]?.string ?? "")"
    }
    return ([json["status"]?.string ?? ""] + alerts).joined(separator: " ")
  }
}

@Suite struct WebhookReceiverTests {
  private let one: LabelSet = ["alertname": "A", "i": "1"]
  private let two: LabelSet = ["alertname": "A", "i": "2"]

  @Test func tellsAtOnceThenOncePerInterval() throws {
    let bench = Bench()
    bench.receiver.notify(alert(one), at: bench.now)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing"])
    bench.answer(200)
    bench.now = start + .seconds(10)
    bench.receiver.notify(alert(two, starts: bench.now), at: bench.now)
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.nextDeadline == start + .minutes(1))
    bench.now = start + .minutes(1)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing 2/firing"])
    bench.answer(204)
    bench.now = start + .seconds(70)
    bench.receiver.notify(alert(one, ends: bench.now), at: bench.now)
    bench.now = start + .minutes(2)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/resolved 2/firing"])
    bench.answer(200)
    bench.receiver.notify(alert(two, ends: bench.now), at: bench.now)
    bench.now = start + .minutes(3)
    #expect(try bench.take().map(Bench.summary) == ["resolved 2/resolved"])
    bench.answer(200)
    #expect(bench.receiver.groupCount == 0)
    #expect(bench.receiver.nextDeadline == nil)
  }

  @Test func waitsForTheGroupUnlessTheAlertIsOld() throws {
    let bench = Bench { $0.groupWait = .seconds(30) }
    bench.receiver.notify(alert(one), at: bench.now)
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.nextDeadline == start + .seconds(30))
    bench.receiver.notify(
      alert(two, starts: start - .minutes(1), ends: nil), at: bench.now)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing 2/firing"])
  }

  @Test func repeatsAfterTheRepeatInterval() throws {
    let bench = Bench { $0.repeatInterval = .minutes(5) }
    bench.receiver.notify(alert(one), at: bench.now)
    _ = bench.take()
    bench.answer(200)
    var told: [Int] = []
    for minute in 1...12 {
      bench.now = start + .minutes(Int64(minute))
      if !bench.take().isEmpty {
        told.append(minute)
        bench.answer(200)
      }
    }
    #expect(told == [6, 12])
  }

  @Test func keepsTheFirstWordThroughRetriesAndTheRestInOrder() throws {
    let bench = Bench()
    bench.receiver.notify(alert(one), at: bench.now)
    let first = try #require(bench.take().first)
    bench.fail()
    let key = first.headers.first { $0.name == "Idempotency-Key" }?.value
    bench.receiver.notify(alert(one, ends: start + .seconds(5)), at: start + .seconds(5))
    for _ in 0..<5 {
      let next = try #require(bench.receiver.nextDeadline)
      #expect(next > bench.now)
      bench.now = next
      let again = try #require(bench.take().first)
      #expect(again.body == first.body)
      #expect(again.headers.first { $0.name == "Idempotency-Key" }?.value == key)
      bench.answer(500)
    }
    bench.now = try #require(bench.receiver.nextDeadline)
    #expect(bench.take().count == 1)
    bench.answer(200)
    bench.now = max(bench.now, start + .minutes(1))
    let last = try #require(bench.take().first)
    #expect(try Bench.summary(last) == "resolved 1/resolved")
    #expect(last.headers.first { $0.name == "Idempotency-Key" }?.value != key)
    bench.answer(200)
    #expect(bench.receiver.isIdle)
    #expect(bench.receiver.groupCount == 0)
  }

  @Test func obeysRetryAfter() {
    let bench = Bench()
    bench.receiver.notify(alert(one), at: bench.now)
    _ = bench.take()
    bench.answer(503, retryAfter: .seconds(45))
    #expect(bench.receiver.nextDeadline == start + .seconds(45))
  }

  @Test func givesUpAfterTheAge() throws {
    let bench = Bench { $0.deadLetterAfter = .minutes(10) }
    bench.receiver.notify(alert(one, ends: nil), at: bench.now)
    _ = bench.take()
    bench.fail()
    while bench.receiver.deadLetters == 0 {
      bench.now = try #require(bench.receiver.nextDeadline)
      if !bench.take().isEmpty { bench.fail() }
      if bench.now > start + .hours(1) { break }
    }
    #expect(bench.receiver.deadLetters == 1)
    #expect(bench.now >= start + .minutes(10))
    #expect(bench.receiver.counts.dropped == 1)
  }

  @Test func refusedNotificationsAreTriedAfreshAtTheNextInterval() throws {
    let bench = Bench()
    bench.receiver.notify(alert(one), at: bench.now)
    _ = bench.take()
    bench.answer(404)
    #expect(bench.receiver.nextDeadline == start + .minutes(1))
    bench.now = start + .minutes(1)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing"])
  }

  @Test func matchersGroupingAndTruncation() throws {
    let bench = Bench {
      $0.matchers = [Matcher("severity", equals: "page")]
      $0.groupBy = []
      $0.maxAlerts = 1
    }
    bench.receiver.notify(alert(["alertname": "A", "i": "0"]), at: bench.now)
    bench.receiver.notify(alert(["alertname": "A", "i": "1", "severity": "page"]), at: bench.now)
    bench.receiver.notify(alert(["alertname": "B", "i": "2", "severity": "page"]), at: bench.now)
    let requests = bench.take()
    #expect(try requests.map(Bench.summary) == ["firing 1/firing"])
    let json = try JSONValue(parsing: requests[0].body)
    #expect(json["truncatedAlerts"]?.int == 1)
    #expect(json["groupKey"]?.string == #"{}/{severity="page"}:{}"#)
  }

  @Test func everyAlertAlone() {
    let bench = Bench { $0.groupBy = ["..."] }
    bench.receiver.notify(alert(one), at: bench.now)
    bench.receiver.notify(alert(two), at: bench.now)
    #expect(bench.take().count == 2)
    #expect(Set(bench.sent.map(\.group)).count == 2)
  }

  @Test func withoutSendResolvedTheEndIsSilentAndForgotten() throws {
    let bench = Bench { $0.sendResolved = false }
    bench.receiver.notify(alert(one), at: bench.now)
    _ = bench.take()
    bench.answer(200)
    bench.receiver.notify(alert(one, ends: start + .seconds(5)), at: start + .seconds(5))
    bench.now = start + .minutes(1)
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.groupCount == 0)
    bench.receiver.notify(alert(one, starts: bench.now), at: bench.now)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing"])
  }

  @Test func newsOfAnEndNobodyKnowsIsIgnored() {
    let bench = Bench()
    bench.receiver.notify(alert(one, ends: start), at: bench.now)
    #expect(bench.receiver.groupCount == 0)
  }
}
