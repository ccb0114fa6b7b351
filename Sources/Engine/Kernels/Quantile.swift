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

  /// The quantile of values, interpolated between the two nearest; sorts them.
  static func ofValues(_ q: Double, _ values: inout [Double]) -> Double {
    if values.isEmpty { return .nan }
    if let outside = outside(q) { return outside }
    values.sort(by: precedes)
    let n = Double(values.count)
    let rank = q * (n - 1)
    let lower = max(0, rank.rounded(.down))
    let upper = min(n - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    return values[Int(lower)] * (1 - weight) + values[Int(upper)] * weight
  }
}
