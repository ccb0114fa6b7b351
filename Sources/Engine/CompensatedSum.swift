/// Neumaier's form of Kahan's summation, as Prometheus sums.
struct CompensatedSum {
  var sum: Double
  var compensation: Double = 0

  @inline(__always)
  init(_ sum: Double = 0) { self.sum = sum }

  @inline(__always)
  mutating func add(_ increment: Double) {
    let total = sum + increment
    if total.isInfinite {
      compensation = 0
    } else if sum.magnitude >= increment.magnitude {
      compensation += (sum - total) + increment
    } else {
      compensation += (increment - total) + sum
    }
    sum = total
  }

  /// The sum with what was lost on the way.
  @inline(__always)
  var value: Double { sum.isInfinite ? sum : sum + compensation }
}

/// A mean that sums as long as the sum is finite and goes on incrementally when it would overflow.
struct CompensatedMean {
  private var sum: CompensatedSum
  private var mean = CompensatedSum()
  private var isIncremental = false
  private var count: Double = 1

  @inline(__always)
  init(first: Double) { sum = CompensatedSum(first) }

  @inline(__always)
  mutating func add(_ value: Double) {
    count += 1
    if !isIncremental {
      var next = sum
      next.add(value)
      if !next.sum.isInfinite {
        sum = next
        return
      }
      isIncremental = true
      mean.sum = sum.sum / (count - 1)
      mean.compensation = sum.compensation / (count - 1)
    }
    let q = (count - 1) / count
    mean.sum *= q
    mean.compensation *= q
    mean.add(value / count)
  }

  @inline(__always)
  var value: Double {
    isIncremental
      ? mean.sum + mean.compensation : sum.sum / count + sum.compensation / count
  }
}
