import Model

/// Range functions whose windows over one series, step after step, need not be read from their
/// beginning.
///
/// What was found in one window helps with the next: where a counter fell, which values may still
/// become the largest. Every result has the bits of the function's kernel for one window.
enum SlidingForm {
  case rate(isCounter: Bool, isRate: Bool)
  case extreme(isMax: Bool)
  case sum, mean, changes, resets

  /// The form of a function, if it has one.
  init?(_ function: RangeFunction) {
    switch function {
    case .rate: self = .rate(isCounter: true, isRate: true)
    case .increase: self = .rate(isCounter: true, isRate: false)
    case .delta: self = .rate(isCounter: false, isRate: false)
    case .min: self = .extreme(isMax: false)
    case .max: self = .extreme(isMax: true)
    case .sum: self = .sum
    case .avg: self = .mean
    case .changes: self = .changes
    case .resets: self = .resets
    default: return nil
    }
  }
}

/// The windows over one series; they move forward only.
struct SlidingWindows {
  private let form: SlidingForm
  private var times: UnsafePointer<Int64>
  private var values: UnsafePointer<Double>
  /// Places of the series: where it falls, or those that may become extreme, ascending.
  private var places: [Int32] = []
  /// The first of the places that the window at hand can use.
  private var next = 0
  /// The places that have been looked at.
  private var end = 0
  /// Sums or numbers of all samples before each place.
  private var totals: [Double] = []

  /// Nothing yet; `begin` comes first.
  init(_ form: SlidingForm) {
    self.form = form
    let nothing = UnsafeMutablePointer<Double>(bitPattern: 8)
    guard let nothing else { preconditionFailure("an address that is not zero is one") }
    values = UnsafePointer(nothing)
    times = UnsafeRawPointer(nothing).assumingMemoryBound(to: Int64.self)
  }

  /// Turns to a series; false if its windows must be read one by one.
  mutating func begin(
    _ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int
  ) -> Bool {
    self.times = times
    self.values = values
    places.removeAll(keepingCapacity: true)
    next = 0
    end = 0
    switch form {
    case .rate(isCounter: true, _): listFalls(count)
    case .rate, .extreme: break
    case .sum, .mean: return addUp(count)
    case .changes: countPairs(count) { $1 != $0 && !($1.isNaN && $0.isNaN) }
    case .resets: countPairs(count) { $1 < $0 }
    }
    return true
  }

  private mutating func listFalls(_ count: Int) {
    for i in 1..<max(1, count) where values[i] < values[i - 1] { places.append(Int32(i)) }
  }

  private mutating func countPairs(_ count: Int, _ isOne: (Double, Double) -> Bool) {
    totals.removeAll(keepingCapacity: true)
    totals.reserveCapacity(count)
    var total = 0.0
    for i in 0..<count {
      if i > 0 && isOne(values[i - 1], values[i]) { total += 1 }
      totals.append(total)
    }
  }

  /// Adds up whole numbers; false if there are others, whose sums depend on where they begin.
  private mutating func addUp(_ count: Int) -> Bool {
    totals.removeAll(keepingCapacity: true)
    totals.reserveCapacity(count + 1)
    var total = 0.0
    var most = 0.0
    totals.append(0)
    for i in 0..<count {
      let value = values[i]
      most += value.magnitude
      // No sum of a part is rounded then.
      guard most <= 9_007_199_254_740_992, value == value.rounded(.towardZero) else { return false }
      total += value
      totals.append(total)
    }
    return true
  }

  /// The result for the samples at `low..<high`, at least one; `SpecialValue.absent` for none.
  @inline(__always)
  mutating func result(_ low: Int, _ high: Int, start: Int64, end: Int64, seconds: Double) -> Double
  {
    switch form {
    case .rate(let isCounter, let isRate):
      if high - low < 2 { return SpecialValue.absent }
      var result = values[high - 1] - values[low]
      if isCounter {
        while next < places.count && Int(places[next]) <= low { next += 1 }
        var fall = next
        while fall < places.count && Int(places[fall]) < high {
          result += values[Int(places[fall]) - 1]
          fall += 1
        }
      }
      return result
        * RateKernel.factor(
          result, start: start, end: end, seconds: seconds, firstTime: times[low],
          lastTime: times[high - 1], intervals: high - low - 1, firstCount: values[low],
          isCounter: isCounter, isRate: isRate)
    case .extreme(let isMax): return isMax ? extreme(low, high, >) : extreme(low, high, <)
    case .sum: return totals[high] - totals[low]
    case .mean: return (totals[high] - totals[low]) / Double(high - low)
    case .changes, .resets: return totals[high - 1] - totals[low]
    }
  }

  /// Keeps the places of values that no later one beats; the first of them is the answer.
  @inline(__always)
  private mutating func extreme(
    _ low: Int, _ high: Int, _ beats: (Double, Double) -> Bool
  ) -> Double {
    for i in max(end, low)..<max(end, high) where !values[i].isNaN {
      while places.count > next, beats(values[i], values[Int(places[places.count - 1])]) {
        places.removeLast()
      }
      places.append(Int32(i))
    }
    end = max(end, high)
    while next < places.count && Int(places[next]) < low { next += 1 }
    // NaN yields to any number.
    return next < places.count ? values[Int(places[next])] : values[high - 1]
  }
}
