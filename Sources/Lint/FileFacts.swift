import Config
import Diagnostics
import Model
import PromQL
import Rules

/// What of a file the checks over all files need: small, so that thousands of files fit.
package struct FileFacts: Sendable {
  /// A rule's place in a file, shared by all that is known of the rule; the text is not kept.
  final class Place: Sendable {
    let path: String
    let range: SourceRange
    let group: String
    let rule: String
    let isAlert: Bool
    /// Of the group in its file, and of the rule in its group.
    let groupIndex: Int
    let ruleIndex: Int
    /// Of the group; nil where nobody says.
    let interval: PromDuration?

    init(
      path: String, range: SourceRange, group: String, rule: String, isAlert: Bool,
      groupIndex: Int, ruleIndex: Int, interval: PromDuration?
    ) {
      self.path = path
      self.range = range
      self.group = group
      self.rule = rule
      self.isAlert = isAlert
      self.groupIndex = groupIndex
      self.ruleIndex = ruleIndex
      self.interval = interval
    }
  }

  /// A rule by what it writes.
  struct Rule: Sendable {
    var place: Place
    var name: String { place.rule }
  }

  /// A metric that an expression selects.
  struct Use: Sendable {
    var metric: String
    var place: Place
    /// Where the whole expression stands, or for an alert its selector.
    var range: SourceRange
    /// Whether it is read as it is at the moment, not over a range.
    var isInstant = true
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

  init(
    _ file: RuleFile, groups: [ObjectIdentifier: GroupSubject], _ outlines: inout ExprOutlines
  ) {
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
        isAlert: place.isAlert, groupIndex: groupIndex, ruleIndex: place.index,
        interval: groups[ObjectIdentifier(place.node)]?.interval)
      rules.append(Rule(place: shown))
      written.append(
        RepeatedRules.Rule(
          name: place.name, labels: place.labels, expr: definition.expr, place: shown))
      let outline = outlines.outline(of: definition.expr, text: place.exprNode?.text)
      look(at: outline, place, shown)
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

  private mutating func look(at outline: ExprOutline, _ place: RulePlace, _ shown: Place) {
    if outline.parts.count == 1, outline.selectors.isEmpty { return }
    let node = (place.exprNode ?? place.node).content
    for (i, part) in outline.parts.enumerated() where part.kind == .selector {
      guard case .selector(let selector) = part.expr, let name = selector.name else { continue }
      for matcher in selector.matchers
      where VectorMatches.enumerations.contains(matcher.name) && !matcher.matchesEmpty {
        evidence.insert(MetricLabel(metric: name, label: matcher.name))
      }
      // The exact place is looked for if there is something to say: names stand in one piece.
      var use = Use(metric: name, place: shown, range: node.range)
      use.isInstant = !outline.isInside(i) {
        switch $0 {
        case .matrix, .subquery: true
        default: false
        }
      }
      if name == "ALERTS" || name == "ALERTS_FOR_STATE" {
        guard let matcher = selector.matchers.first(where: { $0.name == LabelName.alertName }),
          matcher.kind == .equal
        else { continue }
        use.metric = matcher.value
        use.range = node.sourceRange(ofContent: selector.range)
        alertUses.append(use)
      } else {
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
    for part in outline.parts where part.kind == .aggregate {
      guard case .aggregate(let node) = part.expr, !node.without,
        node.grouping.contains(where: VectorMatches.enumerations.contains)
      else { continue }
      for selector in node.expr.selectors {
        guard let name = selector.name else { continue }
        for label in node.grouping where VectorMatches.enumerations.contains(label) {
          evidence.insert(MetricLabel(metric: name, label: label))
        }
      }
    }
  }
}
