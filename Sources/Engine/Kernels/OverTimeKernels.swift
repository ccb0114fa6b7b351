import Glibc
import Model

/// `sum_over_time`.
struct SumKernel: RangeKernel {
  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var sum = CompensatedSum()
    for i in 0..<w.count { sum.add(w.values[i]) }
    return sum.value
  }
}

/// `avg_over_time`.
struct MeanKernel: RangeKernel {
  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var mean = CompensatedMean(first: w.values[0])
    for i in 1..<Swift.max(1, w.count) { mean.add(w.values[i]) }
    return mean.value
  }
}

/// `count_over_time`, `present_over_time`, `first_over_time`, `last_over_time` and the times of the
/// two.
struct EdgeKernel: RangeKernel {
  enum What {
    case count, present, first, last, timeOfFirst, timeOfLast
  }

  let what: What

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    switch what {
    case .count: return Double(w.count)
    case .present: return 1
    case .first: return w.values[0]
    case .last: return w.values[w.count - 1]
    case .timeOfFirst: return Double(w.times[0]) / 1000
    case .timeOfLast: return Double(w.times[w.count - 1]) / 1000
    }
  }
}

/// `min_over_time`, `max_over_time`; NaN yields to any number.
struct ExtremeKernel: RangeKernel {
  let isMax: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var best = w.values[0]
    for i in 1..<Swift.max(1, w.count) {
      let value = w.values[i]
      if (isMax ? value > best : value < best) || best.isNaN { best = value }
    }
    return best
  }
}

/// `ts_of_min_over_time`, `ts_of_max_over_time`: the last of equal ones.
struct TimeOfExtremeKernel: RangeKernel {
  let isMax: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var best = w.values[0]
    var time = w.times[0]
    for i in 0..<w.count {
      let value = w.values[i]
      if (isMax ? value >= best : value <= best) || best.isNaN {
        best = value
        time = w.times[i]
      }
    }
    return Double(time) / 1000
  }
}

/// `stddev_over_time`, `stdvar_over_time`.
struct VarianceKernel: RangeKernel {
  let takesRoot: Bool

  @inline(__always)
  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    var count = 0.0
    var mean = CompensatedSum()
    var squares = CompensatedSum()
    for i in 0..<w.count {
      count += 1
      let value = w.values[i]
      let delta = value - (mean.sum + mean.compensation)
      mean.add(delta / count)
      squares.add(delta * (value - (mean.sum + mean.compensation)))
    }
    let variance = (squares.sum + squares.compensation) / count
    return takesRoot ? variance.squareRoot() : variance
  }
}

/// `quantile_over_time` (p0 is the quantile) and `mad_over_time`.
struct QuantileKernel: RangeKernel {
  let isMedianDeviation: Bool
  let scratch: SortScratch

  func apply(_ w: FloatWindow) -> Double {
    if w.count == 0 { return SpecialValue.absent }
    scratch.values.removeAll(keepingCapacity: true)
    for i in 0..<w.count { scratch.values.append(w.values[i]) }
    if !isMedianDeviation { return Quantile.ofValues(w.p0, &scratch.values) }
    let median = Quantile.ofValues(0.5, &scratch.values)
    scratch.values.removeAll(keepingCapacity: true)
    for i in 0..<w.count {
      if w.values[i].isNaN { return .nan }
      scratch.values.append((w.values[i] - median).magnitude)
    }
    return Quantile.ofValues(0.5, &scratch.values)
  }
}

/// A buffer that is sorted again and again.
final class SortScratch {
  var values: [Double] = []
}
