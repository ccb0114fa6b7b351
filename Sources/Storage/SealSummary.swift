/// What a sealed column knows of its values without reading them.
///
/// Stale markers and absent cells are not values; any other NaN is one.
struct SealSummary: Equatable {
  /// The number of values.
  var count = 0
  /// The places of the first and the last value among the sealed rows.
  var firstIndex = 0
  var lastIndex = 0
  var first = 0.0
  var last = 0.0
  /// The smallest and the largest value, NaN only if all are.
  var min = Double.nan
  var max = Double.nan
  /// Neumaier's compensated sum in order, and its compensation.
  var sum = 0.0
  var compensation = 0.0
  /// What the resets took away: the sum of the values before each fall.
  var correction = 0.0
  var changes = 0
  var resets = 0
  var hasStale = false
  var hasAbsent = false

  init() {}

  /// Adds to a compensated sum as Prometheus does.
  @inline(__always)
  static func add(_ value: Double, _ sum: inout Double, _ compensation: inout Double) {
    let total = sum + value
    if total.isInfinite {
      compensation = 0
    } else if abs(sum) >= abs(value) {
      compensation += (sum - total) + value
    } else {
      compensation += (value - total) + sum
    }
    sum = total
  }

  /// Takes in the value at `index`, which must come after those before.
  @inline(__always)
  mutating func add(_ value: Double, at index: Int) {
    if count == 0 {
      first = value
      firstIndex = index
      min = value
      max = value
    } else {
      if value < last {
        correction += last
        resets &+= 1
      }
      if value != last && !(value.isNaN && last.isNaN) { changes &+= 1 }
      if value < min || min.isNaN { min = value }
      if value > max || max.isNaN { max = value }
    }
    last = value
    lastIndex = index
    count &+= 1
    Self.add(value, &sum, &compensation)
  }

  /// Takes in the values of later rows, of which only the summary is at hand.
  mutating func add(_ next: SealSummary) {
    guard next.count > 0 else { return }
    if count == 0 {
      self = next
      return
    }
    if next.first < last {
      correction += last
      resets &+= 1
    }
    if next.first != last && !(next.first.isNaN && last.isNaN) { changes &+= 1 }
    correction += next.correction
    resets &+= next.resets
    changes &+= next.changes
    if next.min < min || min.isNaN { min = next.min }
    if next.max > max || max.isNaN { max = next.max }
    last = next.last
    lastIndex = next.lastIndex
    count &+= next.count
    Self.add(next.sum, &sum, &compensation)
    if sum.isFinite { compensation += next.compensation }
  }

  /// Compares bits, so that NaN equals itself.
  static func == (a: SealSummary, b: SealSummary) -> Bool {
    a.count == b.count && a.firstIndex == b.firstIndex && a.lastIndex == b.lastIndex
      && a.first.bitPattern == b.first.bitPattern && a.last.bitPattern == b.last.bitPattern
      && a.min.bitPattern == b.min.bitPattern && a.max.bitPattern == b.max.bitPattern
      && a.sum.bitPattern == b.sum.bitPattern
      && a.compensation.bitPattern == b.compensation.bitPattern
      && a.correction.bitPattern == b.correction.bitPattern
      && a.changes == b.changes && a.resets == b.resets && a.hasStale == b.hasStale
      && a.hasAbsent == b.hasAbsent
  }
}
