import Model
import Rules
import Testing

@testable import Kernel

private func settings(_ groups: [RuleGroupDefinition]) -> Settings {
  var settings = Settings()
  settings.scrapes = [Sample.scrape()]
  settings.groups = groups
  settings.webhooks = [Sample.webhook()]
  settings.alertmanagers = [Sample.alertmanager()]
  return settings
}

private func world(_ groups: [RuleGroupDefinition]) -> World {
  let world = World(settings(groups))
  world.scrape = { _, _ in world.text("x 7\ny 3\n") }
  return world
}

private func statuses(_ world: World) -> [String] {
  world.deliveries.filter { $0.request.receiver == "ops" }
    .map { $0.request.json["status"]?.string ?? "" }
}

@Suite struct ReloadTests {
  @Test func unchangedGroupsRunOnUntouched() throws {
    let group = Sample.group(rules: [try Sample.alert("A", "x > 5", for: .minutes(1))])
    let world = world([group])
    world.run(for: .seconds(50))
    let runner = world.kernel.scheduler.groups[0].runner
    let before = world.kernel.alertsReport[0].activeAt
    let next = world.kernel.scheduler.groups[0].nextSlot
    world.send(.reload(settings([group])))
    #expect(world.kernel.scheduler.groups[0].runner === runner)
    #expect(world.kernel.scheduler.groups[0].nextSlot == next)
    world.run(for: .minutes(1))
    #expect(world.kernel.alertsReport[0].activeAt == before)
    #expect(world.kernel.alertsReport[0].state == .firing)
    #expect(world.kernel.targetsReport.active[0].health == .up)
  }

  @Test func aLongerIntervalDoesNotLetReceiversForget() throws {
    let rules = [try Sample.alert("A", "x > 5")]
    let world = world([Sample.group(rules: rules)])
    world.run(for: .minutes(2))
    #expect(statuses(world) == ["firing"])
    // What receivers were told is valid for four minutes; the next evaluation may be later.
    world.send(.reload(settings([Sample.group(interval: .minutes(20), rules: rules)])))
    let told = try #require(world.deliveries.last { $0.request.receiver != "ops" })
    let end = try #require(Timestamp(rfc3339: told.request.json.array?[0]["endsAt"]?.string ?? ""))
    #expect(end >= world.kernel.scheduler.groups[0].nextSlot)
    world.run(for: .minutes(45))
    #expect(!statuses(world).contains("resolved"))
    let count = world.deliveries.count
    world.send(.reload(settings([Sample.group(interval: .minutes(20), rules: rules)])))
    #expect(world.deliveries.count == count, "a reload that changes nothing tells nothing")
  }

