import ArgumentParser
import RuleTest

/// `promtool test …`.
struct PromtoolTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Unit testing.", subcommands: [PromtoolTestRulesCommand.self])

  @Option(
    name: .customLong("junit"), help: "File path to store JUnit XML test results.")
  var junit: String?
}

/// `promtool test rules`: its words and its verdicts, and none of our keys.
struct PromtoolTestRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Unit tests for rules.")

  @ParentCommand var parent: PromtoolTestCommand
  @OptionGroup var flags: TestFlags

  @Argument(help: "The unit test file.")
  var files: [String]

  func run() throws {
    let reports = TestRunner.run(files, try flags.options(.promtool))
    let text = UnitTestText(.promtool(diff: flags.diff))
    for report in reports {
      let (output, error) = text.render(report)
      Terminal.write(output, to: 1)
      Terminal.write(error, to: 2)
    }
    if let junit = parent.junit { try TestRunner.write(UnitTestText.junit(reports), to: junit) }
    if !reports.allSatisfy(\.passed) { throw ExitCode(1) }
  }
}
