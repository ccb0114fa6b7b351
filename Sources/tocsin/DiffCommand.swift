import ArgumentParser
import Authoring
import Diagnostics

/// `tocsin diff OLD NEW`.
struct DiffCommand: ParsableCommand {
  /// How the difference is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable { case human, json }

  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Tell which rules differ in meaning between two sets of rule files.",
    discussion: """
      tocsin diff rules.yml new/rules.yml
      tocsin diff -o json rules/ new-rules/
      git show HEAD:rules.yml | tocsin diff - rules.yml

      Expressions count by what they compute: formatting, comments, parentheses that change nothing \
      and the order of matchers and labels do not. for, keep_firing_for, labels (with those of the \
      group), annotations, interval, query_offset and limit count by value.

      Exit status: 0 no difference, 1 differences, 2 could not run, or rules with mistakes that \
      took no part.
      """)

  @Option(name: [.customShort("o"), .customLong("output")], help: "human or json.")
  var output: Format = .human

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Argument(
    help: "The old rules: a file, a folder, a glob in quotes, or - for standard input.",
    completion: .file())
  var old: String

  @Argument(help: "The new rules.", completion: .file())
  var new: String

  func run() throws {
    let progress = Progress("comparing rules")
    let sets = [RuleSet(old), RuleSet(new)]
    let diff = RuleDiff(old: sets[0], new: sets[1])
    progress.finish()
    for problem in sets.flatMap(\.problems) { Terminal.complain(problem) }
    let mistakes = sets.flatMap(\.diagnostics)
    if !mistakes.isEmpty {
      let renderer = HumanRenderer(decoration: color.isOn(for: 2) ? .ansi : .plain)
      Terminal.write(renderer.render(mistakes), to: 2)
    }
    let cannotRun = sets.contains { !$0.problems.isEmpty }
    if !cannotRun {
      switch output {
      case .human: Terminal.write(diff.text(isColoured: color.isOn(for: 1)), to: 1)
      case .json: Terminal.write(diff.json, to: 1)
      }
    }
    if cannotRun || !mistakes.isEmpty { throw ExitCode(2) }
    if !diff.isEmpty { throw ExitCode(1) }
  }
}
