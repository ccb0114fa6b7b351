import Glibc
import Synchronization
import Testing

@testable import HTTPClient

/// Requests that are sent again and again get connections of their own.
@Suite(.serialized) struct LaneTests {
  private func client() throws -> HTTPClient { try HTTPClient() }

  private func request(_ server: LoopbackServer, _ path: String = "/metrics") -> HTTPRequest {
    var request = HTTPRequest(url: server.url + path)
    request.headers = [("Accept", "text/plain"), ("User-Agent", "test/1")]
    request.isRepeated = true
    return request
  }

  private func failure(_ outcome: HTTPOutcome) -> HTTPFailure? {
    if case .failure(let failure) = outcome.result { failure } else { nil }
  }

  private static func text(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 2) }
  }

  @Test func theSameBytesGoOutOnOneConnection() async throws {
    let seen = Mutex<[(String, Int)]>([])
    let server = LoopbackServer { request, connection in
      seen.withLock { $0.append((request, connection.number)) }
      connection.answer(body: Array("hello".utf8))
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for _ in 0..<6 {
      let response = try await client.send(request(server)).result.get()
      #expect(response.status == 200 && response.statusText == "200 OK")
      #expect(response.contentType == "text/plain" && response.body == Array("hello".utf8))
      try await Task.sleep(for: .milliseconds(30))
    }
    let requests = seen.withLock { $0 }
    #expect(Set(requests.map(\.0)).count == 1)
    #expect(requests.map(\.1) == [1, 2, 2, 2, 2, 2])
    var changed = request(server)
    changed.headers[1].value = "test/2"
    for _ in 0..<2 { _ = try await client.send(changed).result.get() }
    let last = seen.withLock { $0.suffix(2) }
    #expect(last.allSatisfy { $0.0.contains("User-Agent: test/2\r\n") })
  }

  /// Bodies in every wrapping, cut into pieces of any size.
  @Test func bodiesInPieces() async throws {
    let plain = Self.text(90_000)
    let gzip = StoredGzip.encode(plain)
    let server = LoopbackServer { request, connection in
      let isGzip = request.contains("/gzip")
      let body = isGzip ? gzip : plain
      var answer = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n".utf8)
      if isGzip { answer += Array("CONTENT-Encoding: gzip\r\n".utf8) }
      if request.contains("chunked") {
        answer += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
        var rest = body[...]
        while !rest.isEmpty {
          let piece = rest.prefix(7001)
          rest = rest.dropFirst(piece.count)
          answer += Array("\(String(piece.count, radix: 16, uppercase: true));x=y\r\n".utf8)
          answer += piece + [0x0d, 0x0a]
        }
        answer += Array("0\r\nTrailer: t\r\n\r\n".utf8)
      } else {
        answer += Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
      }
      // The head byte by byte, the rest in odd pieces.
      let step = request.contains("slow") ? 1 : 4099
      var at = 0
      while at < answer.count {
        let size = at < 120 ? step : 4099
        connection.send(Array(answer[at..<min(at + size, answer.count)]))
        if step == 1 && at < 120 { usleep(200) }
        at += size
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for path in ["/plain", "/gzip", "/plain/chunked", "/gzip/chunked", "/gzip/chunked/slow"] {
      for _ in 0..<4 {
        let response = try await client.send(request(server, path)).result.get()
        #expect(response.body == plain, "\(path)")
        #expect(response.contentType == "text/plain")
        try await Task.sleep(for: .milliseconds(30))
      }
    }
    #expect(server.connections == 10)
  }

  /// A server that hangs up between requests costs nothing but a new connection.
  @Test func aServerThatHangsUp() async throws {
    let server = LoopbackServer { request, connection in
      if request.contains("/polite") {
        connection.answer("200 OK", "Connection: close\r\n", body: Array("hi".utf8))
        return false
      }
      connection.answer(body: Array("hi".utf8))
      return connection.number == 1
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for path in ["/rude", "/polite"] {
      for _ in 0..<8 {
        let response = try await client.send(request(server, path)).result.get()
        #expect(response.body == Array("hi".utf8))
        usleep(2000)
      }
    }
  }

  /// Everything but a plain success is told as without a lane.
  @Test func whatIsUnusualGoesThroughLibcurl() async throws {
    let count = Atomic<Int>(0)
    let server = LoopbackServer { request, connection in
      let n = count.add(1, ordering: .relaxed).newValue
      if n <= 2 {
        connection.answer(body: Array("fine".utf8))
      } else if request.contains("/500") {
        connection.answer("500 Oh Dear", "Retry-After: 3\r\n", body: Array("broken".utf8))
      } else if request.contains("/moved") {
        connection.answer("302 Found", "Location: /500\r\n")
      } else if request.contains("/until-the-end") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nto the end")
        return false
      } else {
        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
        connection.answer(body: Array("continued".utf8))
      }
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for (path, status, body) in [
      ("/500", 500, "broken"), ("/moved", 500, "broken"), ("/until-the-end", 200, "to the end"),
      ("/continue", 200, "continued"),
    ] {
      count.store(0, ordering: .relaxed)
      for _ in 0..<2 { _ = try await client.send(request(server, path)).result.get() }
      for _ in 0..<2 {
        let response = try await client.send(request(server, path)).result.get()
        #expect(response.status == status && response.body == Array(body.utf8), "\(path)")
        if status == 500 {
          #expect(response.statusText == "500 Oh Dear" && response.retryAfter == 3)
        }
      }
    }
  }

  @Test func failuresInTheMiddle() async throws {
    let count = Atomic<Int>(0)
    let server = LoopbackServer { request, connection in
      if count.add(1, ordering: .relaxed).newValue <= 2 {
        connection.answer(body: Array("fine".utf8))
        return true
      }
      if request.contains("/cut") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        return false
      }
      if request.contains("/gzip") {
        connection.answer(
          "200 OK", "Content-Encoding: gzip\r\n",
          body: StoredGzip.encode(Self.text(1000)).dropLast(9))
        return true
      }
      if request.contains("/large") {
        connection.answer(body: Self.text(5000))
        return true
      }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
      usleep(700_000)
      return false
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for (path, expected) in [
      ("/cut", HTTPFailure.transfer("unexpected EOF")),
      ("/gzip", .transfer("unexpected EOF")), ("/large", .bodyTooLarge(limit: 5000)),
      ("/slow", .timeout),
    ] {
      count.store(0, ordering: .relaxed)
      var request = request(server, path)
      request.bodyLimit = 5000
      request.timeout = 400
      for _ in 0..<2 { _ = try await client.send(request).result.get() }
      let outcome = await client.send(request)
      #expect(failure(outcome) == expected, "\(path)")
      #expect(outcome.hadHeaders && outcome.duration < 3_000_000_000)
    }
  }

  @Test func cancellingAndShuttingDown() async throws {
    let count = Atomic<Int>(0)
    let server = LoopbackServer { _, connection in
      if count.add(1, ordering: .relaxed).newValue > 2 { usleep(1_500_000) }
      connection.answer(body: Array("fine".utf8))
      return true
    }
    defer { server.stop() }
    let client = try client()
    for _ in 0..<2 { _ = try await client.send(request(server)).result.get() }
    let first = request(server)
    let task = Task { await client.send(first) }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    #expect(failure(await task.value) == .cancelled)
    count.store(0, ordering: .relaxed)
    for _ in 0..<2 { _ = try await client.send(request(server)).result.get() }
    let second = Task { await client.send(first) }
    try await Task.sleep(for: .milliseconds(100))
    client.shutdown()
    #expect(failure(await second.value) == .shutDown)
  }

  /// Requests leave from any thread while answers come, peers hang up and requests are cancelled.
  @Test func manyThreads() async throws {
    let server = LoopbackServer { request, connection in
      connection.answer(body: Array(repeating: 0x61, count: request.contains("/3") ? 70_000 : 70))
      return !request.contains("/5") || connection.number % 3 > 0
    }
    defer { server.stop() }
    let client = try client()
    let requests = (0..<8).map { request(server, "/\($0)") }
    let problems = await withTaskGroup(of: [String].self, returning: [String].self) { group in
      for request in requests {
        group.addTask {
          var problems: [String] = []
          for round in 0..<60 {
            let isCancelled = round % 7 == 3
            let task = Task { await client.send(request) }
            if isCancelled { task.cancel() }
            switch await task.value.result {
            case .success(let response):
              let isWhole = response.body.count == (request.url.hasSuffix("/3") ? 70_000 : 70)
              if !isWhole { problems.append("\(request.url): \(response.body.count) bytes") }
            case .failure(.cancelled) where isCancelled: break
            case .failure(let failure): problems.append("\(request.url): \(failure)")
            }
          }
          return problems
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(problems == [])
    client.shutdown()
  }

  /// Two requests of one URL at once: the second does not wait for the lane.
  @Test func aBusyLaneIsPassedBy() async throws {
    let server = LoopbackServer { _, connection in
      usleep(50_000)
      connection.answer(body: Array("fine".utf8))
      return true
    }
    defer { server.stop() }
    let client = try client()
    defer { client.shutdown() }
    for _ in 0..<2 { _ = try await client.send(request(server)).result.get() }
    let request = request(server)
    let outcomes = await withTaskGroup(of: Bool.self, returning: [Bool].self) { group in
      for _ in 0..<4 {
        group.addTask { (try? await client.send(request).result.get().body.count) == 4 }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes == [true, true, true, true])
  }
}

@Suite struct GunzipTests {
  private let gunzip = WholeGunzip()

  @Test func wholeMembersOnly() {
    let plain = [UInt8](repeating: 7, count: 1000)
    let member = StoredGzip.encode(plain)
    #expect(gunzip.decode(member, below: 1001) == plain)
    #expect(gunzip.decode(member, below: 1000) == nil)
    #expect(gunzip.decode(member + member, below: 5000) == nil)
    #expect(gunzip.decode(Array(member.dropLast()), below: 5000) == nil)
    #expect(gunzip.decode(member + [0], below: 5000) == nil)
    for i in member.indices {
      var damaged = member
      damaged[i] ^= 0x10
      if let decoded = gunzip.decode(damaged, below: 5000) { #expect(decoded == plain) }
    }
    #expect(gunzip.decode([], below: 10) == nil)
  }

  /// The size that the trailer claims is believed only as far as the bytes could make it true.
  @Test func aSmallBodyThatClaimsToBeHuge() {
    var member = StoredGzip.encode([1, 2, 3])
    member.replaceSubrange((member.count - 4)..., with: [0xff, 0xff, 0xff, 0x7f])
    #expect(gunzip.decode(member, below: .max) == nil)
  }
}
