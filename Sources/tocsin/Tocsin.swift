import ArgumentParser

/// The program: one daemon and the tools around it.
@main
struct Tocsin: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "tocsin",
    abstract: "An alert-rule engine for Prometheus metrics.",
    discussion: """
      tocsin run                               start the daemon with a default
      tocsin run --config.file prometheus.yml  start it with a configuration
      tocsin check rules rules/*.yml           find mistakes in rule files
      tocsin fmt rules/                        format their expressions
      tocsin diff old/ new/                    what has changed in meaning
      tocsin query instant http://127.0.0.1:9190 up

      Exit status: 0 in order, 1 problems or differences found, 2 could not run, 64 wrong usage.
      """,
    version: "tocsin \(version)",
    subcommands: [
      RunCommand.self, ReloadCommand.self, CheckCommand.self, ExplainCheckCommand.self,
      TestCommand.self, FmtCommand.self, DiffCommand.self, QueryCommand.self, PromQLCommand.self,
      NotifyCommand.self, CompletionsCommand.self, ManualCommand.self,
    ])

  /// Runs as `promtool` where called by that name.
  static func main() async {
    if PromtoolCommand.isCalled { await PromtoolCommand.runAndExit() }
    let words = Array(CommandLine.arguments.dropFirst())
    if let problem = CommandWords.problem(in: words, of: Tocsin.self) {
      Terminal.write(problem, to: 2)
      exit(withError: ExitCode(64))
    }
    await main(nil)
  }
}
