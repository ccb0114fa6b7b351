import HTTPClient
import JSON
import Kernel
import Model
import Testing

@testable import Server

@Suite struct StatusTests {
  @Test func whatTheProcessIs() async throws {
    let site = try await Site { context in
      context.status.flags = [("web.x", "1m"), ("config.file", "<a>")]
      context.status.started = Site.start
      context.status.hostName = "here"
    }
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/status/flags").data
        == #"{"config.file":"\u003ca\u003e","web.x":"1m"}"#)
    #expect(
      try await site.get("/api/v1/status/walreplay").data == #"{"min":0,"max":0,"current":0}"#)
    let info = try JSONValue(parsing: try await site.get("/api/v1/status/runtimeinfo").body)["data"]
    #expect(
      info?.object?.map(\.key) == [
        "startTime", "CWD", "hostname", "serverTime", "reloadConfigSuccess", "lastConfigTime",
        "corruptionCount", "goroutineCount", "GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG",
        "storageRetention",
      ])
    #expect(info?["startTime"]?.string == Site.start.rfc3339)
    #expect(info?["hostname"]?.string == "here")
    #expect(try await site.get("/version").text.contains(#""version":"1.2.3""#))
    let config = try await site.get("/api/v1/status/config").data
    #expect(config == #"{"yaml":"global:\n  scrape_interval: 15s\n"}"#)
  }

  @Test func theStoreIsCounted() async throws {
    let site = try await Site()
    defer { site.close() }
    let answer = try await site.get("/api/v1/status/tsdb?limit=1")
    let data = try JSONValue(parsing: answer.body)["data"]
    #expect(
      data?.object?.map(\.key) == [
        "headStats", "seriesCountByMetricName", "labelValueCountByLabelName",
        "memoryInBytesByLabelName", "seriesCountByLabelValuePair",
      ])
    #expect(data?["headStats"]?["minTime"]?.double ?? 0 >= 1_700_000_000_000)
    #expect(data?["seriesCountByMetricName"]?.array?.count == 1)
    #expect(data?["labelValueCountByLabelName"]?[0]?["name"]?.string == "__name__")
    #expect(
      try await site.get("/api/v1/status/tsdb?limit=0").failure
        == "400 bad_data: limit must be a positive number")
  }

  @Test func theIndexObeysTimes() async throws {
    let site = try await Site()
    defer { site.close() }
    let name = "/api/v1/label/__name__/values?match[]=temperature&"
    #expect(
      try await site.get(name + "start=1700000000&end=1700000060").data == #"["temperature"]"#)
    #expect(try await site.get(name + "end=1699999999").data == "[]")
    #expect(try await site.get(name + "start=1700009999").data == "[]")
    #expect(try await site.get(name + "start=2&end=1").data == "[]")
    let series =
      "/api/v1/series?match[]=temperature&match[]=%7Bjob=%22app%22,__name__=~%22t.*%22%7D"
    let once = #"[{"__name__":"temperature","instance":"app:80","job":"app"}]"#
    #expect(try await site.get(series).data == once, "found by two selectors, shown once")
    #expect(try await site.get(series + "&start=1700009999").data == "[]")
    let limited = try await site.get("/api/v1/labels?limit=1")
    #expect(
      limited.text
        == #"{"status":"success","data":["__name__"],"#
        + #""warnings":["results truncated due to limit"]}"#)
    #expect(
      try await site.get("/api/v1/labels?start=x").failure
        == #"400 bad_data: invalid parameter "start": Invalid time value for 'start': "#
        + #"cannot parse "x" to a valid timestamp"#)
  }

  @Test func metadata() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/metadata").data
        == #"{"requests_total":[{"type":"counter","help":"Asked \u003conce\u003e.","unit":""}]}"#)
    #expect(try await site.get("/api/v1/metadata?metric=up").data == "{}")
    #expect(try await site.get("/api/v1/metadata?limit=0").data == "{}")
    #expect(
      try await site.get("/api/v1/targets/metadata?metric=requests_total").data
        == #"[{"target":{"instance":"app:80","job":"app"},"type":"counter","#
        + #""help":"Asked \u003conce\u003e.","unit":""}]"#)
    let other = "/api/v1/targets/metadata?match_target=%7Binstance=%22gone:80%22%7D"
    #expect(try await site.get(other).data == "[]")
  }

  @Test func methodsAndOrigins() async throws {
    let site = try await Site { context in
      context.origins = try AllowedOrigins(matching: "https://.*[.]example")
    }
    defer { site.close() }
    let wrong = try await site.post("/api/v1/rules", form: "")
    #expect(wrong.status == 405 && wrong.text == "Method Not Allowed\n")
    #expect(try await site.get("/api/v1/query", method: "OPTIONS").status == 204)
    #expect(try await site.get("/api/v1/nothing", method: "POST").status == 404)
    for (origin, isAllowed) in [("https://a.example", true), ("https://a.example.net", false)] {
      let headers = AllowedOrigins.fixture.headers(for: origin)
      #expect(headers.contains { $0.0 == .accessControlAllowOrigin } == isAllowed)
    }
    #expect(AllowedOrigins().headers(for: "x").contains { $0.1 == "*" })
  }

  @Test func statistics() async throws {
    let site = try await Site()
    defer { site.close() }
    let answer = try await site.get("/api/v1/query?query=up&stats=all")
    let data = try JSONValue(parsing: answer.body)["data"]
    #expect(data?.object?.map(\.key) == ["resultType", "result", "stats"])
    #expect(
      data?["stats"]?["timings"]?.object?.map(\.key) == [
        "evalTotalTime", "resultSortTime", "queryPreparationTime", "innerEvalTime",
        "execQueueTime", "execTotalTime",
      ])
    let metrics = try await site.get("/metrics").text
    #expect(
      metrics.contains("\nprometheus_engine_query_duration_seconds_count{slice=\"inner_eval\"} 1\n")
    )
    #expect(
      metrics.contains(
        "\nprometheus_http_requests_total{code=\"200\",handler=\"/api/v1/query\"} 1\n"))
  }

  @Test func trees() async throws {
    let site = try await Site()
    defer { site.close() }
    let query = "sum(rate(a%7Bb!=%22c%22%7D%5B5m%5D%20offset%201m))by(x)%20/%202"
    #expect(
      try await site.get("/api/v1/parse_query?query=" + query).data
        == #"{"bool":false,"lhs":{"expr":{"args":[{"anchored":false,"matchers":[{"name":"b","#
        + #""type":"!=","value":"c"},{"name":"__name__","type":"=","value":"a"}],"name":"a","#
        + #""offset":60000,"range":300000,"smoothed":false,"startOrEnd":null,"timestamp":null,"#
        + #""type":"matrixSelector"}],"func":{"argTypes":["matrix"],"name":"rate","#
        + #""returnType":"vector","variadic":0},"type":"call"},"grouping":["x"],"op":"sum","#
        + #""param":null,"type":"aggregation","without":false},"matching":null,"op":"/","#
        + #""rhs":{"type":"numberLiteral","val":"2"},"type":"binaryExpr"}"#)
    let at = try await site.get("/api/v1/parse_query?query=a%5B1h:5m%5D%20@%20end()")
    #expect(at.text.contains(#""range":3600000,"startOrEnd":"end","step":300000,"#))
    #expect(try await site.get("/api/v1/parse_query?query=(").status == 400)
  }

  @Test(arguments: [
    ("http://localhost:9090/m?a=b", "https://out.example:9090/m?a=b"),
    ("http://127.0.0.1:8080/m", "http://out.example:8080/m"),
    ("http://[::1]/m", "http://out.example/m"),
    ("http://other:9090/m", "http://other:9090/m"),
  ])
  func globalURLs(_ url: String, _ global: String) {
    #expect(GlobalURL(external: "https://out.example:9090/prefix").of(url) == global)
  }
}

extension AllowedOrigins {
  fileprivate static var fixture: AllowedOrigins {
    (try? AllowedOrigins(matching: "https://.*[.]example")) ?? AllowedOrigins()
  }
}
