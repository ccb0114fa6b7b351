extension FloatHistogram {
  /// Buckets of one side as a list, from which spans are built again.
  struct Side {
    var spans: [Span]
    var counts: [Double]

    init(spans: [Span] = [], counts: [Double] = []) {
      self.spans = spans
      self.counts = counts
    }

    /// Appends a bucket; indexes must ascend.
    fileprivate mutating func append(index: Int32, count: Double, end: inout Int32) {
      counts.append(count)
      if !spans.isEmpty && index == end {
        spans[spans.count - 1].length += 1
      } else {
        spans.append(Span(offset: spans.isEmpty ? index : index &- end, length: 1))
      }
      end = index &+ 1
    }

    /// Spans for ascending indexes.
    init(_ buckets: some Sequence<(index: Int32, count: Double)>) {
      self.init()
      var end: Int32 = 0
      for bucket in buckets { append(index: bucket.index, count: bucket.count, end: &end) }
    }
  }

  var positiveSide: Side {
    get { Side(spans: positiveSpans, counts: positiveBuckets) }
    set { (positiveSpans, positiveBuckets) = (newValue.spans, newValue.counts) }
  }

  var negativeSide: Side {
    get { Side(spans: negativeSpans, counts: negativeBuckets) }
    set { (negativeSpans, negativeBuckets) = (newValue.spans, newValue.counts) }
  }

  // MARK: Compacting

  /// Keeps only populated buckets, and empty ones where at most `maxEmpty` of them lie between two
  /// populated ones.
  package mutating func compact(maxEmpty: Int = 0) {
    if Self.needsCompacting(positiveSpans, positiveBuckets, maxEmpty) {
      positiveSide = compacted(positive: true, maxEmpty)
    }
    if Self.needsCompacting(negativeSpans, negativeBuckets, maxEmpty) {
      negativeSide = compacted(positive: false, maxEmpty)
    }
  }

  /// The compacted histogram.
  package func compacted(maxEmpty: Int = 0) -> FloatHistogram {
    var out = self
    out.compact(maxEmpty: maxEmpty)
    return out
  }

  private static func needsCompacting(_ spans: [Span], _ counts: [Double], _ maxEmpty: Int) -> Bool
  {
    counts.contains(0) || spans.contains { Int($0.offset) <= maxEmpty || $0.length == 0 }
  }

  private func compacted(positive: Bool, _ maxEmpty: Int) -> Side {
    var kept: [(index: Int32, count: Double)] = []
    for bucket in indexedCounts(positive: positive) where bucket.count != 0 {
      let gap = kept.last.map { Int(bucket.index) - Int($0.index) - 1 } ?? 0
      if gap > 0 && gap <= maxEmpty {
        for missing in (bucket.index - Int32(gap))..<bucket.index { kept.append((missing, 0)) }
      }
      kept.append(bucket)
    }
    return Side(kept)
  }

  // MARK: Resolution

  /// The histogram in a coarser exponential schema, without counter reset hint; itself if the
  /// schema is the same.
  package func copied(toSchema target: Int32) -> FloatHistogram {
    if target == schema { return self }
    var out = self
    out.counterResetHint = .unknown
    out.reduceResolution(to: target)
    return out
  }

  /// Merges buckets into those of a coarser exponential schema.
  package mutating func reduceResolution(to target: Int32) {
    precondition(
      target <= schema && !usesCustomBuckets && target != Self.customBucketsSchema,
      "only exponential histograms can be merged, and only into a coarser schema")
    if target == schema { return }
    positiveSide = Side(indexedCounts(positive: true, schema: target))
    negativeSide = Side(indexedCounts(positive: false, schema: target))
    schema = target
  }
}
