import Config
import Diagnostics
import Model
import PromQL
import YAML

/// What a server says of the series the rules ask for.
enum LiveSeries {
  static let metric = Check(
    "live/metric", .error, aliases: ["promql/series"], needsServer: true,
    "a metric the server has never seen",
    """
    No series of this name within the span looked at (seven days, `--lookback`), and no rule of this
    run records it: the selector returns nothing. New metrics are fine to be disabled by a comment.
    What stands behind `or`, inside `absent` or on the right of `unless` is only remarked.
    """)
  static let vanished = Check(
    "live/metric-vanished", .warning, aliases: ["promql/series"], needsServer: true,
    "a metric that was there and is not any more",
    """
    The server has series of this name within the span looked at, and none now.
    """)
  static let label = Check(
    "live/label", .error, aliases: ["promql/series"], needsServer: true,
    "a label the metric does not have",
    """
    No series of the metric carries the label, so a matcher that demands it matches nothing.
    """)
  static let value = Check(
    "live/value", .error, aliases: ["promql/series"], needsServer: true,
    "a label value that was never seen",
    """
    No series of the metric has a value of the label that the matcher accepts. Values that come up only
    when something breaks (`status="error"`) are fine to be disabled by a comment.
    """)
  static let conflict = Check(
    "live/external-label", .warning, aliases: ["labels/conflict", "alerts/external_labels"],
    "a label that collides with `external_labels`, or a template that asks for one not there",
    """
    `external_labels` are laid under the labels of outgoing alerts: a rule's own label of the same name
    hides it. `$externalLabels.x` is empty where the configuration has no `x`.
    """)
  static let count = Check(
    "live/alerts", .info, aliases: ["alerts/count"], needsServer: true,
    "how often the alert would have fired",
    """
    With `--alerts` the expression is evaluated over the last day, and `for` is applied: so many alerts
    would have been sent.
    """)
  static let cost = Check(
    "live/cost", .info, aliases: ["query/cost"], needsServer: true,
    "how many series the expression returns",
    """
    With `--alerts`: the number of series of the expression now; more than a thousand alerts at once
    help nobody.
    """)
  static let retention = Check(
    "live/retention", .warning, aliases: ["promql/range_query", "promql/offset"],
    "the expression looks further back than the server keeps",
    """
    A range or an offset reaches beyond the retention of the server, so there are no samples.
    """)

  static let checks = [metric, vanished, label, value, conflict, count, cost, retention]

  /// What the run and the comments around a rule say about series.
  struct Terms {
    /// Names recorded by any file of the run.
    var records: Set<String> = []
    var settings = SeriesSettings()
    /// The moment of the run.
    var now: Timestamp
  }

  static func inspect(_ rule: RuleSubject, _ terms: Terms, _ findings: inout Findings) {
    externals(rule, &findings)
    reach(rule, &findings)
    guard rule.context.server != nil else { return }
    rule.expr.walk { expr, path in
      guard case .selector(let node) = expr else { return }
      selector(node, isOptional(path + [expr]), rule, terms, &findings)
    }
    answers(rule, &findings)
  }

  /// Whether it is fine for the selector to return nothing.
  private static func isOptional(_ path: [Expr]) -> Bool {
    for (i, expr) in path.dropLast().enumerated() {
      switch expr {
      case .call(let node): if node.function.name.hasPrefix("absent") { return true }
      case .binary(let node):
        if node.op == .or { return true }
        if node.op == .unless, node.rhs == path[i + 1] { return true }
      default: break
      }
    }
    return false
  }

