import Config
import Diagnostics
import JSON
import Kernel
import Model
import Rules
import Server

/// The files of a reload that is only to be looked at.
struct ReloadCandidate {
  /// A file as its sender has it.
  struct File {
    /// Absolute.
    var path: String
    /// From the folder of the configuration, where it lies inside it.
    var relative: String?
    var content: [UInt8]
  }

  /// A whole configuration; nil: single rule files beside the ones in force.
  var config: File?
  var tocsin: File?
  var rules: [File] = []
}

extension ReloadCandidate {
  init?(_ document: JSONValue) {
    func file(_ value: JSONValue?) -> File? {
      guard let path = value?["path"]?.string, let content = value?["content"]?.string else {
        return nil
      }
      return File(
        path: path, relative: value?["relative"]?.string, content: Array(content.utf8))
    }
    config = file(document["config"])
    tocsin = file(document["tocsin"])
    rules = (document["rules"]?.array ?? []).compactMap(file)
    if config == nil && rules.isEmpty { return nil }
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      if let config {
        json.key("config")
        Self.write(config, &json)
      }
      if let tocsin {
        json.key("tocsin")
        Self.write(tocsin, &json)
      }
      json.key("rules")
      json.array { json in for file in rules { Self.write(file, &json) } }
    }
    return writer.bytes
  }

  private static func write(_ file: File, _ json: inout JSONWriter) {
    json.object { json in
      json.field("path", file.path)
      if let relative = file.relative { json.field("relative", relative) }
      json.field("content", String(decoding: file.content, as: UTF8.self))
    }
  }
}

extension Daemon {
  /// Answers what a reload of these files would do.
  func plan(_ body: [UInt8], _ gate: KernelGate) -> PlanAnswer {
    guard let document = try? JSONValue(parsing: body), let candidate = ReloadCandidate(document)
    else { return .refused("expected a JSON object with \"config\" or \"rules\"") }
    var remarks: [String] = []
    let loaded = configuration.load(options(for: candidate, &remarks))
    let now = clock.now()
    var forecast = loaded.settings.map { settings in
      gate.visit { $0.plan(for: settings, at: now) }
    }
    forecast?.remarks += remarks
    return .plan(PlanDocument(forecast: forecast, diagnostics: loaded.diagnostics).bytes)
  }

  /// How the candidate is read: its content in the place of files, under the names that the groups
  /// in force know them by.
  private func options(
    for candidate: ReloadCandidate, _ remarks: inout [String]
  ) -> ConfigLoader.Options {
    var loading = configuration.loading
    let known = configuration.rulePaths
    if let config = candidate.config {
      let path = loading.configFile ?? "prometheus.yml"
      let folder = FileSystem.directory(of: path)
      loading.configFile = path
      loading.overlay[path] = config.content
      let beside = loading.tocsinFile ?? FileSystem.join(folder, "tocsin.yml")
      if let tocsin = candidate.tocsin {
        loading.tocsinFile = beside
        loading.overlay[beside] = tocsin.content
      }
      loading.rulePaths = candidate.rules.map { file in
        let name =
          name(of: file, among: known)
          ?? file.relative.map { FileSystem.join(folder, $0) } ?? file.path
        loading.overlay[name] = file.content
        return name
      }
      return loading
    }
    var paths = known
    for file in candidate.rules {
      let name = name(of: file, among: known) ?? sameName(file, among: known)
      if name == nil {
        remarks.append("\(file.path) is none of the rule files in force: it is added to them")
        paths.append(file.path)
      }
      loading.overlay[name ?? file.path] = file.content
    }
    loading.rulePaths = paths
    return loading
  }

  private func name(of file: ReloadCandidate.File, among known: [String]) -> String? {
    known.first { ByteOrder.equal(FileSystem.absolute($0), file.path) }
  }

  /// The only file in force that is called the same.
  private func sameName(_ file: ReloadCandidate.File, among known: [String]) -> String? {
    let same = known.filter {
      ByteOrder.equal(FileSystem.name(of: $0), FileSystem.name(of: file.path))
    }
    return same.count == 1 ? same.first : nil
  }
}

/// What the daemon answers to the question what a reload would do.
struct PlanDocument {
  /// Nil when the configuration would be refused as a whole.
  let forecast: ReloadForecast?
  let diagnostics: [Diagnostic]

  var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.key("applies")
      json.bool(forecast != nil)
      if let forecast { Self.write(forecast, &json) }
      json.key("problems")
      json.array { json in
        for diagnostic in diagnostics { Self.write(diagnostic, &json) }
      }
    }
    return writer.bytes
  }

  private static func write(_ forecast: ReloadForecast, _ json: inout JSONWriter) {
    json.key("groups")
    json.object { json in
      json.field("unchanged", int: forecast.unchangedGroups)
      json.field("changed", int: forecast.changedGroups)
      json.field("added", int: forecast.addedGroups)
      json.field("removed", int: forecast.removedGroups)
    }
    json.key("counts")
    json.object { json in
      for outcome in AlertForecast.Outcome.allCases {
        json.field(
          outcome.rawValue, int: forecast.alerts.count { $0.outcome == outcome })
      }
    }
    json.key("alerts")
    json.array { json in for alert in forecast.alerts { write(alert, &json) } }
    json.key("remarks")
    json.array { json in for remark in forecast.remarks { json.string(remark) } }
  }

  private static func write(_ alert: AlertForecast, _ json: inout JSONWriter) {
    json.object { json in
      json.field("outcome", alert.outcome.rawValue)
      json.field("reason", alert.reason)
      json.field("file", alert.file)
      json.field("group", alert.group)
      json.field("rule", alert.rule)
      json.key("labels")
      json.object { json in
        for label in alert.labels.labels { json.field(label.name, label.value) }
      }
      json.field("state", alert.state.rawValue)
      json.field("activeAt", alert.activeAt.rfc3339)
    }
  }

  private static func write(_ diagnostic: Diagnostic, _ json: inout JSONWriter) {
    json.object { json in
      json.field("check", diagnostic.id)
      json.field("severity", diagnostic.severity.rawValue)
      if let source = diagnostic.source { json.field("file", source.name) }
      if let position = diagnostic.position {
        json.field("line", int: position.line)
        json.field("column", int: position.column)
      }
      json.field("message", diagnostic.message)
    }
  }
}
