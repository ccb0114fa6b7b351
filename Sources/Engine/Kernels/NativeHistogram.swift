import Glibc
import Model

/// Functions of one native histogram.
enum NativeHistogram {
  enum Function: String {
    case count = "histogram_count"
    case sum = "histogram_sum"
    case avg = "histogram_avg"
    case stddev = "histogram_stddev"
    case stdvar = "histogram_stdvar"
  }

  static func apply(_ function: Function, _ h: FloatHistogram) -> Double {
    switch function {
    case .count: h.count
    case .sum: h.sum
    case .avg: h.sum / h.count
    case .stddev: variance(h).squareRoot()
    case .stdvar: variance(h)
    }
  }

  /// The variance, every observation taken as the middle of its bucket.
  private static func variance(_ h: FloatHistogram) -> Double {
    let mean = h.sum / h.count
    var variance = CompensatedSum()
    for bucket in h.allBuckets where bucket.count != 0 {
      let delta = middle(bucket, h) - mean
      variance.add(bucket.count * delta * delta)
    }
    return (variance.sum + variance.compensation) / h.count
  }

  private static func middle(_ bucket: FloatHistogram.Bucket, _ h: FloatHistogram) -> Double {
    if h.usesCustomBuckets { return (bucket.upper + bucket.lower) / 2 }
    if bucket.lower <= 0 && bucket.upper >= 0 { return 0 }
    let geometric = (bucket.upper * bucket.lower).squareRoot()
    return bucket.upper < 0 ? -geometric : geometric
  }

  /// A quantile: linear within custom and zero buckets, exponential within the others.
  static func quantile(
    _ q: Double, _ h: FloatHistogram, metric: String
  ) -> (Double, Annotation?) {
    if q < 0 { return (-.infinity, nil) }
    if q > 1 { return (.infinity, nil) }
    if h.count == 0 || q.isNaN { return (.nan, nil) }
    // NaN observations are counted but in no bucket: then only counting from below is right.
    let isForward = h.sum.isNaN || q < 0.5
    var rank = (isForward ? q : 1 - q) * h.count
    let all = h.allBuckets
    var bucket = h.zeroBucket
    bucket.count = 0
    var count = 0.0
    for i in all.indices {
      let next = all[isForward ? i : all.count - 1 - i]
      if next.count == 0 { continue }
      bucket = next
      count += next.count
      if count >= rank { break }
    }
    if h.usesCustomBuckets {
      if bucket.lower == -.infinity {
        if bucket.upper <= 0 { return (bucket.upper, nil) }
        bucket.lower = 0
      } else if bucket.upper == .infinity {
        return (bucket.lower, nil)
      }
    } else {
      bucket = narrowed(bucket, h)
    }
    count = min(count, h.count)
    if count < rank {
      return h.sum.isNaN ? (.nan, .quantileIsNaN(metric: metric)) : (bucket.upper, nil)
    }
    rank = isForward ? rank - (count - bucket.count) : count - rank
    let note: Annotation? = h.sum.isNaN ? .quantileIsSkewed(metric: metric) : nil
    return (value(at: rank / bucket.count, in: bucket, h), note)
  }

  /// The zero bucket of a histogram with observations on one side only ends at zero.
  private static func narrowed(
    _ bucket: FloatHistogram.Bucket, _ h: FloatHistogram
  ) -> FloatHistogram.Bucket {
    var bucket = bucket
    if bucket.lower < 0 && bucket.upper > 0 {
      if h.negativeBuckets.isEmpty && !h.positiveBuckets.isEmpty {
        bucket.lower = 0
      } else if h.positiveBuckets.isEmpty && !h.negativeBuckets.isEmpty {
        bucket.upper = 0
      }
    }
    return bucket
  }

  private static func value(
    at fraction: Double, in bucket: FloatHistogram.Bucket, _ h: FloatHistogram
  ) -> Double {
    if h.usesCustomBuckets || bucket.lower <= 0 && bucket.upper >= 0 {
      return bucket.lower + (bucket.upper - bucket.lower) * fraction
    }
    let lower = Glibc.log2(bucket.lower.magnitude)
    let upper = Glibc.log2(bucket.upper.magnitude)
    if bucket.lower > 0 { return Glibc.exp2(lower + (upper - lower) * fraction) }
    return -Glibc.exp2(upper + (lower - upper) * (1 - fraction))
  }

  /// The share of observations between two bounds.
  static func fraction(
    _ lower: Double, _ upper: Double, _ h: FloatHistogram, metric: String
  ) -> (Double, Annotation?) {
    if h.count == 0 || lower.isNaN || upper.isNaN { return (.nan, nil) }
    if lower >= upper { return (0, nil) }
    let all = h.allBuckets
    var limit = h.count
    var note: Annotation?
    if h.sum.isNaN {
      // NaN observations lie in no interval.
      limit = all.reduce(0) { $0 + $1.count }
      if limit < h.count { note = .fractionIgnoresNaN(metric: metric) }
    }
    let from = rank(of: lower, all, h, limit)
    let to = rank(of: upper, all, h, limit)
    return ((to - from) / h.count, note)
  }

  /// How many observations lie below a value.
  private static func rank(
    of value: Double, _ all: [FloatHistogram.Bucket], _ h: FloatHistogram, _ limit: Double
  ) -> Double {
    var rank = 0.0
    for original in all {
      var bucket = h.usesCustomBuckets ? original : narrowed(original, h)
      if h.usesCustomBuckets && bucket.lower == -.infinity && bucket.upper > 0 { bucket.lower = 0 }
      if bucket.lower >= value { return min(rank, limit) }
      if bucket.upper > value {
        return min(rank + bucket.count * share(of: value, in: bucket, h), limit)
      }
      rank += bucket.count
    }
    return limit
  }

  /// Which part of a bucket lies below a value inside it.
  private static func share(
    of value: Double, in bucket: FloatHistogram.Bucket, _ h: FloatHistogram
  ) -> Double {
    // A bucket of infinite width is not interpolated in.
    if bucket.lower == -.infinity { return 1 }
    if h.usesCustomBuckets || bucket.lower <= 0 && bucket.upper >= 0 {
      return (value - bucket.lower) / (bucket.upper - bucket.lower)
    }
    let lower = Glibc.log2(bucket.lower.magnitude)
    let upper = Glibc.log2(bucket.upper.magnitude)
    let v = Glibc.log2(value.magnitude)
    return value > 0 ? (v - lower) / (upper - lower) : 1 - (v - upper) / (lower - upper)
  }

  /// The text of a histogram as a label value.
  static func text(_ h: FloatHistogram) -> String { h.description }
}
