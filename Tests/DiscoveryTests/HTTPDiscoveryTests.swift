import HTTPClient
import Kernel
import Model
import Synchronization
import Testing

@testable import Discovery

/// A server of lists that answers what it is told to, and what came of it.
private final class ListServer: Sendable {
  let answer = Mutex<HTTPOutcome?>(nil)
  let requests = Mutex(0)
  let events = Mutex<[String]>([])
  let problems = Mutex<[String]>([])

  func outcome(_ status: Int, _ type: String, _ body: String) -> HTTPOutcome {
    HTTPOutcome(
      result: .success(
        HTTPResponse(
          status: status, reason: "R", contentType: type, retryAfter: nil, body: Array(body.utf8))),
      duration: 1, queued: 0, hadHeaders: true, method: "GET", url: "http://sd/")
  }

  func discovery() -> HTTPDiscovery {
    HTTPDiscovery(
      fetch: { [self] _, completion in
        requests.withLock { $0 += 1 }
        if let answer = answer.withLock({ $0 }) { completion(answer) }
      },
      report: { [self] event in
        guard case .discovered(_, let mechanism, let groups) = event else { return }
        let text = groups.map { "\($0.source)=\($0.targets.joined(separator: ","))" }
        events.withLock { $0.append("\(mechanism) \(text.joined(separator: " "))") }
      },
      log: { [self] record in problems.withLock { $0.append(record.fields.last?.value ?? "") } })
  }
}

@Suite struct HTTPDiscoveryTests {
  private let second: UInt64 = 1_000_000_000

  private func settings(_ urls: [String]) -> Settings {
    var settings = Settings()
    var scrape = ScrapeSettings(jobName: "j", interval: .seconds(10), timeout: .seconds(5))
    scrape.httpDiscovery = urls.map { HTTPDiscoverySettings(url: $0) }
    settings.scrapes = [scrape]
    return settings
  }

  @Test func aListReplacesTheOneBefore() {
    let server = ListServer()
    let discovery = server.discovery()
    discovery.adopt(settings(["http://sd/"]))
    let lists = [
      #"[{"targets":["a:1"]},{"targets":["b:1"]}]"#, #"[{"targets":["a:1"]},{"targets":["b:1"]}]"#,
      #"[{"targets":["a:1"]}]"#,
    ]
    for (round, list) in lists.enumerated() {
      server.answer.withLock { $0 = server.outcome(200, "application/json; charset=utf-8", list) }
      discovery.look(now: UInt64(round) * 60 * second)
      discovery.look(now: UInt64(round) * 60 * second + 1)
    }
    #expect(
      server.events.withLock { $0 } == [
        "http_sd/0 http://sd/:0=a:1 http://sd/:1=b:1", "http_sd/0 http://sd/:1=",
      ])
    #expect(server.requests.withLock { $0 } == 3)
    discovery.adopt(settings([]))
    #expect(server.events.withLock { $0.last } == "http_sd/0 http://sd/:0=")
  }

  @Test func alertmanagersAreFoundAsTargetsAre() {
    let server = ListServer()
    let news = Mutex<[Event]>([])
    let discovery = HTTPDiscovery(
      fetch: { _, completion in
        completion(server.outcome(200, "application/json", #"[{"targets":["am:9093"]}]"#))
      }, report: { event in news.withLock { $0.append(event) } }, log: { _ in })
    var settings = Settings()
    settings.alertmanagers = [AlertmanagerSettings(), AlertmanagerSettings()]
    settings.alertmanagers[1].httpDiscovery = [HTTPDiscoverySettings(url: "http://sd/")]
    discovery.adopt(settings)
    for round in 0..<2 { discovery.look(now: UInt64(round)) }
    settings.alertmanagers = []
    discovery.adopt(settings)
    let told = news.withLock { $0 }.compactMap { event -> [[String]]? in
      guard case .discoveredAlertmanagers(1, "http_sd/0", let groups) = event else { return nil }
      return groups.map(\.targets)
    }
    #expect(told == [[["am:9093"]], [[]]])
    #expect(news.withLock(\.count) == 2)
  }

  @Test func failuresKeepTheLastGoodList() {
    let server = ListServer()
    let discovery = server.discovery()
    discovery.adopt(settings(["http://sd/"]))
    let answers = [
      server.outcome(200, "application/json", #"[{"targets":["a:1"]}]"#),
      server.outcome(500, "application/json", "[]"), server.outcome(200, "text/html", "[]"),
      server.outcome(200, "application/json", "[}"),
    ]
    for (round, answer) in answers.enumerated() {
      server.answer.withLock { $0 = answer }
      discovery.look(now: UInt64(round) * 60 * second)
      discovery.look(now: UInt64(round) * 60 * second + 1)
    }
    #expect(server.events.withLock { $0.count } == 1)
    #expect(discovery.counts.refreshes == 4 && discovery.counts.failures == 3)
    #expect(
      server.problems.withLock { $0.prefix(2) } == [
        "server returned HTTP status 500 R", "unsupported content type \"text/html\"",
      ])
  }

  @Test func oneRequestAtATime() {
    let server = ListServer()
    let discovery = server.discovery()
    discovery.adopt(settings(["http://sd/"]))
    for round in 0..<5 { discovery.look(now: UInt64(round) * 60 * second) }
    #expect(server.requests.withLock { $0 } == 1)
  }

  @Test func theRequestSaysHowOftenItComes() {
    let request = HTTPDiscovery.request(HTTPDiscoverySettings(url: "http://sd/"), userAgent: "T")
    #expect(request.timeout == 60_000 && request.bodyLimit == 64 << 20)
    #expect(
      request.headers.map { "\($0.name): \($0.value)" } == [
        "Accept: application/json", "User-Agent: T",
        "X-Prometheus-Refresh-Interval-Seconds: 60",
      ])
  }
}
