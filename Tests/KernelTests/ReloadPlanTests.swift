import Model
import Rules
import Testing

@testable import Kernel

@Suite struct ReloadPlanTests {
  private func settings(
    _ groups: [RuleGroupDefinition], keep: StorageSettings.Keep = .all
  ) -> Settings {
    var settings = Settings()
    settings.storage.keep = keep
    settings.scrapes = [Sample.scrape()]
    settings.groups = groups
    settings.webhooks = [Sample.webhook()]
    return settings
  }

  private func world(
    _ groups: [RuleGroupDefinition], keep: StorageSettings.Keep = .all
  ) -> World {
    let world = World(settings(groups, keep: keep))
    world.scrape = { _, _ in world.text("x 7\ny 3\n") }
    world.run(for: .minutes(2))
    return world
  }

  private func plan(_ world: World, _ groups: [RuleGroupDefinition]) -> [String] {
    world.kernel.plan(for: settings(groups), at: world.now).alerts.map {
      "\($0.outcome.rawValue) \($0.rule) \($0.state.rawValue): \($0.reason)"
    }
  }

  @Test func saysWhatBecomesOfEachAlert() throws {
    let old = Sample.group(rules: [
      try Sample.alert("Same", "x > 1"), try Sample.alert("Longer", "x > 2"),
      try Sample.alert("Narrower", "x > 3"), try Sample.alert("Gone", "x > 4"),
      try Sample.alert("Relabelled", "x > 5", labels: ["severity": "warn"]),
      try Sample.alert("Pending", "x > 6", for: .hours(1)),
    ])
    let new = Sample.group(rules: [
      try Sample.alert("Same", "x > 1"), try Sample.alert("Longer", "x > 2", for: .hours(1)),
      try Sample.alert("Narrower", "x > 30"),
      try Sample.alert("Relabelled", "x > 5", labels: ["severity": "page"]),
      try Sample.alert("Pending", "x > 6.5", for: .hours(2)), try Sample.alert("New", "y < 5"),
      try Sample.alert("NotYet", "y > 5"),
    ])
    let world = world([old])
    let before = world.kernel.alertsReport.map(\.state)
    let told = world.deliveries.count
    #expect(
      plan(world, [new]) == [
        "kept Same firing: the rule is unchanged",
        "reset Longer firing: `for` is longer than the alert is old",
        "resolved Narrower firing: the changed expression does not hold",
        "new Relabelled firing: the rule is new and its expression holds",
        "kept Pending pending: the rule has changed, the alert stands",
        "new New firing: the rule is new and its expression holds",
        "resolved Gone firing: the rule is gone",
        "resolved Relabelled firing: the rule's labels have changed",
      ])
    #expect(plan(world, [old]).allSatisfy { $0.hasSuffix("the group is unchanged") })
    #expect(world.kernel.alertsReport.map(\.state) == before)
    #expect(world.deliveries.count == told)
  }

  @Test func comesTrue() throws {
    let old = Sample.group(rules: [
      try Sample.alert("A", "x > 1"), try Sample.alert("B", "x > 2"),
      try Sample.alert("C", "x > 3"),
    ])
    let new = [
      Sample.group(rules: [try Sample.alert("A", "x > 10"), try Sample.alert("D", "y > 1")]),
      Sample.group("other", rules: [try Sample.alert("C", "x > 3")]),
    ]
    let world = world([old])
    let outcomes = Dictionary(
      grouping: world.kernel.plan(for: settings(new), at: world.now).alerts, by: \.outcome)
    #expect(outcomes[.kept]?.map(\.rule) == ["C"])
    #expect(outcomes[.resolved]?.map(\.rule) == ["A", "B"])
    #expect(outcomes[.new]?.map(\.rule) == ["D"])
    let began = world.kernel.alertsReport.first { $0.rule == "C" }?.activeAt
    world.send(.reload(settings(new)))
    world.run(for: .seconds(30))
    #expect(world.kernel.alertsReport.map(\.rule) == ["D", "C"])
    #expect(world.kernel.alertsReport.last?.activeAt == began)
  }

  @Test func whatNobodyKeptSoFarIsAwaited() throws {
    let world = world(
      [Sample.group(rules: [try Sample.alert("A", "x > 5")])], keep: .rules)
    let new = [Sample.group(rules: [try Sample.alert("A", "z > 5")])]
    world.scrape = { _, _ in world.text("x 7\nz 9\n") }
    let forecast = world.kernel.plan(for: settings(new, keep: .rules), at: world.now)
    #expect(forecast.alerts.map(\.outcome) == [.kept])
    #expect(forecast.remarks.count == 1)
    #expect(forecast.changedGroups == 1)
    let began = world.kernel.alertsReport[0].activeAt
    world.send(.reload(settings(new, keep: .rules)))
    for _ in 0..<12 {
      world.run(for: .seconds(5))
      #expect(world.kernel.alertsReport.map(\.activeAt) == [began])
    }
    world.scrape = { _, _ in world.text("x 7\nz 1\n") }
    world.run(for: .minutes(2))
    #expect(world.kernel.alertsReport.isEmpty)
  }

  @Test func movedRulesAreTheSameRules() throws {
    let rule = try Sample.alert("A", "x > 5", for: .minutes(1))
    let world = world([Sample.group("old", rules: [rule, try Sample.alert("B", "x > 1")])])
    let before = world.kernel.alertsReport.filter { $0.rule == "A" }
    world.send(
      .reload(
        settings([
          Sample.group("new", rules: [rule]),
          Sample.group("old", rules: [try Sample.alert("B", "x > 1")]),
        ])))
    world.run(for: .seconds(45))
    let after = world.kernel.alertsReport.filter { $0.rule == "A" }
    #expect(after.map(\.firedAt) == before.map(\.firedAt))
    #expect(after.map(\.group) == ["new"])
    #expect(!world.messages("alerts").contains("Alert resolved"))
  }
}
