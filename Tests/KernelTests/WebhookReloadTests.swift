import JSON
import Model
import Testing

@testable import Kernel

private typealias Line = WebhookLine

private func alert(
  _ number: Int, team: String = "x", starts: Timestamp = Line.start, ends: Timestamp? = nil
) -> AlertNotification {
  AlertNotification(
    labels: ["alertname": "A", "i": "\(number)", "team": team], annotations: [], startsAt: starts,
    endsAt: ends ?? starts + .hours(48), generatorURL: "", isFiring: ends == nil)
}

@Suite struct RegroupingTests {
  private let works = Line.answered(200)

  /// One notification that has not been delivered, and then another grouping.
  private func stuck(_ change: (inout WebhookSettings) -> Void = { _ in }) -> Line {
    let line = Line(change)
    line.answer = { _ in Line.answered(503) }
    line.notify(alert(1))
    line.run(for: .seconds(5))
    line.reload { $0.groupBy = ["..."] }
    return line
  }

  @Test func theEndIsToldAfterANotificationThatWasOnItsWay() {
    let line = stuck()
    let tries = line.tries.count
    line.notify(alert(1, ends: line.now))
    line.run(for: .seconds(20))
    #expect(Set(line.keys).count == 1, "nothing newer before it")
    line.answer = { _ in works }
    line.run(for: .minutes(5))
    #expect(line.words.dropFirst(tries).suffix(2) == ["1+", "1-"])
    #expect(line.receiver.groupCount == 0)
  }

  @Test func aRestartInTheMiddleChangesNothingOfThat() {
    for moment in 0..<3 {
      let line = stuck()
      if moment == 0 { line.restart(after: .seconds(9)) }
      line.notify(alert(1, ends: line.now))
      if moment == 1 { line.restart(after: .seconds(9)) }
      line.run(for: .seconds(20))
      if moment == 2 { line.restart(after: .seconds(9)) }
      line.answer = { _ in works }
      line.run(for: .minutes(5))
      #expect(line.words.suffix(2) == ["1+", "1-"], "\(moment)")
      #expect(line.receiver.groupCount == 0)
    }
  }

  @Test func aGroupingThatChangedWhileTheProcessWasDownIsNoDifferent() {
    let line = Line()
    line.notify(alert(1))
    line.notify(alert(2))
    line.notify(alert(1, ends: line.now))
    let saved = line.receiver.checkpoint()
    line.reload { $0.groupBy = ["..."] }
    let tries = line.tries.count
    line.restart(after: .seconds(9), from: saved)
    line.notify(alert(2, ends: line.now))
    line.run(for: .minutes(5))
    #expect(line.words.dropFirst(tries) == ["1-", "2+", "2-"])
    #expect(line.receiver.groupCount == 0)
  }

