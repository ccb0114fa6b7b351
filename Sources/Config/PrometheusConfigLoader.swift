import Diagnostics
import Kernel
import Model
import YAML

/// A prometheus.yml as read.
package struct PrometheusConfig: Sendable {
  /// Everything but the rule groups, which stand in files of their own.
  package var settings = Settings()
  /// The patterns of `rule_files`, joined with the file's directory, and where they stand.
  package var ruleFiles: [(pattern: String, node: YAMLNode)] = []
  package var diagnostics: [Diagnostic] = []
  /// Files read besides the configuration itself (`scrape_config_files`).
  package var filesRead: [String] = []

  package var isValid: Bool { !diagnostics.contains { $0.severity == .error } }

  /// Credential and certificate files the clients will read on use, each once.
  package var namedFiles: [String] {
    var paths: [String] = []
    func add(_ path: String?) {
      if let path, !paths.contains(path) { paths.append(path) }
    }
    func add(_ secret: HTTPSettings.Secret?) {
      if case .file(let path) = secret { add(path) }
    }
    let discoveries =
      settings.scrapes.flatMap(\.httpDiscovery) + settings.alertmanagers.flatMap(\.httpDiscovery)
    let requests = settings.scrapes.map(\.http) + settings.alertmanagers.map(\.http)
    for http in requests + discoveries.map(\.http) {
      add(http.basicAuth?.username)
      add(http.basicAuth?.password)
      add(http.authorization?.credentials)
      add(http.oauth2?.clientSecret)
      for tls in [http.tls, http.oauth2?.tls].compactMap({ $0 }) {
        for path in [tls.caFile, tls.certFile, tls.keyFile] { add(path) }
      }
      for header in http.headers { for value in header.values { add(value) } }
    }
    return paths
  }
}

/// Reads prometheus.yml, unchanged from Prometheus: every problem at once, and by name what is not
/// supported.
package struct PrometheusConfigLoader: Sendable {
  /// Reads a configuration; `directory` is where relative paths in it start.
  package static func load(
    _ source: SourceText, directory: String? = nil,
    environment: (String) -> String? = { _ in nil }
  ) -> PrometheusConfig {
    let document = YAMLDocument.parse(source: source)
    var config = PrometheusConfig()
    config.diagnostics = document.diagnostics
    guard let root = document.root, document.diagnostics.isEmpty else { return config }
    withoutActuallyEscaping(environment) { environment in
      let reading = ConfigReading(
        directory: directory ?? FileSystem.directory(of: source.name), environment: environment)
      PrometheusConfigReading(config: reading).read(root, into: &config)
      config.diagnostics = DiagnosticSet(reading.reader.diagnostics).sorted
      config.settings.configText = ConfigText.shown(root, settings: config.settings)
    }
    return config
  }
}

/// One pass over the tree of a prometheus.yml.
private struct PrometheusConfigReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  func read(_ root: YAMLNode, into out: inout PrometheusConfig) {
    guard let fields = reader.fields(of: root, "the configuration") else { return }
    var global = GlobalDefaults()
    if let node = fields.value("global") { global = GlobalReading(config: config).read(node) }
    out.settings.global = global.settings
    if let node = fields.value("alerting") {
      AlertingReading(config: config).read(node, into: &out.settings)
    }
    out.ruleFiles = patterns(fields, "rule_files", "rule")
    jobs(fields, global, into: &out)
    UnsupportedSections(config: config).read(fields, nameValidation: global.nameValidation)
    fields.close()
  }

  /// File patterns, joined with the directory; a star may stand in the last part only.
  private func patterns(
    _ fields: YAMLFields, _ name: String, _ what: String
  ) -> [(pattern: String, node: YAMLNode)] {
    (fields.strings(name) ?? []).map { text, node in
      if !PathPattern.starsOnlyInLastElement(text) {
        config.refuse(
          "invalid \(what) file path \(GoText.quote(text))", at: node,
          label: "`*` may stand in the last part only", id: "config/pattern")
      } else if Glob(text) == nil {
        config.refuse(
          "invalid \(what) file path \(GoText.quote(text)): syntax error in pattern", at: node,
          id: "config/pattern")
      }
      return (config.path(text), node)
    }
  }

  private func jobs(
    _ fields: YAMLFields, _ global: GlobalDefaults, into out: inout PrometheusConfig
  ) {
    var seen: [(name: String, node: YAMLNode)] = []
    func add(_ job: (settings: ScrapeSettings, nameNode: YAMLNode)) {
      let name = job.settings.jobName
      if let first = seen.first(where: { ByteOrder.equal($0.name, name) }), !name.isEmpty {
        reader.report(
          "config/duplicate-job",
          "found multiple scrape configs with job name "
            + GoText.quote(name), at: job.nameNode,
          notes: [
            Diagnostic.Note(
              "first used here", source: first.node.content.source,
              range: first.node.content.range)
          ])
        return
      }
      seen.append((name, job.nameNode))
      out.settings.scrapes.append(job.settings)
    }
    let reading = ScrapeReading(config: config, global: global)
    for node in fields.items("scrape_configs") ?? [] { reading.read(node).map(add) }
    for (pattern, node) in patterns(fields, "scrape_config_files", "scrape config") {
      for path in Glob(pattern)?.matches() ?? [] {
        out.filesRead.append(path)
        jobFile(path, node, global).forEach(add)
      }
    }
  }

  /// The jobs of one of `scrape_config_files`.
  private func jobFile(
    _ path: String, _ pattern: YAMLNode, _ global: GlobalDefaults
  ) -> [(settings: ScrapeSettings, nameNode: YAMLNode)] {
    let source: SourceText
    do throws(FileSystem.Problem) {
      source = SourceText(name: path, bytes: try FileSystem.read(path))
    } catch {
      config.refuse("cannot read \(error)", at: pattern, id: "config/file")
      return []
    }
    let document = YAMLDocument.parse(source: source)
    reader.append(contentsOf: document.diagnostics)
    guard let root = document.root,
      let fields = reader.fields(of: root, "a file of scrape configs")
    else { return [] }
    let inner = ConfigReading(
      directory: FileSystem.directory(of: path), environment: config.environment, reader: reader)
    let reading = ScrapeReading(config: inner, global: global)
    let jobs = (fields.items("scrape_configs") ?? []).compactMap { reading.read($0) }
    fields.close()
    return jobs
  }
}