  private static func selector(
    _ node: VectorSelector, _ isOptional: Bool, _ rule: RuleSubject, _ terms: Terms,
    _ findings: inout Findings
  ) {
    let context = rule.context
    guard let name = node.name, let known = context.metrics[name], let labels = known.labels,
      !name.hasPrefix("ALERTS")
    else { return }
    let nameRange = SourceRange(node.range.start, node.range.start + name.utf8.count)
    let milder: Severity? = isOptional ? .info : nil
    if labels.isEmpty {
      if terms.records.contains(name) { return }
      findings.expr(
        metric, "the server has no `\(name)` (\(context.span))", at: nameRange, severity: milder,
        label: NearestName.find(name, among: context.metricNames).map { "did you mean `\($0)`?" })
      return
    }
    let isNew = known.lastSeen.map { terms.now - $0 < terms.settings.age(of: name) } ?? false
    if !known.isPresent, !isOptional, !isNew {
      findings.expr(
        vanished, "`\(name)` was there within \(context.span), and is not now", at: nameRange)
    }
    for matcher in node.matchers
    where matcher.name != LabelName.metricName && !matcher.matchesEmpty
      && !terms.settings.ignores(matcher.name, of: name)
    {
      guard labels.contains(where: { ByteOrder.equal($0, matcher.name) }) else {
        findings.expr(
          label, "`\(name)` has no label `\(matcher.name)`", at: place(of: matcher, node, rule),
          severity: milder,
          label: NearestName.find(matcher.name, among: labels).map { "did you mean `\($0)`?" })
        continue
      }
      guard let values = known.values[matcher.name],
        !values.contains(where: matcher.matches)
      else { continue }
      findings.expr(
        value, "no `\(name)` has `\(matcher)`", at: place(of: matcher, node, rule),
        severity: milder,
        label: NearestName.find(matcher.value, among: values).map { "did you mean `\($0)`?" },
        notes: [.init("seen: " + listed(values))])
    }
  }

  private static func listed(_ values: [String]) -> String {
    let shown = values.prefix(8).map(GoText.quote).joined(separator: ", ")
    return values.count > 8 ? shown + ", … (\(values.count))" : shown
  }

  private static func place(
    of matcher: Matcher, _ node: VectorSelector, _ rule: RuleSubject
  ) -> SourceRange {
    let places = MatcherPlaces.find(in: rule.text(of: node.range), at: node.range.start)
    let others = node.name == nil ? node.matchers : Array(node.matchers.dropLast())
    guard places.count == others.count, let at = others.firstIndex(of: matcher) else {
      return node.range
    }
    return places[at].range
  }

  // MARK: Configuration

  private static func externals(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let external = rule.context.externalLabels else { return }
    for name in rule.place.labels.labels.map(\.name) {
      guard external[name] != nil, let entry = rule.entry(name, in: "labels") else { continue }
      findings.node(
        conflict, "the label \(GoText.quote(name)) hides the one of `external_labels`",
        at: entry.key)
    }
    for field in rule.alert?.annotations ?? [] {
      guard let asked = field.template.externalLabels.first(where: { external[$0.text] == nil }),
        let node = rule.entry(field.name, in: "annotations")?.value
      else { continue }
      findings.node(
        conflict, "`external_labels` has no `\(asked.text)`, so this is always empty", at: node,
        part: TemplateLabels.place(of: asked, in: field.text))
    }
  }

  private static func reach(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let retention = rule.context.retention, retention > .zero else { return }
    rule.expr.walk { expr, _ in
      var span: PromDuration
      switch expr {
      case .matrix(let node): span = node.window.constant + node.selector.offset.constant
      case .subquery(let node): span = node.window.constant + node.offset.constant
      case .selector(let node): span = node.offset.constant
      default: return
      }
      if span <= retention { return }
      if case .selector = expr, span == .zero { return }
      findings.expr(
        self.retention, "this looks \(span) back, and the server keeps \(retention)",
        at: expr.range)
      span = .zero
    }
  }

  private static func answers(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let answer = rule.context.answers["alert:" + rule.expr.description],
      let alert = rule.alert
    else { return }
    if let alerts = answer.alerts {
      findings.expr(
        count,
        "would have fired \(alerts) \(alerts == 1 ? "time" : "times") over the last day"
          + (alert.holdDuration > .zero ? " with `for: \(alert.holdDuration)`" : ""),
        at: rule.expr.range)
    }
    if let series = answer.series, series > 0 {
      findings.expr(
        cost, "returns \(series) series now", at: rule.expr.range,
        severity: series > 1000 ? .warning : nil)
    }
  }
}
