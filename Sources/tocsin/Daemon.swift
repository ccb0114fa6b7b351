import Config
import Diagnostics
import Glibc
import HTTPClient
import Kernel
import Logging
import Model
import Server
import Synchronization

/// The running daemon: the kernel's loop, and the edges that carry out its effects.
///
/// One thread owns the loop: it takes events from the mailbox, hands them to the kernel with the time, and
/// passes the effects to the HTTP client and the log. Everything else (answers, signals, requests for a reload,
/// discovery) only posts events.
final class Daemon: Sendable {
  private let options: DaemonOptions
  private let clock = WallClock()
  private let log: LogSink
  private let metrics: ProcessMetrics
  private let mailbox = Mailbox<Event>()
  private let configuration: Configuration
  /// Signals and `/-/quit`; a second request ends the process at once.
  private let stopRequests = Atomic<Int>(0)

  init(options: DaemonOptions) {
    self.options = options
    log = LogSink(format: options.logFormat, level: options.logLevel, clock: clock)
    metrics = ProcessMetrics(started: clock.now())
    configuration = Configuration(options: options)
  }

  /// Runs until told to stop; returns the process's exit status.
  func run() async -> Int32 {
    let loaded = configuration.load()
    for diagnostic in loaded.diagnostics { report(diagnostic) }
    guard let settings = loaded.settings else {
      log.log(.error, "config", "The configuration cannot be used; fix the problems above.")
      return 1
    }
    metrics.noteReload(succeeded: !loaded.hasErrors, at: clock.now())
    let client: HTTPClient
    do throws(HTTPClientProblem) {
      client = try HTTPClient()
    } catch {
      log.log(.error, "http", "No HTTP client: \(error)")
      return 1
    }
    let gate = KernelGate(
      Kernel(storage: settings.storage, seed: WallClock.monotonicNanoseconds()) {
        Double(WallClock.monotonicNanoseconds()) / 1e9
      })
    return await serve(settings, loaded: loaded, gate: gate, client: client)
  }

  private func serve(
    _ settings: Settings, loaded: LoadedConfig, gate: KernelGate, client: HTTPClient
  ) async -> Int32 {
    let (finished, finish) = AsyncStream<Int32>.makeStream()
    let discovery = FileDiscovery(log: log) { [mailbox] in mailbox.post($0) }
    configuration.onReload { [mailbox] settings in
      mailbox.post(.reload(settings))
      discovery.adopt(settings)
    }
    let server = TocsinServer(
      context: context(gate), host: options.host, port: options.port,
      logger: Logger(label: "http") { _ in SinkLogHandler(sink: self.log, component: "http") })
    let serving = Task {
      do {
        // Scraping starts when the server listens: the embedded default scrapes this process.
        try await server.run { [self] port in
          announce(port: port, loaded: loaded)
          mailbox.post(.reload(settings))
          startLoop(gate: gate, client: client) { finish.yield(0) }
          discovery.adopt(settings)
          discovery.start()
          startSignals()
        }
      } catch is CancellationError {
      } catch {
        log.log(
          .error, "http", "The server cannot listen on \(options.host):\(options.port)",
          [("error", "\(error)")])
      }
      finish.yield(1)
    }
    var status: Int32 = 0
    for await first in finished {
      status = first
      break
    }
    client.shutdown()
    serving.cancel()
    if status == 0 { log.log(.info, "main", "Everything is delivered; goodbye.") }
    return status
  }

  private func announce(port: Int, loaded: LoadedConfig) {
    let url = "http://\(options.host.contains(":") ? "[\(options.host)]" : options.host):\(port)"
    let (running, quarantined) = loaded.ruleCounts
    log.log(
      .info, "main", "Tocsin \(Tocsin.version) listens: open \(url) for rules and alerts",
      [
        ("address", "\(options.host):\(port)"),
        ("config", loaded.isDefault ? "embedded default" : options.configFile ?? ""),
        ("rule_files", "\(loaded.ruleFiles.count)"), ("rules", "\(running)"),
      ])
    if quarantined > 0 {
      log.log(.error, "rules", "Rules with errors are left out", [("rules", "\(quarantined)")])
    }
  }

  /// Writes a finding to the log: one line for machines, place first.
  private func report(_ diagnostic: Diagnostic) {
    let level: LogRecord.Level =
      switch diagnostic.severity {
      case .error: .error
      case .warning: .warn
      case .info: .info
      }
    var fields: [(name: String, value: String)] = []
    if let source = diagnostic.source { 
      let place = diagnostic.position.map { ":\($0.line):\($0.column)" } ?? ""
      fields.append(("at", source.name + place))
    }
    if let context = diagnostic.context { fields.append(("where", context)) }
    fields.append(("id", diagnostic.id))
    log.log(level, "config", diagnostic.message, fields)
  }

  // MARK: the loop

