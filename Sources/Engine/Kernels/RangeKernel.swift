import Glibc
import Model

/// A pure function of one window of floats; `SpecialValue.absent` stands for no result.
///
/// The node picks a kernel once per block and runs it over all series and steps; each kernel type
/// gives its own specialised loop.
protocol RangeKernel {
  func apply(_ w: FloatWindow) -> Double
}

/// `rate`, `increase`, `delta`: Prometheus' extrapolation.
struct RateKernel: RangeKernel {
  let isCounter: Bool
  let isRate: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count < 2 { return SpecialValue.absent }
    let last = w.count - 1
    var result = w.values[last] - w.values[0]
    if isCounter {
      var previous = w.values[0]
      for i in 1...last {
        let value = w.values[i]
        if value < previous { result += previous }
        previous = value
      }
    }
    return Self.extrapolate(
      result, w, firstTime: w.times[0], lastTime: w.times[last], intervals: last,
      firstCount: w.values[0], isCounter: isCounter, isRate: isRate)
  }

  /// Stretches an increase between samples to the window.
  @inline(__always)
  static func extrapolate(
    _ result: Double, _ w: FloatWindow, firstTime: Int64, lastTime: Int64, intervals: Int,
    firstCount: Double, isCounter: Bool, isRate: Bool
  ) -> Double {
    result
      * factor(
        result, start: w.start, end: w.end, seconds: w.seconds, firstTime: firstTime,
        lastTime: lastTime, intervals: intervals, firstCount: firstCount, isCounter: isCounter,
        isRate: isRate)
  }

  /// What the increase is multiplied with.
  ///
  /// Samples near enough to a bound are taken to reach it; else half a sampling interval is added.
  /// A counter is not extrapolated below zero.
  @inline(__always)
  static func factor(
    _ result: Double, start: Int64, end: Int64, seconds: Double, firstTime: Int64,
    lastTime: Int64, intervals: Int, firstCount: Double, isCounter: Bool, isRate: Bool
  ) -> Double {
    var toStart = Double(firstTime - start) / 1000
    var toEnd = Double(end - lastTime) / 1000
    let sampled = Double(lastTime - firstTime) / 1000
    let average = sampled / Double(intervals)
    let threshold = average * 1.1
    if toStart >= threshold { toStart = average / 2 }
    if isCounter && result > 0 && firstCount >= 0 {
      let toZero = sampled * (firstCount / result)
      if toZero < toStart { toStart = toZero }
    }
    if toEnd >= threshold { toEnd = average / 2 }
    var factor = 1.0
    if sampled != 0 { factor = (sampled + toStart + toEnd) / sampled }
    if isRate { factor /= seconds }
    return factor
  }
}

/// `irate`, `idelta`: the last two samples.
struct InstantRateKernel: RangeKernel {
  let isRate: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count < 2 { return SpecialValue.absent }
    let last = w.values[w.count - 1]
    let previous = w.values[w.count - 2]
    let interval = w.times[w.count - 1] - w.times[w.count - 2]
    if interval == 0 { return SpecialValue.absent }
    let difference = isRate && last < previous ? last : last - previous
    return isRate ? difference / (Double(interval) / 1000) : difference
  }
}

/// `changes` and `resets`.
struct TransitionKernel: RangeKernel {
  let countsResets: Bool
  let isAnchored: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var first = 0
    if isAnchored {
      guard let anchor = ExtendedRange.anchoredFirst(w) else { return SpecialValue.absent }
      first = anchor
    }
    var n = 0
    var previous = w.values[first]
    for i in (first + 1)..<Swift.max(first + 1, w.count) {
      let value = w.values[i]
      if countsResets {
        if value < previous { n += 1 }
      } else if value != previous && !(value.isNaN && previous.isNaN) {
        n += 1
      }
      previous = value
    }
    return Double(n)
  }
}

/// `anchored` and `smoothed` rates.
struct ExtendedRateKernel: RangeKernel {
  let isCounter: Bool
  let isRate: Bool
  let isSmoothed: Bool

  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    return ExtendedRange.rate(w, isCounter: isCounter, isRate: isRate, isSmoothed: isSmoothed)
  }
}

/// `deriv` and `predict_linear`: least squares.
struct RegressionKernel: RangeKernel {
  let predicts: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count < 2 { return SpecialValue.absent }
    if !predicts { return Regression.line(w, origin: w.times[0]).slope }
    let line = Regression.line(w, origin: w.now)
    return line.slope * w.p0 + line.intercept
  }
}

enum Regression {
  /// Slope per second, and value at the origin, of the least-squares line.
  static func line(_ w: FloatWindow, origin: Int64) -> (slope: Double, intercept: Double) {
    var sumX = CompensatedSum()
    var sumY = CompensatedSum()
    var sumXY = CompensatedSum()
    var sumX2 = CompensatedSum()
    let firstY = w.values[0]
    var isConstant = true
    for i in 0..<w.count {
      let y = w.values[i]
      if isConstant && i > 0 && y != firstY { isConstant = false }
      let x = Double(w.times[i] - origin) / 1e3
      sumX.add(x)
      sumY.add(y)
      sumXY.add(x * y)
      sumX2.add(x * x)
    }
    if isConstant { return firstY.isInfinite ? (.nan, .nan) : (0, firstY) }
    let n = Double(w.count)
    let x = sumX.sum + sumX.compensation
    let y = sumY.sum + sumY.compensation
    let covariance = (sumXY.sum + sumXY.compensation) - x * y / n
    let variance = (sumX2.sum + sumX2.compensation) - x * x / n
    let slope = covariance / variance
    return (slope, y / n - slope * x / n)
  }
}

/// `double_exponential_smoothing`: p0 smooths, p1 follows the trend.
struct SmoothingKernel: RangeKernel {
  func apply(_ w: FloatWindow) -> Double {
    if w.count < 2 { return SpecialValue.absent }
    var before = 0.0
    var smoothed = w.values[0]
    var trend = w.values[1] - w.values[0]
    for i in 1..<w.count {
      if i > 1 { trend = w.p1 * (smoothed - before) + (1 - w.p1) * trend }
      let next = w.p0 * w.values[i] + (1 - w.p0) * (smoothed + trend)
      before = smoothed
      smoothed = next
    }
    return smoothed
  }
}
