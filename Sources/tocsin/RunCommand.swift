import ArgumentParser
import Config
import Kernel
import Model
import Server

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

  @Flag(name: .customLong("config.auto-reload"), help: "Reload when a configuration file changes.")
  var autoReload = false

  @Option(
    name: .customLong("config.auto-reload-interval"),
    help: "How often changes are looked for; at least a second.")
  var autoReloadInterval = "30s"

  @Option(
    name: .customLong("web.cors.origin"),
    help: "Regular expression for origins whose pages may read the API.")
  var corsOrigin = ".*"

  @Flag(name: .customLong("web.enable-lifecycle"), help: "Allow POST /-/reload and /-/quit.")
  var enableLifecycle = false

  @Flag(
    name: .customLong("rules.strict"),
    help: "One rule with errors refuses the whole configuration, as in Prometheus.")
  var strictRules = false

  @Flag(
    name: .customLong("rules.alert.no-resend-on-error"),
    help: "Firing alerts of a rule that fails are not re-sent and expire, as in Prometheus.")
  var noResendOnError = false

  @Flag(name: .customLong("web.enable-admin-api"), help: "Allow POST /api/v1/import.")
  var enableAdminAPI = false

  @Flag(
    name: .customLong("web.enable-remote-write-receiver"),
    help: "Accept Prometheus remote write at /api/v1/write.")
  var enableRemoteWriteReceiver = false

  @Option(name: .customLong("storage.path"), help: "Folder for state that survives a restart.")
  var storagePath: String?

  @OptionGroup var storage: StorageOptions

  @OptionGroup var notifier: NotifierOptions

  @Option(name: .customLong("rules.alert.resend-delay"), help: "Least time between resends.")
  var resendDelay = "1m"

  @Option(
    name: .customLong("rules.alert.for-outage-tolerance"),
    help: "Alert state saved longer ago than this is not restored.")
  var outageTolerance = "1h"

  @Option(
    name: .customLong("rules.alert.for-grace-period"),
    help: "After an outage a pending alert whose 'for' is this long waits at least so long.")
  var gracePeriod = "10m"

  @Option(
    name: .customLong("rules.max-concurrent-evals"),
    help: ArgumentHelp(
      "Rules evaluated at the same time; 1 is one after the other.",
      discussion: "By default one per core. Results and their order do not depend on it."))
  var maxConcurrentEvaluations = ProcessMetrics.processors

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
        promql-binop-fill-modifiers, promql-delayed-name-removal, use-start-timestamps, \
        auto-reload-config
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
    var options = try plainOptions()
    options.flags = flagValues
    options.allowsAdmin = enableAdminAPI
    options.storage = try storage.flags()
    options.notifier = notifier.flags
    options.maxConcurrentEvaluations = maxConcurrentEvaluations
    options.acceptsRemoteWrite = enableRemoteWriteReceiver
    do {
      options.origins = try AllowedOrigins(matching: corsOrigin)
    } catch {
      throw ValidationError("--web.cors.origin: \(error)")
    }
    return options
  }

  private func plainOptions() throws -> DaemonOptions {
    let (host, port) = try address()
    var queries = QueryLimits()
    queries.lookback = try duration("query.lookback-delta", lookbackDelta)
    queries.timeout = try duration("query.timeout", queryTimeout)
    queries.maxSamples = queryMaxSamples
    queries.maxConcurrency = max(1, queryMaxConcurrency)
    let features = FeatureFlags(enableFeature)
    let interval = try duration("config.auto-reload-interval", autoReloadInterval)
    return DaemonOptions(
      configFile: configFile, tocsinFile: tocsinFile, host: host, port: port,
      externalURL: externalURL, allowsLifecycle: enableLifecycle, storagePath: storagePath,
      resendDelay: try duration("rules.alert.resend-delay", resendDelay),
      outageTolerance: try duration("rules.alert.for-outage-tolerance", outageTolerance),
      gracePeriod: try duration("rules.alert.for-grace-period", gracePeriod),
      queries: queries,
      logLevel: logLevel, logFormat: logFormat, features: features,
      autoReload: autoReload || features.reloadsConfig ? max(interval, .seconds(1)) : nil,
      isStrict: strictRules, resendsOnError: !noResendOnError)
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
  var gracePeriod = PromDuration.minutes(10)
  var queries: QueryLimits
  var logLevel: LogRecord.Level
  var logFormat: LogSink.Format
  var features = FeatureFlags()
  /// Every flag by name with its value, for people.
  var flags: [(name: String, value: String)] = []
  /// Who may read the API from a browser.
  var origins = AllowedOrigins()
  /// How often files are looked at; nil: never.
  var autoReload: PromDuration?
  /// Whether `/api/v1/import` is open.
  var allowsAdmin = false
  /// Whether `/api/v1/write` is open.
  var acceptsRemoteWrite = false
  /// Whether one bad rule refuses everything.
  var isStrict = false
  var resendsOnError = true
  /// How many rules may be evaluated at the same time.
  var maxConcurrentEvaluations = 1
  /// What flags say about keeping samples.
  var storage = StorageFlags()
  var notifier = NotifierFlags()
}

/// The `--query.*` flags.
struct QueryLimits: Sendable {
  var lookback = PromDuration.minutes(5)
  var timeout = PromDuration.minutes(2)
  var maxSamples = 50_000_000
  var maxConcurrency = 20
}
