import ArgumentParser
import CLinux
import Config
import Diagnostics
import Glibc
import Lint

/// `tocsin check rules|config|web-config|metrics`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find mistakes in rule files and configurations.",
    discussion: """
      tocsin check rules rules/                     what is refused or likely wrong
      tocsin check rules --server http://prom:9090  the same, with live metrics
      tocsin check rules --fix rules.yml            apply the fixes that are certain
      tocsin explain-check promql/match-unlikely    what a finding means

      Exit status: 0 in order, 1 problems found, 2 could not run.
      """,
    subcommands: [
      CheckRulesCommand.self, CheckConfigCommand.self, CheckWebConfigCommand.self,
      CheckMetricsCommand.self,
    ])
}

/// `tocsin check rules FILE…`.
struct CheckRulesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check rule files, folders or globs; - is standard input.")

  @OptionGroup var flags: CheckFlags
  @OptionGroup var lint: LintFlags

  @Option(
    name: .customLong("prometheus.yml"),
    help: "A configuration to take scrape intervals and external labels from.")
  var configFile: String?

  @Argument(help: "Rule files.")
  var files: [String] = []

  func run() async throws {
    // Trees of thousands of files come and go.
    tlinux_share_heap()
    var options = flags.options
    if let configFile {
      switch LintContext.load(configFile) {
      case .success(let context): options.context = context
      case .failure(let problem):
        Terminal.write("tocsin: \(problem)\n", to: 2)
        throw ExitCode(2)
      }
    }
    let progress = Progress("checking rules")
    try await lint.apply(to: &options, files: CheckRules.files(files))
    options.emit = { text in
      progress.finish()
      Terminal.write(text, to: 1)
    }
    let outcome = CheckRules.run(files, options: options)
    progress.finish()
    try finish(outcome)
  }
}

/// `tocsin check config FILE…`.
struct CheckConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Check prometheus.yml or tocsin.yml with the files they name; - is standard input.")

  @OptionGroup var flags: CheckFlags
  @OptionGroup var lint: LintFlags

  @Argument(help: "Configuration files.")
  var files: [String] = []

  func run() async throws {
    tlinux_share_heap()
    var options = flags.options
    try await lint.apply(to: &options, files: CheckConfig.ruleFiles(files))
    try finish(CheckConfig.run(files, options: options))
  }
}

/// `tocsin check web-config FILE…`.
struct CheckWebConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web-config",
    abstract: "Check files of --web.config.file: TLS, users, headers; - is standard input.")

  @OptionGroup var flags: CheckFlags

  @Argument(help: "Web configuration files.")
  var files: [String] = []

  func run() throws { try finish(CheckWebConfig.run(files, options: flags.options)) }
}

/// `tocsin explain-check [ID]`.
struct ExplainCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain-check",
    abstract: "Explain a finding by its id; without one, list all ids.",
    discussion: "tocsin explain-check promql/match-unlikely")

  @Flag(help: "The chapter of the documentation about all checks.")
  var markdown = false

  @Argument(help: "The id of a check, one of pint's names, or a family such as promql/*.")
  var id: String?

  func run() throws {
    if markdown { return Terminal.write(CheckCatalogue.markdown, to: 1) }
    guard let id else {
      let width = CheckCatalogue.all.map(\.id.count).max() ?? 0
      for check in CheckCatalogue.all {
        let pad = String(repeating: " ", count: width - check.id.count)
        Terminal.write("\(check.id)\(pad)  \(check.summary)\n", to: 1)
      }
      return
    }
    let checks = CheckCatalogue.named(id)
    if checks.isEmpty {
      let near = CheckCatalogue.nearest(id).map { "; did you mean \($0)?" } ?? ""
      Terminal.write("tocsin: there is no check '\(id)'\(near)\n", to: 2)
      throw ExitCode(2)
    }
    Terminal.write(checks.map(\.markdown).joined(separator: "\n"), to: 1)
  }
}

/// Prints an outcome and ends with its status.
func finish(_ outcome: CheckOutcome) throws {
  Terminal.write(outcome.standardError, to: 2)
  Terminal.write(outcome.standardOutput, to: 1)
  if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
}

/// Whole texts to a descriptor.
enum Terminal {
  /// A complaint of the program itself, on standard error.
  static func complain(_ message: String) { write("tocsin: \(message)\n", to: 2) }

  /// How wide standard output is: its terminal, or COLUMNS, or 80 columns.
  static var columns: Int {
    var size = winsize()
    if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    let wanted = getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? 80
    return wanted > 0 ? wanted : 80
  }

  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let rest = bytes.baseAddress?.advanced(by: done)
        let n = Glibc.write(descriptor, rest, bytes.count - done)
        if n < 0 && errno == EINTR { continue }
        if n <= 0 { return }
        done += n
      }
    }
  }
}
