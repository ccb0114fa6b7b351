import Config
import Diagnostics
import Kernel
import Model
import Rules
import TestSupport
import Testing

/// A kernel that runs rule files given as texts.
private final class Site {
  let kernel = Kernel(storage: Site.storage)
  private var now = Timestamp(seconds: 1_700_000_000)
  private(set) var logs: [LogRecord] = []
  private(set) var deliveries: [DeliveryRequest] = []

  private static var storage: StorageSettings {
    var storage = StorageSettings()
    storage.keep = .all
    return storage
  }

  /// Reloads with these files.
  func load(_ files: [String: String]) {
    var settings = Settings()
    settings.storage = Self.storage
    settings.webhooks = [WebhookSettings(name: "ops", url: .inline("http://ops/"))]
    for (name, text) in files.sorted(by: { $0.key < $1.key }) {
      var options = RuleFileLoader.Options()
      options.defaultInterval = .seconds(15)
      let file = RuleFileLoader.load(SourceText(name: name, text: text), options: options)
      settings.groups += file.groups
      if let hold = file.hold { settings.heldFiles.append(HeldFile(file: name, message: hold)) }
    }
    handle(.reload(settings))
  }

  func load(_ text: String) { load(["r.yml": text]) }

  private func handle(_ event: Event) {
    for effect in kernel.handle(event, at: now) {
      switch effect {
      case .log(let record): logs.append(record)
      case .deliver(let id, let request):
        deliveries.append(request)
        handle(
          .delivered(
            id,
            DeliveryOutcome(
              result: .answered(status: 200, retryAfter: nil, body: ""), duration: .zero)))
      default: break
      }
    }
  }

  func run(for duration: PromDuration) {
    let end = now + duration
    while let next = kernel.nextDeadline, next <= end {
      now = max(now, next)
      handle(.tick)
    }
    now = end
  }

  /// `group/rule health state query`, an exclamation mark for rules in quarantine.
  var rules: [String] {
    kernel.rulesReport.flatMap { group in
      group.rules.map {
        "\(group.name)/\($0.name) \($0.health.rawValue) \($0.state.rawValue) \($0.query)"
          + ($0.quarantine == nil ? "" : " !")
      }
    }
  }

  var alerts: [String] {
    kernel.alertsReport.map { "\($0.labels) \($0.state.rawValue)" }
  }

  var messages: [String] { logs.filter { $0.component == "rules" }.map(\.message) }
}

@Suite("Quarantine")
struct QuarantineTests {
  private static let good = """
    groups:
      - name: g
        rules:
          - {record: one, expr: vector(1)}
          - {alert: A, expr: vector(7) > 5, labels: {severity: page}}
          - {alert: B, expr: vector(8) > 5}

    """

  @Test func theRestOfTheFileRuns() {
    let site = Site()
    site.load(Self.good.replacing("vector(7) > 5", with: "vector(7) >"))
    site.run(for: .seconds(30))
    #expect(
      site.rules == [
        "g/one ok inactive vector(1)", "g/A err unknown vector(7) > !",
        "g/B ok firing vector(8) > 5",
      ])
    let rule = site.kernel.rulesReport[0].rules[1]
    #expect(rule.lastError == "r.yml:5:37: unexpected end of input")
    #expect(rule.labels == [Label(name: "severity", value: "page")])
    #expect(rule.lastEvaluation == nil)
    #expect(site.messages.first == "Rule quarantined: it does not run")
    #expect(
      site.kernel.metricsText().text.contains(
        #"tocsin_rules_quarantined{file="r.yml",rule_group="g",rule="A"} 1"#))
  }

