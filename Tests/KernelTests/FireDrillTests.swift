import Model
import Rules
import Testing

@testable import Kernel

private let now = Timestamp(seconds: 1_700_000_000)

private func settings(_ change: (inout Settings) -> Void = { _ in }) throws -> Settings {
  var settings = Settings()
  settings.global.externalLabels = ["cluster": "c1"]
  settings.global.externalURL = "http://tocsin.example"
  settings.webhooks = [Sample.webhook("ops"), Sample.webhook("other")]
  settings.webhooks[0].matchers = [Matcher("severity", equals: "page")]
  settings.webhooks[0].groupWait = .minutes(5)
  settings.alertmanagers = [Sample.alertmanager("user:s3cret@am:9093")]
  settings.groups = [
    Sample.group(rules: [
      try Sample.alert(
        "Slow", "latency > 1", for: .minutes(10),
        labels: ["severity": "page", "shard": "{{ $labels.instance | toUpper }}"],
        annotations: [
          "summary": "{{ $labels.instance }} takes {{ humanizeDuration $value }}",
          "runbook_url": "{{ $externalURL }}/slow", "empty": "{{ $labels.nothing }}",
        ])
    ])
  ]
  change(&settings)
  return settings
}

@Suite struct FireDrillTests {
  @Test func aRulesAlertGoesThroughItsTemplates() throws {
    let order = FireDrill.Order(
      receiver: "ops", rule: "Slow", labels: [Label(name: "instance", value: "db")], value: 90,
      resolves: true)
    let drill = try FireDrill(order, settings: try settings(), at: now)
    #expect(drill.remarks.isEmpty)
    #expect(drill.kind == .webhook)
    #expect(
      drill.labels
        == [
          "alertname": "Slow", "cluster": "c1", "drill": "true", "instance": "db",
          "severity": "page", "shard": "DB",
        ])
    #expect(drill.requests.map(\.receiver) == ["ops", "ops"])
    let alerts = drill.requests.compactMap { $0.json["alerts"]?[0] }
    #expect(alerts.map { $0["status"]?.string } == ["firing", "resolved"])
    #expect(alerts[0]["annotations"]?["summary"]?.string == "[DRILL] db takes 1m 30s")
    #expect(alerts[0]["annotations"]?["runbook_url"]?.string == "http://tocsin.example/slow")
    #expect(alerts[0]["annotations"]?["drill"]?.string?.contains("fire drill") == true)
    #expect(
      alerts[0]["generatorURL"]?.string
        == "http://tocsin.example/graph?g0.expr=latency+%3E+1&g0.tab=1")
    let keys = drill.requests.map { $0.headers.first { $0.name == "Idempotency-Key" }?.value }
    #expect(Set(keys).count == 2)
  }

  @Test func withoutARuleItSuitsTheReceiver() throws {
    let drill = try FireDrill(
      FireDrill.Order(receiver: "ops"), settings: try settings(), at: now)
    #expect(drill.labels["severity"] == "page")
    #expect(drill.labels["alertname"] == "TocsinFireDrill")
    #expect(drill.requests.count == 1)
    #expect(drill.remarks.isEmpty)
  }

  @Test func saysWhenTheReceiverWouldNotHearOfIt() throws {
    let drill = try FireDrill(
      FireDrill.Order(receiver: "ops", labels: [Label(name: "severity", value: "ticket")]),
      settings: try settings(), at: now)
    #expect(drill.requests.count == 1)
    #expect(drill.remarks.count == 1)
    #expect(drill.remarks[0].contains(#"severity="page" does not match"#))
  }

  @Test(arguments: [
    "user:s3cret@am:9093", "http://user:s3cret@am:9093/api/v2/alerts",
    "http://user:xxxxx@am:9093/api/v2/alerts",
  ])
  func anAlertmanagerToo(_ name: String) throws {
    let order = FireDrill.Order(receiver: name, resolves: true)
    let drill = try FireDrill(order, settings: try settings(), at: now)
    #expect(drill.kind == .alertmanager)
    #expect(drill.requests.count == 2)
    let ends = drill.requests.map { $0.json[0]?["endsAt"]?.string }
    #expect(ends == ["2023-11-14T22:18:20.000Z", "2023-11-14T22:13:21.000Z"])
  }

  @Test func problemsAreWords() throws {
    func problem(_ order: FireDrill.Order, _ settings: Settings) -> String? {
      do throws(FireDrill.Problem) {
        _ = try FireDrill(order, settings: settings, at: now)
        return nil
      } catch {
        return error.description
      }
    }
    let usual = try settings()
    #expect(
      problem(FireDrill.Order(receiver: "nobody"), usual)
        == #"no receiver "nobody"; there is ops, other, http://user:xxxxx@am:9093/api/v2/alerts"#)
    #expect(
      problem(FireDrill.Order(receiver: "ops"), Settings())
        == #"no receiver "ops": none is configured"#)
    #expect(
      problem(FireDrill.Order(receiver: "ops", rule: "Fast"), usual) == #"no alert rule "Fast""#)
    var drop = RelabelRule(regexp: try Regexp(anchored: "true"))
    drop.action = .drop
    drop.sourceLabels = ["drill"]
    let dropping = try settings { $0.alertRelabeling = [drop] }
    #expect(problem(FireDrill.Order(receiver: "ops"), dropping)?.contains("drops") == true)
  }
}

@Suite struct ReceiverURLTests {
  @Test(arguments: [
    ("http://h/alerts", "http://h/alerts"),
    (
      "https://h:8443/services/T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx",
      "https://h:8443/services/xxxxx/xxxxx/xxxxx"
    ),
    (
      "https://u:p@h/integration/0123456789abcdef0123456789abcdef/enqueue?x=1&api_key=2",
      "https://u:xxxxx@h/integration/xxxxx/enqueue?x=1&api_key=xxxxx"
    ),
    (
      "http://a-host-with-a-very-long-name.example:9093/v2",
      "http://a-host-with-a-very-long-name.example:9093/v2"
    ),
  ])
  func hidesWhatLooksLikeACredential(_ url: String, _ shown: String) {
    #expect(SecretText.redacted(receiver: url) == shown)
  }
}
