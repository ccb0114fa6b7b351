import Config
import Diagnostics
import Kernel
import Model
import TestSupport
import Testing

@Suite("Loading everything")
struct ConfigLoaderTests {
  private func load(_ folder: TemporaryFolder, _ file: String? = "prometheus.yml") -> LoadedConfig {
    var options = ConfigLoader.Options(environment: { _ in nil })
    options.configFile = file.map { folder.path + "/" + $0 }
    return ConfigLoader.load(options)
  }

  @Test func rulesAndWebhooksComeTogether() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": "global: {evaluation_interval: 9s}\nrule_files: [r/*.yml, r/a.yml]\n",
      "r/b.yml": "groups: [{name: b, rules: [{record: x, expr: up}]}]",
      "r/a.yml": "groups: [{name: a, rules: [{record: x, expr: up}, {record: y, expr: up(}]}]",
      "tocsin.yml": "webhooks: [{name: w, url: 'http://x/'}]",
    ])
    let loaded = load(folder)
    let settings = try #require(loaded.settings)
    #expect(settings.groups.map(\.name) == ["a", "b"])
    #expect(settings.groups.map(\.interval) == [.seconds(9), .seconds(9)])
    #expect(settings.webhooks.map(\.name) == ["w"])
    #expect(loaded.ruleCounts == (running: 2, quarantined: 1))
    #expect(loaded.hasErrors)
    #expect(
      loaded.filesRead.map { $0.dropFirst(folder.path.count + 1) } == [
        "prometheus.yml", "tocsin.yml", "r/a.yml", "r/b.yml",
      ])
  }

  @Test func aBrokenConfigurationGivesNoSettings() throws {
    let folder = try TemporaryFolder(["prometheus.yml": "globl: {}\n"])
    #expect(load(folder).settings == nil)
    #expect(load(folder, "missing.yml").diagnostics.map(\.id) == ["config/file"])
  }

  @Test func withoutAFileThereIsADefault() throws {
    var options = ConfigLoader.Options(environment: { _ in nil })
    options.listenAddress = ":9999"
    options.tocsinFile = nil
    let loaded = ConfigLoader.load(options)
    #expect(loaded.isDefault)
    #expect(loaded.settings?.scrapes.map(\.jobName) == ["tocsin"])
    #expect(loaded.settings?.scrapes.first?.staticTargets.first?.targets == ["127.0.0.1:9999"])
  }

  @Test func jobsMayStandInFilesOfTheirOwn() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": "scrape_config_files: ['jobs/*.yml']\nscrape_configs: [{job_name: a}]\n",
      "jobs/1.yml": "scrape_configs:\n- job_name: b\n  tls_config: {ca_file: ca}\n",
      "jobs/2.yml": "scrape_configs:\n- job_name: a\n",
    ])
    let loaded = load(folder)
    #expect(loaded.diagnostics.map(\.id) == ["config/duplicate-job"])
    #expect(loaded.diagnostics.first?.source?.name == folder.path + "/jobs/2.yml")
    try folder.write("jobs/2.yml", "")
    #expect(load(folder).settings?.scrapes.map(\.jobName) == ["a", "b"])
    #expect(load(folder).settings?.scrapes.last?.http.tls.caFile == folder.path + "/jobs/ca")
  }

  @Test func globs() throws {
    let folder = try TemporaryFolder([
      "a.yml": "", "b.yml": "", ".c.yml": "", "d/e.yml": "", "é.yml": "", "[x].yml": "",
    ])
    func find(_ pattern: String) -> [String] {
      (Glob(folder.path + "/" + pattern)?.matches() ?? []).map {
        String($0.dropFirst(folder.path.count + 1))
      }
    }
    #expect(find("*.yml") == [".c.yml", "[x].yml", "a.yml", "b.yml", "é.yml"])
    #expect(find("?.yml") == ["a.yml", "b.yml", "é.yml"])
    #expect(find("[a-b].yml") == ["a.yml", "b.yml"])
    #expect(find("[^a].yml") == ["b.yml", "é.yml"])
    #expect(find("\\[x\\].yml") == ["[x].yml"])
    #expect(find("*/e.yml") == ["d/e.yml"])
    #expect(find("a.yml") == ["a.yml"])
    #expect(find("none*.yml").isEmpty)
    #expect(Glob("[a") == nil)
  }

  @Test func targetFilesAreYAMLOrJSON() {
    let json = #"[{"targets": ["a:1", "b:2"], "labels": {"env": "x"}}, {"targets": []}]"#
    let (groups, problems) = TargetFile.parse(
      SourceText(name: "t.json", text: json), path: "/t.json")
    #expect(problems.isEmpty)
    #expect(
      groups == [
        TargetGroup(
          source: "/t.json:0", targets: ["a:1", "b:2"],
          labels: ["env": "x", "__meta_filepath": "/t.json"]),
        TargetGroup(source: "/t.json:1", targets: [], labels: ["__meta_filepath": "/t.json"]),
      ])
    for bad in ["{}", "[~]", "[{targets: a}]", "[{target: [a]}]", "["] {
      #expect(!TargetFile.parse(SourceText(name: "t", text: bad), path: "t").diagnostics.isEmpty)
    }
  }

  @Test(arguments: [
    ("1KB", 1024), ("1KiB", 1024), ("1.5MB", 1_572_864), ("1GB512MB", 1_610_612_736), ("0", 0),
    ("10B", 10),
  ])
  func byteSizes(_ text: String, _ size: Int) {
    #expect(ByteSize.parse(text) == size)
  }

  @Test(arguments: ["", "1", "MB", "1XB", "-1MB", "1..5MB"])
  func badByteSizes(_ text: String) { #expect(ByteSize.parse(text) == nil) }
}
