import Model
import Storage

/// One sample or stale marker of the naive model.
struct NaiveSample: Equatable {
  enum Value: Equatable {
    case float(UInt64)
    case histogram(FloatHistogram)
  }

  var time: Int64
  var value: Value
  var start: Int64?

  var isStale: Bool { value == .float(SpecialValue.staleBits) }
}

/// The store as a dictionary of arrays, to compare the real one with.
struct NaiveStore {
  struct Series {
    var samples: [NaiveSample] = []
    /// Samples up to here may be forgotten.
    var lostThrough: Int64 = .min
    var isAlways = false
  }

  /// One column: whether its newest cell is a sample, and that cell's time.
  struct ColumnState {
    var isLive = false
    var newest: Int64 = .min
  }

  var series: [LabelSet: Series] = [:]
  var columns: [SourceID: [LabelSet: ColumnState]] = [:]

  func newest(_ labels: LabelSet) -> Int64? { series[labels]?.samples.last?.time }

  /// What a window shows.
  func window(_ labels: LabelSet, after: Int64, through: Int64) -> [NaiveSample] {
    (series[labels]?.samples ?? []).filter {
      $0.time > after && $0.time <= through && !$0.isStale
    }
  }

  /// What an instant selector shows.
  func latest(_ labels: LabelSet, after: Int64, through: Int64) -> NaiveSample? {
    guard
      let sample = series[labels]?.samples.last(where: { $0.time > after && $0.time <= through }),
      !sample.isStale
    else { return nil }
    return sample
  }
}

/// A window of the real store in the model's terms.
func samples(of window: Window) -> [NaiveSample] {
  var out: [NaiveSample] = []
  for i in 0..<window.count {
    let start = window.startTimestamps.map { $0[i] } ?? .min
    out.append(
      NaiveSample(
        time: window.timestamps[i], value: .float(window.values[i].bitPattern),
        start: start == .min ? nil : start))
  }
  for h in window.histograms {
    out.append(
      NaiveSample(
        time: h.timestamp, value: .histogram(h.value.withoutHint), start: h.startTimestamp))
  }
  return out.sorted { $0.time < $1.time }
}

extension FloatHistogram {
  /// The histogram without what the store found out about resets before it.
  var withoutHint: FloatHistogram {
    var copy = self
    copy.counterResetHint = .unknown
    return copy
  }
}
