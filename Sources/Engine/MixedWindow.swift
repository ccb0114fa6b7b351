import Model
import Storage

/// One window with histograms or start timestamps, on which a range function is evaluated with
/// care.
struct MixedWindow {
  typealias Histogram = Window.HistogramSample

  let column: SampleColumn
  let floats: Range<Int>
  let histograms: ArraySlice<Histogram>
  let start: Int64
  let end: Int64
  let now: Int64
  let seconds: Double
  let p0: Double
  let p1: Double
  let metric: String
  let extent: ExtendedRange.Mode
  /// What there is to remark, in the order it came up.
  private(set) var annotations: [Annotation] = []

  init(
    column: SampleColumn, floats: Range<Int>, histograms: Range<Int>, start: Int64, end: Int64,
    now: Int64, seconds: Double, p0: Double, p1: Double, metric: String,
    extent: ExtendedRange.Mode
  ) {
    self.column = column
    self.floats = floats
    self.histograms = column.histograms[histograms]
    self.start = start
    self.end = end
    self.now = now
    self.seconds = seconds
    self.p0 = p0
    self.p1 = p1
    self.metric = metric
    self.extent = extent
  }

  var floatCount: Int { floats.count }
  var isMixed: Bool { !floats.isEmpty && !histograms.isEmpty }

  /// The float samples; must not be asked for if the series has none.
  var floatWindow: FloatWindow {
    guard let times = column.times, let values = column.values else {
      preconditionFailure("a window of floats needs float samples")
    }
    return FloatWindow(
      times: times + floats.lowerBound, values: values + floats.lowerBound, count: floats.count,
      start: start, end: end, now: now, seconds: seconds, p0: p0, p1: p1)
  }

  mutating func remark(_ annotation: Annotation) { annotations.append(annotation) }

  /// Forgets earlier remarks, where Prometheus does.
  mutating func replaceRemarks(_ annotation: Annotation) { annotations = [annotation] }

  /// The result of a function; `kernel` computes it from the floats alone.
  mutating func evaluate(
    _ function: RangeFunction, kernel: (FloatWindow) -> Double
  ) -> SampleValue? {
    switch function {
    case .rate, .increase, .delta: return rate(function)
    case .irate, .idelta: return instantRate(isRate: function == .irate)
    case .changes, .resets: return transitions(countsResets: function == .resets)
    case .avg, .sum: return sum(isMean: function == .avg, kernel)
    case .count: return .float(Double(floats.count + histograms.count))
    case .present: return .float(1)
    case .first: return edge(isFirst: true).value
    case .last: return edge(isFirst: false).value
    case .timeOfFirst: return .float(Double(edge(isFirst: true).time) / 1000)
    case .timeOfLast: return .float(Double(edge(isFirst: false).time) / 1000)
    case .deriv, .predictLinear, .doubleExponentialSmoothing:
      return ignoringHistograms(atLeast: 2, kernel)
    case .min, .max, .stddev, .stdvar, .quantile, .mad, .timeOfMin, .timeOfMax:
      return ignoringHistograms(atLeast: 1, kernel)
    }
  }

  private func plain(_ kernel: (FloatWindow) -> Double) -> SampleValue? {
    if floats.isEmpty { return nil }
    let value = kernel(floatWindow)
    return SpecialValue.isAbsent(value) ? nil : .float(value)
  }

  private mutating func ignoringHistograms(
    atLeast count: Int, _ kernel: (FloatWindow) -> Double
  ) -> SampleValue? {
    if floats.isEmpty { return nil }
    if !histograms.isEmpty { remark(.histogramsIgnoredInRange(metric: metric)) }
    return floats.count < count ? nil : plain(kernel)
  }

  private mutating func sum(
    isMean: Bool, _ kernel: (FloatWindow) -> Double
  ) -> SampleValue? {
    if isMixed {
      remark(.mixedFloatsHistograms(metric: metric))
      return nil
    }
    guard let first = histograms.first else { return plain(kernel) }
    var sum = HistogramSum(first.value)
    for sample in histograms.dropFirst() where !sum.add(sample.value, isMean: isMean) {
      remark(.mixedExponentialCustom(metric: metric))
      return nil
    }
    annotations += sum.remarks
    return .histogram(sum.value(isMean: isMean))
  }

