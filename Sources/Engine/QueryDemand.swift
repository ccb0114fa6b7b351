import Model
import PromQL

/// Which samples an expression can reach: what a frozen copy for an ad-hoc query must hold.
package struct QueryDemand: Sendable {
  /// One selector's matchers and the interval its samples are read in, both ends included.
  package typealias Want = (matchers: [Matcher], from: Timestamp, through: Timestamp)

  private let step: Int64
  private let start: Int64
  private let end: Int64
  private let settings: EngineSettings
  private var wants: [Want] = []

  /// The wants of a query from `from` through `through` (the same for an instant query).
  package static func wants(
    of expr: Expr, from: Timestamp, through: Timestamp, step: PromDuration,
    settings: EngineSettings
  ) throws(QueryProblem) -> [Want] {
    var demand = QueryDemand(
      step: step.milliseconds, start: from.milliseconds, end: through.milliseconds,
      settings: settings)
    try demand.visit(expr, from: from.milliseconds, through: through.milliseconds)
    return demand.wants
  }

  private init(step: Int64, start: Int64, end: Int64, settings: EngineSettings) {
    self.step = step
    self.start = start
    self.end = end
    self.settings = settings
  }

  private mutating func visit(
    _ expr: Expr, from: Int64, through: Int64
  ) throws(QueryProblem) {
    switch expr {
    case .selector(let selector): try add(selector, window: 0, from: from, through: through)
    case .matrix(let matrix):
      let window = try length(matrix.window, isNegativeAllowed: false)
      try add(matrix.selector, window: window, from: from, through: through)
    case .subquery(let subquery):
      let (first, last) = try shifted(subquery.offset, subquery.at, from, through)
      let window = try length(subquery.window, isNegativeAllowed: false)
      try visit(subquery.expr, from: first - window, through: last)
    case .call(let call) where call.function.name == "info":
      try visitInfo(call, from: from, through: through)
    default:
      for child in expr.children { try visit(child, from: from, through: through) }
    }
  }

  /// `info(v, {…})` reads the info series its second argument describes, `target_info` unless it
  /// names another.
  private mutating func visitInfo(
    _ call: CallExpr, from: Int64, through: Int64
  ) throws(QueryProblem) {
    for argument in call.arguments.prefix(1) { try visit(argument, from: from, through: through) }
    var names: [Matcher] = []
    if call.arguments.count > 1, case .selector(let selector) = call.arguments[1] {
      names = selector.matchers.filter { $0.name == LabelName.metricName }
    }
    if names.isEmpty { names = [Matcher(LabelName.metricName, equals: "target_info")] }
    let info = VectorSelector(name: nil, matchers: names)
    // The base vector's own offsets decide when info series are read; the copy is generous instead
    // of exact.
    let reach = wants.map(\.from.milliseconds).min() ?? from
    try add(info, window: 0, from: min(from, reach), through: through)
  }

  private mutating func add(
    _ selector: VectorSelector, window: Int64, from: Int64, through: Int64
  ) throws(QueryProblem) {
    let (first, last) = try shifted(selector.offset, selector.at, from, through)
    let lookback = settings.lookback.milliseconds
    // Extended ranges look one lookback further back; `smoothed` also looks ahead.
    let isExtended = selector.anchored || selector.smoothed
    let back = window == 0 || isExtended ? window + lookback : window
    let ahead = selector.smoothed ? lookback : 0
    wants.append(
      (
        selector.matchers, Timestamp(milliseconds: first - back),
        Timestamp(milliseconds: last + ahead)
      ))
  }

  private func shifted(
    _ offset: DurationValue, _ at: AtModifier?, _ from: Int64, _ through: Int64
  ) throws(QueryProblem) -> (Int64, Int64) {
    let offset = try length(offset, isNegativeAllowed: true)
    switch at {
    case nil: return (from - offset, through - offset)
    case .timestamp(let t): return (t.milliseconds - offset, t.milliseconds - offset)
    case .start: return (start - offset, start - offset)
    case .end: return (end - offset, end - offset)
    }
  }

  private func length(
    _ duration: DurationValue, isNegativeAllowed: Bool
  ) throws(QueryProblem) -> Int64 {
    try PlanDuration(duration, isNegativeAllowed: isNegativeAllowed)
      .resolve(step: step, range: end - start)
  }
}
