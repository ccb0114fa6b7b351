import Glibc

extension FloatHistogram {
  /// The part of the histogram below (`</`) or above (`>/`) a bound.
  ///
  /// A bucket that the bound cuts is split by interpolation: linearly with custom bounds and in the
  /// zero bucket, on a logarithmic scale otherwise. Count and sum are estimated anew from what is
  /// left, but only where something was cut.
  package func trimmed(at bound: Double, keepsBelow: Bool) -> FloatHistogram {
    var out = self
    var trim = Trim(bound: bound, keepsBelow: keepsBelow, isLinear: usesCustomBuckets)
    let hasPositive = trim.apply(to: &out.positiveBuckets, of: buckets(positive: true), true)
    let hasNegative = trim.apply(to: &out.negativeBuckets, of: buckets(positive: false), false)
    if zeroCount > 0 {
      var bucket = zeroBucket
      // With observations on one side only, the zero bucket is taken to hold that side's.
      if hasNegative && !hasPositive { bucket.upper = 0 }
      if hasPositive && !hasNegative { bucket.lower = 0 }
      out.zeroCount = trim.keep(of: bucket)
    }
    if trim.changed {
      out.count = trim.count
      out.sum = trim.sum
      out.compact()
    }
    return out
  }
}

/// A cut through a histogram, and what is left so far.
private struct Trim {
  let bound: Double
  let keepsBelow: Bool
  let isLinear: Bool
  var count = 0.0
  var sum = 0.0
  var changed = false

  /// Cuts the buckets of one side; whether any of them was populated.
  mutating func apply(
    to counts: inout [Double], of buckets: FloatHistogram.BucketSequence, _ isPositive: Bool
  ) -> Bool {
    var any = false
    for (i, bucket) in buckets.enumerated() where bucket.count != 0 {
      any = true
      let isKept = keepsBelow ? bucket.upper <= bound : bucket.lower >= bound
      let isCut = keepsBelow ? bucket.lower < bound : bucket.upper > bound
      if isKept {
        add(bucket.count, at: middle(bucket.lower, bucket.upper, isPositive))
      } else if isCut {
        let (kept, middle) = split(bucket, isPositive)
        add(kept, at: middle)
        changed = changed || counts[i] != kept
        counts[i] = kept
      } else {
        counts[i] = 0
        changed = true
      }
    }
    return any
  }

  private mutating func add(_ n: Double, at value: Double) {
    count += n
    sum += value * n
  }

  /// What is left of the zero bucket.
  mutating func keep(of bucket: FloatHistogram.Bucket) -> Double {
    let (lower, upper) = (bucket.lower, bucket.upper)
    let kept: Double
    var middle = 0.0
    if bound <= lower || bound >= upper {
      let isKept = keepsBelow ? bound > lower : bound <= lower
      kept = isKept ? bucket.count : 0
      if isKept { middle = (lower + upper) / 2 }
    } else {
      let share = keepsBelow ? bound - lower : upper - bound
      kept = bucket.count * (share / (upper - lower))
      middle = keepsBelow ? (lower + bound) / 2 : (bound + upper) / 2
    }
    changed = changed || kept != bucket.count
    add(kept, at: middle)
    return kept
  }

  /// What is left of a bucket that is cut, and the middle of that part.
  private func split(
    _ bucket: FloatHistogram.Bucket, _ isPositive: Bool
  ) -> (kept: Double, middle: Double) {
    if bucket.lower == -.infinity { return splitOpenBelow(bucket) }
    if bucket.upper == .infinity {
      // Nothing is known of how values are spread without a bound.
      return keepsBelow || bound < bucket.lower ? (0, bucket.lower) : (bucket.count, bound)
    }
    let below = bucket.count * share(below: bucket, isPositive)
    return keepsBelow
      ? (below, middle(bucket.lower, bound, isPositive))
      : (bucket.count - below, middle(bound, bucket.upper, isPositive))
  }

  /// The first bucket with custom bounds: it begins at zero if it ends above, else nowhere.
  private func splitOpenBelow(_ bucket: FloatHistogram.Bucket) -> (kept: Double, middle: Double) {
    let upper = bucket.upper
    let edge = upper.isInfinite ? 0 : upper
    if keepsBelow {
      if bound >= upper { return (bucket.count, 0) }
      if bound > 0 && upper > 0 && upper != .infinity {
        return (bucket.count * bound / upper, bound / 2)
      }
      return upper <= 0 ? (bucket.count, bound) : (0, edge)
    }
    if bound <= bucket.lower { return (bucket.count, 0) }
    if bound >= 0 && upper > bound && upper != .infinity {
      return (bucket.count * (1 - bound / upper), (bound + upper) / 2)
    }
    return (0, edge)
  }

  /// The share of a bucket's values that lies below the bound.
  private func share(below bucket: FloatHistogram.Bucket, _ isPositive: Bool) -> Double {
    if bound <= bucket.lower { return 0 }
    if bound >= bucket.upper { return 1 }
    if isLinear { return (bound - bucket.lower) / (bucket.upper - bucket.lower) }
    let lower = log2(bucket.lower.magnitude)
    let upper = log2(bucket.upper.magnitude)
    let value = log2(bound.magnitude)
    return isPositive ? (value - lower) / (upper - lower) : 1 - (value - upper) / (lower - upper)
  }

  /// The value that stands for all in a part of a bucket.
  private func middle(_ lower: Double, _ upper: Double, _ isPositive: Bool) -> Double {
    if lower.isInfinite {
      if upper.isInfinite { return 0 }
      return upper > 0 ? upper / 2 : upper
    }
    if upper.isInfinite { return lower }
    if isLinear { return (lower + upper) / 2 }
    let mean = (lower * upper).magnitude.squareRoot()
    return isPositive ? mean : -mean
  }
}
