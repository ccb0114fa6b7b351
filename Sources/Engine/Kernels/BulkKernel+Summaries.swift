import Model
import Storage

/// Range functions over a long window from what sealed rows know of their values.
///
/// Each gives the bits of its kernel for one window.
extension BulkKernel {
  /// What the summaries must tell.
  var needs: SummaryNeeds {
    switch self {
    case .rate(isCounter: true, _): .correction
    case .sum, .mean: .sum
    default: []
    }
  }

  /// The result over a window with at least one sample, `SpecialValue.absent` for none; nil if the
  /// samples themselves are needed.
  func apply(
    _ s: WindowSummary, corrections: UnsafeBufferPointer<Double>, _ times: WindowTimes
  ) -> Double? {
    switch self {
    case .rate(let isCounter, let isRate):
      if s.count < 2 { return SpecialValue.absent }
      var result = s.last - s.first
      if isCounter {
        if s.joinsCorrections && !Self.isExact(s, corrections) { return nil }
        for lost in corrections { result += lost }
      }
      return result
        * RateKernel.factor(
          result, start: times.first - times.range, end: times.first, seconds: times.seconds,
          firstTime: s.firstTimestamp, lastTime: s.lastTimestamp, intervals: s.count - 1,
          firstCount: s.first, isCounter: isCounter, isRate: isRate)
    case .extreme(let isMax): return isMax ? s.max : s.min
    case .sum: return s.sum.isInfinite ? s.sum : s.sum + s.compensation
    case .mean:
      // Beyond the finite a mean is made step by step.
      guard s.sum.isFinite else { return nil }
      return s.sum / Double(s.count) + s.compensation / Double(s.count)
    case .count: return Double(s.count)
    case .changes: return Double(s.changes)
    case .resets: return Double(s.resets)
    case .present: return 1
    case .first: return s.first
    case .last: return s.last
    case .step, .variance: return nil
    }
  }

  /// Whether the order of addition does not matter: whole numbers of which no sum is rounded.
  private static func isExact(
    _ s: WindowSummary, _ corrections: UnsafeBufferPointer<Double>
  ) -> Bool {
    var most = s.first.magnitude + s.last.magnitude
    var isWhole =
      s.first == s.first.rounded(.towardZero) && s.last == s.last.rounded(.towardZero)
    for lost in corrections {
      most += lost.magnitude
      isWhole = isWhole && lost == lost.rounded(.towardZero)
    }
    return isWhole && most <= 9_007_199_254_740_992
  }
}
