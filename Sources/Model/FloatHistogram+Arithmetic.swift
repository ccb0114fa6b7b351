extension FloatHistogram {
  /// A sum or difference, with what is worth telling about it.
  package struct Combination: Hashable, Sendable {
    package var histogram: FloatHistogram
    /// One histogram said "reset", the other "no reset".
    package var resetsCollide = false
    /// The custom bounds differed; the result has those that both have.
    package var boundsReconciled = false
  }

  /// Why exponential and custom buckets cannot be combined, in Prometheus' words.
  package static let incompatibleSchemas =
    "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"

  /// Multiplies all counts and the sum.
  package mutating func multiply(by factor: Double) {
    zeroCount *= factor
    count *= factor
    sum *= factor
    for i in positiveBuckets.indices { positiveBuckets[i] *= factor }
    for i in negativeBuckets.indices { negativeBuckets[i] *= factor }
    if factor < 0 { counterResetHint = .gauge }
  }

  /// The histogram with all counts and the sum multiplied.
  package func multiplied(by factor: Double) -> FloatHistogram {
    var out = self
    out.multiply(by: factor)
    return out
  }

  /// Divides all counts and the sum; division by zero leaves no buckets.
  package mutating func divide(by divisor: Double) {
    zeroCount /= divisor
    count /= divisor
    sum /= divisor
    if divisor == 0 {
      positiveSide = Side()
      negativeSide = Side()
      return
    }
    for i in positiveBuckets.indices { positiveBuckets[i] /= divisor }
    for i in negativeBuckets.indices { negativeBuckets[i] /= divisor }
    if divisor < 0 { counterResetHint = .gauge }
  }

  /// The histogram with all counts and the sum divided.
  package func divided(by divisor: Double) -> FloatHistogram {
    var out = self
    out.divide(by: divisor)
    return out
  }

  /// The sum of two histograms, in the coarser schema and with the wider zero bucket of the two;
  /// nil where one has exponential and the other custom buckets.
  package func adding(_ other: FloatHistogram) -> Combination? { combined(with: other, sign: 1) }

  /// The difference of two histograms, under the same rules as their sum.
  ///
  /// Of the hints it makes what an addition does; the PromQL operator sets `gauge`.
  package func subtracting(_ other: FloatHistogram) -> Combination? {
    combined(with: other, sign: -1)
  }

  private func combined(with other: FloatHistogram, sign: Double) -> Combination? {
    if usesCustomBuckets != other.usesCustomBuckets { return nil }
    var out = self
    let (collided, reconciled) = out.combine(other, sign: sign)
    return Combination(histogram: out, resetsCollide: collided, boundsReconciled: reconciled)
  }

  private mutating func combine(
    _ other: FloatHistogram, sign: Double
  ) -> (resetsCollide: Bool, boundsReconciled: Bool) {
    let collided = adoptHint(of: other)
    if !usesCustomBuckets { zeroCount += sign * reconcileZeroBuckets(with: other) }
    count += sign * other.count
    sum += sign * other.sum
    if usesCustomBuckets {
      let match = Self.boundsMatch(customValues, other.customValues)
      if match {
        addSide(other, positive: true, sign: sign)
      } else {
        combineReconciled(other, sign: sign)
      }
      return (collided, !match)
    }
    if other.schema < schema { reduceResolution(to: other.schema) }
    addSide(other, positive: true, sign: sign)
    addSide(other, positive: false, sign: sign)
    return (collided, false)
  }

  /// Makes the hint that of a combination with another histogram; true where the two contradict
  /// each other.
  private mutating func adoptHint(of other: FloatHistogram) -> Bool {
    if other.counterResetHint == counterResetHint || counterResetHint == .gauge { return false }
    if other.counterResetHint == .gauge {
      counterResetHint = .gauge
      return false
    }
    if counterResetHint == .unknown { return false }
    let collided = other.counterResetHint != .unknown
    counterResetHint = .unknown
    return collided
  }

  // MARK: Buckets

  /// Adds the buckets of one side that lie outside the zero bucket.
  private mutating func addSide(_ other: FloatHistogram, positive: Bool, sign: Double) {
    let theirs = other.indexedCounts(positive: positive, above: zeroThreshold, schema: schema)
    if theirs.isEmpty { return }
    // The common case by far: the layout is the same, or has all that is added.
    let side = positive ? positiveSide : negativeSide
    if side.counts.isEmpty {
      let new = Side(theirs.map { (index: $0.index, count: sign * $0.count) })
      if positive { positiveSide = new } else { negativeSide = new }
      return
    }
    let ours = indexedCounts(positive: positive)
    var merged: [(index: Int32, count: Double)] = []
    merged.reserveCapacity(ours.count + theirs.count)
    var i = 0
    for bucket in theirs {
      while i < ours.count, ours[i].index < bucket.index {
        merged.append(ours[i])
        i += 1
      }
      if i < ours.count, ours[i].index == bucket.index {
        merged.append((bucket.index, ours[i].count + sign * bucket.count))
        i += 1
      } else {
        merged.append((bucket.index, sign * bucket.count))
      }
    }
    merged.append(contentsOf: ours[i...])
    if positive { positiveSide = Side(merged) } else { negativeSide = Side(merged) }
  }

  // MARK: Custom bounds

  /// Whether two lists of custom bounds are the same.
  package static func boundsMatch(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
  }

  private mutating func combineReconciled(_ other: FloatHistogram, sign: Double) {
    let bounds = Self.intersection(customValues, other.customValues)
    var counts = [Double](repeating: 0, count: bounds.count + 1)
    for (histogram, sign) in [(self, 1.0), (other, sign)] {
      for bucket in histogram.indexedCounts(positive: true) {
        let upper = Self.bound(
          of: bucket.index, schema: schema, customValues: histogram.customValues)
        let target = bounds.firstIndex { $0 >= upper } ?? bounds.count
        counts[target] += sign * bucket.count
      }
    }
    positiveSide = Side(
      counts.enumerated().filter { $0.element != 0 }.map {
        (index: Int32($0.offset), count: $0.element)
      })
    customValues = bounds
  }

  /// The bounds that both ascending lists have.
  static func intersection(_ a: [Double], _ b: [Double]) -> [Double] {
    var out: [Double] = []
    var j = 0
    for bound in a {
      while j < b.count, b[j] < bound { j += 1 }
      if j < b.count, b[j] == bound { out.append(bound) }
    }
    return out
  }

  // MARK: Zero bucket

  /// The zero count if the threshold were larger, and that threshold, moved up to the end of a
  /// populated bucket that it would cut.
  package func zeroCount(forThreshold wanted: Double) -> (count: Double, threshold: Double) {
    guard wanted > zeroThreshold else { return (zeroCount, wanted) }
    var threshold = wanted
    while true {
      var count = zeroCount
      for bucket in buckets(positive: true) {
        if bucket.lower >= threshold { break }
        count += bucket.count
        if bucket.upper > threshold {
          if bucket.count != 0 { threshold = bucket.upper }
          break
        }
      }
      var isCut = false
      for bucket in buckets(positive: false) {
        if bucket.upper <= -threshold { break }
        count += bucket.count
        if bucket.lower < -threshold {
          isCut = bucket.count != 0
          if isCut { threshold = -bucket.lower }
          break
        }
      }
      // A threshold moved by a negative bucket changes what the positive ones contribute.
      if !isCut { return (count, threshold) }
    }
  }

  /// Widens the zero bucket until it cuts no populated bucket of either histogram, and returns what
  /// the other's zero count would be.
  private mutating func reconcileZeroBuckets(with other: FloatHistogram) -> Double {
    var (theirs, threshold) = (other.zeroCount, other.zeroThreshold)
    if threshold.isNaN || zeroThreshold.isNaN { return theirs }
    while threshold != zeroThreshold {
      if zeroThreshold > threshold {
        (theirs, threshold) = other.zeroCount(forThreshold: zeroThreshold)
      }
      if threshold > zeroThreshold {
        (zeroCount, zeroThreshold) = zeroCount(forThreshold: threshold)
        trimInsideZeroBucket()
      }
    }
    return theirs
  }

  private mutating func trimInsideZeroBucket() {
    for (i, bucket) in buckets(positive: true).enumerated() {
      if bucket.lower >= zeroThreshold { break }
      positiveBuckets[i] = 0
    }
    for (i, bucket) in buckets(positive: false).enumerated() {
      if bucket.upper <= -zeroThreshold { break }
      negativeBuckets[i] = 0
    }
    compact()
  }
}
