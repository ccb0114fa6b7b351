import JSON
import Model
import Testing

@testable import Kernel

private let start = Timestamp(seconds: 1_700_000_000)

private func alert(
  _ number: Int, starts: Timestamp = start, ends: Timestamp? = nil,
  believed: PromDuration = .hours(48)
) -> AlertNotification {
  AlertNotification(
    labels: ["alertname": "A", "i": "\(number)"], annotations: [], startsAt: starts,
    endsAt: ends ?? starts + believed, generatorURL: "", isFiring: ends == nil)
}

private typealias Line = WebhookLine

@Suite struct RetryTests {
  @Test func doublesWithJitterUpToABound() {
    var random = SeededGenerator(seed: 5)
    for failures in 1...40 {
      let step = min(Int64(1000) << Int64(min(failures - 1, 16)), 60_000)
      let pause = Backoff.pause(afterFailures: failures, using: &random).milliseconds
      #expect((step / 2...step).contains(pause), "after \(failures) failures")
    }
  }

  @Test func isAFunctionOfItsSeed() {
    func series(_ seed: UInt64) -> [PromDuration] {
      var random = SeededGenerator(seed: seed)
      return (1...10).map { Backoff.pause(afterFailures: $0, using: &random) }
    }
    #expect(series(1) == series(1))
    #expect(series(1) != series(2))
  }

  @Test(arguments: [
    (200, "accepted"), (204, "accepted"), (302, "refused"), (400, "refused"), (404, "refused"),
    (408, "retry"), (413, "refused"), (429, "retry"), (500, "retry"), (503, "retry"),
  ])
  func statuses(_ status: Int, _ expected: String) {
    let outcome = DeliveryOutcome(result: Line.answered(status), duration: .zero)
    let verdict =
      switch DeliveryVerdict(outcome) {
      case .accepted: "accepted"
      case .refused: "refused"
      case .retry: "retry"
      }
    #expect(verdict == expected)
  }
}

@Suite struct CircuitBreakerTests {
  @Test func opensAfterFailuresInARowAndAsksAgain() throws {
    var random = SeededGenerator(seed: 1)
    var breaker = CircuitBreaker()
    for failure in 1...5 {
      #expect(breaker.admits(at: start))
      let sent = breaker.send()
      let opens = breaker.fail(at: start, sent: sent, retryAfter: nil, using: &random)
      #expect(opens == (failure == 5))
    }
    #expect(breaker.state == .open)
    #expect(breaker.trips == 1)
    #expect(!breaker.admits(at: start + .seconds(4)))
    let until = try #require(breaker.nextAdmission)
    #expect((PromDuration.seconds(5)...PromDuration.seconds(10)).contains(until - start))
    #expect(breaker.admits(at: until))
    let probe = breaker.send()
    #expect(breaker.state == .halfOpen)
    #expect(!breaker.admits(at: until + .hours(1)), "one at a time")
    #expect(breaker.nextAdmission == nil)
    let isNews = breaker.fail(at: until, sent: probe, retryAfter: nil, using: &random)
    #expect(!isNews && breaker.state == .open && breaker.trips == 1)
    let second = try #require(breaker.nextAdmission)
    #expect((PromDuration.seconds(10)...PromDuration.seconds(20)).contains(second - until))
    _ = breaker.send()
    let closes = breaker.close()
    #expect(closes && breaker.state == .closed && breaker.failures == 0)
  }

  @Test func successStartsTheCountOver() {
    var random = SeededGenerator(seed: 1)
    var breaker = CircuitBreaker()
    for round in 1...20 {
      let sent = breaker.send()
      _ = breaker.fail(at: start, sent: sent, retryAfter: nil, using: &random)
      if round % 4 == 0 { _ = breaker.close() }
    }
    #expect(breaker.state == .closed)
    #expect(breaker.trips == 0)
  }

