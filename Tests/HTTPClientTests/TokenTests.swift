import Synchronization
import Testing

@testable import HTTPClient

@Suite(.serialized) struct TokenTests {
  private func token(_ url: String) -> TokenRequest {
    var token = TokenRequest(
      clientID: "me", clientSecret: "se cret", transport: HTTPRequest(url: url + "/token"))
    token.scopes = ["a", "b"]
    token.parameters = [("audience", "x&y")]
    return token
  }

  private func send(
    _ tokens: TokenCache, _ request: HTTPRequest, _ token: TokenRequest
  ) async -> HTTPOutcome {
    await withCheckedContinuation { continuation in
      tokens.send(request, authorizedBy: token) { continuation.resume(returning: $0) }
    }
  }

  @Test func aTokenIsFetchedOnceAndSentAlong() async throws {
    let asked = Mutex<[String]>([])
    let server = LoopbackServer { request, connection in
      if request.hasPrefix("POST /token") {
        asked.withLock { $0.append(request) }
        connection.answer(
          body: Array(#"{"access_token":"T1","token_type":"bearer","expires_in":3600}"#.utf8))
      } else {
        connection.answer(
          body: Array((request.contains("Authorization: Bearer T1") ? "in" : "out").utf8))
      }
      return true
    }
    let client = try HTTPClient()
    let tokens = TokenCache(client: client)
    let bodies = await withTaskGroup(of: String.self) { group in
      for _ in 0..<5 {
        group.addTask {
          let outcome = await send(tokens, HTTPRequest(url: server.url + "/m"), token(server.url))
          return (try? outcome.result.get()).map { String(decoding: $0.body, as: UTF8.self) } ?? ""
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(bodies == Array(repeating: "in", count: 5))
    let requests = asked.withLock { $0 }
    #expect(requests.count == 1)
    #expect(requests[0].contains("grant_type=client_credentials&scope=a+b&audience=x%26y"))
    // `me:se+cret` in base 64.
    #expect(requests[0].contains("Authorization: Basic bWU6c2UrY3JldA=="))
    client.shutdown()
  }

  @Test func credentialsGoIntoTheFormWhereTheHeaderIsRefused() async throws {
    let server = LoopbackServer { request, connection in
      if request.contains("client_id=me&client_secret=se+cret") {
        connection.answer(body: Array(#"{"access_token":"T2"}"#.utf8))
      } else if request.hasPrefix("POST") {
        connection.answer("401 Unauthorized", body: Array("{}".utf8))
      } else {
        connection.answer(body: Array((request.contains("Bearer T2") ? "in" : "out").utf8))
      }
      return true
    }
    let client = try HTTPClient()
    let outcome = await send(
      TokenCache(client: client), HTTPRequest(url: server.url), token(server.url))
    #expect(try outcome.result.get().body == Array("in".utf8))
    client.shutdown()
  }

  @Test func refusalsAreTold() async throws {
    let server = LoopbackServer { _, connection in
      connection.answer(
        "400 Bad Request",
        body: Array(#"{"error":"invalid_client","error_description":"who?"}"#.utf8))
      return true
    }
    let client = try HTTPClient()
    let outcome = await send(
      TokenCache(client: client), HTTPRequest(url: server.url + "/m"), token(server.url))
    #expect(
      outcome.failureText == "Get \"\(server.url)/m\": oauth2: \"invalid_client\" \"who?\"")
    client.shutdown()
  }

  @Test func connectHeadersGoToTheProxyOnly() async throws {
    let seen = Mutex<[String]>([])
    let proxy = LoopbackServer { request, connection in
      seen.withLock { $0.append(request) }
      connection.answer("502 Bad Gateway")
      return false
    }
    var request = HTTPRequest(url: "https://127.0.0.1:1/")
    request.proxy = .url(proxy.url, exceptions: nil)
    request.proxyHeaders = [("X-Pass", "1")]
    request.headers = [("X-Own", "2")]
    let client = try HTTPClient()
    let outcome = await client.send(request)
    #expect((try? outcome.result.get()) == nil)
    let text = seen.withLock { $0.first ?? "" }
    #expect(text.hasPrefix("CONNECT 127.0.0.1:1") && text.contains("X-Pass: 1"))
    #expect(!text.contains("X-Own"))
    client.shutdown()
  }
}
