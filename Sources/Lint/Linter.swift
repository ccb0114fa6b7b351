import Config
import Diagnostics
import Model
import Rules

/// Runs the checks over rule files.
///
/// Files are looked at one by one, in any order and on any thread (`inspect`), and only what the
/// checks over all of them need is kept; `LintConclusion` puts the findings together.
package struct Linter: Sendable {
  package var context: LintContext
  package var settings: LintSettings
  /// The moment of the run, for snoozes.
  package var now: Timestamp

  package init(
    context: LintContext = LintContext(), settings: LintSettings = LintSettings(),
    now: Timestamp = Timestamp(seconds: 0)
  ) {
    self.context = context
    self.settings = settings
    self.now = now
  }

  /// The checks that look at one rule at a time, in the order in which their findings are listed.
  static let inspections: [any RuleInspection.Type] = [
    AlertConditions.self, TemplateLabels.self, TemplateExecution.self, VectorMatches.self,
    GoneLabels.self, Rates.self, RawCounters.self, SelectorMatchers.self, Fragilities.self,
    HoldDurations.self,
  ]

  /// What one file yields; its text is not kept.
  package struct Inspection: Sendable {
    var findings: [Findings.Finding]
    var facts: FileFacts
    var scopes: ControlScopes
  }

  /// Looks at the rules of one file; `records` are the names recorded by any file of the run.
  package func inspect(_ file: RuleFile, records: Set<String> = []) -> Inspection {
    let scopes = ControlScopes(file, now: now)
    var inspection = Inspection(findings: [], facts: FileFacts(file), scopes: scopes)
    if scopes.ignoresFile { return inspection }
    let groups = GroupSubject.groups(of: file, context: context)
    for place in file.places {
      let group =
        groups[ObjectIdentifier(place.node)]
        ?? GroupSubject(name: place.group, node: nil, interval: context.evaluationInterval)
      guard let rule = RuleSubject(place, group: group, context: context) else { continue }
      var findings = Findings(rule)
      for inspection in Self.inspections { inspection.inspect(rule, &findings) }
      LiveSeries.inspect(rule, records: records, &findings)
      Policies.inspect(
        rule, settings, owner: scopes.owner(at: place.node.content.range.start), &findings)
      inspection.findings += findings.all
    }
    for i in inspection.findings.indices {
      inspection.findings[i].diagnostic.detach(from: file.source)
    }
    return inspection
  }
}
