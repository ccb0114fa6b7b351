import Model

/// A running sum or mean of histograms.
struct HistogramSum {
  private var sum: CompensatedHistogram
  private var mean: CompensatedHistogram?
  private var count = 1.0
  private var sawReset = false
  private var sawNoReset = false
  private var reconciled = false

  init(_ first: FloatHistogram) {
    sum = CompensatedHistogram(first)
    track(first)
  }

  private mutating func track(_ h: FloatHistogram) {
    if h.counterResetHint == .reset { sawReset = true }
    if h.counterResetHint == .notReset { sawNoReset = true }
  }

  /// Adds one; false if the bucket layouts do not go together.
  mutating func add(_ h: FloatHistogram, isMean: Bool) -> Bool {
    track(h)
    count += 1
    if mean == nil {
      var next = sum
      guard let wasReconciled = next.add(h) else { return false }
      reconciled = reconciled || wasReconciled
      if !isMean || !next.sum.hasOverflow {
        sum = next
        return true
      }
    }
    // The sum would overflow: go on with the mean.
    var current = sum
    if let mean {
      current = mean
    } else {
      current.divide(by: count - 1)
    }
    current.multiply(by: (count - 1) / count)
    guard let wasReconciled = current.add(h.divided(by: count)) else { return false }
    reconciled = reconciled || wasReconciled
    mean = current
    return true
  }

  func value(isMean: Bool) -> FloatHistogram {
    guard isMean else { return sum.value }
    if let mean { return mean.value }
    var result = sum
    result.divide(by: count)
    return result.value
  }

  var remarks: [Annotation] {
    var out: [Annotation] = []
    if sawReset && sawNoReset { out.append(.counterResetCollision(.aggregation)) }
    if reconciled { out.append(.mismatchedCustomBuckets(.aggregation)) }
    return out
  }
}

/// One group of `sum` or `avg` while its elements come in.
struct HistogramGroup {
  private var floats: CompensatedSum?
  private var mean: CompensatedMean?
  private var histograms: HistogramSum?
  private var sawHistogram = false
  private var isIncompatible = false

  /// Adds an element; answers with a remark if it does not fit.
  mutating func add(_ value: SampleValue, isMean: Bool, metric: String) -> Annotation? {
    if isIncompatible { return nil }
    switch value {
    case .float(let number):
      if floats == nil {
        floats = CompensatedSum(number)
        mean = CompensatedMean(first: number)
      } else {
        floats?.add(number)
        mean?.add(number)
      }
    case .histogram(let histogram):
      sawHistogram = true
      if histograms == nil {
        // After a float the group has no result anyway.
        if floats == nil { histograms = HistogramSum(histogram) }
      } else if histograms?.add(histogram, isMean: isMean) == false {
        isIncompatible = true
        return .mixedExponentialCustom(metric: metric)
      }
    }
    return nil
  }

  private var isMixed: Bool { floats != nil && sawHistogram }

  var remarks: [Annotation] {
    if isMixed { return [.mixedFloatsHistogramsInAggregation] }
    return isIncompatible ? [] : histograms?.remarks ?? []
  }

  func result(isMean: Bool) -> SampleValue? {
    if isMixed || isIncompatible { return nil }
    if let histograms { return .histogram(histograms.value(isMean: isMean).compacted()) }
    if isMean { return mean.map { .float($0.value) } }
    return floats.map { .float($0.sum + $0.compensation) }
  }
}
