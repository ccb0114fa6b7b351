import Model
import Storage

/// The `anchored` and `smoothed` forms of a range: values at the window's bounds come from samples
/// around them.
enum ExtendedRange {
  enum Mode: String {
    case none, anchored, smoothed
  }

  /// The functions each form allows, as Prometheus lists them.
  static let anchoredFunctions = ["changes", "delta", "increase", "rate", "resets"]
  static let smoothedFunctions = ["delta", "increase", "rate"]

  /// The value between two samples; a reset of a counter counts from zero.
  @inline(__always)
  static func interpolate(
    _ t1: Int64, _ v1: Double, _ t2: Int64, _ v2: Double, at time: Int64, isCounter: Bool
  ) -> Double {
    let from = isCounter && v2 < v1 ? 0 : v1
    return from + (v2 - from) * Double(time - t1) / Double(t2 - t1)
  }

  /// First index in `0..<limit` whose time fulfils a monotonic condition, else `limit`.
  static func search(
    _ times: UnsafePointer<Int64>, _ limit: Int, _ condition: (Int64) -> Bool
  ) -> Int {
    var low = 0
    var high = max(0, limit)
    while low < high {
      let middle = (low + high) / 2
      if condition(times[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The samples of an extended window that matter: the last one at or before the start … the end.
  static func bounds(_ w: FloatWindow, isSmoothed: Bool) -> (first: Int, last: Int)? {
    var last = w.count - 1
    let first = max(0, search(w.times, last) { $0 > w.start } - 1)
    if isSmoothed { last = search(w.times, last) { $0 >= w.end } }
    if w.times[last] <= w.start { return nil }
    if isSmoothed && w.times[first] > w.end { return nil }
    return (first, last)
  }

  /// `rate`, `increase` or `delta` of an extended window.
  static func rate(
    _ w: FloatWindow, isCounter: Bool, isRate: Bool, isSmoothed: Bool
  ) -> Double {
    guard var (first, last) = bounds(w, isSmoothed: isSmoothed) else {
      return SpecialValue.absent
    }
    let (left, right) = edges(w, first, last, isSmoothed: isSmoothed, isCounter: isCounter)
    var result = right - left
    if isCounter {
      // The edges have dealt with resets across the bounds; these are the ones strictly inside.
      if w.times[first] <= w.start { first += 1 }
      if w.times[last] >= w.end { last -= 1 }
      var previous = left
      if first <= last {
        for i in first...last {
          if w.values[i] < previous { result += previous }
          previous = w.values[i]
        }
      }
      if right < previous { result += previous }
    }
    return isRate ? result / w.seconds : result
  }

  /// The values at the bounds of an extended window.
  static func edges(
    _ w: FloatWindow, _ first: Int, _ last: Int, isSmoothed: Bool, isCounter: Bool
  ) -> (left: Double, right: Double) {
    var left = w.values[first]
    if isSmoothed && w.times[first] < w.start {
      left = interpolate(
        w.times[first], w.values[first], w.times[first + 1], w.values[first + 1], at: w.start,
        isCounter: isCounter)
    }
    var right = w.values[last]
    if isSmoothed && last > 0 && w.times[last] > w.end {
      right = interpolate(
        w.times[last - 1], w.values[last - 1], w.times[last], w.values[last], at: w.end,
        isCounter: isCounter)
    }
    return (left, right)
  }

  /// The samples of an extended window as a bare range selector shows them: with one at each bound.
  static func samples(_ w: FloatWindow, isSmoothed: Bool) -> [(Int64, Double)] {
    guard w.count > 0, var (first, last) = bounds(w, isSmoothed: isSmoothed) else { return [] }
    let (left, right) = edges(w, first, last, isSmoothed: isSmoothed, isCounter: false)
    if w.times[first] <= w.start { first += 1 }
    if w.times[last] >= w.end { last -= 1 }
    var out = [(w.start, left)]
    if first <= last { for i in first...last { out.append((w.times[i], w.values[i])) } }
    out.append((w.end, right))
    return out
  }

  /// `changes` and `resets` of an anchored window begin at the last sample not after its start.
  static func anchoredFirst(_ w: FloatWindow) -> Int? {
    if w.count == 0 || w.times[w.count - 1] <= w.start { return nil }
    return max(0, search(w.times, w.count - 1) { $0 > w.start } - 1)
  }
}
