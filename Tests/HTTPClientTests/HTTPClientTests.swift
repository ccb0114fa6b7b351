import Glibc
import Synchronization
import Testing

@testable import HTTPClient

@Suite(.serialized) struct HTTPClientTests {
  private func client(_ change: (inout HTTPClient.Limits) -> Void = { _ in }) throws -> HTTPClient {
    var limits = HTTPClient.Limits()
    change(&limits)
    return try HTTPClient(limits: limits)
  }

  private func failure(_ outcome: HTTPOutcome) -> HTTPFailure? {
    if case .failure(let failure) = outcome.result { failure } else { nil }
  }

  @Test func keepAliveReusesTheConnection() async throws {
    let server = LoopbackServer { request, connection in
      connection.answer(body: Array("hello \(connection.number)".utf8))
      return true
    }
    defer { server.stop() }
    let client = try client()
    for _ in 0..<5 {
      let response = try await client.send(HTTPRequest(url: server.url + "/metrics")).result.get()
      #expect(response.status == 200 && response.statusText == "200 OK")
      #expect(response.contentType == "text/plain")
      #expect(response.body == Array("hello 1".utf8))
    }
    #expect(server.connections == 1)
    client.shutdown()
  }

  @Test func requestHeaders() async throws {
    let seen = Mutex("")
    let server = LoopbackServer { request, connection in
      seen.withLock { $0 = request }
      connection.answer()
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    var request = HTTPRequest(url: server.url + "/m?a=b%20c")
    request.headers = [("Accept", "text/plain;q=0.3"), ("X-Empty", ""), ("X-Bad", "a\r\nB: c")]
    request.basicAuth = .init(username: "user", password: "pass:word")
    _ = try await client.send(request).result.get()
    let text = seen.withLock { $0 }
    #expect(text.hasPrefix("GET /m?a=b%20c HTTP/1.1\r\n"))
    for line in [
      "Host: 127.0.0.1:\(server.port)", "Accept: text/plain;q=0.3", "X-Empty:",
      "Accept-Encoding: gzip", "Authorization: Basic dXNlcjpwYXNzOndvcmQ=",
    ] {
      #expect(text.contains("\r\n\(line)\r\n"), "\(line)")
    }
    #expect(!text.contains("X-Bad") && !text.contains("User-Agent"))

    request = HTTPRequest(url: server.url)
    request.method = "POST"
    request.body = Array("{\"x\":1}".utf8)
    request.headers = [("Content-Type", "application/json")]
    request.authorization = "Bearer secret"
    request.acceptsGzip = false
    _ = try await client.send(request).result.get()
    let post = seen.withLock { $0 }
    #expect(post.hasPrefix("POST / HTTP/1.1\r\n") && post.hasSuffix("\r\n\r\n{\"x\":1}"))
    for line in [
      "Content-Type: application/json", "Content-Length: 7", "Authorization: Bearer secret",
      "Accept-Encoding: identity",
    ] {
      #expect(post.contains("\r\n\(line)\r\n"), "\(line)")
    }
    #expect(!post.contains("Expect"))
  }

  @Test func gzipIsDecoded() async throws {
    let plain = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let server = LoopbackServer { request, connection in
      let body = StoredGzip.encode(plain)
      if request.contains("/cut") {
        connection.answer("200 OK", "Content-Encoding: gzip\r\n", body: Array(body.dropLast(5000)))
      } else if request.contains("/garbage") {
        connection.answer("200 OK", "Content-Encoding: gzip\r\n", body: Array("nonsense".utf8))
      } else {
        connection.answer("200 OK", "Content-Encoding: gzip\r\n", body: body)
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    #expect(try await client.send(HTTPRequest(url: server.url)).result.get().body == plain)
    let cut = await client.send(HTTPRequest(url: server.url + "/cut"))
    #expect(failure(cut) == .transfer("unexpected EOF"))
    let garbage = await client.send(HTTPRequest(url: server.url + "/garbage"))
    #expect(failure(garbage) == .transfer("gzip: invalid header"))
  }

  @Test func bodyLimitCountsDecodedBytes() async throws {
    let body = [UInt8](repeating: 0x61, count: 100_000)
    let server = LoopbackServer { request, connection in
      if request.contains("/gzip") {
        connection.answer("200 OK", "Content-Encoding: gzip\r\n", body: StoredGzip.encode(body))
      } else {
        connection.answer(body: body)
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for path in ["/plain", "/gzip"] {
      var request = HTTPRequest(url: server.url + path)
      request.bodyLimit = 100_001
      #expect(try await client.send(request).result.get().body.count == 100_000)
      request.bodyLimit = 100_000
      let outcome = await client.send(request)
      #expect(failure(outcome) == .bodyTooLarge(limit: 100_000))
      #expect(outcome.failureText == "body size limit exceeded")
      request.bodyLimit = 1000
      request.truncatesBody = true
      #expect(try await client.send(request).result.get().body.count == 1000)
    }
  }

  @Test func endlessAndSlowBodies() async throws {
    let server = LoopbackServer { request, connection in
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      if request.contains("/slow") {
        while connection.send("1\r\na\r\n") { usleep(20_000) }
      } else {
        let piece = Array(("10000\r\n" + String(repeating: "x", count: 0x10000) + "\r\n").utf8)
        while connection.send(piece) {}
      }
      return false
    }
    defer { server.stop() }
    let client = try client { $0.body = 3_000_000 }
    defer { client.shutdown() }
    let endless = await client.send(HTTPRequest(url: server.url))
    #expect(failure(endless) == .bodyTooLarge(limit: 3_000_000))
    var slow = HTTPRequest(url: server.url + "/slow")
    slow.timeout = 300
    let outcome = await client.send(slow)
    #expect(failure(outcome) == .timeout)
    #expect(outcome.failureText == "context deadline exceeded")
    #expect(outcome.duration > 290_000_000 && outcome.duration < 2_000_000_000)
  }

  @Test func timeoutBeforeTheResponse() async throws {
    let server = LoopbackServer { _, _ in
      usleep(800_000)
      return false
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    var request = HTTPRequest(url: server.url + "/x")
    request.timeout = 200
    let outcome = await client.send(request)
    #expect(outcome.failureText == "Get \"\(server.url)/x\": context deadline exceeded")
  }

  @Test func statusesAreAnswers() async throws {
    let server = LoopbackServer { request, connection in
      if request.contains("/busy") {
        connection.answer("503 Try Later", "Retry-After: 7\r\n", body: Array("busy".utf8))
      } else {
        connection.send("HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n")
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    let bare = try await client.send(HTTPRequest(url: server.url)).result.get()
    #expect(bare.statusText == "500 Internal Server Error")
    let busy = try await client.send(HTTPRequest(url: server.url + "/busy")).result.get()
    #expect(busy.statusText == "503 Try Later" && busy.retryAfter == 7)
    #expect(busy.body == Array("busy".utf8))
  }

  @Test func refusedAndUnknown() async throws {
    let server = LoopbackServer { _, _ in false }
    let url = server.url
    let port = server.port
    server.stop()
    let client = try client()
    defer { client.shutdown() }
    let refused = await client.send(HTTPRequest(url: url + "/metrics"))
    #expect(
      refused.failureText
        == "Get \"\(url)/metrics\": dial tcp 127.0.0.1:\(port): connect: connection refused")
    let unknown = await client.send(HTTPRequest(url: "http://nowhere.invalid/"))
    #expect(failure(unknown) == .connection("dial tcp: lookup nowhere.invalid: no such host"))
    for bad in ["file:///etc/passwd", "nonsense://x", "http://", "http://[::1"] {
      let outcome = await client.send(HTTPRequest(url: bad))
      guard case .request = failure(outcome) else {
        Issue.record("\(bad): \(outcome.result)")
        continue
      }
    }
  }

  @Test func redirects() async throws {
    let server = LoopbackServer { request, connection in
      if request.contains("GET /end") {
        connection.answer("200 OK", "Content-Type: a/b\r\n", body: Array("end".utf8))
      } else if request.contains("GET /loop") {
        connection.answer("302 Found", "Location: /loop\r\n")
      } else if request.contains("GET /file") {
        connection.answer("302 Found", "Location: file:///etc/passwd\r\n")
      } else {
        connection.answer("301 Moved Permanently", "Location: /end\r\n", body: Array("go".utf8))
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    let end = try await client.send(HTTPRequest(url: server.url)).result.get()
    #expect(end.status == 200 && end.body == Array("end".utf8) && end.contentType == "a/b")
    let loop = await client.send(HTTPRequest(url: server.url + "/loop"))
    #expect(failure(loop) == .transfer("stopped after 10 redirects"))
    let file = await client.send(HTTPRequest(url: server.url + "/file"))
    #expect(failure(file) != nil)
    var request = HTTPRequest(url: server.url)
    request.followsRedirects = false
    let first = try await client.send(request).result.get()
    #expect(first.status == 301 && first.body == Array("go".utf8))
  }

  @Test func brokenAnswers() async throws {
    let server = LoopbackServer { request, connection in
      if request.contains("/mid") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
      } else if request.contains("/chunk") {
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
      } else if request.contains("/garbage") {
        connection.send("\u{1}\u{2}\u{3} this is not HTTP\r\n\r\n")
      }
      return false
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    let expected: [(String, String?)] = [
      ("/mid", "unexpected EOF"), ("/chunk", "unexpected EOF"),
      ("/nothing", "Get \"\(server.url)/nothing\": EOF"), ("/garbage", nil),
    ]
    for (path, text) in expected {
      let outcome = await client.send(HTTPRequest(url: server.url + path))
      #expect(outcome.failureText != nil, "\(path)")
      if let text { #expect(outcome.failureText == text) }
    }
  }

  @Test func cancelling() async throws {
    let server = LoopbackServer { _, _ in
      usleep(3_000_000)
      return false
    }
    defer { server.stop() }
    let client = try client { $0.concurrent = 1 }
    defer { client.shutdown() }
    let url = server.url
    // One under way, one in the queue.
    let tasks = (0..<2).map { _ in Task { await client.send(HTTPRequest(url: url)) } }
    try await Task.sleep(for: .milliseconds(100))
    for task in tasks.reversed() { task.cancel() }
    for task in tasks { #expect(failure(await task.value) == .cancelled) }
    let early = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await client.send(HTTPRequest(url: url))
    }
    #expect(failure(await early.value) == .cancelled)
  }

  @Test func queuedRequestsTimeOut() async throws {
    let server = LoopbackServer { _, _ in
      usleep(2_000_000)
      return false
    }
    defer { server.stop() }
    let client = try client { $0.concurrent = 1 }
    defer { client.shutdown() }
    let url = server.url
    let first = Task { await client.send(HTTPRequest(url: url)) }
    try await Task.sleep(for: .milliseconds(50))
    var request = HTTPRequest(url: url)
    request.timeout = 200
    let second = await client.send(request)
    #expect(failure(second) == .timeout)
    #expect(second.duration < 1_000_000_000)
    first.cancel()
    _ = await first.value
  }

  @Test func shutdownEndsEverything() async throws {
    let server = LoopbackServer { _, _ in
      usleep(3_000_000)
      return false
    }
    defer { server.stop() }
    let client = try client { $0.concurrent = 3 }
    let url = server.url
    let tasks = (0..<10).map { _ in Task { await client.send(HTTPRequest(url: url)) } }
    try await Task.sleep(for: .milliseconds(100))
    client.shutdown()
    for task in tasks { #expect(failure(await task.value) == .shutDown) }
    #expect(failure(await client.send(HTTPRequest(url: url))) == .shutDown)
    client.shutdown()
  }

  @Test func droppingTheClientEndsIt() async throws {
    let server = LoopbackServer { _, _ in
      usleep(2_000_000)
      return false
    }
    defer { server.stop() }
    let ended = Mutex<HTTPFailure?>(nil)
    do {
      let client = try client()
      client.send(HTTPRequest(url: server.url)) { outcome in
        if case .failure(let failure) = outcome.result { ended.withLock { $0 = failure } }
      }
    }
    for _ in 0..<100 where ended.withLock({ $0 == nil }) {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(ended.withLock { $0 } == .shutDown)
  }

  @Test func twoHundredAtOnce() async throws {
    let server = LoopbackServer { request, connection in
      usleep(50_000)
      connection.answer(body: Array(request.prefix(10).utf8))
      return true
    }
    defer { server.stop() }
    let client = try client { $0.concurrent = 64 }
    defer { client.shutdown() }
    let url = server.url
    for _ in 0..<2 {
      let good = await withTaskGroup(of: Bool.self) { group in
        for i in 0..<200 {
          group.addTask {
            let outcome = await client.send(HTTPRequest(url: "\(url)/\(1000 + i)"))
            guard case .success(let response) = outcome.result else { return false }
            return response.body == Array("GET /\(1000 + i) ".utf8.prefix(10))
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(good == 200)
    }
    #expect(server.connections <= 64)
  }

  @Test func unixSockets() async throws {
    let path = "/tmp/tocsin-test-\(getpid()).sock"
    let server = LoopbackServer(unixPath: path) { _, connection in
      connection.answer(body: Array("unix".utf8))
      return true
    }
    defer {
      server.stop()
      unlink(path)
    }
    let client = try client()
    defer { client.shutdown() }
    var request = HTTPRequest(url: "http://target/metrics")
    request.unixSocketPath = path
    #expect(try await client.send(request).result.get().body == Array("unix".utf8))
    request.unixSocketPath = "/nonexistent/socket"
    let outcome = await client.send(request)
    #expect(
      failure(outcome)
        == .connection("dial unix /nonexistent/socket: connect: no such file or directory"))
  }

  @Test func plainAnswerToATLSHello() async throws {
    let server = LoopbackServer { _, _ in false }
    defer { server.stop() }
    let raw = LoopbackServer { _, connection in false }
    raw.stop()
    let client = try client()
    defer { client.shutdown() }
    var request = HTTPRequest(url: "https://127.0.0.1:\(server.port)/")
    request.timeout = 500
    let outcome = await client.send(request)
    #expect(failure(outcome) != nil)
  }

  @Test func urls() throws {
    let parts = try #require(URLParts("https://u:p@[::1]:8443/x?y#z"))
    #expect(parts.isSecure && parts.host == "[::1]" && parts.port == "8443")
    #expect(parts.replacingHost(by: "name") == "https://u:p@name:8443/x?y#z")
    let plain = try #require(URLParts("http://example.org"))
    #expect(plain.host == "example.org" && plain.port == "80" && plain.authority == "example.org")
    #expect(URLParts("ftp://x") == nil)
  }
}
