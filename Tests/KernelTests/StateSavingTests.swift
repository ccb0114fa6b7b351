import Model
import Rules
import Storage
import Testing

@testable import Kernel

/// What the kernel hands out to be saved, and what it makes of it after a restart.
@Suite struct StateSavingTests {
  private func settings(hold: PromDuration = .minutes(2)) throws -> Settings {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.webhooks = [Sample.webhook()]
    settings.alertmanagers = [Sample.alertmanager()]
    settings.groups = [
      Sample.group(rules: [
        try Sample.record("x:rate", "rate(x[5m])"),
        try Sample.alert("Fast", "rate(x[5m]) > 0", for: hold),
        try Sample.alert("Recorded", "max_over_time(x:rate[5m]) > 0"),
        try Sample.alert("Steady", "count_over_time(ALERTS{alertname=\"Recorded\"}[5m]) > 3"),
      ])
    ]
    return settings
  }

  /// A world whose counter grows by the second, whatever its age.
  private func world(_ settings: Settings, at start: Timestamp = World.epoch) -> World {
    let world = World(settings, at: start)
    world.scrape = { [unowned world] _, at in
      world.text("x \((at - World.epoch).milliseconds / 1000)\n")
    }
    return world
  }

  /// What a file would hold of all that was saved.
  private func restored(_ world: World) -> RestoredState {
    var state = RestoredState()
    for batch in world.batches {
      state.alerts = batch.alerts ?? state.alerts
      state.outbox = batch.outbox ?? state.outbox
      state.lastSequence = batch.journal.last?.sequence ?? state.lastSequence
      state.isClean = batch.isLast
      if let samples = batch.samples {
        if state.samples == nil { state.samples = samples } else { state.samples?.merge(samples) }
      }
    }
    if let last = world.batches.last?.time { state.alerts?.time = last }
    return state
  }

