import Model

/// Neumaier's summation, field by field and bucket by bucket, over histograms of changing layout.
struct CompensatedHistogram {
  private(set) var sum: FloatHistogram
  /// What was lost on the way, in the layout of the sum; nil as long as nothing was added.
  private var compensation: FloatHistogram?

  init(_ first: FloatHistogram) { sum = first }

  /// Adds one; tells whether custom bounds had to be reconciled, nil if the layouts do not go
  /// together.
  mutating func add(_ h: FloatHistogram) -> Bool? {
    guard let total = sum.adding(h) else { return nil }
    // Bring everything into the layout of the total; what the layout of one side lacks counts as
    // zero there.
    let frame = total.histogram.emptied
    let old = sum.inLayout(of: frame)
    let new = h.inLayout(of: frame)
    let lost = compensation.map { $0.inLayout(of: frame) } ?? frame
    guard let old, let new, let lost else {
      sum = total.histogram
      compensation = nil
      return total.boundsReconciled
    }
    var result = total.histogram
    var rest = lost
    Self.add(old.count, new.count, &result.count, &rest.count)
    Self.add(old.sum, new.sum, &result.sum, &rest.sum)
    Self.add(old.zeroCount, new.zeroCount, &result.zeroCount, &rest.zeroCount)
    for i in result.positiveBuckets.indices {
      Self.add(
        old.positiveBuckets[i], new.positiveBuckets[i], &result.positiveBuckets[i],
        &rest.positiveBuckets[i])
    }
    for i in result.negativeBuckets.indices {
      Self.add(
        old.negativeBuckets[i], new.negativeBuckets[i], &result.negativeBuckets[i],
        &rest.negativeBuckets[i])
    }
    sum = result
    compensation = rest
    return total.boundsReconciled
  }

  private static func add(
    _ old: Double, _ new: Double, _ sum: inout Double, _ compensation: inout Double
  ) {
    var total = CompensatedSum(old)
    total.compensation = compensation
    total.add(new)
    sum = total.sum
    compensation = total.compensation
  }

  mutating func multiply(by factor: Double) {
    sum.multiply(by: factor)
    compensation?.multiply(by: factor)
  }

  mutating func divide(by divisor: Double) {
    sum.divide(by: divisor)
    compensation?.divide(by: divisor)
  }

  /// The sum with what was lost.
  var value: FloatHistogram {
    guard var rest = compensation else { return sum }
    rest.counterResetHint = sum.counterResetHint
    return sum.adding(rest)?.histogram ?? sum
  }
}

extension FloatHistogram {
  /// The same layout with nothing counted.
  fileprivate var emptied: FloatHistogram {
    var out = self
    out.count = 0
    out.sum = 0
    out.zeroCount = 0
    out.positiveBuckets = [Double](repeating: 0, count: positiveBuckets.count)
    out.negativeBuckets = [Double](repeating: 0, count: negativeBuckets.count)
    return out
  }

  /// The same counts spread over the buckets of another histogram that is zero everywhere and no
  /// finer; nil if that cannot be done exactly.
  fileprivate func inLayout(of frame: FloatHistogram) -> FloatHistogram? {
    if hasLayout(of: frame) { return self }
    guard let result = frame.adding(self)?.histogram, result.hasLayout(of: frame) else {
      return nil
    }
    return result
  }

  private func hasLayout(of other: FloatHistogram) -> Bool {
    schema == other.schema && zeroThreshold == other.zeroThreshold
      && customValues == other.customValues && positiveSpans == other.positiveSpans
      && negativeSpans == other.negativeSpans
      && positiveBuckets.count == other.positiveBuckets.count
      && negativeBuckets.count == other.negativeBuckets.count
  }

  /// Whether a count or the sum is infinite.
  var hasOverflow: Bool {
    zeroCount.isInfinite || count.isInfinite || sum.isInfinite
      || positiveBuckets.contains { $0.isInfinite } || negativeBuckets.contains { $0.isInfinite }
  }
}
