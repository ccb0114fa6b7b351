import Model

extension MixedWindow {
  /// `rate`, `increase`, `delta` of histograms, or of floats with start timestamps.
  mutating func rate(_ function: RangeFunction) -> SampleValue? {
    if isMixed {
      remark(.mixedFloatsHistograms(metric: metric))
      return nil
    }
    let isCounter = function.isCounterFunction
    let isRate = function == .rate
    if extent != .none {
      if !histograms.isEmpty { return extendedRate(isCounter: isCounter, isRate: isRate) }
      let value = ExtendedRange.rate(
        floatWindow, isCounter: isCounter, isRate: isRate, isSmoothed: extent == .smoothed)
      return SpecialValue.isAbsent(value) ? nil : .float(value)
    }
    return histograms.isEmpty
      ? floatRate(isCounter: isCounter, isRate: isRate)
      : histogramRate(isCounter: isCounter, isRate: isRate)
  }

  /// What the increase between the samples is multiplied with.
  private func factor(
    increase: Double, firstCount: Double, firstTime: Int64, lastTime: Int64, intervals: Int,
    isCounter: Bool, isRate: Bool
  ) -> Double {
    RateKernel.factor(
      increase, start: start, end: end, seconds: seconds, firstTime: firstTime,
      lastTime: lastTime, intervals: intervals, firstCount: firstCount, isCounter: isCounter,
      isRate: isRate)
  }

  /// Where the first sample's start lies inside the window, counting began there at zero.
  private func knownStart(_ startTime: Int64, firstTime: Int64, isCounter: Bool) -> Bool {
    isCounter && startTime != 0 && startTime > start && startTime < firstTime
  }

  /// The factor when counting is known to have begun inside the window: nothing is added on the
  /// left.
  private func factor(
    from startTime: Int64, firstTime: Int64, lastTime: Int64, intervals: Int, isRate: Bool
  ) -> Double {
    let average = intervals > 0 ? Double(lastTime - firstTime) / 1000 / Double(intervals) : 0
    var toEnd = Double(end - lastTime) / 1000
    if toEnd >= average * 1.1 { toEnd = average / 2 }
    let sampled = Double(lastTime - startTime) / 1000
    let factor = sampled == 0 ? 1 : (sampled + toEnd) / sampled
    return isRate ? factor / seconds : factor
  }

  private mutating func floatRate(isCounter: Bool, isRate: Bool) -> SampleValue? {
    let w = floatWindow
    let last = w.count - 1
    var increase = w.values[last] - w.values[0]
    var isWarned = false
    for i in 1..<max(1, w.count) where isCounter {
      if !isWarned && StartTime.overlaps(startTime(i - 1), w.times[i - 1], startTime(i)) {
        remark(.startTimeOverlap(metric: metric))
        isWarned = true
      }
      let isReset =
        w.values[i] < w.values[i - 1]
        || StartTime.isReset(startTime(i - 1), w.times[i - 1], startTime(i), w.times[i])
      if isReset { increase += w.values[i - 1] }
    }
    if knownStart(startTime(0), firstTime: w.times[0], isCounter: isCounter) {
      return .float(
        (increase + w.values[0])
          * factor(
            from: startTime(0), firstTime: w.times[0], lastTime: w.times[last], intervals: last,
            isRate: isRate))
    }
    if last == 0 { return nil }
    return .float(
      increase
        * factor(
          increase: increase, firstCount: w.values[0], firstTime: w.times[0],
          lastTime: w.times[last], intervals: last, isCounter: isCounter, isRate: isRate))
  }

  private mutating func histogramRate(isCounter: Bool, isRate: Bool) -> SampleValue? {
    guard let first = histograms.first, let last = histograms.last else { return nil }
    let intervals = histograms.count - 1
    var increase: FloatHistogram?
    if intervals > 0 {
      increase = histogramIncrease(isCounter: isCounter)
      if increase == nil { return nil }
    }
    let startTime = first.startTimestamp ?? 0
    if knownStart(startTime, firstTime: first.timestamp, isCounter: isCounter) {
      guard let total = adding(first.value, to: increase) else { return nil }
      return .histogram(
        total.multiplied(
          by: factor(
            from: startTime, firstTime: first.timestamp, lastTime: last.timestamp,
            intervals: intervals, isRate: isRate)))
    }
    guard let increase else { return nil }
    return .histogram(
      increase.multiplied(
        by: factor(
          increase: increase.count, firstCount: first.value.count, firstTime: first.timestamp,
          lastTime: last.timestamp, intervals: intervals, isCounter: isCounter, isRate: isRate)))
  }