  @Test func stragglersDoNotProlongThePause() {
    var random = SeededGenerator(seed: 1)
    var breaker = CircuitBreaker()
    let sent = (1...8).map { _ in breaker.send() }
    for one in sent { _ = breaker.fail(at: start, sent: one, retryAfter: nil, using: &random) }
    #expect(breaker.failures == 5)
    #expect(breaker.notBefore.map { $0 <= start + .seconds(10) } == true)
  }

  @Test func obeysTheReceiverWithinReason() {
    var random = SeededGenerator(seed: 1)
    var breaker = CircuitBreaker()
    let sent = breaker.send()
    _ = breaker.fail(at: start, sent: sent, retryAfter: .seconds(30), using: &random)
    #expect(breaker.state == .closed)
    #expect(!breaker.admits(at: start + .seconds(29)))
    #expect(breaker.admits(at: start + .seconds(30)))
    _ = breaker.send()
    _ = breaker.fail(at: start, sent: sent, retryAfter: .hours(9_000), using: &random)
    #expect(breaker.nextAdmission == start + CircuitBreaker.mostPatience)
  }
}

@Suite struct WebhookBreakerTests {
  @Test func aDeadReceiverOfManyGroupsIsAskedRarely() {
    let line = Line { $0.groupBy = ["..."] }
    line.answer = { _ in .failed("connection refused") }
    for i in 0..<100 { line.notify(alert(i)) }
    line.run(for: .minutes(10))
    // Five to open, then one probe a minute at most every ten seconds.
    #expect(line.tries.count < 30, "\(line.tries.count) requests in ten minutes")
    #expect(line.receiver.breaker.state == .open)
    #expect(line.receiver.outstandingCount == 100)
    #expect(line.messages.filter { $0.contains("circuit breaker open") }.count == 1)
    line.answer = { _ in Line.answered(200) }
    let before = line.tries.count
    line.run(for: .minutes(1))
    #expect(line.tries.count == before + 100, "one probe, then all that waits")
    #expect(line.receiver.isIdle)
    #expect(line.receiver.breaker.state == .closed)
    #expect(line.messages.contains { $0.contains("circuit breaker closed") })
    #expect(Set(line.keys.suffix(100)).count == 100)
  }

  @Test func aRefusalClosesTheBreaker() {
    let line = Line { $0.groupBy = ["..."] }
    line.answer = { _ in .failed("connection refused") }
    for i in 0..<5 { line.notify(alert(i)) }
    #expect(line.receiver.breaker.state == .open)
    line.answer = { _ in Line.answered(404) }
    line.run(for: .seconds(15))
    #expect(line.receiver.breaker.state == .closed)
  }

  @Test func retryAfterHoldsTheWholeReceiver() {
    let line = Line { $0.groupBy = ["..."] }
    line.answer = { _ in Line.answered(429, after: .seconds(40)) }
    line.notify(alert(1))
    line.answer = { _ in Line.answered(200) }
    line.notify(alert(2))
    #expect(line.offsets == [0])
    line.run(for: .minutes(1))
    #expect(line.offsets == [0, 40, 40])
    #expect(line.receiver.isIdle)
  }

  @Test func anotherAddressIsTriedAtOnce() {
    let line = Line()
    line.answer = { _ in .failed("no such host") }
    line.notify(alert(1))
    line.run(for: .minutes(5))
    #expect(line.receiver.breaker.state == .open)
    line.answer = { _ in Line.answered(200) }
    line.receiver.update(WebhookSettings(name: "ops", url: .inline("http://other")), at: line.now)
    line.exchange()
    #expect(line.receiver.isIdle)
    #expect(line.tries.last?.request.url == .inline("http://other"))
  }

  @Test func theSameSeedTriesAtTheSameTimes() {
    func offsets(_ seed: UInt64) -> [Double] {
      let line = Line(seed: seed)
      line.answer = { _ in Line.answered(503) }
      line.notify(alert(1))
      line.run(for: .minutes(10))
      return line.offsets
    }
    #expect(offsets(3) == offsets(3))
    #expect(offsets(3) != offsets(4))
  }
}