  @Test func aRefusalLetsTheAlertsGo() {
    let line = stuck()
    line.answer = { _ in Line.answered(400) }
    line.run(for: .seconds(20))
    line.answer = { _ in works }
    line.run(for: .minutes(3))
    #expect(line.words.last == "1+", "told afresh in its new group")
    #expect(Set(line.keys).count == 2)
    line.notify(alert(1, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words.last == "1-")
  }

  @Test func whatWasGivenUpMayHaveArrived() {
    for regroups in [false, true] {
      let line = Line { $0.deadLetterAfter = .minutes(10) }
      line.answer = { _ in .failed("unexpected EOF") }
      line.notify(alert(1))
      line.run(for: .seconds(5))
      if regroups { line.reload { $0.groupBy = ["..."] } }
      line.notify(alert(1, ends: line.now))
      line.answer = { _ in line.letters.isEmpty ? .failed("unexpected EOF") : works }
      line.run(for: .minutes(20))
      #expect(line.letters.count == 1)
      #expect(line.words.last == "1-")
      #expect(line.receiver.groupCount == 0)
    }
  }

  @Test func alertsThatTheNotificationDoesNotSpeakOfMoveAtOnce() {
    let line = Line { $0.groupBy = ["alertname"] }
    line.answer = { Line.says($0, "1") ? Line.answered(503) : works }
    line.notify(alert(1))
    line.notify(alert(2))
    line.run(for: .seconds(5))
    line.reload { $0.groupBy = ["..."] }
    line.run(for: .seconds(30))
    #expect(line.words.contains("2+"))
    line.notify(alert(2, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words.contains("2-"))
    #expect(!line.words.contains("1-"))
  }

  @Test func backToTheOldGroupingAllIsAsBefore() {
    let line = stuck()
    line.notify(alert(2))
    line.reload { $0.groupBy = ["alertname"] }
    line.notify(alert(1, ends: line.now))
    line.answer = { _ in works }
    line.run(for: .minutes(5))
    #expect(line.receiver.groupCount == 1)
    #expect(line.words.last?.contains("2+") == true)
    #expect(line.words.contains { $0.contains("1-") })
    line.notify(alert(2, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words.last == "2-")
    #expect(line.receiver.groupCount == 0)
  }

  @Test func whatWasToldIsHandedOverWithoutANotificationOnItsWay() {
    let line = Line { $0.groupWait = .seconds(30) }
    line.notify(alert(1))
    line.run(for: .minutes(1))
    #expect(line.words == ["1+"])
    // Over before the reload, and not yet told.
    line.notify(alert(1, ends: line.now))
    line.reload { $0.groupBy = ["..."] }
    line.run(for: .minutes(1))
    #expect(line.words == ["1+", "1-"])
    #expect(line.receiver.groupCount == 0)
  }
}

@Suite struct ReceiverChangeTests {
  @Test func theEndOfAnAlertThatIsNotWantedAnyMoreIsTold() {
    let line = Line { $0.repeatInterval = .minutes(5) }
    line.notify(alert(1, team: "x"))
    line.notify(alert(2, team: "y"))
    line.run(for: .minutes(2))
    #expect(line.words == ["1+", "1+ 2+"])
    line.reload { $0.matchers = [Matcher("team", equals: "x")] }
    line.notify(alert(3, team: "y"))
    line.run(for: .minutes(2))
    #expect(line.words.last == "1+", "another route is another group")
    line.notify(alert(2, team: "y"))
    line.notify(alert(2, team: "y", ends: line.now))
    line.notify(alert(3, team: "y", ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words.last == "1+ 2-")
    line.notify(alert(2, team: "y", starts: line.now))
    line.run(for: .minutes(20))
    #expect(line.words.dropFirst(4).allSatisfy { $0 == "1+" })
    line.notify(alert(1, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words.last == "1-")
    #expect(line.receiver.groupCount == 0)
  }

  @Test func anUnwantedAlertIsWantedAgain() {
    let line = Line()
    line.notify(alert(1, team: "y"))
    line.reload { $0.matchers = [Matcher("team", equals: "x")] }
    line.restart(after: .seconds(3))
    line.run(for: .minutes(3))
    #expect(line.words == ["1+"])
    line.reload { $0.matchers = [] }
    line.run(for: .minutes(3))
    #expect(line.words == ["1+", "1+"], "in its new group")
    line.notify(alert(1, team: "y", ends: line.now))
    line.run(for: .minutes(3))
    #expect(line.words.last == "1-")
    #expect(line.receiver.groupCount == 0)
  }

  @Test func whatNobodyWantsAnyMoreIsForgottenIfItWasNotTold() {
    let line = Line { $0.groupWait = .minutes(1) }
    line.notify(alert(1, team: "y"))
    line.reload { $0.matchers = [Matcher("team", equals: "x")] }
    #expect(line.receiver.groupCount == 0)
    #expect(line.receiver.alertCount == 0)
  }

  @Test func moreRoomShowsWhatWasLeftOut() {
    let line = Line { $0.maxAlerts = 1 }
    line.answer = { _ in Line.answered(503) }
    for i in 1...3 { line.notify(alert(i)) }
    line.answer = { _ in Line.answered(200) }
    line.run(for: .minutes(3))
    #expect(line.words.last == "1+")
    let tries = line.tries.count
    line.run(for: .minutes(30))
    #expect(line.tries.count == tries)
    line.reload { $0.maxAlerts = 0 }
    line.run(for: .minutes(30))
    #expect(line.words.dropFirst(tries) == ["1+ 2+ 3+"])
    line.reload { $0.maxAlerts = 2 }
    line.run(for: .minutes(30))
    #expect(line.tries.count == tries + 1)
  }

  @Test func sendResolvedCountsFromNowOn() {
    let line = Line { $0.sendResolved = false }
    line.notify(alert(1))
    line.notify(alert(2))
    line.run(for: .minutes(2))
    line.notify(alert(1, ends: line.now))
    line.run(for: .minutes(2))
    line.reload { $0.sendResolved = true }
    line.notify(alert(2, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words == ["1+", "1+ 2+", "2-"])
    #expect(line.receiver.groupCount == 0)
  }

  @Test func aShorterIntervalIsObeyedAtOnce() {
    let line = Line { $0.groupInterval = .hours(1) }
    line.notify(alert(1))
    line.notify(alert(2))
    line.reload { $0.groupInterval = .seconds(30) }
    line.run(for: .minutes(1))
    #expect(line.words == ["1+", "1+ 2+"])
  }

  @Test func withoutSendResolvedAnAlertThatComesBackIsNews() {
    let line = Line { $0.sendResolved = false }
    line.notify(alert(1))
    line.notify(alert(2))
    line.run(for: .minutes(2))
    line.notify(alert(2, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words == ["1+", "1+ 2+"])
    line.restart(after: .seconds(1))
    line.notify(alert(2, starts: line.now))
    line.run(for: .minutes(2))
    #expect(line.words == ["1+", "1+ 2+", "1+ 2+"])
  }
}

@Suite struct IdempotencyKeyTests {
  /// The disk refuses writes, the alert ends and that is told, the process dies: the next one
  /// starts from before and says what was said then.
  @Test func whatAProcessSaysOfItsOwnHasAKeyThatNoOtherHasUsed() {
    let line = Line()
    line.notify(alert(0))
    line.notify(alert(0, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.receiver.groupCount == 0)
    let saved = line.receiver.checkpoint()
    line.notify(alert(1))
    line.notify(alert(1, ends: line.now))
    line.run(for: .minutes(2))
    #expect(line.words == ["0+", "0-", "1+", "1-"])
    line.restart(after: .seconds(5), from: saved)
    line.notify(alert(1))
    #expect(line.words.last == "1+")
    #expect(line.tries.last?.request.body == line.tries[2].request.body)
    #expect(Set(line.keys).count == 5)
  }

  @Test func aGroupThatIsMadeAnewDoesNotUseAKeyAgain() {
    let line = Line()
    for _ in 0..<3 {
      // Its word expires, and then it is repeated: the same text, after other news.
      line.notify(alert(1))
      line.notify(alert(1, ends: line.now))
      line.run(for: .minutes(2))
      #expect(line.receiver.groupCount == 0)
    }
    #expect(line.words == ["1+", "1-", "1+", "1-", "1+", "1-"])
    #expect(Set(line.keys).count == 6)
    #expect(line.tries[0].request.body == line.tries[2].request.body)
  }
}
