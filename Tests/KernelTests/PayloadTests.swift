import Model
import Testing

@testable import Kernel

private let fired = Timestamp(milliseconds: 1_700_000_000_000)

private func alert(
  _ labels: LabelSet, annotations: [Label] = [], ends: Timestamp = fired + .minutes(4),
  firing: Bool = true
) -> AlertNotification {
  AlertNotification(
    labels: labels, annotations: annotations, startsAt: fired, endsAt: ends,
    generatorURL: "http://tocsin.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1", isFiring: firing)
}

@Suite struct WebhookPayloadTests {
  private let chinese = [
    Label(name: "description", value: "连接池已用尽:使用率 95% > 90% & 等待 <10ms"),
    Label(name: "summary", value: "数据库 \"主库\""),
  ]

  @Test func isAlertmanagersVersionFour() {
    let payload = WebhookPayload(
      receiver: "db.pool", groupKey: "{}:{alertname=\"ConnectionPoolExhausted\"}",
      groupLabels: ["alertname": "ConnectionPoolExhausted"],
      externalURL: "http://tocsin.example",
      alerts: [
        alert(
          ["alertname": "ConnectionPoolExhausted", "severity": "critical"], annotations: chinese)
      ])
    let expected =
      #"{"receiver":"db\\.pool","status":"firing","alerts":[{"status":"firing","#
      + #""labels":{"alertname":"ConnectionPoolExhausted","severity":"critical"},"#
      + #""annotations":{"description":"连接池已用尽:使用率 95% \u003e 90% \u0026 等待 \u003c10ms","#
      + #""summary":"数据库 \"主库\""},"#
      + #""startsAt":"2023-11-14T22:13:20Z","endsAt":"0001-01-01T00:00:00Z","#
      + #""generatorURL":"http://tocsin.example/graph?g0.expr=up+%3D%3D+0\u0026g0.tab=1","#
      + #""fingerprint":"f6a2bf4f2c9aa7b8"}],"#
      + #""groupLabels":{"alertname":"ConnectionPoolExhausted"},"#
      + #""commonLabels":{"alertname":"ConnectionPoolExhausted","severity":"critical"},"#
      + #""commonAnnotations":{"description":"连接池已用尽:使用率 95% \u003e 90% \u0026 等待 \u003c10ms","#
      + #""summary":"数据库 \"主库\""},"#
      + #""externalURL":"http://tocsin.example","version":"4","#
      + #""groupKey":"{}:{alertname=\"ConnectionPoolExhausted\"}","truncatedAlerts":0}"# + "\n"
    let text = String(decoding: payload.bytes(at: fired), as: UTF8.self)
    let fingerprint = StableHash.hex(
      LabelSet(["alertname": "ConnectionPoolExhausted", "severity": "critical"]).fingerprint)
    #expect(text == expected.replacing("f6a2bf4f2c9aa7b8", with: fingerprint))
  }

  @Test func resolvedAlertsShowTheirEnd() {
    let payload = WebhookPayload(
      receiver: "x", groupKey: "{}:{}", groupLabels: .empty, externalURL: "",
      alerts: [
        alert(["alertname": "A", "i": "1"], annotations: [Label(name: "s", value: "one")]),
        alert(
          ["alertname": "A", "i": "2"], annotations: [Label(name: "s", value: "two")],
          ends: fired + .seconds(90), firing: false),
      ])
    let mixed = String(decoding: payload.bytes(at: fired + .minutes(2)), as: UTF8.self)
    #expect(mixed.contains(#""status":"firing","alerts""#))
    #expect(mixed.contains(#""endsAt":"2023-11-14T22:14:50Z""#))
    #expect(mixed.contains(#""commonLabels":{"alertname":"A"},"commonAnnotations":{}"#))
    let over = String(decoding: payload.bytes(at: fired + .minutes(9)), as: UTF8.self)
    #expect(over.contains(#""status":"resolved","alerts""#))
  }

  @Test func listsByJobInstanceThenLabels() {
    let sets: [LabelSet] = [
      ["a": "1", "job": "b"], ["a": "0", "job": "b", "instance": "i"], ["z": "1"], ["job": "a"],
      ["a": "1"], ["a": "0", "b": "1"],
    ]
    let sorted = sets.map { alert($0) }.sorted(by: AlertNotification.isBefore)
    #expect(
      sorted.map(\.labels.description) == [
        #"{job="a"}"#, #"{a="0", instance="i", job="b"}"#, #"{a="1", job="b"}"#, #"{z="1"}"#,
        #"{a="1"}"#, #"{a="0", b="1"}"#,
      ])
  }
}

@Suite struct AlertmanagerPayloadTests {
  @Test func isAnArrayInPrometheusForm() {
    let bytes = AlertmanagerPayload.bytes([
      alert(["alertname": "A", "severity": "page"], annotations: [Label(name: "s", value: "中文")]),
      alert(["alertname": "B"], ends: fired + .milliseconds(1_250), firing: false),
    ])
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"[{"annotations":{"s":"中文"},"endsAt":"2023-11-14T22:17:20.000Z","#
        + #""startsAt":"2023-11-14T22:13:20.000Z","#
        + #""generatorURL":"http://tocsin.example/graph?g0.expr=up+%3D%3D+0\u0026g0.tab=1","#
        + #""labels":{"alertname":"A","severity":"page"}},"#
        + #"{"endsAt":"2023-11-14T22:13:21.250Z","startsAt":"2023-11-14T22:13:20.000Z","#
        + #""generatorURL":"http://tocsin.example/graph?g0.expr=up+%3D%3D+0\u0026g0.tab=1","#
        + #""labels":{"alertname":"B"}}]"#)
  }

  @Test func addressesAreRelabelledAndJoined() throws {
    var block = AlertmanagerSettings()
    block.pathPrefix = "/am/"
    block.targets = [
      TargetGroup(source: "0", targets: ["am-1:9093", "bad/host", "am-2:9093", "am-1:9093"])
    ]
    var drop = RelabelRule(regexp: try Regexp(anchored: "am-2.*"))
    drop.action = .drop
    drop.sourceLabels = ["__address__"]
    block.relabeling = [drop]
    let addresses = AlertmanagerAddresses(block)
    #expect(addresses.urls == ["http://am-1:9093/am/api/v2/alerts"])
    #expect(addresses.dropped.map { $0.value(of: "__address__") } == ["am-2:9093"])
    #expect(addresses.problems == [#""bad/host" is not a valid hostname"#])
  }
}