@Suite struct DeadLetterTests {
  @Test func tooOldNotificationsAreWrittenDownWhoever() throws {
    let line = Line {
      $0.groupBy = ["..."]
      $0.deadLetterAfter = .minutes(10)
    }
    line.answer = { _ in Line.answered(500) }
    for i in 0..<20 { line.notify(alert(i)) }
    line.run(for: .minutes(9))
    #expect(line.letters.isEmpty)
    line.run(for: .minutes(3))
    #expect(line.letters.count == 20, "also those that waited behind the breaker")
    #expect(line.receiver.deadLetters == 20)
    #expect(line.receiver.counts.dropped == 20)
    let letter = try #require(line.letters.first)
    #expect(letter.receiver == "ops")
    #expect(letter.reason == "bad response status 500")
    #expect(letter.created == start)
    let again = try #require(DeadLetter(json: letter.json))
    #expect(again == letter)
    #expect(try JSONValue(parsing: letter.body)["version"]?.string == "4")
    // What still fires is told afresh, under a key of its own.
    line.answer = { _ in Line.answered(200) }
    line.run(for: .minutes(3))
    #expect(line.receiver.isIdle)
    #expect(Set(line.keys.suffix(20)).isDisjoint(with: line.letters.map(\.key)))
  }

  @Test func refusedNewsIsToldAfreshAndWrittenDownOnceInAWhile() {
    let line = Line { $0.deadLetterAfter = .minutes(10) }
    line.answer = { _ in Line.answered(404) }
    line.notify(alert(1))
    line.run(for: .minutes(25))
    #expect(line.tries.count == 26, "once per interval")
    #expect(line.letters.count == 2)
    #expect(Set(line.keys).count == 3, "a text keeps its key until it is given up")
  }

  @Test func damagedLinesAreNoLetters() {
    for text in ["", "{}", "[1]", #"{"receiver":"a","key":"b"}"#, #"{"receiver":"a""#] {
      #expect(DeadLetter(json: Array(text.utf8)) == nil)
    }
  }
}

@Suite struct WebhookLimitTests {
  @Test func beyondTheCapacityAlertsWaitAndAreCounted() {
    let line = Line()
    var effects = EffectList()
    for i in 0..<5 { line.receiver.notify(alert(i), at: start, capacity: 3, &effects) }
    #expect(line.receiver.alertCount == 3)
    #expect(line.receiver.refusedAlerts == 2)
    let lines = effects.effects.filter {
      guard case .log(let record) = $0 else { return false }
      return record.level == .error
    }
    #expect(lines.count == 1, "once, not for each")
    // Those inside are updated and make room when they are over.
    line.exchange()
    line.receiver.notify(alert(0, ends: start), at: start, capacity: 3, &effects)
    line.run(for: .minutes(1))
    #expect(line.receiver.alertCount == 2)
    line.receiver.notify(alert(4), at: line.now, capacity: 3, &effects)
    #expect(line.receiver.alertCount == 3)
  }

  @Test func aChangedGroupingKeepsWhatIsWritten() throws {
    let line = Line()
    line.answer = { _ in .failed("connection refused") }
    line.notify(alert(1))
    let first = try #require(line.keys.first)
    var settings = WebhookSettings(name: "ops", url: .inline("http://hook"))
    settings.groupBy = ["alertname", "i"]
    line.receiver.update(settings, at: line.now)
    line.answer = { _ in Line.answered(200) }
    line.run(for: .minutes(2))
    #expect(line.receiver.isIdle)
    #expect(line.keys.filter { $0 == first }.count == 2)
    #expect(Set(line.keys).count == 2, "and the new group tells what fires")
    #expect(line.receiver.groupCount == 1)
  }
}

