import Exposition
import Model
import Rules
import Testing

@testable import Kernel

/// Groups that are evaluated right behind the scrapes that feed them.
@Suite struct ScrapeFollowingTests {
  private func settings(
    _ groups: [RuleGroupDefinition], targets: [String] = ["app:80"],
    interval: PromDuration = .seconds(10), triggers: [TriggerSettings]
  ) -> Settings {
    var settings = Settings()
    settings.scrapes = [Sample.scrape(targets: targets, interval: interval)]
    settings.groups = groups
    settings.webhooks = [Sample.webhook()]
    settings.triggers = triggers
    return settings
  }

  private let always = [TriggerSettings(trigger: .onScrape)]

  private func iterations(_ world: World, _ index: Int = 0) -> (slots: UInt64, scrapes: UInt64) {
    let group = world.kernel.scheduler.groups[index]
    return (group.iterations, group.following?.iterations ?? 0)
  }

  /// The time from the scrape that shows a crossing to the notification.
  private func delay(_ triggers: [TriggerSettings]) throws -> PromDuration {
    let world = World(
      settings(
        [Sample.group(interval: .minutes(1), rules: [try Sample.alert("High", "load > 5")])],
        triggers: triggers))
    var load = 1
    var seen: Timestamp?
    world.scrape = { _, at in
      if load > 5 { seen = seen ?? at }
      return world.text("load \(load)\n")
    }
    world.run(for: .seconds(95))
    #expect(world.deliveries.isEmpty)
    load = 9
    world.run(for: .minutes(2))
    return try #require(world.deliveries.first).at - (try #require(seen))
  }

  @Test func aCrossingIsToldInTheBreathOfItsScrape() throws {
    #expect(try delay(always) == .zero)
    #expect(try delay([]) > .seconds(1))
  }

  @Test func slotsGoOnBesides() throws {
    let group = Sample.group(interval: .seconds(30), rules: [try Sample.record("r", "x + 1")])
    let world = World(settings([group], triggers: always))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .minutes(5))
    let plain = World(settings([group], triggers: []))
    plain.scrape = { _, _ in plain.text("x 1\n") }
    plain.run(for: .minutes(5))
    #expect(iterations(world).slots == iterations(plain).slots)
    #expect(iterations(plain).scrapes == 0)
    #expect((28...31).contains(iterations(world).scrapes))
    #expect(try world.value("count_over_time(r[5m])") ?? 0 >= 36)
    #expect(world.kernel.scheduler.groups[0].missed == 0)
  }

  @Test func onlyTargetsThatFeedAGroupCount() throws {
    let world = World(
      settings(
        [
          Sample.group("a", rules: [try Sample.record("ra", "x{instance=\"a:80\"}")]),
          Sample.group("b", rules: [try Sample.record("rb", "absent(y)")]),
        ], targets: ["a:80", "b:80"], triggers: always))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .seconds(101))
    #expect((9...11).contains(iterations(world, 0).scrapes))
    #expect(iterations(world, 1).scrapes == 0)
  }

  @Test func theEndOfATargetCountsToo() throws {
    let world = World(
      settings(
        [Sample.group(interval: .hours(1), rules: [try Sample.alert("Down", "up == 0")])],
        triggers: always))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .seconds(30))
    world.scrape = { _, _ in .failure("connection refused") }
    world.run(for: .seconds(10))
    #expect(world.deliveries.count == 1)
  }

  @Test func manyTargetsAreEvaluatedTogether() throws {
    let targets = (0..<400).map { "t\($0):80" }
    let world = World(
      settings(
        [Sample.group(interval: .seconds(10), rules: [try Sample.record("s", "sum(x)")])],
        targets: targets, triggers: always))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .seconds(100))
    let scrapes = iterations(world).scrapes
    // At most one in 200 ms, and the last scrape of a burst is never forgotten.
    #expect((100...500).contains(scrapes))
    world.run(for: .seconds(1))
    #expect(try world.value("s") == 400)
  }

  @Test func aQueryOffsetIsWaitedFor() throws {
    let world = World(
      settings(
        [
          Sample.group(
            interval: .hours(1), offset: .seconds(4), rules: [try Sample.alert("High", "x > 5")])
        ], triggers: always))
    var seen: Timestamp?
    world.scrape = { _, at in
      seen = seen ?? at
      return world.text("x 9\n")
    }
    world.run(for: .seconds(9))
    let first = try #require(seen)
    world.run(for: .seconds(10))
    #expect(try #require(world.deliveries.first).at - first == .seconds(4))
    world.run(for: .seconds(60))
    #expect(iterations(world).scrapes >= 6)
  }

  @Test func samplesWithTimesOfTheirOwnFeedAGroup() throws {
    let world = World(
      settings(
        [Sample.group(interval: .hours(1), rules: [try Sample.alert("High", "x > 5")])],
        triggers: always))
    world.scrape = { _, at in world.text("x 9 \(at.milliseconds - 100)\n") }
    world.run(for: .seconds(25))
    #expect(world.deliveries.count == 1)
  }

  @Test func aReloadSetsWhoFollows() throws {
    let groups = [Sample.group("web", rules: [try Sample.record("r", "x")])]
    let world = World(
      settings(
        groups,
        triggers: [
          TriggerSettings(matchers: [Matcher("group", equals: "db")], trigger: .onScrape)
        ]))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .minutes(1))
    #expect(iterations(world).scrapes == 0)
    world.send(
      .reload(
        settings(
          groups,
          triggers: [
            TriggerSettings(
              matchers: [Matcher("group", equals: "web"), Matcher("file", equals: "rules.yml")],
              trigger: .onScrape)
          ])))
    world.run(for: .minutes(1))
    let before = iterations(world).scrapes
    #expect(before >= 5)
    world.send(.reload(settings(groups, triggers: [])))
    world.run(for: .minutes(1))
    #expect(world.kernel.scheduler.groups[0].following == nil)
  }
}
