import Diagnostics

/// One kind of finding: its id, how bad it is, and the text that explains it.
///
/// The text stands with the code that finds it; `tocsin explain-check`, the documentation and
/// SARIF all show this one.
package struct Check: Sendable {
  /// `family/noun`, stable: people write it into comments and configurations.
  package let id: String
  /// The usual severity; a finding may be milder where less is certain.
  package let severity: Severity
  /// pint's names for the same, so that its comments keep working.
  package let aliases: [String]
  /// One line without a full stop.
  package let summary: String
  /// Markdown: what is wrong, why it matters, what to do.
  package let text: String
  /// Whether it needs `--server`.
  package let needsServer: Bool
  /// Whether Prometheus itself refuses what is found, so that no comment can silence it.
  package let isRefusal: Bool

  init(
    _ id: String, _ severity: Severity, aliases: [String] = [], needsServer: Bool = false,
    isRefusal: Bool = false, _ summary: String, _ text: String
  ) {
    self.id = id
    self.severity = severity
    self.aliases = aliases
    self.needsServer = needsServer
    self.isRefusal = isRefusal
    self.summary = summary
    self.text = text
  }

  /// The heading of the check as a link target: `alert/no-condition` is `#alertno-condition`.
  package var anchor: String { id.filter { $0 != "/" } }

  /// The section of the documentation about the check.
  package var markdown: String {
    var out = "### \(id)\n\n*\(severity.rawValue)* · \(summary).\n\n\(text)\n"
    if !aliases.isEmpty {
      let names = aliases.map { "`\($0)`" }.joined(separator: ", ")
      out += "\nIn pint's comments: \(names).\n"
    }
    return out
  }
}

/// Checks that look at one rule at a time.
protocol RuleInspection {
  static var checks: [Check] { get }
  static func inspect(_ rule: RuleSubject, _ findings: inout Findings)
}
