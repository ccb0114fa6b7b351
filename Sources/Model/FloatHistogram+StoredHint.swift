extension FloatHistogram {
  /// The counter reset hint a stored histogram is read back with, given the sample before it in its
  /// series.
  ///
  /// Prometheus compares neighbours when it stores them, so most histograms of a counter come back
  /// as "not reset". Where a run of them begins (a reset, another bucket layout) nothing is
  /// promised: what was before may be gone by the time it is read.
  package func storedHint(after previous: FloatHistogram?) -> CounterResetHint {
    if counterResetHint == .gauge { return .gauge }
    guard let previous, counterResetHint != .reset, previous.counterResetHint != .gauge,
      !SpecialValue.isStale(previous.sum), !SpecialValue.isStale(sum)
    else { return .unknown }
    let isComparable =
      schema == previous.schema && zeroThreshold == previous.zeroThreshold
      && (!usesCustomBuckets || Self.boundsMatch(customValues, previous.customValues))
    if !isComparable || count < previous.count || zeroCount < previous.zeroCount {
      return .unknown
    }
    let hasReset = [true, false].contains { positive in
      Self.hasReset(
        indexedCounts(positive: positive), since: previous.indexedCounts(positive: positive))
    }
    return hasReset ? .unknown : .notReset
  }

  private static func hasReset(
    _ now: [(index: Int32, count: Double)], since earlier: [(index: Int32, count: Double)]
  ) -> Bool {
    var i = 0
    for bucket in earlier where bucket.count != 0 {
      while i < now.count, now[i].index < bucket.index { i += 1 }
      guard i < now.count, now[i].index == bucket.index else { return true }
      if now[i].count < bucket.count { return true }
    }
    return false
  }
}