  @Test func timeGoesOnFromTheSavedStateIfTheClockIsBehind() throws {
    let before = world(try settings())
    before.run(for: .minutes(10))
    let state = restored(before)
    let hour = PromDuration.hours(1)
    let newest = try #require(state.continuation(at: before.now - .minutes(8), tolerance: hour))
    #expect(newest == state.alerts?.time)
    let rows = try #require(state.samples?.rows.map(\.time).max())
    #expect(rows <= newest.milliseconds)
    var withoutAlerts = state
    withoutAlerts.alerts = nil
    #expect(
      withoutAlerts.continuation(at: before.now - .minutes(8), tolerance: hour)?.milliseconds
        == rows)
    #expect(state.continuation(at: before.now, tolerance: hour) == nil)
    #expect(state.continuation(at: before.now - .hours(2), tolerance: hour) == nil)
    #expect(RestoredState().continuation(at: before.now, tolerance: hour) == nil)
  }

  @Test func windowsAreFullRightAfterARestart() throws {
    let before = world(try settings())
    before.run(for: .minutes(10))
    #expect(before.kernel.alertsReport.map(\.state) == [.firing, .firing, .firing])
    let after = world(try settings(), at: before.now + .seconds(5))
    after.send(.restore(restored(before)))
    #expect(after.messages("storage") == ["Samples restored"])
    // Before anything is scraped, queries answer as if nothing had happened.
    #expect(try after.value("rate(x[5m])", at: before.now) == before.value("rate(x[5m])"))
    #expect(try after.value("count_over_time(x:rate[5m])", at: before.now) == 20)
    after.run(for: .minutes(10))
    #expect(!after.messages("alerts").contains { $0 != "Alert state restored" })
    #expect(after.kernel.alertsReport.map(\.firedAt) == before.kernel.alertsReport.map(\.firedAt))
    // The rows go on in the sources they came from: nothing is stored twice.
    let names = restored(after).samples?.sources.map(\.name) ?? []
    #expect(names.isEmpty)
  }

  @Test func nothingIsSavedBeforeTheOldStateIsBack() throws {
    let before = world(try settings())
    before.run(for: .minutes(5))
    let after = world(try settings(), at: before.now)
    #expect(after.batches.isEmpty)
    after.send(.restore(restored(before)))
    after.run(for: .seconds(20))
    #expect(!after.batches.isEmpty)
    #expect(after.batches.allSatisfy { $0.samples?.startsOver != true })
  }

  @Test func lostSamplesAreStoredAnew() throws {
    let before = world(try settings())
    before.run(for: .minutes(5))
    var state = restored(before)
    state.samplesAreStored = false
    let after = world(try settings(), at: before.now + .seconds(1))
    after.send(.restore(state))
    after.run(for: .minutes(1))
    #expect(after.batches.first?.samples?.startsOver == true)
    let again = world(try settings(), at: after.now)
    again.send(.restore(restored(after)))
    #expect(
      try again.value("count_over_time(x[5m])") == after.value("count_over_time(x[5m])"))
  }

  @Test func whatARequestTellsIsSavedBefore() throws {
    let world = world(try settings(hold: .zero))
    var notified = 0
    world.deliver = { [unowned world] request, _ in
      notified += 1
      let saved = world.batches.compactMap(\.outbox).last
      #expect(saved?.isEmpty == false, "\(request.receiver)")
      let alerts = world.batches.compactMap(\.alerts).last
      #expect(alerts?.alertCount ?? 0 > 0)
      return .answered(status: 200, retryAfter: nil, body: "")
    }
    world.run(for: .minutes(3))
    #expect(notified >= 2)
  }

  @Test func theJournalGoesOn() throws {
    let before = world(try settings(hold: .zero))
    before.run(for: .minutes(3))
    let entries = before.kernel.journal.entries
    #expect(entries.map(\.sequence) == (1...UInt64(entries.count)).map { $0 })
    #expect(
      before.batches.flatMap(\.journal).map(\.sequence).elementsEqual(
        entries.map(\.sequence).prefix(before.batches.flatMap(\.journal).count)))
    let killed = world(try settings(hold: .zero), at: before.now)
    killed.send(.restore(restored(before)))
    #expect(killed.kernel.journal.nextSequence > UInt64(entries.count) + 1_000)
    before.send(.stop)
    #expect(before.batches.last?.isLast == true)
    let stopped = world(try settings(hold: .zero), at: before.now)
    stopped.send(.restore(restored(before)))
    #expect(
      stopped.kernel.journal.nextSequence == before.kernel.journal.nextSequence)
  }

  @Test func aFailureIsToldOncePerChange() throws {
    let world = world(try settings())
    world.run(for: .minutes(1))
    for _ in 0..<3 { world.send(.storage(problem: "the disk is full")) }
    #expect(world.kernel.storageProblem == "the disk is full")
    let place = world.batches.count
    world.run(for: .minutes(1))
    #expect(world.batches[place...].allSatisfy { $0.samples == nil })
    world.send(.storage(problem: nil))
    world.send(.storage(problem: nil))
    world.run(for: .minutes(1))
    let messages = world.messages("storage").map { String($0.prefix(14)) }
    #expect(messages == ["State cannot b", "State is saved"])
    let samples = world.batches[place...].compactMap(\.samples)
    #expect(samples.first?.startsOver == true)
    #expect(samples.first.map { $0.rows.count > 10 } ?? false, "everything there is")
  }

  @Test func theRingIsBounded() {
    var journal = Journal(bounds: Journal.Bounds(entries: 100, mentions: 50))
    let mentions = (0..<10).map {
      DeliveryRecord.Mention(labels: LabelSet([("i", "\($0)")]), isFiring: true)
    }
    let delivery = DeliveryRecord(
      kind: .webhook, receiver: "ops", alerts: mentions, attempt: 1, outcome: .accepted,
      duration: .zero)
    for i in 0..<1_000 {
      journal.append(.delivery(delivery), at: Timestamp(seconds: Double(i)))
    }
    #expect(journal.entries.count == 5)
    #expect(journal.entries.last?.sequence == 1_000)
    #expect(journal.entries(from: 999).map(\.sequence) == [999, 1_000])
    #expect(journal.entries(from: 3).count == 5)
  }

  /// Time to fire after an outage, as Prometheus restores `for`.
  @Test(arguments: [
    // hold, age when it began, length, expected time to fire after its end (minutes)
    (60, 20, 2, 38), (60, 20, 30, 40), (60, 55, 30, 10), (60, 70, 30, 0), (8, 3, 30, 5),
    (8, 3, 4, 1),
  ])
  func theOutageOfAPendingAlert(hold: Int64, age: Int64, length: Int64, wait: Int64) {
    let began = World.epoch
    let outage = Outage(
      began: began, ended: began + .minutes(length), lookback: .minutes(5), grace: .minutes(10))
    let alert = AlertInstance(
      labels: .empty, annotations: [], value: 1, activeAt: began - .minutes(age))
    let after = outage.survived(by: alert, hold: .minutes(hold))
    let rest = PromDuration.minutes(hold) - (outage.ended - after.activeAt)
    #expect(max(.zero, rest) == .minutes(wait))
    var firing = alert
    firing.state = .firing
    #expect(outage.survived(by: firing, hold: .minutes(hold)) == firing)
  }
}