  /// Adds a histogram to a sum that may be nothing yet; nil, with a remark, if the layouts differ.
  private mutating func adding(
    _ histogram: FloatHistogram, to sum: FloatHistogram?
  ) -> FloatHistogram? {
    guard let sum else { return histogram }
    guard let result = sum.adding(histogram) else {
      remark(.mixedExponentialCustom(metric: metric))
      return nil
    }
    if result.boundsReconciled { remark(.mismatchedCustomBuckets(.addition)) }
    return result.histogram
  }

  private mutating func subtracting(
    _ histogram: FloatHistogram, from other: FloatHistogram
  ) -> FloatHistogram? {
    guard let result = other.subtracting(histogram) else {
      remark(.mixedExponentialCustom(metric: metric))
      return nil
    }
    if result.boundsReconciled { remark(.mismatchedCustomBuckets(.subtraction)) }
    return result.histogram
  }

  private func isReset(_ previous: Histogram, _ current: Histogram, since: FloatHistogram) -> Bool {
    StartTime.isReset(
      previous.startTimestamp ?? 0, previous.timestamp, current.startTimestamp ?? 0,
      current.timestamp) || current.value.detectReset(since: since)
  }

  /// Last minus first, with what was counted before each reset.
  private mutating func histogramIncrease(isCounter: Bool) -> FloatHistogram? {
    let points = Array(histograms)
    let last = points[points.count - 1].value
    var previous = points[0].value
    if isCounter && (previous.counterResetHint == .gauge || last.counterResetHint == .gauge) {
      remark(.histogramNotCounter(metric: metric))
    }
    if isCounter && isReset(points[0], points[1], since: previous) {
      // The first sample counts for nothing then, and its layout does not matter either.
      previous = FloatHistogram()
      previous.schema = points[1].value.schema
      previous.customValues = points[1].value.customValues
    }
    let custom = previous.usesCustomBuckets
    var schema = min(last.schema, previous.schema)
    if last.usesCustomBuckets != custom {
      remark(.mixedExponentialCustom(metric: metric))
      return nil
    }
    for point in points.dropFirst().dropLast() where isCounter {
      if point.value.counterResetHint == .gauge { remark(.histogramNotCounter(metric: metric)) }
      schema = min(schema, point.value.schema)
      if point.value.usesCustomBuckets != custom {
        replaceRemarks(.mixedExponentialCustom(metric: metric))
        return nil
      }
    }
    guard var result = subtracting(previous, from: last.copied(toSchema: schema)) else {
      return nil
    }
    if isCounter {
      guard let corrected = correct(result, points, from: previous) else { return nil }
      result = corrected
    } else if points[0].value.counterResetHint != .gauge || last.counterResetHint != .gauge {
      remark(.histogramNotGauge(metric: metric))
    }
    result.counterResetHint = .gauge
    return result.compacted()
  }

  private mutating func correct(
    _ increase: FloatHistogram, _ points: [Histogram], from first: FloatHistogram
  ) -> FloatHistogram? {
    var result = increase
    var previous = first
    var isWarned = false
    for i in points.indices.dropFirst() {
      let start = points[i].startTimestamp ?? 0
      let before = points[i - 1]
      if !isWarned
        && StartTime.overlaps(before.startTimestamp ?? 0, before.timestamp, start)
      {
        remark(.startTimeOverlap(metric: metric))
        isWarned = true
      }
      if isReset(before, points[i], since: previous) {
        guard let sum = adding(previous, to: result) else { return nil }
        result = sum
      }
      previous = points[i].value
    }
    return result
  }

  /// `irate`, `idelta`: the last two samples of any kind.
  mutating func instantRate(isRate: Bool) -> SampleValue? {
    let samples = merged
    guard samples.count >= 2 else { return nil }
    let last = samples[samples.count - 1]
    let previous = samples[samples.count - 2]
    let interval = Double(last.time - previous.time) / 1000
    if interval == 0 { return nil }
    let startsAnew = StartTime.isReset(
      previous.startTime, previous.time, last.startTime, last.time)
    switch (previous.value, last.value) {
    case (.float(let a), .float(let b)):
      let difference = isRate && (b < a || startsAnew) ? b : b - a
      return .float(isRate ? difference / interval : difference)
    case (.histogram(let a), .histogram(let b)):
      return instantRate(a, b, isRate: isRate, startsAnew: startsAnew, interval: interval)
    default:
      remark(.mixedFloatsHistograms(metric: metric))
      return nil
    }
  }

