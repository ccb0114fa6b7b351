extension FloatHistogram {
  /// One bucket with its bounds.
  package struct Bucket: Hashable, Sendable {
    package var lower: Double
    package var upper: Double
    package var lowerInclusive: Bool
    package var upperInclusive: Bool
    package var count: Double
    /// The index in the schema; of no meaning for the zero bucket.
    package var index: Int32 = 0
  }

  /// The zero bucket.
  package var zeroBucket: Bucket {
    Bucket(
      lower: -zeroThreshold, upper: zeroThreshold, lowerInclusive: true, upperInclusive: true,
      count: zeroCount)
  }

  /// All buckets in ascending order: negative, zero (where it counts anything), positive.
  ///
  /// Where the lowest positive or the highest negative bucket overlaps the zero bucket, its bound
  /// toward zero is the zero threshold.
  package var allBuckets: [Bucket] {
    var out: [Bucket] = []
    out.reserveCapacity(positiveBuckets.count + negativeBuckets.count + 1)
    for bucket in buckets(positive: false) { out.append(clipped(bucket)) }
    out.reverse()
    if zeroCount > 0 { out.append(zeroBucket) }
    for bucket in buckets(positive: true) { out.append(clipped(bucket)) }
    return out
  }

  private func clipped(_ bucket: Bucket) -> Bucket {
    var bucket = bucket
    if bucket.lower > 0 && bucket.lower < zeroThreshold {
      bucket.lower = zeroThreshold
    } else if bucket.upper < 0 && bucket.upper > -zeroThreshold {
      bucket.upper = -zeroThreshold
    }
    return bucket
  }

  /// The buckets of one side, as `(index, count)` merged into a schema that is not finer than this
  /// one's, without those whose upper bound (of absolute values) does not exceed `start`.
  package func indexedCounts(
    positive: Bool, above start: Double = 0, schema target: Int32? = nil
  ) -> [(index: Int32, count: Double)] {
    let target = target ?? schema
    precondition(target <= schema, "buckets can only be merged into a coarser schema")
    let counts = positive ? positiveBuckets : negativeBuckets
    var out: [(index: Int32, count: Double)] = []
    out.reserveCapacity(counts.count)
    var index: Int32 = 0
    var i = 0
    for span in positive ? positiveSpans : negativeSpans {
      index &+= span.offset
      for _ in 0..<min(Int(span.length), counts.count - i) {
        let merged = target == schema ? index : Self.index(index, from: schema, to: target)
        if let last = out.last, last.index == merged, target != schema {
          out[out.count - 1].count += counts[i]
        } else {
          out.append((merged, counts[i]))
        }
        index &+= 1
        i += 1
      }
    }
    if start > 0 && Self.isExponential(target) {
      let skipped = out.prefix { Self.exponentialBound(of: $0.index, schema: target) <= start }
      out.removeFirst(skipped.count)
    }
    return out
  }

  /// The buckets of one side, going away from zero.
  package func buckets(positive: Bool) -> BucketSequence {
    BucketSequence(histogram: self, isPositive: positive)
  }

  /// The buckets of one side of a histogram.
  package struct BucketSequence: Sequence, Sendable {
    fileprivate let histogram: FloatHistogram
    fileprivate let isPositive: Bool

    package func makeIterator() -> BucketIterator {
      BucketIterator(histogram: histogram, isPositive: isPositive)
    }
  }

  /// Walks over the buckets of one side of a histogram.
  package struct BucketIterator: IteratorProtocol, Sendable {
    private let schema: Int32
    private let spans: [Span]
    private let counts: [Double]
    private let customValues: [Double]
    private let isPositive: Bool
    private var span = 0
    private var inSpan: UInt32 = 0
    private var position = 0
    private var index: Int32 = 0

    fileprivate init(histogram: FloatHistogram, isPositive: Bool) {
      schema = histogram.schema
      spans = isPositive ? histogram.positiveSpans : histogram.negativeSpans
      counts = isPositive ? histogram.positiveBuckets : histogram.negativeBuckets
      customValues = isPositive ? histogram.customValues : []
      self.isPositive = isPositive
      index = spans.first?.offset ?? 0
    }

    package mutating func next() -> Bucket? {
      guard position < counts.count, span < spans.count else { return nil }
      while inSpan >= spans[span].length {
        inSpan = 0
        span += 1
        guard span < spans.count else { return nil }
        index &+= spans[span].offset
      }
      let bucket = bucket(of: index, count: counts[position])
      index &+= 1
      inSpan += 1
      position += 1
      return bucket
    }

    private func bucket(of index: Int32, count: Double) -> Bucket {
      let outer = FloatHistogram.bound(of: index, schema: schema, customValues: customValues)
      let inner = FloatHistogram.bound(of: index &- 1, schema: schema, customValues: customValues)
      var bucket = Bucket(
        lower: isPositive ? inner : -outer, upper: isPositive ? outer : -inner,
        lowerInclusive: false, upperInclusive: false, count: count, index: index)
      if schema == FloatHistogram.customBucketsSchema {
        bucket.lowerInclusive = index == 0
        bucket.upperInclusive = true
      } else {
        bucket.lowerInclusive = bucket.lower < 0
        bucket.upperInclusive = bucket.upper > 0
      }
      return bucket
    }
  }
}
