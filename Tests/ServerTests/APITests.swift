import HTTPClient
import JSON
import Testing

@testable import Server

@Suite struct APITests {
  @Test func instantQueries() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/query?query=1%2B1&time=12.5").data
        == #"{"resultType":"scalar","result":[12.500,"2"]}"#)
    #expect(
      try await site.get("/api/v1/query?query=%22%E7%94%B2%3C%22&time=1970-01-01T00:00:07Z").data
        == #"{"resultType":"string","result":[7,"甲\u003c"]}"#)
    #expect(
      try await site.post("/api/v1/query", form: "query=sum(requests_total)&time=1700000060").data
        == #"{"resultType":"vector","result":[{"metric":{},"value":[1700000060,"3.5"]}]}"#)
    #expect(
      try await site.get("/api/v1/query?query=temperature%7Bjob%3D%22app%22%7D").data
        == #"{"resultType":"vector","result":[{"metric":{"__name__":"temperature","#
        + #""instance":"app:80","job":"app"},"value":[1700000060,"NaN"]}]}"#)
    #expect(
      try await site.get("/api/v1/query?query=nothing_there").data
        == #"{"resultType":"vector","result":[]}"#)
    let limited = try await site.get("/api/v1/query?query=requests_total&limit=1")
    #expect(limited.text.hasSuffix(#"}]},"warnings":["results truncated due to limit"]}"#))
    let body = "query=count(requests_total)&time=1700000060"
    #expect(
      try await site.post("/api/v1/query?query=ignored%28", form: body).status == 200,
      "a form comes before the query string")
  }

  @Test func remarksCarryTheirPosition() async throws {
    let site = try await Site()
    defer { site.close() }
    let answer = try await site.get(
      "/api/v1/query?query=rate(temperature%5B5m%5D)&time=1700000060")
    #expect(
      answer.text.contains(
        #""infos":["PromQL info: metric might not be a counter, name does not end in "#
          + #"_total/_sum/_count/_bucket: \"temperature\" (1:6)"]"#), "\(answer.text)")
  }

  @Test func rangeQueries() async throws {
    let site = try await Site()
    defer { site.close() }
    let range = "start=1700000050&end=1700000060"
    #expect(
      try await site.get("/api/v1/query_range?query=vector(1)&\(range)&step=5").data
        == #"{"resultType":"matrix","result":[{"metric":{},"values":[[1700000050,"1"],"#
        + #"[1700000055,"1"],[1700000060,"1"]]}]}"#)
    #expect(
      try await site.get("/api/v1/query_range?query=1&\(range)&step=10s").data
        == #"{"resultType":"matrix","result":[{"metric":{},"values":[[1700000050,"1"],"#
        + #"[1700000060,"1"]]}]}"#)
    let path = "/api/v1/query_range?query=1&start=0&step=1&end="
    #expect(try await site.get(path + "11000").status == 200)
    #expect(
      try await site.get(path + "11001").failure
        == "400 bad_data: exceeded maximum resolution of 11,000 points per timeseries. "
        + "Try decreasing the query resolution (?step=XX)")
  }

  @Test func refusedQueries() async throws {
    let cases: [(String, String)] = [
      (
        "query",
        #"invalid parameter "query": unknown position: parse error: no expression found in input"#
      ),
      (
        "query?query=sum(",
        #"invalid parameter "query": 1:5: parse error: unclosed left parenthesis"#
      ),
      (
        "query?query=1&time=x",
        #"invalid parameter "time": Invalid time value for 'time': cannot parse "x" to a valid "#
          + "timestamp"
      ),
      (
        "query?query=1&timeout=x",
        #"invalid parameter "timeout": cannot parse "x" to a valid duration"#
      ),
      (
        "query?query=1&limit=x",
        #"invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax"#
      ),
      ("query?query=1&limit=-1", #"invalid parameter "limit": limit must be non-negative"#),
      (
        "query_range?query=1&end=1&step=1",
        #"invalid parameter "start": cannot parse "" to a valid timestamp"#
      ),
      (
        "query_range?query=1&start=2&end=1&step=1",
        #"invalid parameter "end": end timestamp must not be before start time"#
      ),
      (
        "query_range?query=1&start=1&end=2&step=0",
        #"invalid parameter "step": zero or negative query resolution step widths are not "#
          + "accepted. Try a positive integer"
      ),
      (
        "query_range?query=up%5B1m%5D&start=1&end=2&step=1",
        #"invalid parameter "query": invalid expression type "range vector" for range query, "#
          + "must be Scalar or instant Vector"
      ),
      ("series", "no match[] parameter provided"),
      (
        "series?match[]=%7B%7D",
        #"invalid parameter "match[]": match[] must contain at least one non-empty matcher"#
      ),
      ("labels?limit=-2", #"invalid parameter "limit": limit must be non-negative"#),
      ("rules?type=both", #"invalid parameter "type": not supported value "both""#),
      (
        "rules?exclude_alerts=perhaps",
        #"invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: "#
          + #"parsing "perhaps": invalid syntax"#
      ),
      (
        "rules?group_next_token=aa",
        #"invalid parameter "group_next_token": group_limit needs to be present in order to "#
          + "paginate over the groups"
      ),
      (
        "rules?group_limit=0",
        #"invalid parameter "group_limit": group_limit needs to be greater than 0"#
      ),
      (
        "rules?group_limit=1&group_next_token=aa",
        #"invalid parameter "group_next_token": invalid group_next_token 'aa'. "#
          + "were rule groups changed?"
      ),
    ]
    let site = try await Site()
    defer { site.close() }
    for (path, message) in cases {
      let failure = try await site.get("/api/v1/" + path).failure
      #expect(failure == "400 bad_data: " + message)
    }
    let failure = try await site.get("/api/v1/query?query=requests_total%20*%20on()%20up").failure
    #expect(failure.hasPrefix("422 execution: found duplicate series for the match group"))
  }

  @Test func labelsAndSeries() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/labels?match[]=requests_total").data
        == #"["__name__","instance","job","path","城市"]"#)
    #expect(
      try await site.post("/api/v1/labels", form: "match[]=up&limit=1").text
        == #"{"status":"success","data":["__name__"],"#
        + #""warnings":["results truncated due to limit"]}"#)
    #expect(try await site.get("/api/v1/label/instance/values").data == #"["app:80","gone:80"]"#)
    #expect(
      try await site.get("/api/v1/label/%E5%9F%8E%E5%B8%82/values").data == #"["上海"]"#)
    #expect(try await site.get("/api/v1/label/nobody/values").data == "[]")
    #expect(
      try await site.get("/api/v1/label/path/values?match[]=requests_total%7Bpath!=%22/a%22%7D")
        .data
        == #"["/\u003cb\u003e\u0026"]"#)
    #expect(
      try await site.get("/api/v1/series?match[]=temperature&match[]=job:up:sum").data
        == #"[{"__name__":"job:up:sum","job":"app"},"#
        + #"{"__name__":"temperature","instance":"app:80","job":"app"}]"#)
  }

  @Test func emptyCollectionsAndFormatting() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(try await site.get("/api/v1/metadata?metric=none").data == "{}")
    #expect(
      try await site.get("/api/v1/query_exemplars?query=up&start=1&end=2").data == "[]")
    #expect(
      try await site.get("/api/v1/format_query?query=sum(up)by(job)").data
        == #""sum by (job) (up)""#)
    #expect(try await site.get("/api/v1/scrape_pools").data == #"{"scrapePools":["app"]}"#)
    #expect(
      try await site.get("/api/v1/alertmanagers").data
        == #"{"activeAlertmanagers":[{"url":"http://am:9093/api/v2/alerts"}],"#
        + #""droppedAlertmanagers":[]}"#)
  }
}