@Suite struct WebhookRestartTests {
  @Test func whatWasToldIsNotRepeated() {
    let line = Line()
    line.notify(alert(1))
    #expect(line.tries.count == 1)
    line.restart(after: .seconds(20))
    line.notify(alert(1))
    line.run(for: .minutes(30))
    #expect(line.tries.count == 1)
    line.notify(alert(1, ends: line.now))
    line.run(for: .minutes(1))
    #expect(line.tries.count == 2)
    #expect(line.receiver.groupCount == 0)
  }

  @Test func whatWasNotDeliveredGoesOnUnderItsKey() {
    let line = Line()
    line.answer = { _ in .failed("connection refused") }
    line.notify(alert(1))
    line.run(for: .seconds(10))
    line.answer = { _ in Line.answered(200) }
    line.restart(after: .hours(2))
    line.run(for: .minutes(1))
    #expect(Set(line.keys).count == 1)
    #expect(Set(line.tries.map(\.request.body)).count == 1)
    #expect(line.receiver.isIdle)
  }

  @Test func aRequestOnItsWayIsSentAgainUnderItsKey() throws {
    let settings = WebhookSettings(name: "ops", url: .inline("http://hook"))
    let first = WebhookReceiver(settings)
    var effects = EffectList()
    first.notify(alert(1), at: start, &effects)
    let unsaved = WebhookReceiver(settings, life: 2)
    unsaved.notify(alert(1), at: start + .seconds(9), &effects)
    let sent = try #require(first.takeRequest(at: start, global: GlobalSettings()))
    let saved = first.checkpoint()
    let second = WebhookReceiver(settings)
    second.restore(
      saved, downtime: .seconds(5), patience: start + .minutes(1), at: start + .seconds(5))
    let again = try #require(
      second.takeRequest(at: start + .seconds(5), global: GlobalSettings()))
    #expect(again.request.body == sent.request.body)
    #expect(again.request.headers.map(\.value) == sent.request.headers.map(\.value))
    // A process that knows nothing of it says the same, but under a key of its own.
    let fresh = try #require(
      unsaved.takeRequest(at: start + .seconds(9), global: GlobalSettings()))
    #expect(fresh.request.body == sent.request.body)
    #expect(fresh.request.headers.map(\.value) != sent.request.headers.map(\.value))
  }

  @Test func aLongDowntimeResolvesNothing() throws {
    let line = Line()
    line.notify(alert(1, believed: .minutes(4)))
    line.restart(after: .hours(3))
    line.run(for: .minutes(2))
    #expect(line.tries.count == 1, "the rules have not spoken yet")
    line.run(for: .minutes(5))
    let last = try #require(line.tries.last)
    #expect(last.request.json["status"]?.string == "resolved", "and never will")
  }

  @Test func backOffAndDeadLettersGoOn() {
    let line = Line { $0.deadLetterAfter = .minutes(30) }
    line.answer = { _ in Line.answered(500) }
    line.notify(alert(1))
    line.run(for: .minutes(20))
    line.restart(after: .minutes(20))
    line.run(for: .minutes(2))
    #expect(line.letters.count == 1)
    #expect(line.letters.first?.created == start)
  }

  @Test func theCheckpointSurvivesItsText() {
    let line = Line { $0.groupBy = ["..."] }
    line.notify(alert(1))
    line.answer = { _ in Line.answered(404) }
    line.notify(alert(2))
    line.answer = { _ in .failed("broken pipe") }
    line.notify(alert(3))
    let saved = line.receiver.checkpoint()
    #expect(saved.groups.count == 3)
    #expect(saved.groups.count { $0.outstanding != nil } == 1)
    let again = WebhookReceiver(line.receiver.settings)
    again.restore(saved, downtime: .zero, patience: start, at: start)
    #expect(again.checkpoint() == saved)
    let version = line.receiver.version
    line.notify(alert(1, believed: .hours(50)))
    #expect(line.receiver.version == version, "being believed longer is not worth saving")
  }
}
