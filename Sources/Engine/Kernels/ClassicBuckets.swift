import Model

/// One bucket of a classic histogram at one step.
struct ClassicBucket {
  var upper: Double
  var count: Double
}

/// What was done to make bucket counts ascend.
struct MonotonicityFix {
  var minBucket: Double
  var maxBucket: Double
  var maxDifference: Double
}

enum ClassicBuckets {
  /// Differences below this share are rounding, not disorder.
  private static let tolerance = 1e-12

  /// The quantile of buckets sorted by bound; they are merged and corrected in place.
  static func quantile(
    _ q: Double, _ buckets: inout [ClassicBucket]
  ) -> (value: Double, fix: MonotonicityFix?) {
    if let outside = Quantile.outside(q) { return (outside, nil) }
    guard let last = buckets.last, last.upper == .infinity else { return (.nan, nil) }
    coalesce(&buckets)
    let fix = makeMonotonic(&buckets)
    if buckets.count < 2 { return (.nan, nil) }
    let top = buckets.count - 1
    let observations = buckets[top].count
    if observations == 0 { return (.nan, nil) }
    var rank = q * observations
    var b = 0
    var high = top
    while b < high {
      let middle = (b + high) / 2
      if buckets[middle].count >= rank { high = middle } else { b = middle + 1 }
    }
    if b == top { return (buckets[top - 1].upper, fix) }
    if b == 0 && buckets[0].upper <= 0 { return (buckets[0].upper, fix) }
    var start = 0.0
    var count = buckets[b].count
    if b > 0 {
      start = buckets[b - 1].upper
      count -= buckets[b - 1].count
      rank -= buckets[b - 1].count
    }
    return (start + (buckets[b].upper - start) * (rank / count), fix)
  }

  /// The share of observations between two bounds.
  static func fraction(
    _ lower: Double, _ upper: Double, _ buckets: inout [ClassicBucket]
  ) -> Double {
    guard let last = buckets.last, last.upper == .infinity else { return .nan }
    coalesce(&buckets)
    let count = buckets[buckets.count - 1].count
    if count == 0 || lower.isNaN || upper.isNaN { return .nan }
    if lower >= upper { return 0 }
    let from = rank(of: lower, buckets, count)
    let to = rank(of: upper, buckets, count)
    return (to - from) / count
  }

  /// How many observations lie below a value, interpolated within its bucket.
  private static func rank(_ bound: Double, in bucket: ClassicBucket, below: ClassicBucket)
    -> Double
  {
    // A bucket of infinite width is not interpolated in.
    if below.upper == -.infinity { return bucket.count }
    return below.count + (bucket.count - below.count) * (bound - below.upper)
      / (bucket.upper - below.upper)
  }

  private static func rank(of value: Double, _ buckets: [ClassicBucket], _ count: Double) -> Double
  {
    // The lowest bucket begins at zero if it reaches above it.
    var below = ClassicBucket(upper: buckets[0].upper > 0 ? 0 : -.infinity, count: 0)
    for bucket in buckets {
      if below.upper >= value { return min(below.count, count) }
      if below.upper < value && bucket.upper > value {
        return min(rank(value, in: bucket, below: below), count)
      }
      below = bucket
    }
    return count
  }

  /// Adds up buckets with the same bound.
  private static func coalesce(_ buckets: inout [ClassicBucket]) {
    var n = 0
    for i in 1..<max(1, buckets.count) {
      if buckets[i].upper == buckets[n].upper {
        buckets[n].count += buckets[i].count
      } else {
        n += 1
        buckets[n] = buckets[i]
      }
    }
    buckets.removeLast(buckets.count - n - 1)
  }

  /// Lifts counts that are below the one before; tells of those that are more than rounding.
  private static func makeMonotonic(_ buckets: inout [ClassicBucket]) -> MonotonicityFix? {
    var fix: MonotonicityFix?
    var previous = buckets[0].count
    for i in 1..<max(1, buckets.count) {
      let current = buckets[i].count
      if current == previous { continue }
      if isAlmostEqual(previous, current) {
        buckets[i].count = previous
      } else if current < previous {
        buckets[i].count = previous
        let difference = previous - current
        let upper = buckets[i].upper
        if let known = fix {
          fix = MonotonicityFix(
            minBucket: min(known.minBucket, upper), maxBucket: max(known.maxBucket, upper),
            maxDifference: max(known.maxDifference, difference))
        } else {
          fix = MonotonicityFix(minBucket: upper, maxBucket: upper, maxDifference: difference)
        }
      } else {
        previous = current
      }
    }
    return fix
  }

  private static func isAlmostEqual(_ a: Double, _ b: Double) -> Bool {
    if a.isNaN && b.isNaN { return true }
    let sum = a.magnitude + b.magnitude
    let difference = (a - b).magnitude
    if a == 0 || b == 0 || sum < .leastNormalMagnitude {
      return difference < tolerance * .leastNormalMagnitude
    }
    return difference / min(sum, .greatestFiniteMagnitude) < tolerance
  }
}

/// The fixes of one query at one place, added up as Prometheus adds them up.
struct ForcedMonotonicity {
  let metric: String
  private(set) var minBucket: Double
  private(set) var maxBucket: Double
  private(set) var maxDifference: Double
  private(set) var first: Timestamp
  private(set) var last: Timestamp
  private var count: Int64 = 0
  /// Fixes of the step that is being computed, not yet merged.
  private var atStep: Int64 = 1

  init(metric: String, _ fix: MonotonicityFix, at time: Timestamp) {
    self.metric = metric
    minBucket = fix.minBucket
    maxBucket = fix.maxBucket
    maxDifference = fix.maxDifference
    first = time
    last = time
  }

  /// The number in the text.
  var printedCount: Int64 { count &+ 1 }

  mutating func add(_ fix: MonotonicityFix, at time: Timestamp) {
    minBucket = min(minBucket, fix.minBucket)
    maxBucket = max(maxBucket, fix.maxBucket)
    maxDifference = max(maxDifference, fix.maxDifference)
    first = min(first, time)
    last = max(last, time)
    atStep += 1
  }

  /// Ends a step.
  ///
  /// Prometheus merges its running remark into itself at every step after the first that has one,
  /// which doubles the count; the number is part of the text, so it is the same here.
  mutating func endStep(isFirst: Bool) {
    if isFirst {
      count = atStep - 1
    } else {
      count = (count &+ atStep) &* 2 &+ 1
    }
    atStep = 0
  }
}
