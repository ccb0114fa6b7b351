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
  static let inspections: [any RuleInspection.Type] =
    [TemplateLabels.self, TemplateExecution.self, HoldDurations.self] + ofExpressions

  /// Those that, but for alerts, look at nothing but the expression.
  private static let ofExpressions: [any RuleInspection.Type] = [
    AlertConditions.self, VectorMatches.self, GoneLabels.self, Rates.self, RawCounters.self,
    SelectorMatchers.self, Fragilities.self,
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
    let groups = GroupSubject.groups(of: file, context: context)
    var outlines = ExprOutlines()
    var inspection = Inspection(
      findings: [], facts: FileFacts(file, groups: groups, &outlines), scopes: scopes)
    if scopes.ignoresFile { return inspection }
    for place in file.places {
      let group =
        groups[ObjectIdentifier(place.node)]
        ?? GroupSubject(name: place.group, node: nil, interval: context.evaluationInterval)
      guard
        let rule = RuleSubject(place, group: group, context: context, outlines: &outlines)
      else { continue }
      var findings = Findings(rule)
      if rule.alert == nil {
        HoldDurations.inspect(rule, &findings)
        if !rule.outline.isSilent {
          let before = findings.all.count
          for inspection in Self.ofExpressions { inspection.inspect(rule, &findings) }
          rule.outline.isSilent = findings.all.count == before
        }
      } else {
        for inspection in Self.inspections { inspection.inspect(rule, &findings) }
      }
      let start = place.node.content.range.start
      let terms = LiveSeries.Terms(
        records: records, settings: scopes.settings(at: start), now: now)
      LiveSeries.inspect(rule, terms, &findings)
      Policies.inspect(rule, settings, owner: scopes.owner(at: start), &findings)
      inspection.findings += findings.all
    }
    for i in inspection.findings.indices {
      inspection.findings[i].diagnostic.detach(from: file.source)
    }
    return inspection
  }
}
