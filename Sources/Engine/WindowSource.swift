import Model
import PromQL
import Storage

/// Where a range function takes its windows from: stored series or the steps of a subquery.
class WindowSource {
  let range: PlanDuration
  let modifier: TimeModifier
  /// Where in the expression the windows were found first, for people who look at a plan.
  var expr: Expr?
  /// `anchored` and `smoothed` look beyond the window's bounds.
  let extent: ExtendedRange.Mode

  init(range: PlanDuration, modifier: TimeModifier, extent: ExtendedRange.Mode = .none) {
    self.range = range
    self.modifier = modifier
    self.extent = extent
  }

  /// Whether windows hold nothing but samples up to the time they end at, whoever asks.
  var readsOnlyThePast: Bool {
    guard case .constant = range else { return false }
    return extent == .none && modifier.readsOnlyThePast
  }

  /// The series, with their metric names.
  var shape: Shape { preconditionFailure("a window source must have a shape") }

  /// Brings the shape, and for a subquery the inner steps, up to date.
  func prepare(_ evaluation: Evaluation, for domain: TimeDomain) throws(QueryProblem) {}

  /// Hands out the samples of each series that has any, in any order.
  func forEachColumn(
    _ evaluation: Evaluation, _ times: WindowTimes, steps: Int,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {}

  func close(_ evaluation: Evaluation) {}

  final func times(
    _ evaluation: Evaluation, for domain: TimeDomain
  ) throws(QueryProblem) -> WindowTimes {
    let (first, step) = try modifier.times(of: domain, evaluation)
    var times = WindowTimes(first: first, step: step, range: try range.resolve(evaluation))
    if extent != .none { times.before = evaluation.lookback }
    if extent == .smoothed { times.ahead = evaluation.lookback }
    return times
  }
}

/// Windows over stored samples.
final class StoredWindows: WindowSource {
  private let source: SelectorSource
  private let skipsBuckets: Bool
  private var selector: Selector?
  private var scratch = WindowScratch()

  init(
    source: SelectorSource, range: PlanDuration, modifier: TimeModifier,
    extent: ExtendedRange.Mode, skipsBuckets: Bool
  ) {
    self.source = source
    self.skipsBuckets = skipsBuckets
    super.init(range: range, modifier: modifier, extent: extent)
  }

  override var shape: Shape { source.shape }

  override func prepare(
    _ evaluation: Evaluation, for domain: TimeDomain
  ) throws(QueryProblem) {
    selector = source.resolve(evaluation)
  }

  override func forEachColumn(
    _ evaluation: Evaluation, _ times: WindowTimes, steps: Int,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {
    guard let selector, steps > 0 else { return }
    let after = times.first - times.range - times.before
    let through = times.end(steps - 1) + times.ahead
    let usesStartTimestamps = evaluation.settings.startTimestamps
    evaluation.store.forEachWindow(
      of: selector, after: Timestamp(milliseconds: after),
      through: Timestamp(milliseconds: through), scratch: &scratch
    ) { member, window in
      if window.isEmpty { return }
      var column = SampleColumn(window, usesStartTimestamps: usesStartTimestamps)
      if skipsBuckets && !column.histograms.isEmpty { column.reduceToStatistics() }
      body(member, column)
    }
  }
}

extension StoredWindows {
  /// For one window: hands out runs of neighbouring gap-free columns, summaries of windows that
  /// reach far back, and every other series by itself.
  func forEachRun(
    _ evaluation: Evaluation, _ times: WindowTimes, needs: SummaryNeeds?, run: (RowRun) -> Void,
    summary: (Int, WindowSummary, UnsafeBufferPointer<Double>) -> Bool,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {
    guard let selector else { return }
    let usesStartTimestamps = evaluation.settings.startTimestamps
    evaluation.store.forEachSummary(
      of: selector, after: Timestamp(milliseconds: times.first - times.range),
      through: Timestamp(milliseconds: times.first), needs: needs, scratch: &scratch, run: run,
      summary: summary
    ) { member, window in
      if window.isEmpty { return }
      var column = SampleColumn(window, usesStartTimestamps: usesStartTimestamps)
      if skipsBuckets && !column.histograms.isEmpty { column.reduceToStatistics() }
      body(member, column)
    }
  }
}
