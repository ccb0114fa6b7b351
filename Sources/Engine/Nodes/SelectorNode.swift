import Model
import Storage

/// An instant selector: the newest sample of each series, not older than the lookback.
final class SelectorNode: PlanNode {
  /// What the node tells of the sample it finds.
  enum Reading: String {
    case value, timestamp, startTimestamp
    /// The value interpolated between the samples around (`smoothed`).
    case smoothed
  }

  private let source: SelectorSource
  private let modifier: TimeModifier
  private let reading: Reading
  private let skipsBuckets: Bool
  private var latest = LatestColumns()
  private var scratch = WindowScratch()
  private var projection: NameRemoval

  init(
    domain: TimeDomain, source: SelectorSource, modifier: TimeModifier, reading: Reading,
    skipsBuckets: Bool, delaysNames: Bool
  ) {
    self.source = source
    self.modifier = modifier
    self.reading = reading
    self.skipsBuckets = skipsBuckets
    projection = NameRemoval(delaysNames: delaysNames)
    super.init(domain: domain, children: [])
  }

  private var keepsLabels: Bool { reading == .value || reading == .smoothed }

  override var shape: Shape { keepsLabels ? source.shape : projection.shape }

  override var title: String {
    "selector {" + source.matchers.map(\.description).joined(separator: ",") + "} \(modifier.key)"
  }

  override var readsOnlyThePast: Bool { reading != .smoothed && modifier.readsOnlyThePast }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    _ = source.resolve(evaluation)
    if !keepsLabels { projection.update(from: source.shape) }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let selector = source.resolve(evaluation)
    let (first, step) = try modifier.times(of: domain, evaluation)
    for i in 0..<domain.count {
      let time = first + Int64(i) * step
      let base = i * values.slots
      switch reading {
      case .value: readValues(selector, time, base, evaluation)
      case .timestamp: try readTimes(selector, time, base, evaluation)
      case .startTimestamp: try readStartTimes(selector, time, base, evaluation)
      case .smoothed: try readSmoothed(selector, time, base, evaluation)
      }
    }
  }

  private func readLatest(_ selector: Selector, _ time: Int64, _ evaluation: Evaluation) {
    evaluation.store.latest(
      of: selector, at: Timestamp(milliseconds: time), lookback: evaluation.settings.lookback,
      into: &latest)
  }

  private func readValues(
    _ selector: Selector, _ time: Int64, _ base: Int, _ evaluation: Evaluation
  ) {
    readLatest(selector, time, evaluation)
    let out = values
    latest.values.withUnsafeBufferPointer { source in
      guard let pointer = source.baseAddress else { return }
      (out.values + base).update(from: pointer, count: source.count)
    }
    latest.presence.withUnsafeBufferPointer { source in
      for i in 0..<source.count { out.tags[base + i] = source[i].rawValue }
    }
    for (member, histogram) in latest.histograms {
      out.set(
        base + member,
        skipsBuckets
          ? statistics(histogram, selector.members[member], at: time, evaluation) : histogram)
    }
  }

  /// A histogram without buckets; what they tell of resets since the sample before is kept as a
  /// hint.
  private func statistics(
    _ histogram: FloatHistogram, _ member: Member, at time: Int64, _ evaluation: Evaluation
  ) -> FloatHistogram {
    if histogram.counterResetHint != .unknown { return histogram.statistics }
    let window = evaluation.store.window(
      of: member.series, after: Timestamp(milliseconds: time - evaluation.lookback),
      through: Timestamp(milliseconds: time), into: &scratch)
    var column = SampleColumn(window, usesStartTimestamps: false)
    column.reduceToStatistics()
    return column.histograms.last?.value ?? histogram.statistics
  }

  private func readTimes(
    _ selector: Selector, _ time: Int64, _ base: Int, _ evaluation: Evaluation
  ) throws(QueryProblem) {
    readLatest(selector, time, evaluation)
    for i in 0..<latest.count where latest.presence[i] != .absent {
      try put(base, i, Double(latest.timestamps[i]) / 1000)
    }
  }

  /// The start timestamp of the newest sample, zero if it has none.
  private func readStartTimes(
    _ selector: Selector, _ time: Int64, _ base: Int, _ evaluation: Evaluation
  ) throws(QueryProblem) {
    readLatest(selector, time, evaluation)
    for i in 0..<latest.count where latest.presence[i] != .absent {
      let window = evaluation.store.window(
        of: selector.series[i],
        after: Timestamp(milliseconds: latest.timestamps[i] - 1),
        through: Timestamp(milliseconds: latest.timestamps[i]), into: &scratch)
      var start: Int64 = 0
      if let histogram = window.histograms.last {
        start = histogram.startTimestamp ?? 0
      } else if let last = window.startTimestamps?.last, last != .min {
        start = last
      }
      try put(base, i, Double(start) / 1000)
    }
  }

  /// Interpolates between the samples around the instant; without a later one the earlier one
  /// stands.
  private func readSmoothed(
    _ selector: Selector, _ time: Int64, _ base: Int, _ evaluation: Evaluation
  ) throws(QueryProblem) {
    for (i, member) in selector.members.enumerated() {
      let window = evaluation.store.window(
        of: member.series, after: Timestamp(milliseconds: time - evaluation.lookback),
        through: Timestamp(milliseconds: time + evaluation.lookback), into: &scratch)
      if let value = smoothed(window, member, at: time, evaluation) {
        values.set(base + i, value)
      }
    }
  }

  private func smoothed(
    _ window: Window, _ member: Member, at time: Int64, _ evaluation: Evaluation
  ) -> SampleValue? {
    let metric = member.labels.metricName ?? ""
    if window.histograms.isEmpty {
      let next = window.timestamps.firstIndex { $0 >= time } ?? window.count
      if next < window.count, window.timestamps[next] == time { return .float(window.values[next]) }
      if next == 0 { return nil }
      if next == window.count { return .float(window.values[next - 1]) }
      return .float(
        ExtendedRange.interpolate(
          window.timestamps[next - 1], window.values[next - 1], window.timestamps[next],
          window.values[next], at: time, isCounter: false))
    }
    if window.count > 0 {
      annotate(evaluation, .mixedFloatsHistograms(metric: metric), at: 0)
      return nil
    }
    let samples = window.histograms
    let next = samples.firstIndex { $0.timestamp >= time } ?? samples.count
    if next < samples.count, samples[next].timestamp == time {
      return .histogram(samples[next].value)
    }
    if next == 0 { return nil }
    if next == samples.count { return .histogram(samples[next - 1].value) }
    var pair = MixedWindow(
      column: SampleColumn(window, usesStartTimestamps: false), floats: 0..<0,
      histograms: (next - 1)..<(next + 1), start: time, end: time, now: time, seconds: 0, p0: 0,
      p1: 0, metric: metric, extent: .smoothed)
    let isCounter = samples[next].value.counterResetHint != .gauge
    let result = pair.interpolate(
      samples[next - 1], samples[next], at: time, isCounter: isCounter)
    for annotation in pair.annotations { annotate(evaluation, annotation, at: 0) }
    return result.map { .histogram($0) }
  }

  private func put(_ base: Int, _ member: Int, _ value: Double) throws(QueryProblem) {
    let cell = base + projection.target(member)
    if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
    values.set(cell, value)
  }
}
