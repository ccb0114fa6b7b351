import CLinux
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
/// One thread owns the loop: it takes events from the mailbox, hands them to the kernel with the
/// time, and passes the effects to the HTTP client and the log. Everything else (answers, signals,
/// requests for a reload, discovery) only posts events.
final class Daemon: Sendable {
  let options: DaemonOptions
  let clock = WallClock()
  let log: LogSink
  let metrics: ProcessMetrics
  private let mailbox = Mailbox<Event>()
  let configuration: Configuration
  /// Signals and `/-/quit`; a second request ends the process at once.
  let stopRequests = Atomic<Int>(0)
  /// One reload at a time: the last one asked for is the last one adopted.
  let reloading = Mutex(())
  /// The fingerprint of the files as they were loaded last.
  let known = Mutex<UInt64>(0)

  init(options: DaemonOptions) {
    self.options = options
    log = LogSink(format: options.logFormat, level: options.logLevel, clock: clock)
    metrics = ProcessMetrics(started: clock.now())
    configuration = Configuration(options: options)
  }

  /// Runs until told to stop; returns the process's exit status.
  func run() async -> Int32 {
    tlinux_keep_heap_small()
    for remark in options.features.remarks {
      log.log(remark.level, "main", remark.message, [("option", remark.option)])
    }
    known.withLock { $0 = options.autoReload == nil ? 0 : configuration.fingerprint() }
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
    let saved = SavedState.open(
      options.storagePath, settings: settings.storage, now: clock.now(), log: log
    ) { [mailbox] in mailbox.post($0) }
    goOn(from: saved, tolerance: settings.global.outageTolerance)
    let kernel = Kernel(
      storage: settings.storage, seed: .random(in: .min ... .max),
      savesAlerts: saved.keeper != nil
    ) {
      Double(WallClock.monotonicNanoseconds()) / 1e9
    }
    kernel.parallelWork = EvaluationThreads(threads: options.maxConcurrentEvaluations)
    let gate = KernelGate(kernel)
    let authorized = AuthorizedClient(client: client)
    let runner = EffectRunner(
      client: authorized, clock: clock, log: log, keeper: saved.keeper,
      deadLetters: deadLetterFile, metrics: metrics
    ) { [mailbox] in mailbox.post($0) }
    let status = await serve(settings, loaded: loaded, saved: saved, gate, runner)
    client.shutdown()
    if status == 0 {
      let leaves = gate.visit { $0.leavesSomethingUndelivered }
      log.log(.info, "main", leaves ? "Goodbye." : "Everything is delivered; goodbye.")
    }
    return status
  }

  /// Time goes on from where an earlier process was, though somebody has set the clock back since.
  private func goOn(from saved: SavedState, tolerance: PromDuration) {
    let now = clock.now()
    guard let time = saved.restored?.continuation(at: now, tolerance: tolerance) else { return }
    log.log(
      .warn, "main", "The clock is behind the saved state: time goes on from there, more slowly",
      [("saved", time.rfc3339), ("ahead", (time - now).description)])
    clock.goOn(from: time)
  }

  /// The file for what is given up; nil without a folder.
  private var deadLetterFile: DeadLetterFile? {
    options.storagePath.map { [log] in DeadLetterFile(folder: $0) { log.write($0) } }
  }

  private func serve(
    _ settings: Settings, loaded: LoadedConfig, saved: SavedState, _ gate: KernelGate,
    _ runner: EffectRunner
  ) async -> Int32 {
    let (finished, finish) = AsyncStream<Int32>.makeStream()
    let discovery = ServiceDiscovery(client: runner.client, log: log) { [mailbox] in
      mailbox.post($0)
    }
    configuration.onReload { [mailbox] settings in
      mailbox.post(.reload(settings))
      discovery.adopt(settings)
    }
    let server = TocsinServer(
      context: context(gate, discovery, stored: saved.history), host: options.host,
      port: options.port,
      logger: Logger(label: "http") { [self] _ in
        SinkLogHandler(sink: log, component: "http") { [self] in
          stopRequests.load(ordering: .relaxed) > 0
        }
      })
    let serving = Task {
      do {
        // Scraping starts when the server listens: the embedded default scrapes this process.
        try await server.run { [self] port in
          announce(port: port, loaded: loaded)
          mailbox.post(.reload(settings))
          if let restored = saved.restored { mailbox.post(.restore(restored)) }
          startLoop(gate, runner) { finish.yield(0) }
          discovery.adopt(settings)
          discovery.start()
          startSignals(gate)
          startAutoReload(gate)
        }
      } catch is CancellationError {
      } catch {
        log.log(
          .error, "http", "The server cannot listen on \(options.address)",
          [("error", Self.reason(error))])
      }
      finish.yield(1)
    }
    var status: Int32 = 0
    for await first in finished {
      status = first
      break
    }
    serving.cancel()
    return status
  }

