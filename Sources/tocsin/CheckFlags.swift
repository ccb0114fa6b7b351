import ArgumentParser
import CLinux
import Diagnostics
import Glibc
import Lint
import Model

/// Flags that all checks share.
struct CheckFlags: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "human, json, github, sarif, junit or checkstyle.")
  var output: CheckOptions.Format?

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Option(
    name: .customLong("fail-on"), help: "error, warning or info: what ends with status 1.")
  var failOn: Severity = .error

  @Flag(name: .customLong("fail-on-warnings"), help: "The same as --fail-on warning.")
  var failsOnWarnings = false

  @Option(name: .customLong("min-severity"), help: "error, warning or info: what is told at all.")
  var minimum: Severity = .info

  var options: CheckOptions {
    var options = CheckOptions()
    options.format = output ?? (Self.variable("GITHUB_ACTIONS") == "true" ? .github : .human)
    options.decoration = color.isOn(for: 1) ? .ansi : .plain
    options.failOn = failsOnWarnings ? min(failOn, .warning) : failOn
    options.minimum = minimum
    options.version = Tocsin.version
    options.now = WallClock().now()
    options.emit = { Terminal.write($0, to: 1) }
    options.workspace = Self.variable("GITHUB_WORKSPACE") ?? Self.workingDirectory ?? ""
    return options
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  private static var workingDirectory: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }
}

/// Flags of checks that look at rules.
struct LintFlags: ParsableArguments {
  @Flag(name: .customLong("syntax-only"), help: "Only what Prometheus refuses, no lint.")
  var isSyntaxOnly = false

  @Flag(
    name: .customLong("ignore-unknown-fields"), help: "Accept keys of rule files nobody knows.")
  var ignoresUnknownFields = false

  @Flag(help: "Apply the fixes that are certain, in place.")
  var fix = false

  @Option(
    name: .customLong("server"),
    help: "A server with Prometheus' API, asked for metrics, labels and types.")
  var server: String?

  @Option(name: .customLong("lookback"), help: "How far back the server is asked.")
  var span: String = "7d"

  @Flag(help: "With --server: how often each alert would have fired over the last day.")
  var alerts = false

  @Option(name: .customLong("tocsin.file"), help: "A tocsin.yml with a lint block.")
  var tocsinFile: String?

  @Option(name: .customLong("enable-feature"), help: "As Prometheus' flag; may be repeated.")
  var features: [String] = []

  /// Puts what the flags say into the options; a server is asked about the files.
  func apply(
    to options: inout CheckOptions, files: @autoclosure () -> [String]
  ) async throws {
    options.isSyntaxOnly = isSyntaxOnly
    options.ignoresUnknownFields = ignoresUnknownFields
    options.appliesFixes = fix
    options.tocsinFile = tocsinFile
    options.parser = FeatureFlags(features).parser
    guard let server, !isSyntaxOnly else { return }
    guard let span = try? PromDuration(parsing: span) else {
      throw ValidationError("--lookback: not a duration: '\(span)'")
    }
    let asked = try LintServer(url: server, span: span, now: options.now)
    defer { asked.client.shutdown() }
    let questions = LintQuestions(files: files(), options: options)
    switch await asked.context(for: questions, over: options.context, wantsAlerts: alerts) {
    case .success(let context): options.context = context
    case .failure(let problem):
      Terminal.write("tocsin: \(problem.text)\n", to: 2)
      throw ExitCode(2)
    }
  }
}

/// When output is coloured.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  /// Whether a descriptor gets colours: a terminal that can, and nobody who said no.
  func isOn(for descriptor: Int32) -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .auto:
      if let no = getenv("NO_COLOR"), no.pointee != 0 { return false }
      return Self.isTerminal(descriptor)
    }
  }

  /// Whether a descriptor is a terminal that knows more than lines.
  static func isTerminal(_ descriptor: Int32) -> Bool {
    if let term = getenv("TERM"), strcmp(term, "dumb") == 0 { return false }
    return isatty(descriptor) == 1
  }
}

extension CheckOptions.Format: ExpressibleByArgument {}
extension Severity: ExpressibleByArgument {}
