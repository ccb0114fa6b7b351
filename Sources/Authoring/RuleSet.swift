import Config
import Diagnostics
import Model
import PromQL
import Rules

/// The rules that files, folders or globs name, ready to be compared.
package struct RuleSet: Sendable {
  /// A group as it takes effect.
  struct Group: Sendable {
    /// Within the folder that was named; empty for a single file.
    var file: String
    var name: String
    /// Its settings by name.
    var settings: [RuleChange.Setting]
    var rules: [Rule]
  }

  /// A rule as it takes effect.
  struct Rule: Sendable {
    var isAlert: Bool
    var name: String
    var expr: Expr
    var meaning: Expr
    /// Durations, labels and annotations by name.
    var settings: [RuleChange.Setting]
  }

  private(set) var groups: [Group] = []
  /// Files that cannot be read.
  package private(set) var problems: [String] = []
  /// What is wrong in the files; rules with errors take no part.
  package private(set) var diagnostics: [Diagnostic] = []

  /// Reads what an argument names; `-` is standard input.
  package init(_ argument: String) {
    let paths = RulePaths.expand([argument])
    problems = paths.problems
    let folder = FileSystem.isDirectory(argument) ? argument : ""
    for path in paths.files {
      do throws(FileSystem.Problem) {
        let name = path == "-" ? "<stdin>" : path
        let source = SourceText(name: name, bytes: try FileSystem.read(path))
        add(source, file: paths.files.count == 1 ? "" : Self.relative(path, to: folder))
      } catch {
        problems.append(error.description)
      }
    }
  }

  /// Takes the rules of texts, by file name.
  package init(_ sources: [SourceText]) {
    for source in sources { add(source, file: sources.count == 1 ? "" : source.name) }
  }

  private static func relative(_ path: String, to folder: String) -> String {
    var prefix = folder
    while prefix.utf8.last == UInt8(ascii: "/") { prefix.removeLast() }
    guard !prefix.isEmpty, path.hasPrefix(prefix + "/") else { return path }
    return String(path.dropFirst(prefix.count + 1))
  }

  private mutating func add(_ source: SourceText, file: String) {
    var options = RuleFileLoader.Options()
    options.defaultInterval = .zero
    options.ignoresUnknownFields = true
    let loaded = RuleFileLoader.load(source, options: options)
    diagnostics += loaded.diagnostics.filter { $0.severity == .error }
    for group in loaded.groups {
      groups.append(
        Group(
          file: file, name: group.name, settings: Self.settings(group),
          rules: group.rules.map(Self.rule)))
    }
  }

  private static func settings(_ group: RuleGroupDefinition) -> [RuleChange.Setting] {
    var settings: [RuleChange.Setting] = []
    if group.interval != .zero { settings.append(("interval", group.interval.description)) }
    if let offset = group.queryOffset { settings.append(("query_offset", offset.description)) }
    if group.limit > 0 { settings.append(("limit", String(group.limit))) }
    return settings
  }

  private static func rule(_ rule: RuleDefinition) -> Rule {
    var settings: [RuleChange.Setting] = []
    var isAlert = false
    switch rule {
    case .alert(let rule):
      isAlert = true
      if rule.holdDuration != .zero { settings.append(("for", rule.holdDuration.description)) }
      if rule.keepFiringFor != .zero {
        settings.append(("keep_firing_for", rule.keepFiringFor.description))
      }
      settings += rule.labels.map { ("labels." + $0.name, $0.text) }
      settings += rule.annotations.map { ("annotations." + $0.name, $0.text) }
    case .recording(let rule):
      settings += rule.labels.labels.map { ("labels." + $0.name, $0.value) }
    }
    return Rule(
      isAlert: isAlert, name: rule.name, expr: rule.expr, meaning: rule.expr.meaning,
      settings: settings)
  }
}
