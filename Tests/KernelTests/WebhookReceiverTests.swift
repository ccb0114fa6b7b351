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
  var sent: [(flight: WebhookReceiver.Flight, request: DeliveryRequest)] = []

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
    finish(.answered(status: status, retryAfter: retryAfter, body: "no"))
  }

  func fail() { finish(.failed("refused")) }

  private func finish(_ result: DeliveryOutcome.Result) {
    let (flight, _) = sent.removeFirst()
    receiver.finish(
      flight, DeliveryOutcome(result: result, duration: .zero), at: now, givesUp: false,
      using: &random, &effects)
  }

  func notify(_ alert: AlertNotification, at time: Timestamp? = nil, capacity: Int = .max) {
    receiver.notify(alert, at: time ?? now, capacity: capacity, &effects)
  }

  /// Dead letters so far.
  var deadLetters: [DeadLetter] {
    effects.effects.compactMap {
      guard case .deadLetter(let letter) = $0 else { return nil }
      return letter
    }
  }

  /// Messages of the log so far, debugging aside.
  var messages: [String] {
    effects.effects.compactMap {
      guard case .log(let record) = $0, record.level != .debug else { return nil }
      return record.message
    }
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
    bench.notify(alert(one))
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing"])
    bench.answer(200)
    bench.now = start + .seconds(10)
    bench.notify(alert(two, starts: bench.now))
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.nextDeadline == start + .minutes(1))
    bench.now = start + .minutes(1)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing 2/firing"])
    bench.answer(204)
    bench.now = start + .seconds(70)
    bench.notify(alert(one, ends: bench.now))
    bench.now = start + .minutes(2)
    #expect(try bench.take().map(Bench.summary) == ["firing 1/resolved 2/firing"])
    bench.answer(200)
    bench.notify(alert(two, ends: bench.now))
    bench.now = start + .minutes(3)
    #expect(try bench.take().map(Bench.summary) == ["resolved 2/resolved"])
    bench.answer(200)
    #expect(bench.receiver.groupCount == 0)
    #expect(bench.receiver.nextDeadline == nil)
  }

  @Test func waitsForTheGroupUnlessTheAlertIsOld() throws {
    let bench = Bench { $0.groupWait = .seconds(30) }
    bench.notify(alert(one))
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.nextDeadline == start + .seconds(30))
    bench.notify(alert(two, starts: start - .minutes(1)))
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing 2/firing"])
  }

  @Test func repeatsAfterTheRepeatInterval() throws {
    let bench = Bench { $0.repeatInterval = .minutes(5) }
    bench.notify(alert(one))
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
    bench.notify(alert(one))
    let first = try #require(bench.take().first)
    bench.fail()
    let key = first.headers.first { $0.name == "Idempotency-Key" }?.value
    bench.notify(alert(one, ends: start + .seconds(5)), at: start + .seconds(5))
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
    bench.notify(alert(one))
    _ = bench.take()
    bench.answer(503, retryAfter: .seconds(45))
    #expect(bench.receiver.nextDeadline == start + .seconds(45))
  }

  @Test func givesUpAfterTheAge() throws {
    let bench = Bench { $0.deadLetterAfter = .minutes(10) }
    bench.notify(alert(one, ends: nil))
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
    bench.notify(alert(one))
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
    bench.notify(alert(["alertname": "A", "i": "0"]))
    bench.notify(alert(["alertname": "A", "i": "1", "severity": "page"]))
    bench.notify(alert(["alertname": "B", "i": "2", "severity": "page"]))
    let requests = bench.take()
    #expect(try requests.map(Bench.summary) == ["firing 1/firing"])
    let json = try JSONValue(parsing: requests[0].body)
    #expect(json["truncatedAlerts"]?.int == 1)
    #expect(json["groupKey"]?.string == #"{}/{severity="page"}:{}"#)
  }

  @Test func everyAlertAlone() {
    let bench = Bench { $0.groupBy = ["..."] }
    bench.notify(alert(one))
    bench.notify(alert(two))
    #expect(bench.take().count == 2)
    #expect(Set(bench.sent.map(\.flight.group)).count == 2)
  }

  @Test func withoutSendResolvedTheEndIsSilentAndForgotten() throws {
    let bench = Bench { $0.sendResolved = false }
    bench.notify(alert(one))
    _ = bench.take()
    bench.answer(200)
    bench.notify(alert(one, ends: start + .seconds(5)), at: start + .seconds(5))
    bench.now = start + .minutes(1)
    #expect(bench.take().isEmpty)
    #expect(bench.receiver.groupCount == 0)
    bench.notify(alert(one, starts: bench.now))
    #expect(try bench.take().map(Bench.summary) == ["firing 1/firing"])
  }

  @Test func newsOfAnEndNobodyKnowsIsIgnored() {
    let bench = Bench()
    bench.notify(alert(one, ends: start))
    #expect(bench.receiver.groupCount == 0)
  }
}
