import Dispatch
import Glibc
import JSON
import Model
import Rules
import Testing

@testable import Kernel
@testable import Server

@Suite struct FollowTests {
  /// A server whose journal has forgotten its first entries.
  private func site(storesHistory: Bool) async throws -> Site {
    try await Site { context in
      context.storesHistory = storesHistory
      context.gate.visit { kernel in
        for n in 0..<10_020 {
          let labels: LabelSet = ["alertname": "A", "n": "\(n)"]
          let record = TransitionRecord(
            group: "a.yml;g", rule: "A", labels: labels, from: .pending, to: .firing, value: 1,
            reason: .held)
          kernel.journal.append(.transition(record), at: Site.start)
        }
      }
    }
  }

  @Test func whoeverIsTooSlowIsToldHowMuchIsGone() async throws {
    let site = try await site(storesHistory: false)
    defer { site.close() }
    let lines = await site.lines("/api/v1/transitions?follow=true&after=7&limit=2", count: 3)
    #expect(lines.count == 3)
    let found = try lines.map { try JSONValue(parsing: Array($0.utf8)) }
    #expect(found[0]["warning"]?.string == "too slow: entries were dropped")
    let first = try #require(found[1]["sequence"]?.int)
    #expect(first > 8)
    #expect(found[0]["dropped"]?.int == first - 8)
    #expect(found[2]["sequence"]?.int == first + 1)
  }

  @Test func nothingIsGoneThatIsStored() async throws {
    let site = try await site(storesHistory: true)
    defer { site.close() }
    let lines = await site.lines("/api/v1/transitions?follow=true&after=7&limit=2", count: 2)
    #expect(lines.count == 2)
    #expect(!lines.contains { $0.contains("warning") })
  }
}

extension Site {
  /// The first lines of an answer that has no end.
  fileprivate func lines(_ path: String, count: Int) async -> [String] {
    let number = UInt16(clamping: listeningPort)
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(returning: Self.read(path, from: number, count: count))
      }
    }
  }

  private static func read(_ path: String, from port: UInt16, count: Int) -> [String] {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(file) }
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    guard isConnected, write(file, request, request.count) == request.count else { return [] }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      // Between the lines stand the sizes of chunks.
      let lines = bytes.split(separator: UInt8(ascii: "\n"))
        .map { String(decoding: $0, as: UTF8.self) }
        .filter { $0.hasPrefix("{") && $0.hasSuffix("}") }
      if lines.count >= count { return Array(lines.prefix(count)) }
      let n = Glibc.read(file, &buffer, buffer.count)
      if n <= 0 { return lines }
      bytes += buffer[..<n]
    }
  }
}
