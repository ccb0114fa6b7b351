import Config
import Diagnostics
import Kernel
import Model
import Rules
import Testing

@Suite("tocsin.yml")
struct TocsinConfigTests {
  private func load(_ yaml: String) -> TocsinConfig {
    TocsinConfigLoader.load(SourceText(name: "/etc/tocsin.yml", text: yaml))
  }

  @Test func everySetting() throws {
    let config = load(
      """
      webhooks:
        - name: ops
          url: http://127.0.0.1:8123/alerts
          matchers: ['severity=~"page|critical"', team = db]
          send_resolved: false
          group_by: ['...']
          group_wait: 1s
          group_interval: 2m
          repeat_interval: 3h
          max_alerts: 5
          timeout: 4s
          dead_letter_after: 1h
          headers: {X-Team: database}
          authorization: {credentials_file: token}
        - {name: file, url_file: secret/url}
      storage: {keep: all, retention: 6h, memory_limit: 1GiB}
      lint: {required_labels: [severity], required_annotations: [summary], disable: [a/b]}
      """)
    #expect(config.diagnostics.isEmpty)
    let ops = try #require(config.webhooks.first)
    #expect(ops.url == .inline("http://127.0.0.1:8123/alerts"))
    #expect(ops.matchers.map(\.description) == ["severity=~\"page|critical\"", "team=\"db\""])
    #expect(!ops.sendResolved)
    #expect(ops.groupBy == ["..."])
    #expect(ops.groupWait == .seconds(1) && ops.groupInterval == .minutes(2))
    #expect(ops.repeatInterval == .hours(3) && ops.maxAlerts == 5)
    #expect(ops.timeout == .seconds(4) && ops.deadLetterAfter == .hours(1))
    #expect(ops.http.headers.map(\.name) == ["X-Team"])
    #expect(ops.http.authorization?.credentials == .file("/etc/token"))
    #expect(config.webhooks.last?.url == .file("/etc/secret/url"))
    #expect(config.webhooks.last?.groupBy == ["alertname"])
    #expect(config.storage.keep == .all && config.storage.retention == .hours(6))
    #expect(config.storage.memoryLimit == 1 << 30)
    #expect(config.lint.requiredLabels == ["severity"])
  }

  @Test func whatMakesGroupsBeEvaluated() throws {
    let config = load(
      """
      evaluate: on_scrape
      groups:
        - matchers: ['group=~"slow.*"']
          evaluate: slots
      """)
    #expect(config.diagnostics.isEmpty)
    let group = { RuleGroupDefinition(file: "r.yml", name: $0, interval: .seconds(15), rules: []) }
    #expect(config.triggers.trigger(for: group("slow-ones")) == .slots)
    #expect(config.triggers.trigger(for: group("db")) == .onScrape)
    #expect(load("storage: {keep: all}").triggers.trigger(for: group("db")) == .slots)
  }

  @Test(arguments: [
    ("webhook: []", "yaml/unknown-field"),
    ("evaluate: on-scrape", "yaml/value"),
    ("groups: [{matchers: ['group=\"a\"'], evaluate: never}]", "yaml/value"),
    ("groups: [{match: []}]", "yaml/unknown-field"),
    ("webhooks: [{url: 'http://x'}]", "config/webhook"),
    ("webhooks: [{name: a}]", "config/webhook"),
    ("webhooks: [{name: a, url: 'ftp://x'}]", "config/url"),
    ("webhooks: [{name: a, url: 'http://'}]", "config/url"),
    ("webhooks: [{name: a, url: 'http://x'}, {name: a, url: 'http://x'}]", "config/webhook"),
    ("webhooks: [{name: a, url: 'http://x', matchers: [severity]}]", "config/matcher"),
    ("webhooks: [{name: a, url: 'http://x', matchers: ['a=~\"(\"']}]", "config/matcher"),
    ("webhooks: [{name: a, url: 'http://x', group_by: ['...', b]}]", "config/webhook"),
    ("webhooks: [{name: a, url: 'http://x', repeat_interval: 0s}]", "config/webhook"),
    ("storage: {keep: some}", "yaml/value"),
    ("storage: {retention: 2}", "yaml/duration"),
    ("policies: [{on_no_data: panic}]", "yaml/value"),
    ("policies: [{matchers: [x], on_error: hold}]", "config/matcher"),
    ("lint: {disabled: [x]}", "yaml/unknown-field"),
  ])
  func mistakesAreRefused(_ yaml: String, _ id: String) {
    let errors = load(yaml).diagnostics.filter { $0.severity == .error }
    #expect(errors.map(\.id) == [id], "\(errors.map(\.message))")
  }

  @Test func theNearestKeyIsNamed() {
    #expect(load("webhoks: []").diagnostics.first?.label == "did you mean `webhooks`?")
  }

  @Test(arguments: [
    (#"a="b""#, #"a="b""#), (#"a = b c "#, #"a="b c""#), (#"a!="x\"y""#, #"a!="x\"y""#),
    (#""a.b"!~"x.*""#, #""a.b"!~"x.*""#), ("a=", #"a="""#),
  ])
  func matchers(_ text: String, _ wanted: String) throws {
    #expect(try MatcherText.parse(text).description == wanted)
  }

  @Test(arguments: ["", "=x", "a", #"a="b"#, #"a="b" c"#, #"a=b"c"#])
  func badMatchers(_ text: String) {
    #expect(throws: MatcherText.Problem.self) { try MatcherText.parse(text) }
  }
}