  @Test func changedRulesCarryTheirAlertsByNameAndLabels() throws {
    let world = world([
      Sample.group(rules: [
        try Sample.alert("A", "x > 5", for: .seconds(30), labels: ["n": "1"]),
        try Sample.alert("A", "y > 1", for: .seconds(30), labels: ["n": "1"]),
        try Sample.record("r", "x"),
      ])
    ])
    world.run(for: .minutes(2))
    let before = world.kernel.rulesReport[0].rules.map { $0.alerts.first?.firedAt }
    world.send(
      .reload(
        settings([
          Sample.group(rules: [
            try Sample.record("r", "x > 0"),
            try Sample.alert("A", "x > 6", for: .seconds(45), labels: ["n": "1"]),
            try Sample.alert("A", "y > 2", for: .seconds(45), labels: ["n": "1"]),
          ])
        ])))
    #expect(
      world.kernel.rulesReport[0].rules.map { $0.alerts.first?.firedAt }.suffix(2) == [
        before[0], before[1],
      ])
    world.run(for: .minutes(3))
    #expect(world.kernel.alertsReport.map(\.state) == [.firing, .firing])
    #expect(try world.values("r").count == 1)
    #expect(statuses(world) == ["firing"])
  }

  @Test func longerForTakesFiringBackToPending() throws {
    let world = world([Sample.group(rules: [try Sample.alert("A", "x > 5")])])
    world.run(for: .minutes(1))
    world.send(
      .reload(settings([Sample.group(rules: [try Sample.alert("A", "x > 5", for: .hours(1))])])))
    world.run(for: .seconds(15))
    #expect(world.kernel.alertsReport.map(\.state) == [.pending])
  }

  @Test func removedRulesResolveAtTheReceiversAndEnd() throws {
    let world = world([
      Sample.group(rules: [try Sample.alert("A", "x > 5"), try Sample.record("r", "x")])
    ])
    world.run(for: .minutes(1))
    #expect(statuses(world) == ["firing"])
    world.send(.reload(settings([])))
    let last = world.deliveries.last { $0.request.receiver != "ops" }
    #expect(last?.at == world.now)
    #expect(
      last?.request.json[0]?["endsAt"]?.string
        == AlertmanagerPayload.time(world.now))
    #expect(try world.values("r").count == 1)
    world.run(for: .seconds(31))
    #expect(try world.values("r").isEmpty)
    #expect(try world.values("ALERTS").isEmpty)
    world.run(for: .minutes(1))
    #expect(statuses(world) == ["firing", "resolved"])
    #expect(world.messages("alerts").last == "Alert resolved")
  }

  @Test func changedLabelsResolveTheOldAlertAndFireTheNew() throws {
    let world = world([
      Sample.group(rules: [try Sample.alert("A", "x > 5", labels: ["severity": "warn"])])
    ])
    world.run(for: .minutes(2))
    world.send(
      .reload(
        settings([
          Sample.group(rules: [try Sample.alert("A", "x > 5", labels: ["severity": "page"])])
        ])))
    world.run(for: .minutes(2))
    let last = try #require(
      world.deliveries.last { $0.request.receiver == "ops" && $0.at > World.epoch + .minutes(2) })
    let alerts = (last.request.json["alerts"]?.array ?? []).map {
      "\($0["labels"]?["severity"]?.string ?? "") \($0["status"]?.string ?? "")"
    }
    #expect(alerts == ["page firing", "warn resolved"])
  }

  @Test func aRenamedGroupTakesItsSeriesOverWithoutAGap() throws {
    let rules = [try Sample.record("r", "x")]
    let world = world([Sample.group("old", rules: rules)])
    world.run(for: .minutes(1))
    world.send(.reload(settings([Sample.group("new", rules: rules)])))
    for _ in 0..<20 {
      world.run(for: .seconds(5))
      #expect(try world.values("r").count == 1)
    }
  }

  @Test func receiversKeepWhatIsQueued() throws {
    let group = Sample.group(rules: [try Sample.alert("A", "x > 5")])
    let world = world([group])
    var isUp = false
    world.deliver = { _, _ in
      isUp ? .answered(status: 200, retryAfter: nil, body: "") : .failed("connection refused")
    }
    world.run(for: .minutes(2))
    #expect(world.kernel.webhooksReport[0].outstanding == 1)
    world.send(.reload(settings([group])))
    #expect(world.kernel.webhooksReport[0].outstanding == 1)
    isUp = true
    world.run(for: .minutes(2))
    #expect(world.kernel.webhooksReport[0].outstanding == 0)
    #expect(world.kernel.webhooksReport[0].sentAlerts == 1)
  }
}

@Suite struct StopTests {
  @Test func drainsWhatIsOutstanding() throws {
    let world = world([Sample.group(rules: [try Sample.alert("A", "x > 5")])])
    world.deliver = { _, _ in nil }
    world.run(for: .seconds(31))
    #expect(world.pending.count == 2)
    world.send(.stop)
    #expect(!world.isDrained)
    let before = world.scrapes.count
    world.run(for: .seconds(5))
    #expect(world.scrapes.count == before)
    world.answerPending(.answered(status: 200, retryAfter: nil, body: ""))
    #expect(world.isDrained)
  }

  @Test func waitsNoLongerThanTheDrainTimeout() throws {
    let world = world([Sample.group(rules: [try Sample.alert("A", "x > 5")])])
    world.deliver = { _, _ in .failed("connection refused") }
    world.run(for: .seconds(31))
    world.send(.stop)
    #expect(!world.isDrained)
    world.run(for: .seconds(10))
    #expect(world.isDrained)
    #expect(
      world.messages("notify").contains("Stopping: what is undelivered is left to the next start"))
  }

  @Test func groupsThatWaitLeaveAtOnce() throws {
    var settings = settings([Sample.group(rules: [try Sample.alert("A", "1")])])
    settings.webhooks[0].groupWait = .minutes(5)
    let world = World(settings)
    world.run(for: .seconds(31))
    #expect(statuses(world).isEmpty)
    world.send(.stop)
    #expect(statuses(world) == ["firing"])
    #expect(world.isDrained)
  }

  @Test func nothingToDoIsDrainedAtOnce() {
    let world = World(settings([]))
    world.send(.stop)
    #expect(world.isDrained)
    #expect(world.kernel.nextDeadline == nil || world.kernel.nextDeadline ?? .zero > world.now)
  }
}
