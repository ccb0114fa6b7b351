import ArgumentParser
import Config
import Kernel
import Model

/// `tocsin run`: the daemon.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Scrape targets, evaluate rules, send notifications.",
    discussion: """
      Without flags it reads prometheus.yml and tocsin.yml of the current folder where they exist; \
      without them it scrapes itself, loads rules/*.yml and listens on 127.0.0.1:9190.

      SIGHUP reloads the configuration and keeps alert state. SIGTERM delivers what is queued and \
      exits.
      """)

  @Option(name: .customLong("config.file"), help: "Prometheus configuration file.")
  var configFile: String?

  @Option(name: .customLong("tocsin.file"), help: "Tocsin's own settings: webhooks, storage.")
  var tocsinFile: String?

  @Option(
    name: .customLong("web.listen-address"),
    help: "Address to listen on, host:port; :port is all interfaces.")
  var listenAddress = "127.0.0.1:9190"

  @Option(
    name: .customLong("web.external-url"), help: "URL under which people reach this server.")
  var externalURL: String?

  @Flag(name: .customLong("web.enable-lifecycle"), help: "Allow POST /-/reload and /-/quit.")
  var enableLifecycle = false

  @Option(name: .customLong("storage.path"), help: "Folder for state that survives a restart.")
  var storagePath: String?

  @Option(name: .customLong("rules.alert.resend-delay"), help: "Least time between resends.")
  var resendDelay = "1m"

  @Option(
    name: .customLong("rules.alert.for-outage-tolerance"),
    help: "Alert state saved longer ago than this is not restored.")
  var outageTolerance = "1h"

  @Option(name: .customLong("query.lookback-delta"), help: "How far back an instant query looks.")
  var lookbackDelta = "5m"

  @Option(name: .customLong("query.timeout"), help: "The longest a query may take.")
  var queryTimeout = "2m"

  @Option(name: .customLong("query.max-samples"), help: "The most samples a query may load.")
  var queryMaxSamples = 50_000_000

  @Option(name: .customLong("query.max-concurrency"), help: "Queries that run at the same time.")
  var queryMaxConcurrency = 20

  @Option(
    name: .customLong("enable-feature"),
    help: ArgumentHelp(
      "Experimental features, comma-separated, may be repeated.",
      discussion: """
        promql-experimental-functions, promql-extended-range-selectors, \
        promql-binop-fill-modifiers, promql-delayed-name-removal, use-start-timestamps
        """))
  var enableFeature: [String] = []

  @Option(name: .customLong("log.level"), help: "debug, info, warn or error.")
  var logLevel: LogRecord.Level = .info

  @Option(name: .customLong("log.format"), help: "logfmt or json.")
  var logFormat: LogSink.Format = .logfmt

  mutating func run() async throws {
    let options = try daemonOptions()
    let daemon = Daemon(options: options)
    let status = await daemon.run()
    if status != 0 { throw ExitCode(status) }
  }

  private func daemonOptions() throws -> DaemonOptions {
    let (host, port) = try address()
    var queries = QueryLimits()
    queries.lookback = try duration("query.lookback-delta", lookbackDelta)
    queries.timeout = try duration("query.timeout", queryTimeout)
    queries.maxSamples = queryMaxSamples
    queries.maxConcurrency = max(1, queryMaxConcurrency)
    return DaemonOptions(
      configFile: configFile, tocsinFile: tocsinFile, host: host, port: port,
      externalURL: externalURL, allowsLifecycle: enableLifecycle, storagePath: storagePath,
      resendDelay: try duration("rules.alert.resend-delay", resendDelay),
      outageTolerance: try duration("rules.alert.for-outage-tolerance", outageTolerance),
      queries: queries,
      logLevel: logLevel, logFormat: logFormat, features: FeatureFlags(enableFeature))
  }

  /// Host and port of `--web.listen-address`; without a host, all interfaces.
  private func address() throws -> (host: String, port: Int) {
    guard let colon = listenAddress.lastIndex(of: ":"),
      let port = UInt16(listenAddress[listenAddress.index(after: colon)...])
    else {
      throw ValidationError("--web.listen-address: expected host:port, got '\(listenAddress)'")
    }
    var host = String(listenAddress[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    return (host.isEmpty ? "0.0.0.0" : host, Int(port))
  }

  private func duration(_ flag: String, _ text: String) throws -> PromDuration {
    do {
      return try PromDuration(parsing: text)
    } catch {
      throw ValidationError("--\(flag): \(error)")
    }
  }
}

extension LogRecord.Level: ExpressibleByArgument {}
extension LogSink.Format: ExpressibleByArgument {}

/// The flags of the daemon, read.
struct DaemonOptions: Sendable {
  var configFile: String?
  var tocsinFile: String?
  var host: String
  var port: Int
  var externalURL: String?
  var allowsLifecycle: Bool
  var storagePath: String?
  var resendDelay: PromDuration
  var outageTolerance: PromDuration
  var queries: QueryLimits
  var logLevel: LogRecord.Level
  var logFormat: LogSink.Format
  var features = FeatureFlags()
}

/// The `--query.*` flags.
struct QueryLimits: Sendable {
  var lookback = PromDuration.minutes(5)
  var timeout = PromDuration.minutes(2)
  var maxSamples = 50_000_000
  var maxConcurrency = 20
}
