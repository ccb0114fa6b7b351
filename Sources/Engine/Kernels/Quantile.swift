import Model

enum Quantile {
  /// Whether a quantile is one.
  static func isValid(_ q: Double) -> Bool { q >= 0 && q <= 1 }

  /// The answer for a quantile outside 0…1, nil for a proper one.
  @inline(__always)
  static func outside(_ q: Double) -> Double? {
    if q.isNaN { return .nan }
    if q < 0 { return -.infinity }
    if q > 1 { return .infinity }
    return nil
  }

  /// NaN sorts before every number.
  @inline(__always)
  static func precedes(_ a: Double, _ b: Double) -> Bool { a.isNaN ? !b.isNaN : a < b }

  /// The quantile of values, interpolated between the two nearest; moves them about.
  static func ofValues(_ q: Double, _ values: inout [Double]) -> Double {
    if values.isEmpty { return .nan }
    if let outside = outside(q) { return outside }
    let n = Double(values.count)
    let rank = q * (n - 1)
    let lower = max(0, rank.rounded(.down))
    let upper = min(n - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    let (a, b) = values.withUnsafeMutableBufferPointer { neighbours($0, at: Int(lower)) }
    return a * (1 - weight) + (upper > lower ? b : a) * weight
  }

  /// The values that sorting would put at a place and at the next one, if there is one.
  private static func neighbours(
    _ lent: UnsafeMutableBufferPointer<Double>, at place: Int
  ) -> (Double, Double) {
    var values = lent
    var low = 0
    var high = values.count - 1
    var rounds = 0
    while low < high {
      rounds += 1
      if rounds > 100 {
        // As good as never: pivots that divide nothing.
        values.sort(by: precedes)
        break
      }
      let pivot = median(values[low], values[low + (high - low) / 2], values[high])
      var i = low
      var j = high
      while i <= j {
        while precedes(values[i], pivot) { i += 1 }
        while precedes(pivot, values[j]) { j -= 1 }
        if i > j { break }
        values.swapAt(i, j)
        i += 1
        j -= 1
      }
      if place <= j {
        high = j
      } else if place >= i {
        low = i
      } else {
        break
      }
    }
    var next = place + 1 < values.count ? values[place + 1] : values[place]
    for i in Swift.min(place + 2, values.count)..<values.count where precedes(values[i], next) {
      next = values[i]
    }
    return (values[place], next)
  }

  @inline(__always)
  private static func median(_ a: Double, _ b: Double, _ c: Double) -> Double {
    let (low, high) = precedes(b, a) ? (b, a) : (a, b)
    return precedes(c, low) ? low : precedes(high, c) ? high : c
  }
}
