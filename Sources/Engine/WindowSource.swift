import Model
import PromQL
import Storage

/// Where a range function takes its windows from: stored series or the steps of a subquery.
class WindowSource {
  let range: PlanDuration
  let modifier: TimeModifier
  /// `anchored` and `smoothed` look beyond the window's bounds.
  let extent: ExtendedRange.Mode

  init(range: PlanDuration, modifier: TimeModifier, extent: ExtendedRange.Mode = .none) {
    self.range = range
    self.modifier = modifier
    self.extent = extent
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
  /// For one window: hands out runs of neighbouring gap-free columns, and every other series by
  /// itself.
  func forEachRun(
    _ evaluation: Evaluation, _ times: WindowTimes, run: (RowRun) -> Void,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {
    guard let selector else { return }
    let usesStartTimestamps = evaluation.settings.startTimestamps
    evaluation.store.forEachRun(
      of: selector, after: Timestamp(milliseconds: times.first - times.range),
      through: Timestamp(milliseconds: times.first), scratch: &scratch, run: run
    ) { member, window in
      if window.isEmpty { return }
      var column = SampleColumn(window, usesStartTimestamps: usesStartTimestamps)
      if skipsBuckets && !column.histograms.isEmpty { column.reduceToStatistics() }
      body(member, column)
    }
  }
}

/// Windows over the results of an inner expression at its own, absolutely aligned steps.
final class SubqueryWindows: WindowSource {
  let inner: PlanNode
  /// The domain of the inner expression.
  private let steps: TimeDomain
  private let step: PlanDuration?
  private var times: [Int64] = []
  private var floats: [Double] = []
  private var histograms: [Window.HistogramSample] = []

  init(
    inner: PlanNode, steps: TimeDomain, range: PlanDuration, step: PlanDuration?,
    modifier: TimeModifier
  ) {
    self.inner = inner
    self.steps = steps
    self.step = step
    super.init(range: range, modifier: modifier)
  }

  override var shape: Shape { inner.shape }

  override func prepare(
    _ evaluation: Evaluation, for domain: TimeDomain
  ) throws(QueryProblem) {
    if steps.outerTick != domain.tick { try layOut(evaluation, for: domain) }
    try inner.evaluate(evaluation)
  }

  /// Sets the inner steps: all multiples of the step that some window of the outer steps contains.
  private func layOut(
    _ evaluation: Evaluation, for domain: TimeDomain
  ) throws(QueryProblem) {
    let (first, distance) = try modifier.times(of: domain, evaluation)
    let range = try range.resolve(evaluation)
    let interval =
      try step?.resolve(evaluation) ?? evaluation.settings.defaultSubqueryStep.milliseconds
    guard interval > 0 else { throw QueryProblem("a subquery needs a positive step") }
    let after = first - range
    let last = first + Int64(max(0, domain.count - 1)) * distance
    // The first multiple behind the window's open end: inner steps do not move with the query.
    let start = (after.flooredDivision(by: interval).quotient + 1) * interval
    let count = domain.count == 0 || last < start ? 0 : Int((last - start) / interval) + 1
    if count > evaluation.settings.maxSamples { throw .tooManySamples }
    steps.set(
      start: start, step: interval, count: count, spansRange: last != start,
      tick: evaluation.nextTick())
    steps.outerTick = domain.tick
  }

  override func forEachColumn(
    _ evaluation: Evaluation, _ times: WindowTimes, steps: Int,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {
    for slot in 0..<inner.shape.count {
      gather(slot)
      if self.times.isEmpty && histograms.isEmpty { continue }
      self.times.withUnsafeBufferPointer { times in
        floats.withUnsafeBufferPointer { floats in
          body(
            slot,
            SampleColumn(
              times: times.baseAddress, values: floats.baseAddress, count: times.count,
              histograms: histograms))
        }
      }
    }
  }

  private func gather(_ slot: Int) {
    times.removeAll(keepingCapacity: true)
    floats.removeAll(keepingCapacity: true)
    if !histograms.isEmpty { histograms.removeAll(keepingCapacity: true) }
    let block = inner.values
    for i in 0..<steps.count {
      let cell = i * block.stride + slot
      switch block.tags[cell] {
      case CellTag.absent: break
      case CellTag.float:
        times.append(steps.time(i))
        floats.append(block.values[cell])
      default:
        var histogram = block.histogram(cell)
        // A hint speaks of the stored neighbour, which the inner steps may have skipped or
        // repeated.
        if histogram.counterResetHint != .gauge { histogram.counterResetHint = .unknown }
        histograms.append(.init(timestamp: steps.time(i), value: histogram))
      }
    }
  }

  /// The inner results as they stand, for a subquery that is the whole query.
  func matrix() -> [MatrixSeries] {
    var out: [MatrixSeries] = []
    for slot in 0..<inner.shape.count {
      var samples: [Sample] = []
      for i in 0..<steps.count {
        let cell = i * inner.values.stride + slot
        guard let value = inner.values.value(cell) else { continue }
        samples.append(Sample(timestamp: Timestamp(milliseconds: steps.time(i)), value: value))
      }
      if !samples.isEmpty {
        out.append(MatrixSeries(labels: inner.shape.labels[slot], samples: samples))
      }
    }
    return out
  }

  override func close(_ evaluation: Evaluation) { inner.close(evaluation) }
}
