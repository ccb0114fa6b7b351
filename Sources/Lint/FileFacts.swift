import Config
import Diagnostics
import Model
import PromQL
import Rules

/// What of a file the checks over all files need: small, so that thousands of files fit.
package struct FileFacts: Sendable {
  /// A place in a file; the text itself is not kept.
  struct Place: Sendable {
    var path: String
    var range: SourceRange
    var group: String
    var rule: String
    var isAlert: Bool
    /// Of the group in its file, and of the rule in its group.
    var groupIndex: Int
    var ruleIndex: Int
  }

  /// A rule by what it writes.
  struct Rule: Sendable {
    var name: String
    var place: Place
  }

  /// A metric that an expression selects; the range is that of the whole expression.
  struct Use: Sendable {
    var metric: String
    var place: Place
    /// How often the file uses it; names without a colon are listed once per file.
    var count = 1
  }

  var path: String
  var rules: [Rule] = []
  var uses: [Use] = []
  /// Alert names that `ALERTS` is asked for.
  var alertUses: [Use] = []
  /// Labels of the kind that tells states apart, for the metrics seen to have them.
  var evidence: Set<MetricLabel> = []

  /// Findings about rules of the file that repeat each other.
  var repetitions: [Diagnostic] = []

  /// Where metrics without a colon stand in `uses`, while the file is read.
  private var firstUses: [String: Int] = [:]

  init(_ file: RuleFile) {
    path = file.source.name
    var written: [RepeatedRules.Rule] = []
    defer { repetitions = RepeatedRules.find(in: written) }
    var groupIndex = -1
    var group: String?
    for place in file.places {
      if place.index == 0 || group != place.group { groupIndex += 1 }
      group = place.group
      guard let definition = place.definition else { continue }
      let node = (place.nameNode ?? place.node).content
      let shown = Place(
        path: path, range: node.range, group: place.group, rule: place.name,
        isAlert: place.isAlert, groupIndex: groupIndex, ruleIndex: place.index)
      rules.append(Rule(name: place.name, place: shown))
      written.append(
        RepeatedRules.Rule(
          name: place.name, labels: place.labels, expr: definition.expr, place: shown))
      look(at: definition.expr, place, shown)
    }
    firstUses = [:]
  }

  /// Drops what is not needed once the facts of all files have been put together.
  mutating func forget() {
    rules = []
    uses = []
    alertUses = []
    evidence = []
  }

  private mutating func look(at expr: Expr, _ place: RulePlace, _ shown: Place) {
    let node = (place.exprNode ?? place.node).content
    for selector in expr.selectors {
      guard let name = selector.name else { continue }
      for matcher in selector.matchers
      where VectorMatches.enumerations.contains(matcher.name) && !matcher.matchesEmpty {
        evidence.insert(MetricLabel(metric: name, label: matcher.name))
      }
      var use = Use(metric: name, place: shown)
      if name == "ALERTS" || name == "ALERTS_FOR_STATE" {
        guard let matcher = selector.matchers.first(where: { $0.name == LabelName.alertName }),
          matcher.kind == .equal
        else { continue }
        use.metric = matcher.value
        use.place.range = node.sourceRange(ofContent: selector.range)
        alertUses.append(use)
      } else {
        // The exact place is looked for if there is something to say: names stand in one piece.
        use.place.range = node.range
        if !name.contains(":") {
          if let at = firstUses[name] {
            uses[at].count += 1
            continue
          }
          firstUses[name] = uses.count
        }
        uses.append(use)
      }
    }
    expr.walk { part, _ in
      guard case .aggregate(let node) = part, !node.without,
        node.grouping.contains(where: VectorMatches.enumerations.contains)
      else { return }
      for selector in node.expr.selectors {
        guard let name = selector.name else { continue }
        for label in node.grouping where VectorMatches.enumerations.contains(label) {
          evidence.insert(MetricLabel(metric: name, label: label))
        }
      }
    }
  }
}
