import HTTPClient
import Testing

@testable import Server

@Suite struct ManagementTests {
  @Test func healthAndMetrics() async throws {
    let site = try await Site()
    defer { site.close() }
    for path in ["/-/healthy", "/-/ready"] {
      #expect(try await site.get(path).status == 200)
      let head = try await site.get(path, method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty)
    }
    let metrics = try await site.get("/metrics")
    #expect(metrics.contentType == "text/plain; version=0.0.4; charset=utf-8")
    #expect(metrics.text.contains("\nprocess_start_time_seconds 1\n"))
    #expect(metrics.text.contains("prometheus_rule_group_iterations_total{"))
    #expect(
      try await site.get("/api/v1/status/buildinfo").data.hasPrefix(
        #"{"version":"1.2.3","revision":"abc","#))
    for path in ["/nothing", "/api/v1/nothing", "/-/nothing"] {
      let answer = try await site.get(path)
      #expect(answer.status == 404)
      #expect(answer.text == "404 page not found\n")
    }
  }

  @Test func reloadAndQuit() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(try await site.post("/-/reload", form: "").status == 200)
    #expect(try await site.get("/-/reload", method: "PUT").status == 200)
    #expect(site.reloads.load(ordering: .relaxed) == 2)
    #expect(try await site.get("/-/reload").status == 405)
    #expect(try await site.get("/-/quit").status == 405)
    #expect(site.reloads.load(ordering: .relaxed) == 2)
    site.reloadProblem.withLock { $0 = "rules.yml:3:1: 出错" }
    let refused = try await site.post("/-/reload", form: "")
    #expect(refused.status == 500)
    #expect(refused.text == "failed to reload config: rules.yml:3:1: 出错\n")
    #expect(try await site.post("/-/quit", form: "").status == 200)
    #expect(site.quits.load(ordering: .relaxed) == 1)
  }

  @Test func lifecycleIsOffByDefault() async throws {
    let site = try await Site(allowsLifecycle: false)
    defer { site.close() }
    for path in ["/-/reload", "/-/quit"] {
      let answer = try await site.post(path, form: "")
      #expect(answer.status == 403)
      #expect(answer.text == "Lifecycle API is not enabled.\n")
    }
    #expect(site.reloads.load(ordering: .relaxed) == 0)
  }

  @Test(arguments: [
    ("a+b%2Bc", "a b+c"), ("%E5%91%8A%E8%AD%A6", "告警"), ("100%", "100%"), ("%zz%4", "%zz%4"),
  ])
  func decoding(_ encoded: String, _ plain: String) {
    #expect(RequestParameters.decode(encoded) == plain)
  }
}
