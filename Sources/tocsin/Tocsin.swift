import ArgumentParser

/// The program: one daemon and the tools around it.
@main
struct Tocsin: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "tocsin",
    abstract: "An alert-rule engine for Prometheus metrics.",
    discussion: """
      tocsin run                                    start the daemon with its embedded default
      tocsin run --config.file prometheus.yml       start it with a Prometheus configuration
      tocsin check rules rules/*.yml                find mistakes in rule files
      tocsin query instant http://127.0.0.1:9190 up
      """,
    version: "tocsin \(version)",
    subcommands: [
      RunCommand.self, ReloadCommand.self, CheckCommand.self, ExplainCheckCommand.self,
      QueryCommand.self, TestCommand.self, PromQLCommand.self,
      NotifyCommand.self,
    ])

  /// Runs as `promtool` where called by that name.
  static func main() async {
    if PromtoolCommand.isCalled { await PromtoolCommand.runAndExit() }
    await main(nil)
  }
}
