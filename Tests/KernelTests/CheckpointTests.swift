import Model
import Rules
import Testing

@testable import Kernel

@Suite struct CheckpointTests {
  private func settings() throws -> Settings {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.alertmanagers = [Sample.alertmanager()]
    settings.groups = [
      Sample.group(rules: [
        try Sample.alert("Slow", "x > 0", for: .hours(1)),
        try Sample.alert("Kept", "x > 0", keep: .minutes(10)),
        try Sample.alert("Kept", "x > 0", keep: .minutes(10)),
      ])
    ]
    return settings
  }

  /// A world that has run for a while, with `x` at 1.
  private func world(for time: PromDuration = .minutes(40)) throws -> World {
    let world = World(try settings())
    world.scrape = { [unowned world] _, _ in world.text("x 1\n") }
    world.run(for: time)
    return world
  }

  @Test func nothingStartsOverAfterARestart() throws {
    let before = try world()
    let saved = before.kernel.checkpoint(at: before.now)
    #expect(saved.rules.map(\.ordinal) == [0, 0, 1])
    let after = World(try settings(), at: before.now + .minutes(1))
    after.scrape = { [unowned after] _, _ in after.text("x 1\n") }
    after.send(.restore(RestoredState(alerts: saved)))
    #expect(after.logs.last?.fields.contains { $0 == ("alerts", "3") } == true)
    #expect(after.kernel.alertsReport.map(\.activeAt) == before.kernel.alertsReport.map(\.activeAt))
    after.run(for: .minutes(21))
    #expect(after.kernel.alertsReport.map(\.state) == [.firing, .firing, .firing])
    #expect(
      after.kernel.alertsReport[1].firedAt == before.kernel.alertsReport[1].firedAt)
    #expect(!after.messages("alerts").contains("Alert resolved"))
  }

  @Test func absenceRightAfterARestartEndsNothing() throws {
    let before = try world()
    let after = World(try settings(), at: before.now + .seconds(5))
    // Nothing can be scraped for the first 40 seconds: several evaluations find an empty store.
    let back = after.now + .seconds(40)
    after.scrape = { [unowned after] _, at in
      at < back ? .failure("connection refused") : after.text("x 1\n")
    }
    after.send(.restore(RestoredState(alerts: before.kernel.checkpoint(at: before.now))))
    after.run(for: .seconds(39))
    #expect(after.kernel.alertsReport.map(\.state) == [.pending, .firing, .firing])
    #expect(after.kernel.alertsReport.allSatisfy { $0.keepFiringSince == nil })
    after.run(for: .minutes(5))
    #expect(after.kernel.alertsReport.map(\.state) == [.pending, .firing, .firing])
    #expect(!after.messages("alerts").contains("Alert resolved"))
  }

  @Test func whatIsStillAbsentLaterEnds() throws {
    let before = try world()
    let after = World(try settings(), at: before.now + .seconds(5))
    after.scrape = { [unowned after] _, _ in after.text("x 0\n") }
    after.send(.restore(RestoredState(alerts: before.kernel.checkpoint(at: before.now))))
    after.run(for: .minutes(2))
    #expect(after.kernel.alertsReport.map(\.state) == [.firing, .firing])
    #expect(after.kernel.alertsReport.allSatisfy { $0.keepFiringSince != nil })
    after.run(for: .minutes(10))
    #expect(after.kernel.alertsReport.isEmpty)
  }

  @Test func anOldCheckpointIsNotRestored() throws {
    let before = try world()
    let saved = before.kernel.checkpoint(at: before.now)
    let late = World(try settings(), at: before.now + .hours(1) + .seconds(1))
    late.send(.restore(RestoredState(alerts: saved)))
    #expect(late.kernel.alertsReport.isEmpty)
    #expect(late.messages("alerts") == ["Saved alert state is too old and is not restored"])
    let inTime = World(try settings(), at: before.now + .hours(1))
    inTime.send(.restore(RestoredState(alerts: saved)))
    #expect(inTime.kernel.alertsReport.count == 3)
    // A clock that was set back is no reason to lose anything.
    let early = World(try settings(), at: before.now - .hours(3))
    early.send(.restore(RestoredState(alerts: saved)))
    #expect(early.kernel.alertsReport.count == 3)
  }

  @Test func aClockSetBackLeavesAlertsTheirAge() throws {
    let before = try world()
    let saved = before.kernel.checkpoint(at: before.now)
    let early = World(try settings(), at: before.now - .hours(3))
    early.scrape = { [unowned early] _, _ in early.text("x 1\n") }
    early.send(.restore(RestoredState(alerts: saved)))
    early.run(for: .minutes(5))
    #expect(early.kernel.alertsReport.map(\.state) == [.pending, .firing, .firing])
    early.run(for: .minutes(16))
    #expect(early.kernel.alertsReport.map(\.state) == [.firing, .firing, .firing])
    #expect(!early.messages("alerts").contains { $0.hasPrefix("Alert resolved") })
  }

  @Test(arguments: [PromDuration.minutes(4), .hours(2)])
  func aSuspensionRightAfterARestartEndsNothing(pause: PromDuration) throws {
    let before = try world()
    let after = World(try settings(), at: before.now + .seconds(5))
    after.scrape = { [unowned after] _, _ in after.text("x 1\n") }
    after.send(.restore(RestoredState(alerts: before.kernel.checkpoint(at: before.now))))
    // Nothing was scraped yet; everything that was to happen meanwhile is late.
    after.sleep(for: pause)
    after.send(.tick)
    after.run(for: .minutes(5))
    #expect(after.kernel.alertsReport.dropFirst().map(\.state) == [.firing, .firing])
    #expect(after.kernel.alertsReport.allSatisfy { $0.keepFiringSince == nil })
    #expect(!after.messages("alerts").contains { $0.hasPrefix("Alert resolved") })
  }

  @Test func alertsWhoseRuleIsGoneAreCounted() throws {
    let before = try world()
    var settings = try settings()
    settings.groups[0].rules.removeLast(2)
    let after = World(settings, at: before.now)
    after.send(.restore(RestoredState(alerts: before.kernel.checkpoint(at: before.now))))
    #expect(after.logs.last?.fields.contains { $0 == ("alerts", "1") } == true)
    #expect(after.logs.last?.fields.contains { $0 == ("without_rule", "2") } == true)
  }

  @Test func changesAreSavedSoonAndNotAtEveryTurn() throws {
    let world = World(try settings())
    var value = 0
    world.scrape = { [unowned world] _, _ in world.text("x \(value)\n") }
    world.run(for: .minutes(5))
    #expect(world.saved.isEmpty, "nothing is pending or firing")
    value = 1
    world.run(for: .seconds(31))
    let first = try #require(world.saved.first)
    #expect(first.alertCount == 3)
    let times = world.saved.map(\.time)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= .seconds(1) })
    world.run(for: .minutes(30))
    // Resends and renewals: about two a minute, not one per evaluation.
    #expect(world.saved.count < 70, "\(world.saved.count)")
    let last = try #require(world.saved.last)
    #expect(world.now - last.time <= .minutes(1))
    #expect(last.saysTheSame(as: world.kernel.checkpoint(at: world.now)))
    value = 0
    world.run(for: .minutes(30))
    #expect(world.saved.last?.alertCount == 0, "the end is saved, too")
    let count = world.saved.count
    world.run(for: .minutes(30))
    #expect(world.saved.count == count, "no alerts: nothing to renew")
  }

  @Test func aLongWaitKeepsItsCheckpointYoung() throws {
    var settings = try settings()
    settings.groups = [Sample.group(rules: [try Sample.alert("Slow", "x > 0", for: .hours(24))])]
    let world = World(settings)
    world.scrape = { [unowned world] _, _ in world.text("x 1\n") }
    world.run(for: .hours(3))
    let last = try #require(world.saved.last)
    #expect(world.now - last.time <= .minutes(1))
  }

  @Test func theLastWordIsSavedBeforeTheEnd() throws {
    let world = try world()
    world.send(.stop)
    world.run(for: .minutes(1))
    #expect(world.isDrained)
    #expect(world.saved.last?.saysTheSame(as: world.kernel.checkpoint(at: world.now)) == true)
  }
}
