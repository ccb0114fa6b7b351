import ArgumentParser
import Diagnostics
import Glibc
import Lint

/// `tocsin check rules|config`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find mistakes in rule files and configurations.",
    discussion: "Exit status: 0 in order, 1 problems found, 2 could not run.",
    subcommands: [CheckRulesCommand.self, CheckConfigCommand.self])
}

/// Flags that all checks share.
struct CheckFlags: ParsableArguments {
  @Option(name: [.customShort("o"), .customLong("output")], help: "human or json.")
  var output: CheckOptions.Format = .human

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Flag(name: .customLong("fail-on-warnings"), help: "Warnings end with status 1 too.")
  var failsOnWarnings = false

  var options: CheckOptions {
    var options = CheckOptions()
    options.format = output
    options.decoration = color.isOn(for: 1) ? .ansi : .plain
    options.failsOnWarnings = failsOnWarnings
    return options
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
      if let term = getenv("TERM"), strcmp(term, "dumb") == 0 { return false }
      return isatty(descriptor) == 1
    }
  }
}

extension CheckOptions.Format: ExpressibleByArgument {}

/// `tocsin check rules FILE…`.
struct CheckRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check rule files, folders or globs; - is standard input.")

  @OptionGroup var flags: CheckFlags

  @Argument(help: "Rule files.")
  var files: [String] = []

  func run() throws { try finish(CheckRules.run(files, options: flags.options)) }
}

/// `tocsin check config FILE…`.
struct CheckConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Check prometheus.yml or tocsin.yml with the files they name; - is standard input.")

  @OptionGroup var flags: CheckFlags

  @Argument(help: "Configuration files.")
  var files: [String] = []

  func run() throws { try finish(CheckConfig.run(files, options: flags.options)) }
}

/// Prints an outcome and ends with its status.
private func finish(_ outcome: CheckOutcome) throws {
  Terminal.write(outcome.standardError, to: 2)
  Terminal.write(outcome.standardOutput, to: 1)
  if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
}

/// Whole texts to a descriptor.
enum Terminal {
  static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let n = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { return }
      rest = rest.dropFirst(n)
    }
  }
}