  private mutating func instantRate(
    _ a: FloatHistogram, _ b: FloatHistogram, isRate: Bool, startsAnew: Bool, interval: Double
  ) -> SampleValue? {
    let areGauges = a.counterResetHint == .gauge && b.counterResetHint == .gauge
    if isRate && (a.counterResetHint == .gauge || b.counterResetHint == .gauge) {
      remark(.histogramNotCounter(metric: metric))
    }
    if !isRate && !areGauges { remark(.histogramNotGauge(metric: metric)) }
    var result = b
    if !isRate || !(startsAnew || b.detectReset(since: a)) {
      guard let difference = subtracting(a, from: b) else { return nil }
      result = difference
    }
    result.counterResetHint = .gauge
    result.compact()
    if isRate { result.divide(by: interval) }
    return .histogram(result)
  }

  // `anchored` and `smoothed`

  private mutating func extendedRate(isCounter: Bool, isRate: Bool) -> SampleValue? {
    let points = Array(histograms)
    var last = points.count - 1
    let first = max(0, (points[..<last].firstIndex { $0.timestamp > start } ?? last) - 1)
    let isSmoothed = extent == .smoothed
    if isSmoothed { last = points[..<last].firstIndex { $0.timestamp >= end } ?? last }
    if points[last].timestamp <= start { return nil }
    if isSmoothed && points[first].timestamp > end { return nil }
    guard isUniform(points[first...last], isCounter: isCounter) else { return nil }
    var left = points[first].value
    if isSmoothed && points[first].timestamp < start {
      guard
        let value = interpolate(points[first], points[first + 1], at: start, isCounter: isCounter)
      else { return nil }
      left = value
    }
    var right = points[last].value
    if isSmoothed && last > 0 && points[last].timestamp > end {
      guard
        let value = interpolate(points[last - 1], points[last], at: end, isCounter: isCounter)
      else { return nil }
      right = value
    }
    if !isCounter && (left.counterResetHint != .gauge || right.counterResetHint != .gauge) {
      remark(.histogramNotGauge(metric: metric))
    }
    guard var result = subtracting(left, from: right) else { return nil }
    if isCounter {
      guard let sum = addResets(to: result, points, first, last, left, right) else { return nil }
      result = sum
    }
    if isRate { result.divide(by: seconds) }
    result.counterResetHint = .gauge
    return .histogram(result.compacted())
  }

  private mutating func isUniform(_ points: ArraySlice<Histogram>, isCounter: Bool) -> Bool {
    let custom = points.first?.value.usesCustomBuckets
    for point in points {
      if point.value.usesCustomBuckets != custom {
        remark(.mixedExponentialCustom(metric: metric))
        return false
      }
      if isCounter && point.value.counterResetHint == .gauge {
        remark(.histogramNotCounter(metric: metric))
      }
    }
    return true
  }

  /// The histogram between two; a reset of a counter counts from zero.
  mutating func interpolate(
    _ a: Histogram, _ b: Histogram, at time: Int64, isCounter: Bool
  ) -> FloatHistogram? {
    if time == a.timestamp { return a.value }
    if time == b.timestamp { return b.value }
    let fraction = Double(time - a.timestamp) / Double(b.timestamp - a.timestamp)
    if a.value.usesCustomBuckets != b.value.usesCustomBuckets {
      remark(.mixedExponentialCustom(metric: metric))
      return nil
    }
    if isCounter && b.value.detectReset(since: a.value) {
      return b.value.multiplied(by: fraction)
    }
    guard let difference = subtracting(a.value, from: b.value) else { return nil }
    return adding(a.value, to: difference.multiplied(by: fraction))
  }

  /// Adds what was counted before each reset between the bounds.
  private mutating func addResets(
    to increase: FloatHistogram, _ points: [Histogram], _ first: Int, _ last: Int,
    _ left: FloatHistogram, _ right: FloatHistogram
  ) -> FloatHistogram? {
    var previous = left
    var next = first + 1
    if extent == .smoothed && points[first].timestamp < start
      && points[first + 1].value.detectReset(since: points[first].value)
    {
      // The interpolated left edge has dealt with this reset.
      previous = points[first + 1].value
      next += 1
    }
    // The last sample is not looked at as such: `right` is it, or inherits its hint.
    if next > last { return increase }
    var result = increase
    for point in points[next..<last] {
      if point.value.detectReset(since: previous) {
        guard let sum = adding(previous, to: result) else { return nil }
        result = sum
      }
      previous = point.value
    }
    if right.detectReset(since: previous) { return adding(previous, to: result) }
    return result
  }
}
