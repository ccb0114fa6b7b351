import Model

/// Native histograms with custom bounds, made of the buckets of classic ones.
enum CustomBuckets {
  /// The histogram of cumulative counts by upper bound.
  ///
  /// The +Inf bucket may be missing, and the total too: each then follows from the other.
  static func histogram(
    _ buckets: [(bound: Double, count: Double)], count: Double?, sum: Double, isGauge: Bool = false
  ) throws(WireProblem) -> FloatHistogram {
    var histogram = FloatHistogram()
    histogram.schema = FloatHistogram.customBucketsSchema
    histogram.counterResetHint = isGauge ? .gauge : .unknown
    histogram.sum = sum
    let finite = buckets.filter { $0.bound != .infinity }
    let infinite = buckets.first { $0.bound == .infinity }?.count
    let total = infinite ?? count ?? finite.last?.count ?? 0
    if let count, count != total {
      throw WireProblem("count mismatch")
    }
    var previous: (bound: Double, count: Double)?
    var counts: [Double] = []
    for bucket in finite {
      if let previous, bucket.bound <= previous.bound {
        throw WireProblem("buckets must be in increasing order")
      }
      let before = previous?.count ?? 0
      if bucket.count < before || bucket.count.isNaN {
        throw WireProblem("cumulative bucket counts must not decrease")
      }
      histogram.customValues.append(bucket.bound)
      counts.append(bucket.count - before)
      previous = bucket
    }
    let below = previous?.count ?? 0
    if total < below { throw WireProblem("cumulative bucket counts must not decrease") }
    counts.append(total - below)
    histogram.count = total
    histogram.positiveBuckets = counts
    histogram.positiveSpans = [FloatHistogram.Span(offset: 0, length: UInt32(counts.count))]
    return histogram.compacted()
  }
}
