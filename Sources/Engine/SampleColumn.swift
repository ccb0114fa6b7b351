import Model
import Storage

/// All samples of one series that the windows of a block may need, by ascending time.
struct SampleColumn {
  let times: UnsafePointer<Int64>?
  let values: UnsafePointer<Double>?
  /// Per float sample the time when counting began; nil if no sample says so.
  let starts: UnsafePointer<Int64>?
  let count: Int
  private(set) var histograms: [Window.HistogramSample]

  init(_ window: Window, usesStartTimestamps: Bool) {
    times = window.timestamps.baseAddress
    values = window.values.baseAddress
    starts = usesStartTimestamps ? window.startTimestamps?.baseAddress : nil
    count = window.count
    histograms = window.histograms
  }

  init(
    times: UnsafePointer<Int64>?, values: UnsafePointer<Double>?, count: Int,
    histograms: [Window.HistogramSample]
  ) {
    self.times = times
    self.values = values
    starts = nil
    self.count = count
    self.histograms = histograms
  }

  var isEmpty: Bool { count == 0 && histograms.isEmpty }

  /// Leaves only count, sum and what is known of resets of each histogram.
  mutating func reduceToStatistics() {
    var previous: FloatHistogram?
    for i in histograms.indices {
      let full = histograms[i].value
      histograms[i].value = full.statistics
      if full.counterResetHint == .unknown, let previous {
        histograms[i].value.counterResetHint =
          full.detectReset(since: previous) ? .reset : .notReset
      }
      previous = full
    }
  }
}

extension FloatHistogram {
  /// The histogram without its buckets.
  var statistics: FloatHistogram {
    var out = FloatHistogram()
    out.schema = schema
    out.count = count
    out.sum = sum
    out.counterResetHint = counterResetHint
    return out
  }
}

/// The windows of a block of steps: the end of the first, the distance to the next, and their
/// length.
struct WindowTimes {
  var first: Int64
  /// Zero if all steps see the same window.
  var step: Int64
  var range: Int64
  /// How much further back and ahead samples are fetched (`anchored`, `smoothed`).
  var before: Int64 = 0
  var ahead: Int64 = 0

  @inline(__always)
  func end(_ step: Int) -> Int64 { first + Int64(step) * self.step }

  var seconds: Double { Double(range) / 1000 }
}

/// A run of places in a column that moves forward with the windows.
struct SlidingRange {
  private(set) var low = 0
  private(set) var high = 0

  /// Moves to the samples in (after, through].
  @inline(__always)
  mutating func move(
    _ times: UnsafePointer<Int64>, _ count: Int, after: Int64, through: Int64
  ) {
    while high < count && times[high] <= through { high += 1 }
    while low < high && times[low] <= after { low += 1 }
  }

  /// As above, for histogram samples.
  mutating func move(
    _ samples: [Window.HistogramSample], after: Int64, through: Int64
  ) {
    while high < samples.count && samples[high].timestamp <= through { high += 1 }
    while low < high && samples[low].timestamp <= after { low += 1 }
  }
}

/// The float samples of one window, as kernels see them.
struct FloatWindow {
  let times: UnsafePointer<Int64>
  let values: UnsafePointer<Double>
  let count: Int
  /// The window's bounds; the lower one is exclusive.
  let start: Int64
  let end: Int64
  /// The instant the function is evaluated at; differs from `end` under an offset.
  let now: Int64
  let seconds: Double
  /// Scalar arguments.
  let p0: Double
  let p1: Double
}
