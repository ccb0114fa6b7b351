import HTTPClient
import JSON
import Testing

@testable import Server

@Suite struct ReportTests {
  private func rules(_ site: Site, _ query: String) async throws -> [String] {
    let document = try JSONValue(parsing: try await site.get("/api/v1/rules" + query).body)
    return (document["data"]?["groups"]?.array ?? []).flatMap { group in
      (group["rules"]?.array ?? []).map {
        "\(group["name"]?.string ?? "")/\($0["name"]?.string ?? "")"
      }
    }
  }

  @Test func rulesHaveTheShapeOfPrometheus() async throws {
    let site = try await Site()
    defer { site.close() }
    let response = try await site.get("/api/v1/rules")
    #expect(response.contentType == "application/json")
    let groups = try JSONValue(parsing: response.body)["data"]?["groups"]?.array ?? []
    #expect(groups.map { $0["file"]?.string } == ["rules/a.yml", "rules/b.yml"])
    #expect(
      groups.first?.object?.map(\.key) == [
        "name", "file", "rules", "interval", "limit", "evaluationTime", "lastEvaluation",
      ])
    #expect(groups.first?["limit"]?.double == 7)
    // Behind Prometheus' keys, what an evaluation costs.
    let ours = ["evaluationNanoseconds", "seriesTouched", "samplesTouched", "shapeRebuilds"]
    let alert = groups.first?["rules"]?[0]
    #expect(
      alert?.object?.map(\.key) == [
        "state", "name", "query", "duration", "keepFiringFor", "labels", "annotations", "alerts",
        "health", "evaluationTime", "lastEvaluation", "type",
      ] + ours)
    #expect(alert?["state"]?.string == "firing")
    #expect(alert?["query"]?.string == "up == 0")
    #expect(alert?["annotations"]?["summary"]?.string == "{{ $labels.instance }} 停机")
    let record = groups.last?["rules"]?[0]
    #expect(
      record?.object?.map(\.key) == [
        "name", "query", "health", "evaluationTime", "lastEvaluation", "type",
      ] + ours)
    #expect(record?["query"]?.string == "sum by (job) (up)")
    #expect(record?["type"]?.string == "recording")
  }

  @Test func rulesAreFiltered() async throws {
    let site = try await Site()
    defer { site.close() }
    let all = ["first/Down", "second/job:up:sum", "second/Pending"]
    #expect(try await rules(site, "") == all)
    #expect(try await rules(site, "?type=record") == ["second/job:up:sum"])
    #expect(try await rules(site, "?type=Alert") == ["first/Down", "second/Pending"])
    #expect(
      try await rules(site, "?rule_name[]=Down&rule_name[]=Pending")
        == ["first/Down", "second/Pending"])
    #expect(try await rules(site, "?rule_group[]=first") == ["first/Down"])
    #expect(try await rules(site, "?file[]=rules/b.yml&type=alert") == ["second/Pending"])
    #expect(try await rules(site, "?match[]=%7Bseverity=%22page%22%7D") == ["first/Down"])
    #expect(
      try await rules(site, "?match[]=%7Bseverity=~%22%5C%5C%7B.*%22%7D") == ["second/Pending"],
      "labels as configured")
    #expect(try await rules(site, "?rule_name[]=nobody") == [])
    let bare = try await site.get("/api/v1/rules?exclude_alerts=true&rule_name[]=Down")
    #expect(bare.text.contains(#""alerts":[]"#))
    let first = try JSONValue(parsing: try await site.get("/api/v1/rules?group_limit=1").body)
    let token = try #require(first["data"]?["groupNextToken"]?.string)
    #expect(first["data"]?["groups"]?.array?.count == 1)
    #expect(
      try await rules(site, "?group_limit=1&group_next_token=\(token)")
        == ["second/job:up:sum", "second/Pending"])
    #expect(
      !(try await site.get("/api/v1/rules?group_limit=2").text.contains("groupNextToken")))
  }

  @Test func alertsAndTargets() async throws {
    let site = try await Site()
    defer { site.close() }
    let alerts = try JSONValue(parsing: try await site.get("/api/v1/alerts").body)
    let found = alerts["data"]?["alerts"]?.array ?? []
    #expect(found.map { $0["state"]?.string } == ["firing", "pending"])
    #expect(
      found.first?.object?.map(\.key) == ["labels", "annotations", "state", "activeAt", "value"])
    #expect(found.first?["annotations"]?["summary"]?.string == "gone:80 停机")
    #expect(found.first?["value"]?.string == "0e+00")
    #expect(found.last?["labels"]?["severity"]?.string == "0")
    let targets = try JSONValue(parsing: try await site.get("/api/v1/targets").body)["data"]
    #expect(
      targets?.object?.map(\.key) == ["activeTargets", "droppedTargets", "droppedTargetCounts"])
    let active = targets?["activeTargets"]?.array ?? []
    #expect(active.map { $0["health"]?.string } == ["up", "down"])
    #expect(
      active.first?.object?.map(\.key) == [
        "discoveredLabels", "labels", "scrapePool", "scrapeUrl", "globalUrl", "lastError",
        "lastScrape", "lastScrapeDuration", "health", "scrapeInterval", "scrapeTimeout",
      ])
    #expect(active.last?["lastError"]?.string?.hasSuffix("no such host") == true)
    #expect(active.first?["discoveredLabels"]?["__address__"]?.string == "app:80")
    #expect(
      try await site.get("/api/v1/targets?state=dropped").data
        == #"{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{"app":0}}"#)
    let other = try await site.get("/api/v1/targets?state=active&scrapePool=other")
    #expect(
      other.data == #"{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}"#)
  }

  @Test func thePage() async throws {
    let site = try await Site()
    defer { site.close() }
    let page = try await site.get("/")
    #expect(page.contentType == "text/html; charset=utf-8")
    for part in ["(1) Tocsin", "gone:80 停机", "<b class=pending>1</b>", "sum by (job) (up)"] {
      #expect(page.text.contains(part), "\(part)")
    }
    #expect(!page.text.contains("<script"))
    #expect(page.text.contains("&quot;http://gone:80/metrics&quot;"))
  }
}
