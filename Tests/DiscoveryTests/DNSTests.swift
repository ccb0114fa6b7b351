import Glibc
import Kernel
import Model
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite struct DNSMessageTests {
  /// A name as it stands in a message.
  static func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  static func answer(_ records: [(type: UInt8, data: [UInt8])], code: UInt8 = 0) -> [UInt8] {
    var bytes: [UInt8] = [0, 1, 0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
    bytes += name("x.test") + [0, 33, 0, 1]
    for record in records {
      // The name of a record points at the question's.
      bytes += [0xc0, 12, 0, record.type, 0, 1, 0, 0, 0, 60]
      bytes += [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xff)] + record.data
    }
    return bytes
  }

  @Test func records() throws {
    let message = try DNSMessage(
      Self.answer([
        (1, [10, 0, 0, 7]),
        (28, [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]),
        (33, [0, 1, 0, 2, 0x23, 0x8c] + Self.name("a.x.test")),
        (15, [0, 10] + Self.name("mail.test")), (2, [2, 0x6e, 0x73, 0xc0, 12]),
        (5, Self.name("alias.test")),
      ]))
    #expect(
      message.records == [
        .address("10.0.0.7"), .address("[2001:db8::1]"),
        .service(target: "a.x.test.", port: 9100), .mail("mail.test."), .nameServer("ns.x.test."),
      ])
  }

  @Test func namesThatPointAtThemselves() {
    let bytes = Self.answer([(2, [0xc0, 35])])
    #expect(throws: DNSMessage.Problem.self) { try DNSMessage(bytes + [0xc0, 35]) }
  }

  @Test func damage() {
    var random = SeededGenerator(seed: 7)
    let whole = Self.answer([
      (33, [0, 1, 0, 2, 0x23, 0x8c] + Self.name("a.x.test")), (1, [1, 2, 3, 4]),
    ])
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      _ = try? DNSMessage(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
    }
  }

  @Test func questions() throws {
    let question = try #require(DNSMessage.question("a.bc.", .srv, id: 0x1234))
    #expect(question.prefix(12) == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    #expect(question[12..<22] == [1, 0x61, 2, 0x62, 0x63, 0, 0, 33, 0, 1])
    #expect(DNSMessage.question(String(repeating: "a", count: 64) + ".", .a) == nil)
  }
}

@Suite struct ResolverConfigTests {
  @Test func resolvConf() {
    let config = ResolverConfig(
      parsing: "# c\nnameserver 10.0.0.1\nnameserver ::1\nsearch a.test b.test.\noptions ndots:2")
    #expect(config.servers == ["10.0.0.1", "::1"] && config.dots == 2)
    #expect(config.names(for: "x") == ["x.a.test.", "x.b.test.", "x."])
    #expect(config.names(for: "x.y.z") == ["x.y.z.", "x.y.z.a.test.", "x.y.z.b.test."])
    #expect(config.names(for: "x.") == ["x."])
    #expect(ResolverConfig(parsing: "").servers == ["127.0.0.1"])
  }
}

@Suite struct DNSDiscoveryTests {
  @Test func groupsCarryWhatTheRecordsSay() {
    let groups = DNSDiscovery.groups(
      "n", [.service(target: "b.", port: 2), .service(target: "a.", port: 1)], port: 9)
    #expect(groups.map(\.targets) == [["a:1"], ["b:2"]])
    #expect(
      groups[0].labels
        == LabelSet([
          ("__meta_dns_name", "n"), ("__meta_dns_srv_record_target", "a."),
          ("__meta_dns_srv_record_port", "1"),
        ]))
    #expect(DNSDiscovery.groups("n", [.address("[::1]")], port: 9)[0].targets == ["[::1]:9"])
    #expect(
      DNSDiscovery.groups("n", [.mail("m.")], port: 9)[0].labels.value(
        of: "__meta_dns_mx_record_target") == "m.")
  }

  @Test func aFailedLookUpKeepsTheTargetsAndAGoneNameHasNone() {
    let answers = Mutex<[Result<[DNSMessage.Record], DNSMessage.Problem>]>([
      .success([.address("1.1.1.1")]), .failure(DNSMessage.Problem(description: "no")),
      .success([]),
    ])
    let events = Mutex<[String]>([])
    let discovery = DNSDiscovery(
      lookup: { _, _ in answers.withLock { $0.removeFirst() } },
      report: { event in
        guard case .discovered(_, _, let groups) = event else { return }
        events.withLock { $0 += groups.map { "\($0.source) \($0.targets)" } }
      }, log: { _ in })
    var settings = Settings()
    var scrape = ScrapeSettings(jobName: "j", interval: .seconds(10), timeout: .seconds(5))
    scrape.dnsDiscovery = [DNSDiscoverySettings(names: ["n"], record: .a, port: 80)]
    settings.scrapes = [scrape]
    discovery.adopt(settings)
    for round in 0..<3 { discovery.look(now: UInt64(round) * 30_000_000_000) }
    #expect(
      events.withLock { $0 } == ["n/1.1.1.1:80 [\"1.1.1.1:80\"]", "n/1.1.1.1:80 []"])
    #expect(discovery.counts.lookups == 3 && discovery.counts.failures == 1)
  }
}

