import Diagnostics
import Model
import PromQL

/// What the functions over ranges are given.
enum Rates: RuleInspection {
  static let nonCounter = Check(
    "promql/rate-of-gauge", .warning, aliases: ["promql/rate", "promql/counter"],
    "the rate of something that is no counter",
    """
    `rate`, `irate` and `increase` take every fall of a value for a restart of the counter. Over a
    gauge they add up its falls and rises and yield nonsense. The name says gauge (`_size`, `_usage`,
    `_bytes` of what is in use …); with `--server` the metric's declared type decides, and the finding
    is an error.

    Use `delta` or `deriv` for gauges.
    """)
  static let gaugeFunction = Check(
    "promql/delta-of-counter", .warning, aliases: ["promql/counter"],
    "`delta` or `deriv` of a counter",
    """
    `delta`, `idelta`, `deriv` and `predict_linear` know nothing of restarts: when the counter starts
    again at zero they yield a large negative number.

    Use `increase` or `rate` for counters.
    """)
  static let ofAggregate = Check(
    "promql/rate-of-aggregate", .warning, aliases: ["promql/rate"],
    "the rate of a sum of counters",
    """
    The restart of one counter makes the sum fall a little, which `rate` takes for a restart of the
    whole sum: a spike of the size of all other counters follows.

    Take the rate first, then the sum: `sum(rate(x[5m]))`. A recording rule should record rates, not
    sums of counters.
    """)
  static let shortRange = Check(
    "promql/short-range", .error, aliases: ["promql/rate"],
    "the range holds fewer than two samples",
    """
    `rate` and its kin need two samples. A range that is not longer than the scrape interval holds
    one, and the function returns nothing, ever; below twice the interval it returns nothing now and
    then (a warning), and below four times one failed scrape is enough for a gap (an info).

    The scrape interval comes from `--prometheus.yml` or `--server`.
    """)

  static let checks = [nonCounter, gaugeFunction, ofAggregate, shortRange]

  private static let ofCounters: Set<String> = ["rate", "irate", "increase"]
  private static let ofGauges: Set<String> = ["delta", "idelta", "deriv", "predict_linear"]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    for part in rule.outline.parts where part.kind == .call {
      guard case .call(let call) = part.expr, call.function.argumentTypes.contains(.matrix),
        ofCounters.contains(call.function.name) || ofGauges.contains(call.function.name),
        let argument = call.arguments.first?.unwrapped
      else { continue }
      switch argument {
      case .matrix(let node):
        types(call, node, rule, &findings)
        range(call, node, rule, &findings)
      case .subquery(let node): aggregate(call, node, &findings)
      default: break
      }
    }
  }

  private static func types(
    _ call: CallExpr, _ node: MatrixSelector, _ rule: RuleSubject, _ findings: inout Findings
  ) {
    guard let name = node.selector.name, !name.contains(":") else { return }
    let function = call.function.name
    let types = rule.context.metrics[name]?.types.filter { $0 != .unknown } ?? []
    let isCounterFunction = ofCounters.contains(function)
    if !types.isEmpty {
      let gauges = types.filter { [.gauge, .info, .stateset, .gaugehistogram].contains($0) }
      // The parts of a histogram or a summary are counters, but quantiles are not.
      if isCounterFunction, gauges.count == types.count {
        findings.expr(
          nonCounter, "`\(function)` of `\(name)`, which is declared a \(types[0].rawValue)",
          at: node.selector.range, severity: .error, label: "use `delta` or `deriv`")
      } else if !isCounterFunction, types.allSatisfy({ $0 == .counter }) {
        findings.expr(
          gaugeFunction, "`\(function)` of `\(name)`, which is declared a counter",
          at: node.selector.range)
      }
    } else if isCounterFunction, MetricNames.looksLikeGauge(name) {
      findings.expr(
        nonCounter, "`\(function)` of `\(name)`, which is a gauge by its name",
        at: node.selector.range, label: "use `delta` or `deriv`")
    } else if !isCounterFunction, MetricNames.looksLikeCounter(name) {
      findings.expr(
        gaugeFunction, "`\(function)` of `\(name)`, which is a counter by its name",
        at: node.selector.range, label: "use `increase` or `rate`")
    }
  }

  private static func aggregate(
    _ call: CallExpr, _ node: SubqueryExpr, _ findings: inout Findings
  ) {
    guard ofCounters.contains(call.function.name),
      case .aggregate(let inner) = node.expr.unwrapped, inner.op == .sum,
      case .selector(let selector) = inner.expr.unwrapped,
      let name = selector.name, MetricNames.mayBeRated(name)
    else { return }
    findings.expr(
      ofAggregate, "`\(call.function.name)` of a sum of counters: take the rate first",
      at: inner.range)
  }

  private static func range(
    _ call: CallExpr, _ node: MatrixSelector, _ rule: RuleSubject, _ findings: inout Findings
  ) {
    let intervals = rule.context.intervals(of: node.selector.matchers)
    guard node.window.expr == nil, let shortest = intervals.min(), shortest > .zero,
      node.selector.name?.contains(":") != true
    else { return }
    let window = node.window.constant
    // Anchored and smoothed ranges look beyond their edges.
    if node.selector.anchored || node.selector.smoothed { return }
    let place = SourceRange(node.selector.range.end, node.range.end)
    let function = call.function.name
    if window <= shortest {
      findings.expr(
        shortRange,
        "`\(function)` over \(window) returns nothing: scrapes are \(shortest) apart, "
          + "and it needs two samples", at: place, label: "at least \(shortest * 4)")
    } else if window < shortest * 2 {
      findings.expr(
        shortRange,
        "a range of \(window) often holds one sample only: scrapes are \(shortest) apart",
        at: place, severity: .warning, label: "at least \(shortest * 4)")
    } else if window < shortest * 4 {
      findings.expr(
        shortRange,
        "a range of \(window) survives no failed scrape: scrapes are \(shortest) apart", at: place,
        severity: .info, label: "better \(shortest * 4)")
    }
  }
}
