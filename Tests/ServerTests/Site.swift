import Engine
import HTTPClient
import JSON
import Kernel
import Logging
import Model
import PromQL
import Rules
import Synchronization
import Template

@testable import Server

/// A server on a free port over a kernel with a scripted past.
final class Site: Sendable {
  static let start = Timestamp(seconds: 1_700_000_000)

  let reloads = Atomic<Int>(0)
  let quits = Atomic<Int>(0)
  let reloadProblem = Mutex<String?>(nil)
  private let port = Atomic<Int>(0)
  private let serving = Mutex<Task<Void, any Error>?>(nil)
  private let client: HTTPClient

  /// Starts a server; returns once it listens.
  ///
  /// - Parameter change: what a test wants to be different.
  init(
    allowsLifecycle: Bool = true, _ change: (inout ServerContext) throws -> Void = { _ in }
  ) async throws {
    client = try HTTPClient()
    var context = try context(allowsLifecycle: allowsLifecycle)
    try change(&context)
    let server = TocsinServer(
      context: context, host: "127.0.0.1", port: 0,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let (ports, found) = AsyncStream<Int>.makeStream()
    let task = Task {
      defer { found.finish() }
      try await server.run { found.yield($0) }
    }
    serving.withLock { $0 = task }
    for await number in ports {
      port.store(number, ordering: .relaxed)
      return
    }
    try await task.value
  }

  func close() {
    serving.withLock { $0?.cancel() }
    client.shutdown()
  }

  var listeningPort: Int { port.load(ordering: .relaxed) }

  private var url: String { "http://127.0.0.1:\(listeningPort)" }

  private func context(allowsLifecycle: Bool) throws -> ServerContext {
    let gate = KernelGate(try Past.kernel())
    return ServerContext(
      gate: gate, queries: QueryRunner(gate: gate, settings: QuerySettings()),
      now: { Self.start + .seconds(60) },
      reload: { [self] in
        reloads.add(1, ordering: .relaxed)
        return reloadProblem.withLock { $0 }
      }, allowsLifecycle: allowsLifecycle,
      quit: { [self] in quits.add(1, ordering: .relaxed) },
      processMetrics: { Array("process_start_time_seconds 1\n".utf8) },
      build: BuildInfo(version: "1.2.3", revision: "abc"))
  }

  func get(_ path: String, method: String = "GET") async throws -> HTTPResponse {
    var request = HTTPRequest(url: url + path)
    request.method = method
    return try await client.send(request).result.get()
  }

  func post(_ path: String, form: String) async throws -> HTTPResponse {
    var request = HTTPRequest(url: url + path)
    request.method = "POST"
    request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
    request.body = Array(form.utf8)
    return try await client.send(request).result.get()
  }
}

extension HTTPResponse {
  var text: String { String(decoding: body, as: UTF8.self) }

  /// `data` of a success as compact text; otherwise all there is.
  var data: String {
    let prefix = #"{"status":"success","data":"#
    guard status == 200, text.hasPrefix(prefix) else { return "\(status) \(text)" }
    return String(text.dropFirst(prefix.utf8.count).dropLast())
  }

  /// `400 bad_data: …` of an error.
  var failure: String {
    guard let document = try? JSONValue(parsing: body), document["status"]?.string == "error" else {
      return "\(status) \(text)"
    }
    return "\(status) \(document["errorType"]?.string ?? "?"): \(document["error"]?.string ?? "?")"
  }
}

/// What the kernel has seen: three scrapes of one target, and one that is down.
private enum Past {
  static func kernel() throws -> Kernel {
    let kernel = Kernel()
    var settings = Settings()
    settings.storage.keep = .all
    var scrape = ScrapeSettings(jobName: "app", interval: .seconds(15), timeout: .seconds(10))
    scrape.staticTargets = [TargetGroup(source: "0", targets: ["app:80", "gone:80"])]
    settings.scrapes = [scrape]
    var manager = AlertmanagerSettings()
    manager.targets = [TargetGroup(source: "0", targets: ["am:9093"])]
    settings.alertmanagers = [manager]
    settings.groups = try groups()
    settings.configText = "global:\n  scrape_interval: 15s\n"
    settings.global.externalURL = "http://tocsin.example"
    var effects = kernel.handle(.reload(settings), at: Site.start)
    var now = Site.start
    while now < Site.start + .seconds(60) {
      for effect in effects {
        guard case .scrape(let id, let request) = effect else { continue }
        _ = kernel.handle(
          .scraped(
            id,
            ScrapeOutcome(result: answer(request, now), started: now, duration: .milliseconds(5))),
          at: now)
      }
      now = max(now + .milliseconds(1), kernel.nextDeadline ?? now)
      effects = kernel.handle(.tick, at: now)
    }
    return kernel
  }

  private static func answer(_ request: ScrapeRequest, _ now: Timestamp) -> ScrapeOutcome.Result {
    if request.url.contains("gone") {
      return .failure("Get \"\(request.url)\": dial tcp: lookup gone: no such host")
    }
    let text = #"""
      # HELP requests_total Asked <once>.
      # TYPE requests_total counter
      requests_total{path="/a","城市"="上海"} 1
      requests_total{path="/<b>&"} 2.5
      temperature NaN

      """#
    return .body(Array(text.utf8), contentType: "text/plain; version=0.0.4")
  }

  private static func groups() throws -> [RuleGroupDefinition] {
    [
      RuleGroupDefinition(
        file: "rules/b.yml", name: "second", interval: .seconds(15), queryOffset: nil, limit: 0,
        rules: [
          .recording(
            RecordingRule(
              name: "job:up:sum", expr: try PromQLParser.parse("sum(up)by(job)"), labels: .empty)),
          .alert(try alert("Pending", "up == 0", for: .hours(1), severity: "{{ $value }}")),
        ]),
      RuleGroupDefinition(
        file: "rules/a.yml", name: "first", interval: .seconds(15), queryOffset: nil, limit: 7,
        rules: [.alert(try alert("Down", "up==0", for: .zero, severity: "page"))]),
    ]
  }

  private static func alert(
    _ name: String, _ expr: String, for hold: PromDuration, severity: String
  ) throws -> AlertRule {
    func field(_ name: String, _ text: String) throws -> AlertRule.Field {
      AlertRule.Field(
        name: name, text: text, template: try Template.alertField(text, alertName: name))
    }
    return AlertRule(
      name: name, expr: try PromQLParser.parse(expr), holdDuration: hold, keepFiringFor: .zero,
      labels: [try field("severity", severity)],
      annotations: [try field("summary", "{{ $labels.instance }} 停机")])
  }
}
