extension FloatHistogram {
  /// Whether a counter was reset between an earlier histogram and this one: a count went down, or a
  /// bucket that had counts is missing.
  ///
  /// A finer schema or a narrower zero bucket can only come with a reset; for the opposite changes
  /// the earlier histogram is looked at as if it had the new schema and the new zero bucket.
  package func detectReset(since previous: FloatHistogram) -> Bool {
    if counterResetHint == .reset { return true }
    if counterResetHint == .notReset { return false }
    if count < previous.count { return true }
    if usesCustomBuckets {
      if !previous.usesCustomBuckets { return true }
      if !Self.boundsMatch(customValues, previous.customValues) {
        return detectResetOfSharedBounds(since: previous)
      }
    }
    if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
    let (earlierZeroCount, threshold) = previous.zeroCount(forThreshold: zeroThreshold)
    if threshold != zeroThreshold || zeroCount < earlierZeroCount { return true }
    return detectReset(since: previous, positive: true)
      || detectReset(since: previous, positive: false)
  }

  private func detectReset(since previous: FloatHistogram, positive: Bool) -> Bool {
    let earlier = previous.indexedCounts(positive: positive, above: zeroThreshold, schema: schema)
    let now = indexedCounts(positive: positive, above: zeroThreshold)
    var i = 0
    for bucket in earlier {
      while i < now.count, now[i].index < bucket.index { i += 1 }
      if i < now.count, now[i].index == bucket.index {
        if now[i].count < bucket.count { return true }
      } else if bucket.count != 0 {
        return true
      }
    }
    return false
  }

  private func detectResetOfSharedBounds(since previous: FloatHistogram) -> Bool {
    let bounds = Self.intersection(customValues, previous.customValues)
    let now = counts(upTo: bounds)
    let earlier = previous.counts(upTo: bounds)
    return zip(now, earlier).contains { $0 < $1 }
  }

  /// The counts between neighbouring bounds, the last one without upper bound.
  private func counts(upTo bounds: [Double]) -> [Double] {
    var out = [Double](repeating: 0, count: bounds.count + 1)
    var target = 0
    for bucket in buckets(positive: true) {
      while target < bounds.count, bounds[target] < bucket.upper { target += 1 }
      out[target] += bucket.count
    }
    return out
  }

  // MARK: Equality

  /// Whether two histograms hold the same data, bit by bit; how buckets are cut into spans does not
  /// matter.
  package func equals(_ other: FloatHistogram) -> Bool {
    schema == other.schema && count.bitPattern == other.count.bitPattern
      && sum.bitPattern == other.sum.bitPattern && zeroThreshold == other.zeroThreshold
      && zeroCount.bitPattern == other.zeroCount.bitPattern
      && (!usesCustomBuckets || Self.boundsMatch(customValues, other.customValues))
      && Self.layoutsMatch(positiveSpans, other.positiveSpans)
      && Self.layoutsMatch(negativeSpans, other.negativeSpans)
      && positiveBuckets.elementsEqual(other.positiveBuckets) { $0.bitPattern == $1.bitPattern }
      && negativeBuckets.elementsEqual(other.negativeBuckets) { $0.bitPattern == $1.bitPattern }
  }

  /// Whether spans name the same buckets.
  package static func layoutsMatch(_ a: [Span], _ b: [Span]) -> Bool {
    normalized(a) == normalized(b)
  }

  private static func normalized(_ spans: [Span]) -> [Span] {
    var out: [Span] = []
    var gap: Int32 = 0
    for span in spans {
      gap &+= span.offset
      if span.length == 0 { continue }
      if gap == 0, !out.isEmpty {
        out[out.count - 1].length &+= span.length
      } else {
        out.append(Span(offset: gap, length: span.length))
      }
      gap = 0
    }
    return out
  }
}