  private func startLoop(
    gate: KernelGate, client: HTTPClient, onDrained: @escaping @Sendable () -> Void
  ) {
    SystemThread.start("kernel") { [self] in
      var deadline: Timestamp? = clock.now()
      while true {
        let now = clock.now()
        let wait = deadline.map { min(max(0, ($0 - now).milliseconds), 1000) } ?? 1000
        let events = mailbox.take(waiting: Int32(wait))
        let (effects, next) = gate.visit { kernel in
          let time = clock.now()
          var effects: [Effect] = []
          for event in events { effects += kernel.handle(event, at: time) }
          if events.isEmpty { effects = kernel.handle(.tick, at: time) }
          return (effects, kernel.nextDeadline)
        }
        deadline = next
        for effect in effects {
          if case .drained = effect { return onDrained() }
          carryOut(effect, client: client)
        }
      }
    }
  }

  private func carryOut(_ effect: Effect, client: HTTPClient) {
    switch effect {
    case .log(let record): log.write(record)
    case .scrape(let id, let request): scrape(id, request, client)
    case .deliver(let id, let request): deliver(id, request, client)
    case .drained: break
    }
  }

  private func scrape(_ id: TargetID, _ scrape: ScrapeRequest, _ client: HTTPClient) {
    let started = clock.now()
    do throws(RequestMapping.Problem) {
      let request = try RequestMapping.request(scrape)
      _ = client.send(request) { [mailbox] outcome in
        mailbox.post(
          .scraped(id, ScrapeOutcome(
            result: Self.result(outcome), started: started,
            duration: PromDuration(milliseconds: outcome.duration / 1_000_000))))
      }
    } catch {
      mailbox.post(
        .scraped(id, ScrapeOutcome(
          result: .failure(error.description), started: started, duration: .zero)))
    }
  }

  private static func result(_ outcome: HTTPOutcome) -> ScrapeOutcome.Result {
    switch outcome.result {
    case .success(let response) where response.status == 200:
      .body(response.body, contentType: response.contentType)
    case .success(let response):
      .failure("server returned HTTP status \(response.statusText)")
    case .failure(.bodyTooLarge(let limit)): .bodyTooLarge(limit: limit)
    case .failure(let failure): .failure(outcome.failureText ?? failure.text)
    }
  }

  private func deliver(_ id: DeliveryID, _ delivery: DeliveryRequest, _ client: HTTPClient) {
    do throws(RequestMapping.Problem) {
      let request = try RequestMapping.request(delivery)
      _ = client.send(request) { [mailbox] outcome in
        let result: DeliveryOutcome.Result =
          switch outcome.result {
          case .success(let response):
            .answered(
              status: response.status,
              retryAfter: response.retryAfter.map { .seconds(Int64($0)) },
              body: String(decoding: response.body, as: UTF8.self))
          case .failure(let failure): .failed(outcome.failureText ?? failure.text)
          }
        mailbox.post(
          .delivered(id, DeliveryOutcome(
            result: result, duration: PromDuration(milliseconds: outcome.duration / 1_000_000))))
      }
    } catch {
      mailbox.post(
        .delivered(id, DeliveryOutcome(result: .failed(error.description), duration: .zero)))
    }
  }

  // MARK: requests from outside

  private func startSignals() {
    SignalLoop.start { [self] kind in
      switch kind {
      case .reload: _ = reload()
      case .stop: stop()
      }
    }
  }

  /// Loads the configuration anew; nil is success. A configuration with errors changes nothing.
  private func reload() -> String? {
    let loaded = configuration.load()
    for diagnostic in loaded.diagnostics { report(diagnostic) }
    let succeeded = loaded.settings != nil && !loaded.hasErrors
    metrics.noteReload(succeeded: succeeded, at: clock.now())
    guard succeeded, let settings = loaded.settings else {
      let errors = loaded.diagnostics.filter { $0.severity == .error }
      log.log(
        .error, "config", "The new configuration has errors; the old one stays in force",
        [("errors", "\(errors.count)")])
      return HumanRenderer().render(errors)
    }
    configuration.adopt(settings)
    return nil
  }

  private func stop() {
    if stopRequests.add(1, ordering: .relaxed).oldValue > 0 {
      log.log(.warn, "main", "Told twice to stop: leaving at once.")
      exit(1)
    }
    log.log(.info, "main", "Stopping: delivering what is queued.")
    mailbox.post(.stop)
  }

  private func context(_ gate: KernelGate) -> ServerContext {
    var limits = QuerySettings()
    limits.timeout = options.queries.timeout
    limits.maxConcurrency = options.queries.maxConcurrency
    return ServerContext(
      gate: gate, queries: QueryRunner(gate: gate, settings: limits), now: { [clock] in clock.now() },
      reload: { [self] in reload() }, allowsLifecycle: options.allowsLifecycle,
      quit: { [self] in stop() }, processMetrics: { [metrics] in metrics.exposition() },
      build: BuildInfo(version: Tocsin.version, revision: ""))
  }
}
