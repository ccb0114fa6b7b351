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
    environment: @escaping @Sendable (String) -> String? = Environment.value
  ) -> CheckOutcome {
    var report = CheckReport(options)
    for path in arguments.isEmpty ? ["-"] : arguments {
      guard let source = report.read(path) else { continue }
      if FileSystem.name(of: path) == "tocsin.yml" {
        _ = tocsin(source, &report)
        continue
      }
      let directory = path == "-" ? "." : FileSystem.directory(of: path)
      let config = PrometheusConfigLoader.load(
        source, directory: directory, environment: environment)
      let rulePaths = ConfigLoader.rulePaths(config)
      report.add(
        path: source.name,
        diagnostics: sharpened(config.diagnostics)
          + (options.isSyntaxOnly ? [] : missingFiles(config, source)),
        success: "\(source.name) is valid prometheus config file syntax",
        counts: [("rule_files", rulePaths.count), ("jobs", config.settings.scrapes.count)])
      let beside = options.tocsinFile ?? FileSystem.join(directory, "tocsin.yml")
      var lint = LintSettings()
      if path != "-", FileSystem.exists(beside), let source = report.read(beside) {
        lint = tocsin(source, &report)
      }
      if options.isSyntaxOnly { continue }
      let checks = RuleFileChecks(
        options, settings: lint, context: LintContext(config, over: options.context))
      checks.run(rulePaths, into: &report)
      targetFiles(config, &report)
    }
    return report.outcome()
  }

  /// The rule files that configurations name.
  package static func ruleFiles(_ paths: [String]) -> [String] {
    paths.flatMap { path -> [String] in
      guard path != "-", let bytes = try? FileSystem.read(path) else { return [] }
      return ConfigLoader.rulePaths(
        PrometheusConfigLoader.load(
          SourceText(name: path, bytes: bytes), directory: FileSystem.directory(of: path)))
    }
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

  private static func tocsin(
    _ source: SourceText, _ report: inout CheckReport
  ) -> LintSettings {
    let tocsin = TocsinConfigLoader.load(source)
    report.add(
      path: source.name,
      diagnostics: tocsin.diagnostics + CheckCatalogue.problems(in: tocsin.lint),
      success: "\(source.name) is a valid tocsin.yml",
      counts: [("webhooks", tocsin.webhooks.count)])
    return tocsin.lint
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

extension LintContext {
  /// What a configuration says, over what is known already.
  package init(_ config: PrometheusConfig, over known: LintContext = LintContext()) {
    self = known
    evaluationInterval = config.settings.global.evaluationInterval
    scrapeIntervals = config.settings.scrapes.map { ($0.jobName, $0.interval) }
    externalLabels = config.settings.global.externalLabels
    isWholeSet = true
  }

  /// The context a prometheus.yml gives to `check rules`, or why it cannot be read.
  package static func load(
    _ path: String, over known: LintContext = LintContext(),
    environment: @escaping @Sendable (String) -> String? = Environment.value
  ) -> Result<LintContext, FileSystem.Problem> {
    do throws(FileSystem.Problem) {
      let source = SourceText(name: path, bytes: try FileSystem.read(path))
      let config = PrometheusConfigLoader.load(source, environment: environment)
      var context = LintContext(config, over: known)
      // The files named on the command line may be some of the rules only.
      context.isWholeSet = false
      return .success(context)
    } catch {
      return .failure(error)
    }
  }
}
