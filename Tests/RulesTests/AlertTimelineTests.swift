import Model
import Testing

@testable import Rules

/// Walks one alert through evaluations drawn as marbles.
///
/// Input: `x` holds, `-` does not. States: p pending, f firing, k kept firing, r resolved and
/// remembered, . none.
private func timeline(
  for hold: PromDuration = .zero, keep: PromDuration = .zero, interval: PromDuration = .minutes(1),
  _ input: String
) throws -> String {
  let machine = AlertMachine(holdDuration: hold, keepFiringFor: keep)
  let labels: LabelSet = ["alertname": "A"]
  var table = AlertTable()
  var states = ""
  for (step, character) in input.enumerated() {
    let now = Timestamp.zero + interval * Int64(step)
    let observed = character == "x" ? [AlertCandidate(labels: labels, value: Double(step))] : []
    _ = try machine.step(&table, observed: observed, at: now)
    guard let place = table.position(of: labels) else {
      states += "."
      continue
    }
    let alert = table.instances[place]
    switch alert.state {
    case .pending: states += "p"
    case .firing: states += alert.keepFiringSince == nil ? "f" : "k"
    case .inactive: states += "r"
    }
  }
  return states
}

@Suite struct AlertTimelineTests {
  @Test func firesAtOnceWithoutFor() throws {
    #expect(try timeline("--xx-") == "..ffr")
  }

  @Test func waitsForTheWholeOfFor() throws {
    #expect(try timeline(for: .minutes(3), "-xxxxxx") == ".pppfff")
    #expect(try timeline(for: .seconds(15), "-xxx") == ".pff")
  }

  @Test func pendingThatLeavesIsForgottenAtOnce() throws {
    #expect(try timeline(for: .minutes(3), "xx-xxxx") == "pp.pppf")
  }

  @Test func keepFiringForHoldsAndRunsOut() throws {
    #expect(
      try timeline(for: .minutes(3), keep: .minutes(2), "--xxxxxx--x-----")
        == "..pppfffkkfkkrrr")
    #expect(try timeline(keep: .seconds(90), "x---") == "fkkr")
  }

  @Test func resolvedIsRememberedForFifteenMinutes() throws {
    let resolved = String(repeating: "r", count: 16)
    #expect(
      try timeline("x" + String(repeating: "-", count: 18)) == "f" + resolved + "..")
  }

  @Test func returningAlertIsBornAnew() throws {
    #expect(try timeline(for: .minutes(2), "xxx-xxx") == "ppfrppf")
  }

  @Test func valueAndAnnotationsFollowButActiveAtStays() throws {
    let machine = AlertMachine(holdDuration: .minutes(2))
    var table = AlertTable()
    let labels: LabelSet = ["alertname": "A"]
    for minute in 0..<4 {
      _ = try machine.step(
        &table,
        observed: [
          AlertCandidate(
            labels: labels, annotations: [Label(name: "v", value: "\(minute)")],
            value: Double(minute))
        ], at: .zero + .minutes(Int64(minute)))
    }
    let alert = table.instances[0]
    #expect(alert.activeAt == .zero)
    #expect(alert.firedAt == .zero + .minutes(2))
    #expect(alert.value == 3)
    #expect(alert.annotations.map(\.value) == ["3"])
  }

  @Test func longerForTakesAFiringAlertBack() throws {
    var table = AlertTable()
    let candidate = AlertCandidate(labels: ["alertname": "A"], value: 1)
    _ = try AlertMachine().step(&table, observed: [candidate], at: .zero)
    _ = SendDecision(resendDelay: .minutes(1), interval: .minutes(1)).takeDue(
      from: &table, at: .zero)
    let transitions = try AlertMachine(holdDuration: .minutes(5)).step(
      &table, observed: [candidate], at: .zero + .minutes(1))
    #expect(table.instances[0].state == .pending)
    #expect(table.instances[0].firedAt == nil)
    #expect(table.instances[0].lastSentAt == nil)
    #expect(transitions.map(\.reason) == [.holdLengthened])
  }

  @Test func keptAlertsKeepValueAndAnnotations() throws {
    let machine = AlertMachine(keepFiringFor: .minutes(5))
    var table = AlertTable()
    let candidate = AlertCandidate(
      labels: ["alertname": "A"], annotations: [Label(name: "s", value: "was 7")], value: 7)
    _ = try machine.step(&table, observed: [candidate], at: .zero)
    let transitions = try machine.step(&table, observed: [], at: .zero + .minutes(1))
    #expect(transitions.isEmpty)
    #expect(table.instances[0].value == 7)
    #expect(table.instances[0].annotations.map(\.value) == ["was 7"])
    #expect(table.instances[0].keepFiringSince == .zero + .minutes(1))
  }
}

