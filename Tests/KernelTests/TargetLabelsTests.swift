import Model
import Testing

@testable import Kernel

private func settings() -> ScrapeSettings {
  ScrapeSettings(jobName: "node", interval: .seconds(15), timeout: .seconds(10))
}

private func spec(
  _ address: String, _ labels: LabelSet = .empty, _ settings: ScrapeSettings
) -> TargetSpec? {
  let group = TargetGroup(source: "0", targets: [address], labels: labels)
  guard
    case .active(let spec) = TargetLabels.candidate(
      address: address, group: group, settings: settings)
  else { return nil }
  return spec
}

private func refusal(
  _ address: String, _ labels: LabelSet = .empty, _ settings: ScrapeSettings
) -> String? {
  let group = TargetGroup(source: "0", targets: [address], labels: labels)
  guard
    case .refused(let problem) = TargetLabels.candidate(
      address: address, group: group, settings: settings)
  else { return nil }
  return problem
}

private func rule(_ source: String, _ target: String, _ replacement: String) throws -> RelabelRule {
  var rule = RelabelRule(regexp: try Regexp(anchored: "(.*)"))
  rule.sourceLabels = [source]
  rule.targetLabel = target
  rule.replacement = replacement
  return rule
}

@Suite struct TargetLabelsTests {
  @Test func fillsInDefaults() {
    let made = spec("10.0.0.1:9100", ["env": "prod"], settings())
    #expect(
      made?.labels.description
        == #"{env="prod", instance="10.0.0.1:9100", job="node"}"#)
    #expect(made?.url == "http://10.0.0.1:9100/metrics")
    #expect(made?.interval == .seconds(15))
    #expect(made?.timeout == .seconds(10))
    #expect(
      made?.discovered.description
        == #"{__address__="10.0.0.1:9100", __metrics_path__="/metrics", __scheme__="http", "#
        + #"__scrape_interval__="15s", __scrape_timeout__="10s", env="prod", job="node"}"#)
  }

  @Test func targetLabelsWinOverDefaults() {
    let made = spec(
      "h:1", ["job": "other", "instance": "mine", "__metrics_path__": "/m", "__scheme__": "https"],
      settings())
    #expect(made?.labels.description == #"{instance="mine", job="other"}"#)
    #expect(made?.url == "https://h:1/m")
  }

  @Test func parametersGoIntoTheURLAndCanBeRelabelled() throws {
    var settings = settings()
    settings.params = [("module", ["http_2xx", "b c"]), ("a", ["1"])]
    settings.relabeling = [
      try rule("__address__", "__param_target", "$1"),
      try rule("__param_target", "instance", "$1"),
      try rule("__meta_x", "__address__", "exporter:9115"),
    ]
    let made = spec("https://example.org/", ["__meta_x": "1"], settings)
    #expect(
      made?.url
        == "http://exporter:9115/metrics?a=1&module=http_2xx&module=b+c"
        + "&target=https%3A%2F%2Fexample.org%2F")
    #expect(made?.labels.description == #"{instance="https://example.org/", job="node"}"#)
  }

  @Test func relabelledIntervalsCount() throws {
    var settings = settings()
    settings.relabeling = [
      try rule("job", "__scrape_interval__", "1m"), try rule("job", "__scrape_timeout__", "30s"),
    ]
    let made = spec("h:1", .empty, settings)
    #expect(made?.interval == .minutes(1))
    #expect(made?.timeout == .seconds(30))
  }

  @Test func refusesInPrometheusWords() throws {
    #expect(refusal("a/b", .empty, settings()) == #""a/b" is not a valid hostname"#)
    #expect(refusal("", .empty, settings()) == "no address")
    #expect(
      refusal("h", ["__scrape_timeout__": "1m"], settings())
        == #"scrape timeout cannot be greater than scrape interval ("1m" > "15s")"#)
    #expect(
      refusal("h", ["__scrape_interval__": "0s"], settings()) == "scrape interval cannot be 0")
    #expect(
      refusal("h", ["__scrape_interval__": "soon"], settings())
        == #"error parsing scrape interval: not a valid duration string: "soon""#)
  }
}

@Suite struct SampleRelabelingTests {
  private let target: LabelSet = ["instance": "h:1", "job": "node", "exported_a": "t", "a": "t"]

  @Test func targetLabelsWinAndTheScrapedOnesMoveAside() throws {
    let relabeling = SampleRelabeling(target: target, settings: settings())
    let labels = try relabeling.apply(
      to: ["__name__": "x", "job": "mine", "a": "1", "exported_a": "2", "exported_job": "3"])
    #expect(
      labels?.description
        == #"{__name__="x", a="t", exported_a="t", exported_exported_a="1", "#
        + #"exported_exported_exported_a="2", exported_exported_job="mine", exported_job="3", "#
        + #"instance="h:1", job="node"}"#)
  }

  @Test func honoredLabelsStay() throws {
    var settings = settings()
    settings.honorLabels = true
    let relabeling = SampleRelabeling(target: ["instance": "h", "job": "node"], settings: settings)
    #expect(
      try relabeling.apply(to: ["__name__": "x", "job": "mine"])?.description
        == #"{__name__="x", instance="h", job="mine"}"#)
  }

  @Test func dropsRefusesAndLimits() throws {
    var settings = settings()
    var drop = RelabelRule(regexp: try Regexp(anchored: "go_.*"))
    drop.action = .drop
    drop.sourceLabels = ["__name__"]
    var unname = RelabelRule(regexp: try Regexp(anchored: "bad"))
    unname.sourceLabels = ["__name__"]
    unname.targetLabel = "__name__"
    unname.replacement = ""
    settings.metricRelabeling = [drop, unname]
    settings.labelLimit = 3
    let relabeling = SampleRelabeling(target: ["job": "node"], settings: settings)
    #expect(try relabeling.apply(to: ["__name__": "go_gc"]) == nil)
    #expect(throws: ScrapeFailure.self) { try relabeling.apply(to: ["__name__": "bad"]) }
    #expect(throws: ScrapeFailure.self) {
      try relabeling.apply(to: ["__name__": "x", "a": "1", "b": "2"])
    }
  }
}
