import HTTPClient
import JSON
import Kernel
import Model
import Rules
import Testing

@testable import Server

/// A history of which tests say what is in it.
private struct Script: AlertHistory {
  var entries: [JournalEntry]

  func entries(matching filter: HistoryFilter) async throws -> [JournalEntry] {
    filter.selection(from: entries)
  }

  static let long = Script(
    entries: (1...30).map { n in
      let labels = LabelSet(labels: [
        Label(name: "alertname", value: n.isMultiple(of: 2) ? "Even" : "Odd"),
        Label(name: "n", value: "\(n)"),
      ])
      return JournalEntry(
        sequence: UInt64(n), time: Site.start + .seconds(Int64(n)),
        event: n > 20
          ? .delivery(
            DeliveryRecord(
              kind: .webhook, receiver: "ops", group: "{}", key: "k",
              alerts: [DeliveryRecord.Mention(labels: labels, isFiring: true)], attempt: 2,
              outcome: .refused, status: 400, error: "no <b>", duration: .milliseconds(1500)))
          : .transition(
            TransitionRecord(
              group: "a;b.yml;g", rule: "R", labels: labels, from: .pending, to: .firing,
              value: 1, reason: .held)))
    })
}

@Suite struct HistoryTests {
  private func site() async throws -> Site {
    try await Site { $0.history = Script.long }
  }

  private func numbers(_ answer: HTTPResponse, _ name: String) throws -> [Int] {
    let document = try JSONValue(parsing: answer.body)
    return (document["data"]?[name]?.array ?? []).map { Int($0["sequence"]?.double ?? 0) }
  }

  @Test func shapes() async throws {
    let site = try await site()
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/transitions?limit=1").data
        == #"{"transitions":[{"sequence":20,"time":"2023-11-14T22:13:40Z","file":"a;b.yml","#
        + #""group":"g","rule":"R","labels":{"alertname":"Even","n":"20"},"from":"pending","#
        + #""to":"firing","value":"1e+00","reason":"held for the required time"}]}"#)
    #expect(
      try await site.get("/api/v1/notifications/log?limit=1").data
        == #"{"notifications":[{"sequence":30,"time":"2023-11-14T22:13:50Z","kind":"webhook","#
        + #""receiver":"ops","group":"{}","key":"k","attempt":2,"outcome":"refused","#
        + #""status":400,"error":"no \u003cb\u003e","duration":1.5,"alertCount":1,"alerts":"#
        + #"[{"status":"firing","labels":{"alertname":"Even","n":"30"}}]}]}"#)
    let lines = try await site.get("/api/v1/transitions?format=jsonl&limit=3")
    #expect(lines.contentType == "application/x-ndjson")
    #expect(lines.text.split(separator: "\n").count == 3)
  }

  @Test(arguments: [
    ("", Array(1...20)), ("?alert=Odd&limit=2", [17, 19]), ("?after=3&limit=2", [4, 5]),
    ("?before=3", [1, 2]), ("?start=1700000019", [19, 20]), ("?end=1700000001", [1]),
    ("?match[]=%7Bn=~%22.%22,alertname=%22Odd%22%7D", [1, 3, 5, 7, 9]),
    ("?match[]=%7Bn=%229%22%7D&match[]=%7Bn=%222%22%7D", [2, 9]),
    ("?match[]=%7Bn=~%22.%22%7D&match[]=%7Bn=%227%22%7D&limit=3", [7, 8, 9]),
    ("?group=nobody", []),
  ])
  func filters(_ query: String, _ expected: [Int]) async throws {
    let site = try await site()
    defer { site.close() }
    #expect(
      try numbers(try await site.get("/api/v1/transitions" + query), "transitions") == expected)
  }

  @Test(arguments: [
    ("limit=-1", #"invalid parameter "limit": limit must be non-negative"#),
    ("after=x", #"invalid parameter "after": "x" is no sequence number"#),
    ("format=xml", #"invalid parameter "format": not supported value "xml""#),
    ("follow=true&format=json", #"invalid parameter "follow": only JSON lines can be followed"#),
    (
      "start=x",
      #"invalid parameter "start": Invalid time value for 'start': cannot parse "x" to a "#
        + "valid timestamp"
    ),
  ])
  func refusals(_ query: String, _ error: String) async throws {
    let site = try await site()
    defer { site.close() }
    #expect(try await site.get("/api/v1/transitions?" + query).failure == "400 bad_data: " + error)
  }

  @Test func whatTheKernelRemembers() async throws {
    let site = try await Site()
    defer { site.close() }
    let answer = try await site.get("/api/v1/transitions?alert=Down")
    #expect(try numbers(answer, "transitions").count == 2)
    let page = try await site.get("/").text
    #expect(page.contains("<h2 id=transitions>") && page.contains("held for the required time"))
  }
}
