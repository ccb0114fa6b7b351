import Config
import Kernel
import Model
import Synchronization

/// Reads the configuration the flags name, and passes new settings on.
final class Configuration: Sendable {
  private let options: DaemonOptions
  private let receiver = Mutex<(@Sendable (Settings) -> Void)?>(nil)

  init(options: DaemonOptions) { self.options = options }

  /// Reads all files; settings carry what only flags can say.
  func load() -> LoadedConfig {
    var load = ConfigLoader.Options()
    load.configFile =
      options.configFile ?? (FileSystem.exists("prometheus.yml") ? "prometheus.yml" : nil)
    load.tocsinFile = options.tocsinFile
    load.listenAddress = options.address
    load.parser = options.features.parser
    var loaded = ConfigLoader.load(load)
    loaded.settings?.global.externalURL = externalURL
    loaded.settings?.global.resendDelay = options.resendDelay
    loaded.settings?.global.outageTolerance = options.outageTolerance
    loaded.settings?.global.lookback = options.queries.lookback
    loaded.settings?.global.maxSamples = options.queries.maxSamples
    loaded.settings?.global.delayedNameRemoval = options.features.delayedNameRemoval
    loaded.settings?.global.startTimestamps = options.features.startTimestamps
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
