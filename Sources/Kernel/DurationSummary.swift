import Model

/// A sum, a count and quantiles over the most recent observations.
package struct DurationSummary: Sendable {
  private static let capacity = 256
  package private(set) var count: UInt64 = 0
  package private(set) var sum = 0.0
  /// The same observations in buckets.
  private(set) var histogram = DurationHistogram(DurationHistogram.durations)
  private var recent: [Double] = []
  private var next = 0

  package init() {}

  package mutating func observe(_ seconds: Double) {
    count += 1
    sum += seconds
    histogram.observe(seconds)
    if recent.count < Self.capacity {
      recent.append(seconds)
    } else {
      recent[next] = seconds
      next = (next + 1) % Self.capacity
    }
  }

  /// The nearest-rank quantiles of the recent observations; NaN without any, as Prometheus' client
  /// prints.
  func quantiles(_ quantiles: [Double]) -> [Double] {
    let sorted = recent.sorted()
    return quantiles.map { q in
      if sorted.isEmpty { return SpecialValue.nan }
      let rank = Int((q * Double(sorted.count)).rounded(.up)) - 1
      return sorted[min(max(0, rank), sorted.count - 1)]
    }
  }
}

/// Observations counted in classic buckets.
package struct DurationHistogram: Sendable {
  /// The bounds that Prometheus gives its own histograms of durations.
  package static let durations = [0.01, 0.1, 1, 10]
  package static let requests = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120]

  /// Upper bounds, ascending, without `+Inf`.
  let bounds: [Double]
  /// Per bound, and behind the last bound; not cumulative.
  private(set) var counts: [UInt64]
  private(set) var sum = 0.0

  package init(_ bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  package mutating func observe(_ seconds: Double) {
    counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
    sum += seconds
  }
}
