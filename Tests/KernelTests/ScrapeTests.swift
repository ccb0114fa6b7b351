import Model
import Testing

@testable import Kernel

private func settings(_ scrape: ScrapeSettings = Sample.scrape(), keep: StorageSettings.Keep = .all)
  -> Settings
{
  var settings = Settings()
  settings.scrapes = [scrape]
  settings.storage.keep = keep
  return settings
}

@Suite struct ScrapeTests {
  @Test func writesSamplesAndSyntheticSeries() throws {
    let world = World(settings())
    var counter = 0
    world.scrape = { _, _ in
      counter += 1
      return world.text("requests_total{code=\"200\"} \(counter)\ntemp 21.5\n")
    }
    world.run(for: .minutes(1))
    #expect(counter == 4)
    let found = try world.values("requests_total")
    #expect(
      found.map(\.labels.description) == [
        #"{__name__="requests_total", code="200", instance="app:80", job="app"}"#
      ])
    #expect(found.first?.value == 4)
    #expect(try world.value("up") == 1)
    #expect(try world.value("scrape_duration_seconds") == 0.005)
    #expect(try world.value("scrape_samples_scraped") == 2)
    #expect(try world.value("scrape_samples_post_metric_relabeling") == 2)
    #expect(try world.value("scrape_series_added") == 0)
    let report = world.kernel.targetsReport.active[0]
    #expect(report.health == .up)
    #expect(report.url == "http://app:80/metrics")
    #expect(report.lastError.isEmpty)
  }

  @Test func scrapesAreAlignedToTheirSlots() {
    let world = World(settings())
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .minutes(2))
    let phases = Set(world.scrapes.map { $0.at.milliseconds % 15_000 })
    #expect(phases.count == 1)
    #expect(world.scrapes.count == 8)
  }

  @Test func failedScrapesEndAllSeriesButUp() throws {
    let world = World(settings())
    var answer = world.text("x 1\ny 2\n")
    world.scrape = { _, _ in answer }
    world.run(for: .seconds(30))
    #expect(try world.value("x") == 1)
    answer = .failure("server returned HTTP status 500 Internal Server Error")
    world.run(for: .seconds(30))
    #expect(try world.value("x") == nil)
    #expect(try world.value("up") == 0)
    #expect(try world.value("scrape_samples_scraped") == 0)
    let report = world.kernel.targetsReport.active[0]
    #expect(report.health == .down)
    #expect(report.lastError == "server returned HTTP status 500 Internal Server Error")
    #expect(world.messages("scrape").filter { $0 == "Target is down" }.count == 1)
    answer = world.text("x 3\n")
    world.run(for: .seconds(15))
    #expect(try world.value("x") == 3)
    #expect(try world.value("y") == nil)
    #expect(world.messages("scrape").last == "Target is up")
  }

  @Test func garbageAndContentTypesFailTheWholeScrape() throws {
    let world = World(settings())
    var answer = world.text("x 1\n")
    world.scrape = { _, _ in answer }
    world.run(for: .seconds(15))
    answer = world.text("x 1\n{{{garbage\n")
    world.run(for: .seconds(15))
    #expect(try world.value("x") == nil)
    #expect(try world.value("up") == 0)
    answer = .body(Array("x 1\n".utf8), contentType: "")
    world.run(for: .seconds(15))
    #expect(
      world.kernel.targetsReport.active[0].lastError
        .hasPrefix("non-compliant scrape target sending blank Content-Type"))
    answer = world.text("x 2\n")
    world.run(for: .seconds(15))
    #expect(try world.value("x") == 2)
  }

  @Test func vanishedSeriesEnd() throws {
    let world = World(settings())
    var body = "x{i=\"1\"} 1\nx{i=\"2\"} 2\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .seconds(30))
    body = "x{i=\"2\"} 2\n"
    world.run(for: .seconds(15))
    #expect(try world.values("x").map { $0.labels.value(of: "i") } == ["2"])
    body = "x{i=\"2\"} 2\nx{i=\"1\"} 3\n"
    world.run(for: .seconds(15))
    #expect(try world.values("x").count == 2)
    #expect(try world.value("scrape_series_added") == 1)
  }

  @Test func limitsFailTheWholeScrape() throws {
    var scrape = Sample.scrape()
    scrape.sampleLimit = 2
    let world = World(settings(scrape))
    var body = "a 1\nb 2\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .seconds(15))
    #expect(try world.value("up") == 1)
    body = "a 1\nb 2\nc 3\n"
    world.run(for: .seconds(15))
    #expect(try world.value("up") == 0)
    #expect(try world.value("a") == nil)
    #expect(try world.value("scrape_samples_post_metric_relabeling") == 3)
    #expect(world.kernel.targetsReport.active[0].lastError == "sample limit exceeded")
    #expect(
      world.kernel.metricsText().text
        .contains("prometheus_target_scrapes_exceeded_sample_limit_total 1\n"))
  }

  @Test func duplicatesAreDroppedAndCounted() throws {
    let world = World(settings())
    world.scrape = { _, _ in world.text("a{x=\"1\"} 1\na{x=\"1\"} 2\na{x=\"1\",} 3\n") }
    world.run(for: .seconds(15))
    #expect(try world.value("a") == 1)
    #expect(try world.value("up") == 1)
    #expect(world.kernel.scraper.counts.duplicates == 2)
  }

  @Test func ownTimestampsTakeTheSidePath() throws {
    let world = World(settings())
    let base = World.epoch
    var body = ""
    world.scrape = { _, _ in world.text(body) }
    body = "a 1 \(base.milliseconds - 30_000)\nb 1 \(base.milliseconds + 3_600_000)\n"
    world.run(for: .seconds(15))
    #expect(try world.value("a", at: base) == 1)
    #expect(try world.value("b") == nil)
    #expect(world.kernel.scraper.counts.outOfBounds == 1)
    body = ""
    world.run(for: .seconds(30))
    #expect(try world.value("a") == 1)
  }

  @Test func trackedTimestampsEnd() throws {
    var scrape = Sample.scrape()
    scrape.trackTimestampsStaleness = true
    let world = World(settings(scrape))
    var body = "a 1 \(World.epoch.milliseconds)\n"
    world.scrape = { _, _ in world.text(body) }
    world.run(for: .seconds(15))
    #expect(try world.value("a") == 1)
    body = "b 1\n"
    world.run(for: .seconds(15))
    #expect(try world.value("a") == nil)
  }

  @Test func oneRequestAtATimePerTarget() {
    let kernel = Kernel()
    var now = World.epoch
    var requests = 0
    func count(_ effects: [Effect]) {
      requests += effects.count {
        if case .scrape = $0 { true } else { false }
      }
    }
    count(kernel.handle(.reload(settings()), at: now))
    while let next = kernel.nextDeadline, next <= World.epoch + .seconds(45) {
      now = next
      count(kernel.handle(.tick, at: now))
    }
    #expect(requests == 1)
    #expect(kernel.scraper.counts.skipped == 2)
  }

  @Test func targetLimitFailsEveryScrapeOfThePool() throws {
    var scrape = Sample.scrape(targets: ["a:1", "b:1", "c:1"])
    scrape.targetLimit = 2
    let world = World(settings(scrape))
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .seconds(30))
    #expect(world.scrapes.isEmpty)
    #expect(try world.values("up").map(\.value) == [0, 0, 0])
    #expect(
      world.kernel.targetsReport.active[0].lastError
        == "target_limit exceeded (number of targets: 3, limit: 2)")
  }

  @Test func onlyWhatRulesNeedIsKept() throws {
    var settings = settings(keep: .rules)
    let world = World(settings)
    world.scrape = { _, _ in world.text("wanted 1\nother 2\n") }
    world.run(for: .seconds(30))
    #expect(try world.value("wanted") == nil)
    #expect(try world.value("up") == 1)
    #expect(try world.value("scrape_samples_post_metric_relabeling") == 2)
    settings.groups = [Sample.group(rules: [try Sample.alert("A", "wanted > 0")])]
    world.send(.reload(settings))
    world.run(for: .seconds(30))
    #expect(try world.value("wanted") == 1)
    #expect(try world.value("other") == nil)
    #expect(try world.value("scrape_series_added") == 0)
    #expect(world.kernel.alertsReport.count == 1)
  }
}