  @Test func theLastGoodVersionRunsOnAfterAReload() {
    let site = Site()
    site.load(Self.good)
    site.run(for: .minutes(1))
    let before = site.kernel.alertsReport.map(\.activeAt)
    let broken = Self.good.replacing("vector(7) > 5", with: "vector(7) >")
    for _ in 0..<3 {
      site.load(broken)
      site.run(for: .minutes(1))
    }
    #expect(
      site.rules == [
        "g/one ok inactive vector(1)", "g/A err firing vector(7) > 5 !",
        "g/B ok firing vector(8) > 5",
      ])
    #expect(site.kernel.alertsReport.map(\.activeAt) == before)
    #expect(site.kernel.rulesReport[0].rules[0].evaluations > 10)
    #expect(site.kernel.rulesReport[0].rules[1].lastEvaluation != nil)
    #expect(site.kernel.quarantineReport.map(\.runsLastGood) == [true])
    #expect(site.messages.contains("Rule quarantined: its last good version runs on"))
    site.load(Self.good)
    #expect(site.kernel.quarantineReport.isEmpty)
    #expect(site.kernel.alertsReport.map(\.activeAt) == before)
    #expect(site.deliveries.count == 2)
  }

  @Test func aRuleIsKnownByItsNameWhenItsLabelsAreBroken() {
    let site = Site()
    site.load(Self.good)
    site.run(for: .minutes(1))
    site.load(Self.good.replacing("{severity: page}", with: "{severity: '{{ .Nope'}"))
    site.run(for: .minutes(1))
    #expect(site.rules[1] == "g/A err firing vector(7) > 5 !")
  }

  @Test func aRuleWithoutANameIsKnownByItsPlace() {
    let site = Site()
    site.load(Self.good)
    site.run(for: .minutes(1))
    site.load(Self.good.replacing("alert: A, ", with: ""))
    #expect(site.rules[1] == "g/A err firing vector(7) > 5 !")
    let rule = "- {alert: A, expr: vector(7) > 5, labels: {severity: page}}"
    site.load(Self.good.replacing(rule, with: "- just a text"))
    #expect(site.rules[1] == "g/A err firing vector(7) > 5 !")
  }

  @Test func aRemovedRuleIsGoneAlthoughAnotherIsBroken() {
    let site = Site()
    site.load(Self.good)
    site.run(for: .minutes(1))
    site.load(
      """
      groups:
        - name: g
          rules:
            - {record: one, expr: vector(1}
            - {alert: B, expr: vector(8) > 5}
      """)
    #expect(site.rules == ["g/one err inactive vector(1) !", "g/B ok firing vector(8) > 5"])
    #expect(site.alerts == [#"{alertname="B"} firing"#])
  }

  @Test func brokenSettingsOfAGroupLeaveItAsItWas() {
    let site = Site()
    site.load(Self.good)
    site.run(for: .minutes(1))
    site.load(Self.good.replacing("- name: g\n", with: "- name: g\n    interval: 5x\n"))
    site.run(for: .minutes(1))
    #expect(site.rules.map { $0.hasSuffix("!") } == [true, true, true])
    #expect(site.kernel.rulesReport[0].interval == .seconds(15))
    #expect(site.alerts.count == 2)
    #expect(site.kernel.rulesReport[0].rules[1].lastError.hasPrefix("r.yml:3:"))
  }

  @Test func aGroupThatIsThereTwiceLosesNothing() {
    let site = Site()
    site.load(Self.good + "  - name: h\n    rules: [{alert: H, expr: vector(1)}]\n")
    site.run(for: .minutes(1))
    site.load(Self.good + "  - name: g\n    rules: [{alert: H, expr: vector(1)}]\n")
    site.run(for: .minutes(1))
    #expect(site.rules.last == "g/H err firing vector(1) !")
    #expect(site.deliveries.count == 3)
  }

  @Test(arguments: ["groups: [", "- a\n- list\n", "groups: nothing\n", "groups:\n- text\n"])
  func aFileThatIsNoneIsHeld(broken: String) {
    let site = Site()
    site.load(["a.yml": Self.good, "b.yml": "groups: [{name: b, rules: []}]"])
    site.run(for: .minutes(1))
    site.load(["a.yml": broken, "b.yml": ""])
    site.run(for: .minutes(1))
    #expect(site.kernel.rulesReport.map(\.name) == ["g"])
    #expect(site.alerts.count == 2)
    #expect(site.messages.contains("Rule file held: what it cannot tell runs on as it was"))
    #expect(site.kernel.metricsText().text.contains("tocsin_rule_files_held 1\n"))
    site.load(["b.yml": ""])
    #expect(site.kernel.rulesReport.isEmpty)
  }

  @Test func strictRefusesEverything() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": "rule_files: [r.yml]\n",
      "r.yml": Self.good.replacing("vector(7) > 5", with: "vector(7) >"),
    ])
    var options = ConfigLoader.Options(environment: { _ in nil })
    options.configFile = folder.path + "/prometheus.yml"
    let loaded = ConfigLoader.load(options)
    #expect(loaded.settings != nil)
    #expect(loaded.ruleCounts == (running: 2, quarantined: 1))
    options.isStrict = true
    #expect(ConfigLoader.load(options).settings == nil)
    #expect(ConfigLoader.load(options).diagnostics.map(\.id) == ["promql/syntax"])
  }

  @Test func unchangedFilesAreNotParsedAgain() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": "rule_files: [r.yml]\n", "r.yml": Self.good,
    ])
    var options = ConfigLoader.Options(environment: { _ in nil })
    options.configFile = folder.path + "/prometheus.yml"
    let first = ConfigLoader.load(options)
    let before = ConfigLoader.fingerprint(options)
    let second = ConfigLoader.load(options, after: first.reusable)
    #expect(second.ruleFiles[0].source === first.ruleFiles[0].source)
    #expect(ConfigLoader.fingerprint(options) == before)
    try folder.write("r.yml", Self.good + "# changed\n")
    #expect(ConfigLoader.fingerprint(options) != before)
    let third = ConfigLoader.load(options, after: second.reusable)
    #expect(third.ruleFiles[0].source !== first.ruleFiles[0].source)
    try folder.write("tocsin.yml", "")
    #expect(ConfigLoader.fingerprint(options) != before)
  }

  @Test func remarksSayWhereInTheFile() {
    let site = Site()
    site.load(
      """
      groups:
        - name: g
          rules:
            - record: r
              expr: |
                vector(1) +
                  quantile(7, vector(1))
      """)
    site.run(for: .seconds(30))
    let warnings = site.kernel.rulesReport[0].rules[0].warnings
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasSuffix(" (r.yml:7:22)") == true, "\(warnings)")
  }
}
