import Model

/// The samples of one series that no row can hold: with their own times, histograms, start times.
final class SideSeries {
  /// Marks a sample without a start time.
  static let noStart = Int64.min

  /// Float samples and stale markers: times, values and (if any sample has one) start times.
  private(set) var times: [Int64] = []
  private(set) var values: [Double] = []
  private(set) var starts: [Int64] = []
  /// Histogram samples by time.
  private(set) var histograms: [Window.HistogramSample] = []

  /// The time of the newest sample.
  private(set) var newest: Int64?
  /// The number under which the samples up to `markTime` are stored outside; zero if they are not.
  var markID: Int64 = 0
  var markTime = Int64.min

  var isEmpty: Bool { times.isEmpty && histograms.isEmpty }
  var count: Int { times.count + histograms.count }

  /// Bytes held, roughly.
  var byteCount: Int {
    var bytes = 150 + (times.capacity + values.capacity + starts.capacity) * 8
    for h in histograms {
      bytes += 160 + (h.value.positiveBuckets.count + h.value.negativeBuckets.count) * 8
      bytes += (h.value.positiveSpans.count + h.value.negativeSpans.count) * 8
    }
    return bytes
  }

  /// Whether the sample at the newest time is the same, bit for bit.
  func endsWith(_ value: SampleValue) -> Bool {
    switch value {
    case .float(let v):
      guard times.last == newest, let old = values.last else { return false }
      return old.bitPattern == v.bitPattern
    case .histogram(let h):
      guard let old = histograms.last, old.timestamp == newest else { return false }
      // The hint may have been made more precise when the sample was stored.
      var same = h
      same.counterResetHint = old.value.counterResetHint
      return old.value == same
    }
  }

  /// Appends a sample that is newer than all others.
  func append(_ time: Int64, _ value: SampleValue, start: Int64?) {
    newest = time
    switch value {
    case .float(let v):
      if let start {
        if starts.isEmpty { starts = [Int64](repeating: Self.noStart, count: times.count) }
        starts.append(start)
      } else if !starts.isEmpty {
        starts.append(Self.noStart)
      }
      times.append(time)
      values.append(v)
    case .histogram(let h):
      var stored = h
      let previous = histograms.last.flatMap { last in
        last.timestamp > times.last ?? .min ? last.value : nil
      }
      stored.counterResetHint = h.storedHint(after: previous)
      histograms.append(
        Window.HistogramSample(timestamp: time, value: stored, startTimestamp: start))
    }
  }

  /// Appends a histogram as another series stored it: its reset hint is known already.
  func adopt(_ sample: Window.HistogramSample) {
    newest = max(newest ?? sample.timestamp, sample.timestamp)
    histograms.append(sample)
  }

  /// Forgets samples that are not above `horizon`; moves memory only when much is forgotten.
  func forget(through horizon: Int64, isForced: Bool = false) {
    let floats = firstFloat(above: horizon)
    if floats > 0 && (isForced || floats == times.count || floats * 2 > times.count) {
      times.removeFirst(floats)
      values.removeFirst(floats)
      if !starts.isEmpty { starts.removeFirst(floats) }
    }
    let old = firstHistogram(above: horizon)
    if old > 0 && (isForced || old == histograms.count || old * 2 > histograms.count) {
      histograms.removeFirst(old)
    }
    if isEmpty { newest = nil }
  }

  func firstFloat(above t: Int64) -> Int {
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] > t { high = middle } else { low = middle + 1 }
    }
    return low
  }

  func firstHistogram(above t: Int64) -> Int {
    var low = 0
    var high = histograms.count
    while low < high {
      let middle = (low + high) / 2
      if histograms[middle].timestamp > t { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
