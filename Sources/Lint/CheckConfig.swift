import Config
import Diagnostics
import Kernel
import Model
import PromQL

/// `check config`: reads a configuration with all files it names.
package enum CheckConfig {
  /// Checks prometheus.yml files (and tocsin.yml beside them); `-` is standard input.
  package static func run(
    _ arguments: [String], options: CheckOptions = CheckOptions(),
    parser: ParserOptions = .release,
    environment: @escaping @Sendable (String) -> String? = Environment.value
  ) -> CheckOutcome {
    var report = CheckReport()
    for path in arguments.isEmpty ? ["-"] : arguments {
      guard let source = report.read(path) else { continue }
      if FileSystem.name(of: path) == "tocsin.yml" {
        tocsin(source, &report)
        continue
      }
      let directory = path == "-" ? "." : FileSystem.directory(of: path)
      let config = PrometheusConfigLoader.load(
        source, directory: directory, environment: environment)
      let rulePaths = ConfigLoader.rulePaths(config)
      report.add(
        path: source.name,
        diagnostics: sharpened(config.diagnostics) + missingFiles(config, source),
        success: "\(source.name) is valid prometheus config file syntax",
        counts: [("rule_files", rulePaths.count), ("jobs", config.settings.scrapes.count)])
      rules(rulePaths, config, parser, &report)
      targetFiles(config, &report)
      let beside = FileSystem.join(directory, "tocsin.yml")
      if path != "-", FileSystem.exists(beside), let source = report.read(beside) {
        tocsin(source, &report)
      }
    }
    return report.outcome(options)
  }

  /// The findings of a configuration as a check judges them, without the files it names.
  package static func diagnostics(
    _ source: SourceText, directory: String? = nil,
    environment: @escaping @Sendable (String) -> String? = Environment.value
  ) -> [Diagnostic] {
    sharpened(
      PrometheusConfigLoader.load(source, directory: directory, environment: environment)
        .diagnostics)
  }

  /// A target that can never be scraped does not stop a daemon, but it does fail a check.
  private static func sharpened(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    diagnostics.map { diagnostic in
      var diagnostic = diagnostic
      if diagnostic.id == "config/target" { diagnostic.severity = .error }
      return diagnostic
    }
  }

  private static func rules(
    _ paths: [String], _ config: PrometheusConfig, _ parser: ParserOptions,
    _ report: inout CheckReport
  ) {
    var options = RuleFileLoader.Options()
    options.parser = parser
    options.defaultInterval = config.settings.global.evaluationInterval
    for path in paths {
      guard let source = report.read(path) else { continue }
      let file = RuleFileLoader.load(source, options: options)
      report.add(
        path: path, diagnostics: file.diagnostics + DuplicateRules.find(in: file),
        success: "\(file.ruleCount) rules found",
        counts: [("groups", file.groupCount), ("rules", file.ruleCount)])
    }
  }

  /// The files of `file_sd_configs` that exist.
  private static func targetFiles(_ config: PrometheusConfig, _ report: inout CheckReport) {
    var seen: [String] = []
    let patterns = config.settings.scrapes.flatMap(\.fileDiscovery).flatMap(\.files)
    for path in patterns.flatMap({ Glob($0)?.matches() ?? [] }) where !seen.contains(path) {
      seen.append(path)
      guard let source = report.read(path) else { continue }
      let (groups, diagnostics) = TargetFile.parse(source, path: path)
      let targets = groups.reduce(0) { $0 + $1.targets.count }
      report.add(
        path: path, diagnostics: diagnostics, success: "\(targets) targets found",
        counts: [("targets", targets)])
    }
  }

  private static func tocsin(_ source: SourceText, _ report: inout CheckReport) {
    let tocsin = TocsinConfigLoader.load(source)
    report.add(
      path: source.name, diagnostics: tocsin.diagnostics,
      success: "\(source.name) is a valid tocsin.yml",
      counts: [("webhooks", tocsin.webhooks.count)])
  }

  /// Files that are named in full and do not exist: rule files, credentials, certificates.
  private static func missingFiles(
    _ config: PrometheusConfig, _ source: SourceText
  ) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for (pattern, node) in config.ruleFiles
    where !pattern.utf8.contains(UInt8(ascii: "*")) && Glob(pattern)?.matches().isEmpty == true {
      found.append(
        Diagnostic(
          "config/missing-file", .warning, "no rule file \(GoText.quote(pattern))", source: source,
          range: node.content.range))
    }
    for path in config.namedFiles where !FileSystem.exists(path) {
      found.append(
        Diagnostic(
          "config/missing-file", .warning, "no file \(GoText.quote(path))", source: source))
    }
    return found
  }
}
