import Diagnostics
import Kernel
import Model
import PromQL
import Rules
import YAML

/// Everything a start or a reload reads.
package struct LoadedConfig: Sendable {
  /// Nil when prometheus.yml or tocsin.yml itself has errors or could not be read.
  package var settings: Settings?
  package var lint = LintSettings()
  /// All findings, in the order of the files.
  package var diagnostics: [Diagnostic] = []
  /// Every file read, in order; watched for changes, and shown at start.
  package var filesRead: [String] = []
  package var ruleFiles: [RuleFile] = []
  /// Whether the embedded default stands in for a missing configuration.
  package var isDefault = false

  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// What a later load can take over, without the trees that only checks look at.
  package var reusable: LoadedConfig {
    var slim = self
    slim.settings = nil
    for i in slim.ruleFiles.indices {
      slim.ruleFiles[i].root = nil
      slim.ruleFiles[i].places = []
    }
    return slim
  }

  /// Rules that run, and rules left out because of errors.
  package var ruleCounts: (running: Int, quarantined: Int) {
    let running = ruleFiles.reduce(0) { sum, file in
      sum + file.groups.reduce(0) { $0 + $1.rules.count }
    }
    return (running, ruleFiles.reduce(0) { $0 + $1.ruleCount } - running)
  }
}

