import ArgumentParser
import Glibc
import Lint
import PromQL

/// The program under the name `promtool`: its words, its verdicts, its exit codes.
struct PromtoolCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promtool",
    abstract: "Tooling for the Prometheus monitoring system, as Tocsin does it.",
    version: "promtool, version 3.14.0 (tocsin \(Tocsin.version))",
    subcommands: [
      PromtoolCheckCommand.self, PromtoolTestCommand.self, QueryCommand.self, PromQLCommand.self,
    ])

  /// Whether the program was called by this name, through a link for instance.
  static var isCalled: Bool {
    guard let path = CommandLine.arguments.first else { return false }
    return path.split(separator: "/").last == "promtool"
  }

  /// Runs and ends the process; usage errors end with 1 too.
  static func runAndExit() async -> Never {
    do {
      var command = try parseAsRoot()
      if var waiting = command as? AsyncParsableCommand {
        try await waiting.run()
      } else {
        try command.run()
      }
      Glibc.exit(0)
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue == 2 ? 1 : code.rawValue)
    } catch {
      let isHelp = exitCode(for: error) == .success
      Terminal.write(fullMessage(for: error) + "\n", to: isHelp ? 1 : 2)
      Glibc.exit(isHelp ? 0 : 1)
    }
  }
}

/// `promtool check …`.
struct PromtoolCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check the resources for validity.",
    subcommands: [
      PromtoolRulesCommand.self, PromtoolConfigCommand.self, PromtoolWebConfigCommand.self,
      PromtoolMetricsCommand.self,
    ])
}

/// `promtool check rules`.
struct PromtoolRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check if the rule files are valid or not.")

  @Option(help: "all, duplicate-rules or none; several separated by commas.")
  var lint: [String] = ["duplicate-rules"]

  @Flag(name: .customLong("lint-fatal"), help: "Lint errors end with status 3.")
  var isFatal = false

  @Flag(name: .customLong("no-lint-fatal"), help: .hidden)
  var isNotFatal = false

  @Flag(name: .customLong("ignore-unknown-fields"), help: "Ignore unknown fields in rule groups.")
  var ignoresUnknownFields = false

  @Option(name: .customLong("enable-feature"), help: "Features to enable, separated by commas.")
  var features: [String] = []

  @Argument(help: "The rule files to check; none: standard input.")
  var files: [String] = []

  func run() throws {
    var tool = Promtool()
    tool.lint = try PromtoolWords.lint(lint, isFatal: isFatal, allowsScrape: false)
    tool.ignoresUnknownFields = ignoresUnknownFields
    tool.parser = FeatureFlags(features).parser
    try finish(tool.checkRules(files))
  }
}

/// `promtool check config`.
struct PromtoolConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check if the config files are valid or not.")

  @Flag(name: .customLong("syntax-only"), help: "Only check the syntax of the config file.")
  var isSyntaxOnly = false

  @Option(help: "all, duplicate-rules, too-long-scrape-interval or none.")
  var lint: [String] = ["duplicate-rules"]

  @Flag(name: .customLong("lint-fatal"), help: "Lint errors end with status 3.")
  var isFatal = false

  @Flag(name: .customLong("no-lint-fatal"), help: .hidden)
  var isNotFatal = false

  @Flag(name: .customLong("ignore-unknown-fields"), help: "Ignore unknown fields in rule groups.")
  var ignoresUnknownFields = false

  @Flag(help: "Check the config file for Prometheus in Agent mode.")
  var agent = false

  @Option(name: .customLong("enable-feature"), help: "Features to enable, separated by commas.")
  var features: [String] = []

  @Argument(help: "The config files to check.")
  var files: [String]

  func run() throws {
    var tool = Promtool()
    tool.lint = try PromtoolWords.lint(lint, isFatal: isFatal, allowsScrape: true)
    tool.ignoresUnknownFields = ignoresUnknownFields
    tool.isSyntaxOnly = isSyntaxOnly
    tool.isAgent = agent
    tool.parser = FeatureFlags(features).parser
    try finish(tool.checkConfig(files))
  }
}

/// `promtool check web-config`.
struct PromtoolWebConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web-config", abstract: "Check if the web config files are valid or not.")

  @Argument(help: "The config files to check.")
  var files: [String]

  func run() throws { try finish(Promtool().checkWebConfig(files)) }
}

/// `promtool check metrics`.
struct PromtoolMetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Check an exposition on standard input: its syntax and the form of its metrics.",
    discussion: "Exit status: 0 in order, 1 not to be read, 3 unusual in form.")

  @Flag(help: "Print how many series each metric has.")
  var extended = false

  func run() throws { try finish(Promtool().checkMetrics(extended: extended)) }
}

private enum PromtoolWords {
  static func lint(
    _ words: [String], isFatal: Bool, allowsScrape: Bool
  ) throws -> Promtool.Lint {
    guard var lint = Promtool.Lint(words, allowsScrape: allowsScrape) else {
      throw ValidationError("lint option \"\(words.joined(separator: ","))\" is not known")
    }
    lint.isFatal = isFatal
    return lint
  }
}