  /// The first or last sample, whatever its kind; a histogram wins at equal times.
  private func edge(isFirst: Bool) -> (time: Int64, value: SampleValue) {
    let histogram = isFirst ? histograms.first : histograms.last
    if floats.isEmpty, let histogram { return (histogram.timestamp, .histogram(histogram.value)) }
    let window = floatWindow
    let place = isFirst ? 0 : window.count - 1
    let float = (time: window.times[place], value: SampleValue.float(window.values[place]))
    guard let histogram else { return float }
    let isFloat =
      isFirst ? float.time < histogram.timestamp : float.time > histogram.timestamp
    return isFloat ? float : (histogram.timestamp, .histogram(histogram.value))
  }

  /// One sample of a merged walk.
  struct Step {
    var time: Int64
    var value: SampleValue
    var startTime: Int64

    var histogram: FloatHistogram? {
      if case .histogram(let histogram) = value { histogram } else { nil }
    }
  }

  /// The start timestamp of a float sample, 0 for none.
  func startTime(_ index: Int) -> Int64 {
    guard let starts = column.starts else { return 0 }
    let start = starts[floats.lowerBound + index]
    return start == .min ? 0 : start
  }

  /// All samples by time.
  var merged: [Step] {
    var out: [Step] = []
    var i = 0
    let window = floats.isEmpty ? nil : floatWindow
    for sample in histograms {
      while let window, i < window.count, window.times[i] < sample.timestamp {
        out.append(
          Step(time: window.times[i], value: .float(window.values[i]), startTime: startTime(i)))
        i += 1
      }
      out.append(
        Step(
          time: sample.timestamp, value: .histogram(sample.value),
          startTime: sample.startTimestamp ?? 0))
    }
    while let window, i < window.count {
      out.append(
        Step(time: window.times[i], value: .float(window.values[i]), startTime: startTime(i)))
      i += 1
    }
    return out
  }

  private mutating func transitions(countsResets: Bool) -> SampleValue? {
    var samples = merged[...]
    if extent == .anchored {
      guard let last = samples.last, last.time > start else { return nil }
      let first = samples.firstIndex { $0.time > start } ?? samples.startIndex
      samples = samples[max(samples.startIndex, first - 1)...]
    }
    guard var previous = samples.first else { return nil }
    var n = 0
    for sample in samples.dropFirst() {
      switch (previous.value, sample.value) {
      case (.float(let a), .float(let b)):
        if countsResets {
          let isReset =
            b < a
            || StartTime.isReset(
              previous.startTime, previous.time, sample.startTime, sample.time)
          n += isReset ? 1 : 0
        } else if a != b && !(a.isNaN && b.isNaN) {
          n += 1
        }
      case (.histogram(let a), .histogram(let b)):
        if countsResets {
          let isReset =
            StartTime.isReset(
              previous.startTime, previous.time, sample.startTime, sample.time)
            || b.detectReset(since: a)
          n += isReset ? 1 : 0
        } else {
          n += b.equals(a) ? 0 : 1
        }
      default: n += 1
      }
      previous = sample
    }
    return .float(Double(n))
  }
}

/// What start timestamps say about counter resets.
enum StartTime {
  /// Whether counting began anew between two samples.
  ///
  /// A start at the earlier sample's time means a new delta, unless that sample's own start is
  /// unknown.
  static func isReset(
    _ previousStart: Int64, _ previousTime: Int64, _ start: Int64, _ time: Int64
  ) -> Bool {
    if start == 0 || start >= time || start < previousTime { return false }
    if start > previousTime { return true }
    return previousStart != 0 && previousStart < previousTime
  }

  /// Whether a sample claims to have begun before the one before it, without sharing its start.
  static func overlaps(_ previousStart: Int64, _ previousTime: Int64, _ start: Int64) -> Bool {
    start != 0 && start < previousTime && start != previousStart
  }
}
