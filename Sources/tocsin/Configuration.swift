import Config
import Kernel
import Model
import Synchronization

/// Reads the configuration the flags name, and passes new settings on.
final class Configuration: Sendable {
  private let options: DaemonOptions
  private let last = Mutex<LoadedConfig?>(nil)
  private let receiver = Mutex<(@Sendable (Settings) -> Void)?>(nil)

  init(options: DaemonOptions) { self.options = options }

  /// What flags say about reading.
  var loading: ConfigLoader.Options {
    var load = ConfigLoader.Options()
    load.configFile =
      options.configFile ?? (FileSystem.exists("prometheus.yml") ? "prometheus.yml" : nil)
    load.tocsinFile = options.tocsinFile
    load.listenAddress = options.address
    load.parser = options.features.parser
    load.isStrict = options.isStrict
    return load
  }

  /// Names the content of all files.
  func fingerprint() -> UInt64 { ConfigLoader.fingerprint(loading) }

  /// Reads all files for a start or a reload.
  func load() -> LoadedConfig {
    let loaded = load(loading)
    if loaded.settings != nil { last.withLock { $0 = loaded.reusable } }
    return loaded
  }

  /// The rule files read last, as the groups name them.
  var rulePaths: [String] { last.withLock { $0?.ruleFiles.map(\.source.name) ?? [] } }

  /// Reads what the options name; settings carry what only flags can say.
  ///
  /// Rule files that have not changed since the last load are not parsed again.
  func load(_ loading: ConfigLoader.Options) -> LoadedConfig {
    var loaded = ConfigLoader.load(loading, after: last.withLock { $0 })
    loaded.settings?.global.externalURL = externalURL
    loaded.settings?.global.resendDelay = options.resendDelay
    loaded.settings?.global.outageTolerance = options.outageTolerance
    loaded.settings?.global.gracePeriod = options.gracePeriod
    loaded.settings?.global.lookback = options.queries.lookback
    loaded.settings?.global.maxSamples = options.queries.maxSamples
    loaded.settings?.global.delayedNameRemoval = options.features.delayedNameRemoval
    loaded.settings?.global.startTimestamps = options.features.startTimestamps
    loaded.settings?.global.resendsOnFailure = options.resendsOnError
    if var global = loaded.settings?.global {
      options.notifier.apply(to: &global)
      loaded.settings?.global = global
    }
    if var storage = loaded.settings?.storage {
      options.storage.apply(to: &storage)
      loaded.settings?.storage = storage
    }
    loaded.settings?.global.userAgent = "Tocsin/\(Tocsin.version)"
    return loaded
  }

  /// Names who takes settings after a reload.
  func onReload(_ receive: @escaping @Sendable (Settings) -> Void) {
    receiver.withLock { $0 = receive }
  }

  /// Hands settings that loaded without an error on.
  func adopt(_ settings: Settings) {
    receiver.withLock { $0 }?(settings)
  }

  /// The flag without its trailing slash, or where we listen.
  private var externalURL: String {
    var url = options.externalURL ?? options.localURL
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }
}

extension DaemonOptions {
  /// `host:port`, an IPv6 host in brackets.
  var address: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

  /// A URL that leads here from this machine: one cannot connect to "all interfaces".
  var localURL: String {
    ["0.0.0.0", "::"].contains(host) ? "http://localhost:\(port)" : "http://" + address
  }
}