@Suite struct DNSAlertmanagerTests {
  @Test func alertmanagersAreFoundAsTargetsAre() {
    let news = Mutex<[Event]>([])
    let discovery = DNSDiscovery(
      lookup: { name, _ in .success([.service(target: "\(name).", port: 9093)]) },
      report: { event in news.withLock { $0.append(event) } }, log: { _ in })
    var settings = Settings()
    var scrape = ScrapeSettings(jobName: "0", interval: .seconds(10), timeout: .seconds(5))
    scrape.dnsDiscovery = [DNSDiscoverySettings(names: ["target"])]
    settings.scrapes = [scrape]
    settings.alertmanagers = [AlertmanagerSettings()]
    settings.alertmanagers[0].dnsDiscovery = [DNSDiscoverySettings(names: ["am"])]
    discovery.adopt(settings)
    discovery.look(now: 0)
    discovery.look(now: 1)
    let told = news.withLock { $0 }.compactMap { event -> [String]? in
      switch event {
      case .discovered("0", "dns_sd/0", let groups): ["job"] + groups.flatMap(\.targets)
      case .discoveredAlertmanagers(0, "dns_sd/0", let groups):
        ["alertmanagers"] + groups.flatMap(\.targets)
      default: nil
      }
    }
    #expect(told == [["job", "target:9093"], ["alertmanagers", "am:9093"]])
  }
}

/// A name server on loopback that answers every question alike.
private final class NameServer: Sendable {
  let port: UInt16
  private let descriptor: Int32

  init?(_ reply: @escaping @Sendable (_ question: [UInt8]) -> [UInt8]) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard descriptor >= 0, isBound else { return nil }
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
    Thread.start {
      var buffer = [UInt8](repeating: 0, count: 512)
      var peer = sockaddr_storage()
      while true {
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            recvfrom(descriptor, &buffer, buffer.count, 0, $0, &size)
          }
        }
        if count <= 0 { return }
        let answer = reply(Array(buffer.prefix(count)))
        _ = withUnsafePointer(to: peer) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(descriptor, answer, answer.count, 0, $0, size)
          }
        }
      }
    }
  }

  deinit { close(descriptor) }
}

/// A thread that blocks.
private enum Thread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  static func start(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { raw in
        if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(Body(run)).toOpaque())
    pthread_detach(thread)
  }
}

@Suite(.serialized) struct ResolverTests {
  private func resolver(_ port: UInt16, search: [String] = []) -> Resolver {
    var config = ResolverConfig(parsing: "nameserver 127.0.0.1\noptions timeout:1 attempts:1")
    config.port = port
    config.search = search
    return Resolver(config)
  }

  @Test func answersOverUDP() throws {
    let server = try #require(
      NameServer { question in
        Array(question.prefix(2)) + DNSMessageTests.answer([(1, [10, 0, 0, 7])]).dropFirst(2)
      })
    #expect(try resolver(server.port).records(of: "x.test", .a) == [.address("10.0.0.7")])
  }

  @Test func theSearchListIsTriedInTurn() throws {
    let server = try #require(
      NameServer { question in
        // Only x.b.test is known.
        let isKnown = question.dropFirst(12).starts(with: DNSMessageTests.name("x.b.test"))
        return Array(question.prefix(2))
          + DNSMessageTests.answer(isKnown ? [(1, [1, 2, 3, 4])] : [], code: isKnown ? 0 : 3)
          .dropFirst(2)
      })
    let resolver = resolver(server.port, search: ["a.test", "b.test"])
    #expect(try resolver.records(of: "x", .a) == [.address("1.2.3.4")])
    #expect(try resolver.records(of: "unknown", .a) == [])
  }

  @Test func silenceAndRefusalsAreProblems() throws {
    let server = try #require(
      NameServer { question in
        Array(question.prefix(2)) + DNSMessageTests.answer([], code: 2).dropFirst(2)
      })
    #expect(throws: DNSMessage.Problem.self) {
      try resolver(server.port).records(of: "x.test.", .a)
    }
  }
}