  /// Why the server cannot listen, in words for people where there are any.
  private static func reason(_ error: any Error) -> String {
    let text = "\(error)"
    for (code, words) in [
      (EADDRINUSE, "the address is already in use; another Tocsin, perhaps?"),
      (EADDRNOTAVAIL, "this machine has no such address"),
      (EACCES, "permission denied: ports below 1024 need privileges"),
    ] where text.contains("errno: \(code)") {
      return words
    }
    return text
  }

  private func announce(port: Int, loaded: LoadedConfig) {
    let (running, quarantined) = loaded.ruleCounts
    var address = options
    address.port = port
    log.log(
      .info, "main",
      "Tocsin \(Tocsin.version) listens: open \(address.localURL) for rules and alerts",
      [
        ("address", address.address),
        ("config", loaded.isDefault ? "embedded default" : loaded.filesRead.first ?? ""),
        ("rule_files", "\(loaded.ruleFiles.count)"), ("rules", "\(running)"),
      ])
    if quarantined > 0 {
      log.log(
        .error, "rules", "Rules with errors are in quarantine and do not run",
        [("rules", "\(quarantined)")])
    }
  }

  /// Writes a finding to the log: one line for machines, place first.
  func report(_ diagnostic: Diagnostic) {
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
    _ gate: KernelGate, _ runner: EffectRunner, onDrained: @escaping @Sendable () -> Void
  ) {
    SystemThread.start("kernel") { [self] in
      var deadline: Timestamp? = clock.now()
      var startupMemory = StartupMemory()
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
          if case .drained = effect {
            runner.finish()
            return onDrained()
          }
          runner.carryOut(effect)
        }
        startupMemory.follow(events, at: now)
      }
    }
  }

  // MARK: requests from outside

  private func startSignals(_ gate: KernelGate) {
    SignalLoop.start { [self] kind in
      switch kind {
      case .reload: _ = reload(gate)
      case .stop: stop()
      }
    }
  }

  private func stop() {
    if stopRequests.add(1, ordering: .relaxed).oldValue > 0 {
      log.log(.warn, "main", "Told twice to stop: leaving at once.")
      exit(1)
    }
    log.log(.info, "main", "Stopping: delivering what is queued.")
    mailbox.post(.stop)
  }

  private func context(
    _ gate: KernelGate, _ discovery: ServiceDiscovery, stored: (any AlertHistory)?
  ) -> ServerContext {
    var limits = QuerySettings()
    limits.lookback = options.queries.lookback
    limits.timeout = options.queries.timeout
    limits.maxSamples = options.queries.maxSamples
    limits.parser = options.features.parser
    limits.delayedNameRemoval = options.features.delayedNameRemoval
    limits.startTimestamps = options.features.startTimestamps
    limits.maxConcurrency = options.queries.maxConcurrency
    var context = ServerContext(
      gate: gate, queries: QueryRunner(gate: gate, settings: limits),
      now: { [clock] in clock.now() },
      reload: { [self] in reload(gate) }, allowsLifecycle: options.allowsLifecycle,
      quit: { [self] in stop() },
      processMetrics: { [metrics] in
        var text = MetricsText()
        discovery.writeMetrics(to: &text)
        return metrics.exposition() + text.bytes
      },
      build: BuildInfo(version: Tocsin.version, revision: ""))
    context.status = metrics.status()
    context.status.flags = options.flags
    context.origins = options.origins
    context.history = KernelHistory(older: stored) { gate.visit { $0.journal } }
    context.storesHistory = stored != nil
    context.allowsAdmin = options.allowsAdmin
    context.acceptsRemoteWrite = options.acceptsRemoteWrite
    context.planReload = { [self] in plan($0, gate) }
    return context
  }
}
