import Testing

@testable import Server

@Suite struct QueryLimitTests {
  @Test func aQueryThatTakesTooLongIsEnded() async throws {
    let site = try await Site()
    defer { site.close() }
    #expect(
      try await site.get("/api/v1/query?query=requests_total&timeout=0").failure
        == "503 timeout: query timed out in expression evaluation")
  }
}
