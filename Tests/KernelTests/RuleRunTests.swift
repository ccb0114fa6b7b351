import Exposition
import Model
import Rules
import Testing

@testable import Kernel

private func settings(
  _ rules: [RuleDefinition], interval: PromDuration = .seconds(15), limit: Int = 0
) -> Settings {
  var settings = Settings()
  settings.global.externalURL = "http://tocsin.example"
  settings.scrapes = [Sample.scrape()]
  settings.groups = [Sample.group(interval: interval, limit: limit, rules: rules)]
  settings.webhooks = [Sample.webhook()]
  settings.webhooks[0].groupInterval = .seconds(15)
  return settings
}

/// `status` of each webhook body with the time since the start.
private func webhooks(_ world: World) -> [String] {
  world.deliveries.filter { $0.request.receiver == "ops" }
    .map { $0.request.json["status"]?.string ?? "" }
}

@Suite struct RuleRunTests {
  @Test func anAlertWalksFromScrapeToWebhookAndBack() throws {
    let world = World(
      settings([
        try Sample.alert(
          "PoolExhausted", "db_pool_usage > 90", for: .seconds(30),
          labels: ["severity": "critical"], annotations: ["description": "连接池已用尽"])
      ]))
    var usage = 50
    world.scrape = { _, _ in world.text("db_pool_usage \(usage)\n") }
    world.run(for: .minutes(1))
    #expect(world.deliveries.isEmpty)
    #expect(world.kernel.rulesReport[0].rules[0].state == .inactive)
    usage = 95
    world.run(for: .seconds(30))
    #expect(world.kernel.rulesReport[0].rules[0].state == .pending)
    #expect(try world.value("ALERTS{alertstate=\"pending\"}") == 1)
    world.run(for: .seconds(45))
    #expect(webhooks(world) == ["firing"])
    let body = world.deliveries[0].request.json
    let alert = body["alerts"]?[0]
    #expect(alert?["annotations"]?["description"]?.string == "连接池已用尽")
    #expect(alert?["labels"]?["severity"]?.string == "critical")
    #expect(alert?["labels"]?["instance"]?.string == "app:80")
    #expect(
      alert?["generatorURL"]?.string
        == "http://tocsin.example/graph?g0.expr=db_pool_usage+%3E+90&g0.tab=1")
    #expect(try world.value("ALERTS{alertstate=\"pending\"}") == nil)
    #expect(try world.value("ALERTS{alertstate=\"firing\"}") == 1)
    let report = try #require(world.kernel.alertsReport.first)
    #expect(report.value == 95)
    #expect(
      try world.value("ALERTS_FOR_STATE")
        == Double(report.activeAt.milliseconds / 1000))
    usage = 10
    world.run(for: .minutes(1))
    #expect(webhooks(world) == ["firing", "resolved"])
    #expect(try world.value("ALERTS") == nil)
    #expect(
      world.messages("alerts") == ["Alert pending", "Alert firing", "Alert resolved"])
  }

  @Test func laterRulesSeeEarlierResultsAtTheSameTime() throws {
    let world = World(
      settings([
        try Sample.record("job:x:max", "x", labels: ["kind": "copy"]),
        try Sample.alert("High", "job:x:max > 5"),
      ]))
    world.scrape = { _, _ in world.text("x 7\n") }
    world.run(for: .seconds(45))
    let rules = world.kernel.rulesReport[0].rules
    #expect(rules[1].state == .firing)
    #expect(rules[1].alerts[0].activeAt <= (rules[0].lastEvaluation ?? .zero))
    #expect(try world.values("job:x:max").map { $0.labels.value(of: "kind") } == ["copy"])
  }

  @Test func evaluationsHappenAtSlots() throws {
    let world = World(settings([try Sample.record("a", "1")], interval: .seconds(20)))
    let schedule = SlotSchedule(
      interval: .seconds(20), hash: StableHash.of("group", "rules.yml", "g"))
    world.run(for: .minutes(2))
    let last = try #require(world.kernel.rulesReport[0].lastEvaluation)
    #expect(schedule.slot(atOrBefore: last) == last)
    #expect(world.kernel.rulesReport[0].rules[0].evaluations == 6)
    world.sleep(for: .seconds(90))
    world.send(.tick)
    let group = world.kernel.scheduler.groups[0]
    #expect(group.evaluations == 7)
    #expect(group.missed >= 3)
    #expect(
      world.kernel.rulesReport[0].lastEvaluation == schedule.slot(atOrBefore: world.now))
    #expect(world.messages("rules").contains("Rule group evaluations missed"))
  }

  @Test func queryOffsetShiftsQuestionAndAnswer() throws {
    var settings = settings([])
    settings.groups = [
      Sample.group(offset: .minutes(1), rules: [try Sample.record("late", "x")])
    ]
    let world = World(settings)
    world.scrape = { _, at in world.text("x \((at - World.epoch).milliseconds)\n") }
    world.run(for: .minutes(3))
    let slot = try #require(world.kernel.rulesReport[0].lastEvaluation)
    #expect(try world.value("late", at: slot - .minutes(1) - .milliseconds(1)) != nil)
    let then = try #require(try world.value("late", at: slot))
    #expect(then <= Double((slot - .minutes(1) - World.epoch).milliseconds))
  }

  @Test func failuresStayWithTheirRule() throws {
    let world = World(
      settings(
        [
          try Sample.alert("Twice", "{__name__=~\"a|b\"} > 0"),
          try Sample.alert("Fine", "a > 0"),
        ]))
    world.scrape = { _, _ in world.text("a 1\nb 2\n") }
    world.run(for: .seconds(45))
    let rules = world.kernel.rulesReport[0].rules
    #expect(rules[0].health == .err)
    #expect(
      rules[0].lastError
        == "vector contains metrics with the same labelset after applying alert labels")
    #expect(rules[1].health == .ok)
    #expect(rules[1].state == .firing)
    #expect(
      world.kernel.metricsText().text.contains(
        "tocsin_rule_healthy{rule_group=\"rules.yml;g\",rule=\"Twice\",index=\"0\"} 0\n"))
  }

  @Test func scalarsAreOneElementWithoutLabels() throws {
    let world = World(settings([try Sample.alert("Watchdog", "1", labels: ["severity": "none"])]))
    world.run(for: .seconds(15))
    #expect(
      world.kernel.alertsReport.map(\.labels.description) == [
        #"{alertname="Watchdog", severity="none"}"#
      ])
  }

  @Test func vanishedRecordsEndAndFailuresLinger() throws {
    let world = World(settings([try Sample.record("copy", "x")]))
    var body = "x{i=\"1\"} 1\nx{i=\"2\"} 1\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .seconds(45))
    #expect(try world.values("copy").count == 2)
    body = "x{i=\"1\"} 1\n"
    world.run(for: .seconds(30))
    #expect(try world.values("copy").count == 1)
  }

  @Test func aLimitBreachHoldsTheAlertsAndTheReceiversBelieve() throws {
    var settings = settings([try Sample.alert("Many", "x > 0")], limit: 1)
    settings.alertmanagers = [Sample.alertmanager()]
    let world = World(settings)
    var body = "x{i=\"1\"} 1\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .seconds(30))
    #expect(world.kernel.alertsReport.count == 1)
    body = "x{i=\"1\"} 1\nx{i=\"2\"} 1\n"
    world.run(for: .minutes(10))
    let rule = world.kernel.rulesReport[0].rules[0]
    #expect(rule.lastError == "exceeded limit of 1 with 2 alerts")
    #expect(rule.alerts.count == 1)
    let sends = world.deliveries.filter { $0.request.receiver != "ops" }.map(\.at)
    #expect(zip(sends, sends.dropFirst()).allSatisfy { $1 - $0 <= .seconds(75) })
    #expect(world.now - (sends.last ?? .zero) <= .seconds(75))
    #expect(webhooks(world) == ["firing"])
    body = "x{i=\"1\"} 1\n"
    world.run(for: .seconds(30))
    #expect(world.kernel.rulesReport[0].rules[0].health == .ok)
    #expect(world.kernel.alertsReport.count == 1)
  }

  @Test func externalLabelsAndRelabellingReachTheReceivers() throws {
    var settings = settings([try Sample.alert("A", "1", labels: ["zone": "mine"])])
    settings.global.externalLabels = ["zone": "outer", "replica": "r1"]
    var drop = RelabelRule(regexp: try Regexp(anchored: "replica"))
    drop.action = .labeldrop
    settings.alertRelabeling = [drop]
    settings.alertmanagers = [Sample.alertmanager()]
    let world = World(settings)
    world.run(for: .seconds(15))
    let labels = world.deliveries.map { delivery in
      delivery.request.json[0]?["labels"] ?? delivery.request.json["alerts"]?[0]?["labels"]
    }
    #expect(labels.count == 2)
    for set in labels {
      #expect(set?.object?.map(\.key) == ["alertname", "zone"])
      #expect(set?["zone"]?.string == "mine")
    }
    #expect(try world.values("ALERTS").first?.labels.value(of: "replica") == "")
  }

  @Test func queryOffsetReachesBackInKeepRules() throws {
    var settings = settings([])
    settings.storage.keep = .rules
    settings.groups = [
      Sample.group(offset: .minutes(20), rules: [try Sample.record("late", "x")])
    ]
    let world = World(settings)
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .minutes(30))
    #expect(try world.value("late", at: world.now - .minutes(20)) == 1)
  }

  @Test func aFailureIsLoggedOncePerChange() throws {
    let world = World(settings([try Sample.alert("Twice", "{__name__=~\"a|b\"} > 0")]))
    var body = "a 1\nb 2\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .minutes(5))
    body = "a 1\n"
    world.run(for: .minutes(1))
    let news = world.logs.filter { $0.component == "rules" && $0.level != .debug }
    #expect(news.map(\.message) == ["Evaluating rule failed", "Rule works again"])
  }

  @Test func emptyTemplatesShowTheirTextInALERTSOnly() throws {
    let world = World(settings([try Sample.alert("A", "1", labels: ["r": "{{ $labels.r }}"])]))
    world.run(for: .seconds(15))
    #expect(world.kernel.alertsReport[0].labels.description == #"{alertname="A"}"#)
    #expect(try world.values("ALERTS").first?.labels.value(of: "r") == "{{ $labels.r }}")
  }

  @Test func failedTemplatesLeakTheirErrorAndAreCounted() throws {
    let world = World(
      settings([
        try Sample.alert("A", "1", annotations: ["s": #"{{ query "no such" | first }}"#])
      ]))
    world.run(for: .seconds(15))
    let text = world.kernel.alertsReport[0].annotations[0].value
    #expect(text.hasPrefix("<error expanding template: "))
    #expect(world.messages("rules") == ["Expanding alert template failed"])
    #expect(
      world.kernel.metricsText().text
        .contains("prometheus_template_text_expansion_failures_total 1\n"))
  }

  @Test func metricsAreAValidExposition() throws {
    var settings = settings([try Sample.alert("A", "x > 0"), try Sample.record("r", "x")])
    settings.alertmanagers = [Sample.alertmanager()]
    let world = World(settings)
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .minutes(2))
    let parsed = ExpositionParser.parse(world.kernel.metricsText().bytes, format: .text)
    #expect(parsed.problem == nil)
    var series: Set<LabelSet> = []
    var families: Set<String> = []
    for entry in parsed.entries {
      if case .series(let sample) = entry { #expect(series.insert(sample.labels).inserted) }
      if case .type(let name, _) = entry { #expect(families.insert(name).inserted) }
    }
    #expect(series.count > 60)
  }
}