/// Reads prometheus.yml, tocsin.yml and the rule files into settings.
package enum ConfigLoader {
  /// What flags and the process say.
  package struct Options: Sendable {
    /// Nil: the embedded default.
    package var configFile: String?
    /// Nil: `tocsin.yml` beside the configuration, if there.
    package var tocsinFile: String?
    /// The address of our own web server, which the embedded default scrapes.
    package var listenAddress = "127.0.0.1:9190"
    package var parser = ParserOptions.all
    /// Whether one bad rule refuses everything, as in Prometheus.
    package var isStrict = false
    /// Content that stands in for files, by path; for looking ahead.
    package var overlay: [String: [UInt8]] = [:]
    /// The rule files, where the patterns of the configuration shall not be asked.
    package var rulePaths: [String]?
    package var environment: @Sendable (String) -> String?

    package init(environment: @escaping @Sendable (String) -> String? = Environment.value) {
      self.environment = environment
    }
  }

  /// Reads everything; nothing throws, all that is wrong is in the diagnostics.
  ///
  /// Rule files whose content is that of `last` are not parsed again.
  package static func load(_ options: Options, after last: LoadedConfig? = nil) -> LoadedConfig {
    var loaded = LoadedConfig()
    let source: SourceText
    if let path = options.configFile {
      guard let read = read(path, options, into: &loaded) else { return loaded }
      source = read
    } else {
      source = SourceText(name: "embedded default", text: defaultConfig(options.listenAddress))
      loaded.isDefault = true
    }
    let directory = options.configFile.map(FileSystem.directory) ?? "."
    let prometheus = PrometheusConfigLoader.load(
      source, directory: directory, environment: options.environment)
    loaded.diagnostics += prometheus.diagnostics
    loaded.filesRead += prometheus.filesRead
    var settings = prometheus.settings
    let tocsin = tocsin(options, directory, into: &loaded)
    settings.webhooks = tocsin.webhooks
    settings.storage = tocsin.storage
    settings.policies = tocsin.policies
    settings.triggers = tocsin.triggers
    loaded.lint = tocsin.lint
    let isUsable = !loaded.hasErrors
    var known: [String: RuleFile] = [:]
    for file in last?.ruleFiles ?? [] { known[file.source.name] = file }
    for path in options.rulePaths ?? rulePaths(prometheus, isDefault: loaded.isDefault) {
      ruleFile(path, options, known[path], &settings, &loaded)
    }
    if isUsable && !(options.isStrict && loaded.hasErrors) { loaded.settings = settings }
    return loaded
  }

  /// Names the content of every file a load would read: it changes when one of them does.
  package static func fingerprint(_ options: Options) -> UInt64 {
    var hash = StableHash()
    func take(_ path: String) -> [UInt8] {
      let content = (try? FileSystem.read(path)) ?? []
      hash.combine(path)
      hash.combine(content)
      return content
    }
    var config = PrometheusConfig()
    if let path = options.configFile {
      config = PrometheusConfigLoader.load(
        SourceText(name: path, bytes: take(path)), directory: FileSystem.directory(of: path),
        environment: options.environment)
    } else {
      config = PrometheusConfigLoader.load(
        SourceText(name: "", text: defaultConfig(options.listenAddress)), directory: ".")
    }
    let directory = options.configFile.map(FileSystem.directory) ?? "."
    let tocsin = options.tocsinFile ?? FileSystem.join(directory, "tocsin.yml")
    let rules = rulePaths(config, isDefault: options.configFile == nil)
    for path in config.filesRead + [tocsin] + rules { _ = take(path) }
    return hash.value
  }

  private static func ruleFile(
    _ path: String, _ options: Options, _ known: RuleFile?, _ settings: inout Settings,
    _ loaded: inout LoadedConfig
  ) {
    guard let source = read(path, options, into: &loaded) else {
      let problem = loaded.diagnostics.last?.message ?? ""
      settings.heldFiles.append(HeldFile(file: path, message: problem))
      return
    }
    var ruleOptions = RuleFileLoader.Options()
    ruleOptions.parser = options.parser
    ruleOptions.defaultInterval = settings.global.evaluationInterval
    let file: RuleFile
    if let known, known.options == ruleOptions, known.source.bytes == source.bytes {
      file = known
    } else {
      file = RuleFileLoader.load(source, options: ruleOptions)
    }
    loaded.diagnostics += file.diagnostics
    settings.groups += file.groups
    if let hold = file.hold { settings.heldFiles.append(HeldFile(file: path, message: hold)) }
    loaded.ruleFiles.append(file)
  }

  /// The rule files that exist, each once, in the order of the patterns.
  package static func rulePaths(_ config: PrometheusConfig, isDefault: Bool = false) -> [String] {
    var paths: [String] = []
    for (pattern, _) in config.ruleFiles {
      for path in Glob(pattern)?.matches() ?? [] where !paths.contains(path) {
        // The default folder also holds the rules' unit tests.
        if isDefault, path.hasSuffix(".test.yml") { continue }
        paths.append(path)
      }
    }
    return paths
  }

  private static func tocsin(
    _ options: Options, _ directory: String, into loaded: inout LoadedConfig
  ) -> TocsinConfig {
    let beside = FileSystem.join(directory, "tocsin.yml")
    guard
      let path = options.tocsinFile ?? (FileSystem.exists(beside) ? beside : nil),
      let source = read(path, options, into: &loaded)
    else { return TocsinConfig() }
    let tocsin = TocsinConfigLoader.load(source)
    loaded.diagnostics += tocsin.diagnostics
    return tocsin
  }

  private static func read(
    _ path: String, _ options: Options, into loaded: inout LoadedConfig
  ) -> SourceText? {
    if let content = options.overlay[path] {
      loaded.filesRead.append(path)
      return SourceText(name: path, bytes: content)
    }
    do throws(FileSystem.Problem) {
      let bytes = try FileSystem.read(path)
      loaded.filesRead.append(path)
      return SourceText(name: path, bytes: bytes)
    } catch {
      loaded.diagnostics.append(
        Diagnostic("config/file", .error, "cannot read \(error.description)"))
      return nil
    }
  }

  /// What runs without a configuration: Tocsin watches itself by the rules in `rules/`.
  package static func defaultConfig(_ listenAddress: String) -> String {
    """
    global:
      scrape_interval: 5s
      evaluation_interval: 5s
    rule_files:
      - rules/*.yml
    scrape_configs:
      - job_name: tocsin
        static_configs:
          - targets: ['\(selfAddress(listenAddress))']

    """
  }

  /// An address that can be scraped: `:9190` and `0.0.0.0:9190` are reached through loopback.
  private static func selfAddress(_ listen: String) -> String {
    for wildcard in ["0.0.0.0", "[::]", ""] where listen.hasPrefix(wildcard + ":") {
      return "127.0.0.1" + listen.dropFirst(wildcard.count)
    }
    return listen
  }
}