@Suite struct AlertProblemTests {
  private let twice = [
    AlertCandidate(labels: ["alertname": "A", "i": "1"], value: 1),
    AlertCandidate(labels: ["alertname": "A", "i": "1"], value: 2),
  ]

  @Test func equalLabelSetsLeaveTheStateAlone() throws {
    var table = AlertTable()
    _ = try AlertMachine().step(&table, observed: [twice[0]], at: .zero)
    let before = table.instances
    #expect(throws: RuleProblem.duplicateAlertLabels) {
      _ = try AlertMachine().step(&table, observed: twice, at: .zero + .minutes(1))
    }
    #expect(table.instances == before)
    var empty = AlertTable()
    #expect(throws: RuleProblem.duplicateAlertLabels) {
      _ = try AlertMachine().step(&empty, observed: twice, at: .zero)
    }
    #expect(empty.isEmpty)
  }

  private func crowd(_ n: Int) -> [AlertCandidate] {
    (0..<n).map { AlertCandidate(labels: ["alertname": "A", "i": "\($0)"], value: 1) }
  }

  @Test func limitBreachHoldsOrForgets() throws {
    for (onLimitBreach, remaining) in [(AlertMachine.LimitBreach.hold, 2), (.forget, 0)] {
      let machine = AlertMachine(limit: 2, onLimitBreach: onLimitBreach)
      var table = AlertTable()
      _ = try machine.step(&table, observed: crowd(2), at: .zero)
      #expect(throws: RuleProblem.alertLimit(2, found: 3)) {
        _ = try machine.step(&table, observed: crowd(3), at: .zero + .minutes(1))
      }
      #expect(table.instances.count == remaining)
    }
    #expect(
      RuleProblem.alertLimit(2, found: 3).description == "exceeded limit of 2 with 3 alerts")
  }

  @Test func keptAlertsCountTowardsTheLimit() throws {
    let machine = AlertMachine(keepFiringFor: .minutes(5), limit: 2)
    var table = AlertTable()
    _ = try machine.step(&table, observed: crowd(2), at: .zero)
    let other = AlertCandidate(labels: ["alertname": "A", "i": "new"], value: 1)
    #expect(throws: RuleProblem.alertLimit(2, found: 3)) {
      _ = try machine.step(&table, observed: [other], at: .zero + .minutes(1))
    }
  }
}

@Suite struct SendDecisionTests {
  private func sends(
    _ input: String, interval: PromDuration, resend: PromDuration = .minutes(1),
    hold: PromDuration = .zero
  ) throws -> String {
    let machine = AlertMachine(holdDuration: hold)
    let decision = SendDecision(resendDelay: resend, interval: interval)
    var table = AlertTable()
    var out = ""
    for (step, character) in input.enumerated() {
      let now = Timestamp.zero + interval * Int64(step)
      let observed =
        character == "x" ? [AlertCandidate(labels: ["alertname": "A"], value: 1)] : []
      _ = try machine.step(&table, observed: observed, at: now)
      let due = decision.takeDue(from: &table, at: now)
      out += due.isEmpty ? "." : due[0].state == .firing ? "F" : "R"
    }
    return out
  }

  @Test func resendsStrictlyLaterThanTheDelay() throws {
    #expect(try sends("xxxxxx", interval: .minutes(1)) == "F.F.F.")
    #expect(try sends("xxxxxxxxxxxx", interval: .seconds(15)) == "F....F....F.")
    #expect(try sends("xxxxxxx", interval: .seconds(30)) == "F..F..F")
  }

  @Test func resolvedLeavesAtOnceAndIsRepeated() throws {
    #expect(try sends("xx----", interval: .minutes(1)) == "F.R.R.")
    #expect(try sends("x-----", interval: .minutes(1)) == "FR.R.R")
  }

  @Test func pendingIsNeverSent() throws {
    #expect(try sends("xxxx-", interval: .minutes(1), hold: .minutes(5)) == ".....")
    #expect(try sends("xxx-x", interval: .minutes(1), hold: .minutes(2)) == "..FR.")
  }

  @Test func validForFourRounds() throws {
    var table = AlertTable()
    let candidate = AlertCandidate(labels: ["alertname": "A"], value: 1)
    _ = try AlertMachine().step(&table, observed: [candidate], at: .zero)
    let due = SendDecision(resendDelay: .minutes(1), interval: .seconds(30)).takeDue(
      from: &table, at: .zero)
    #expect(due[0].validUntil == .zero + .minutes(4))
  }
}
