import Model

/// A sum, a count and quantiles over the most recent observations.
struct DurationSummary {
  private static let capacity = 256
  private(set) var count: UInt64 = 0
  private(set) var sum = 0.0
  private var recent: [Double] = []
  private var next = 0

  mutating func observe(_ seconds: Double) {
    count += 1
    sum += seconds
    if recent.count < Self.capacity {
      recent.append(seconds)
    } else {
      recent[next] = seconds
      next = (next + 1) % Self.capacity
    }
  }

  /// The nearest-rank quantile of the recent observations; NaN without any, as Prometheus' client
  /// prints.
  func quantile(_ q: Double) -> Double {
    if recent.isEmpty { return SpecialValue.nan }
    let sorted = recent.sorted()
    let rank = Int((q * Double(sorted.count)).rounded(.up)) - 1
    return sorted[min(max(0, rank), sorted.count - 1)]
  }
}