@Suite struct DiscoveryTests {
  @Test func newsReplaceTheirSourceAndRemovedTargetsEnd() throws {
    var scrape = ScrapeSettings(jobName: "app", interval: .seconds(10), timeout: .seconds(5))
    scrape.fileDiscovery = [FileDiscoverySettings(files: ["t.json"])]
    let world = World(settings(scrape))
    world.scrape = { _, _ in world.text("x 1\n") }
    func discover(_ targets: [String]) {
      world.send(
        .discovered(
          job: "app", mechanism: "file:0",
          groups: [TargetGroup(source: "t.json:0", targets: targets)]))
    }
    discover(["a:1", "b:1"])
    world.run(for: .seconds(30))
    #expect(try world.values("x").count == 2)
    discover(["b:1"])
    #expect(world.kernel.targetsReport.active.map(\.url) == ["http://b:1/metrics"])
    world.run(for: .seconds(12))
    #expect(try world.values("x").count == 2)
    world.run(for: .seconds(12))
    #expect(try world.values("x").map { $0.labels.value(of: "instance") } == ["b:1"])
    #expect(try world.values("up").count == 1)
    discover([])
    #expect(world.kernel.targetsReport.active.isEmpty)
  }

  @Test func aTargetThatReturnsSoonContinues() throws {
    let world = World(settings())
    world.scrape = { _, _ in world.text("x 1\n") }
    world.run(for: .seconds(30))
    var without = settings()
    without.scrapes[0].staticTargets = []
    world.send(.reload(without))
    world.run(for: .seconds(5))
    world.send(.reload(settings()))
    world.run(for: .minutes(2))
    #expect(try world.value("x") == 1)
    #expect(try world.value("scrape_series_added") == 0)
  }

  @Test func droppedTargetsAreShown() throws {
    var scrape = Sample.scrape(targets: ["keep:1", "drop:1"])
    var drop = RelabelRule(regexp: try Regexp(anchored: "drop.*"))
    drop.action = .drop
    drop.sourceLabels = ["__address__"]
    scrape.relabeling = [drop]
    let report = World(settings(scrape)).kernel.targetsReport
    #expect(report.active.map(\.url) == ["http://keep:1/metrics"])
    #expect(report.dropped.map { $0.discoveredLabels.value(of: "__address__") } == ["drop:1"])
    #expect(report.droppedCounts.map(\.count) == [1])
  }
}
