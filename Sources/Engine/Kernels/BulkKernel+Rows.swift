import Model
import Storage

/// Over many series at once: neighbouring columns of one source, a sample in every row.
///
/// The loops run along rows, so that the compiler takes several series in one instruction. Inside a
/// series the order of operations is that of the kernels for one window: both give the same bits.
extension BulkKernel {
  /// Computes one number per column; false if there are too few rows for any.
  func apply(
    _ run: RowRun, _ times: WindowTimes, into out: UnsafeMutablePointer<Double>,
    scratch: inout [Double]
  ) -> Bool {
    switch self {
    case .rate(let isCounter, let isRate):
      if run.rowCount < 2 { return false }
      Self.increase(run, isCounter: isCounter, into: out)
      Self.extrapolate(run, times, isCounter: isCounter, isRate: isRate, out)
    case .extreme(let isMax): Self.extreme(run, isMax: isMax, into: out)
    case .sum:
      Self.sum(run, into: out, &scratch)
      for k in 0..<run.count { out[k] = out[k].isInfinite ? out[k] : out[k] + scratch[k] }
    case .mean:
      Self.sum(run, into: out, &scratch)
      Self.mean(run, out, scratch)
    case .count:
      for k in 0..<run.count { out[k] = Double(run.rowCount) }
    case .changes:
      Self.transitions(run, into: out) { $1 != $0 && !($1.isNaN && $0.isNaN) }
    case .resets: Self.transitions(run, into: out) { $1 < $0 }
    case .present: out.update(repeating: 1, count: run.count)
    case .first: out.update(from: run.row(0), count: run.count)
    case .last: out.update(from: run.row(run.rowCount - 1), count: run.count)
    case .step(let isRate): return Self.step(run, isRate: isRate, into: out)
    case .variance(let takesRoot):
      Self.variance(run, into: out, &scratch)
      if takesRoot { for k in 0..<run.count { out[k] = out[k].squareRoot() } }
    }
    return true
  }

  /// As `InstantRateKernel`.
  private static func step(
    _ run: RowRun, isRate: Bool, into out: UnsafeMutablePointer<Double>
  ) -> Bool {
    if run.rowCount < 2 { return false }
    let place = run.rowCount - 1
    let interval = run.timestamps[place] - run.timestamps[place - 1]
    if interval == 0 { return false }
    let last = run.row(place)
    let previous = run.row(place - 1)
    if !isRate {
      for k in 0..<run.count { out[k] = last[k] - previous[k] }
      return true
    }
    let seconds = Double(interval) / 1000
    for k in 0..<run.count {
      let difference = last[k] < previous[k] ? last[k] : last[k] - previous[k]
      out[k] = difference / seconds
    }
    return true
  }

  /// As `VarianceKernel`, without the root.
  private static func variance(
    _ run: RowRun, into out: UnsafeMutablePointer<Double>, _ scratch: inout [Double]
  ) {
    let width = run.count
    if scratch.count < width * 3 { scratch = [Double](repeating: 0, count: width * 3) }
    scratch.withUnsafeMutableBufferPointer { scratch in
      guard let means = scratch.baseAddress else { return }
      let lostMeans = means + width
      let lostSquares = lostMeans + width
      means.update(repeating: 0, count: width * 3)
      out.update(repeating: 0, count: width)
      for r in 0..<run.rowCount {
        let row = run.row(r)
        let count = Double(r + 1)
        for k in 0..<width {
          var mean = CompensatedSum(means[k])
          mean.compensation = lostMeans[k]
          let delta = row[k] - (mean.sum + mean.compensation)
          mean.add(delta / count)
          var squares = CompensatedSum(out[k])
          squares.compensation = lostSquares[k]
          squares.add(delta * (row[k] - (mean.sum + mean.compensation)))
          means[k] = mean.sum
          lostMeans[k] = mean.compensation
          out[k] = squares.sum
          lostSquares[k] = squares.compensation
        }
      }
      let count = Double(run.rowCount)
      for k in 0..<width { out[k] = (out[k] + lostSquares[k]) / count }
    }
  }

  /// Last minus first, and what was counted before each reset.
  private static func increase(
    _ run: RowRun, isCounter: Bool, into out: UnsafeMutablePointer<Double>
  ) {
    let first = run.row(0)
    let last = run.row(run.rowCount - 1)
    let count = run.count
    for k in 0..<count { out[k] = last[k] - first[k] }
    if !isCounter { return }
    var previous = first
    for r in 1..<run.rowCount {
      let row = run.row(r)
      for k in 0..<count {
        let before = previous[k]
        let sum = out[k]
        out[k] = row[k] < before ? sum + before : sum
      }
      previous = row
    }
  }

  /// As `RateKernel.factor`, with what all columns share computed once.
  private static func extrapolate(
    _ run: RowRun, _ times: WindowTimes, isCounter: Bool, isRate: Bool,
    _ out: UnsafeMutablePointer<Double>
  ) {
    let firstTime = run.timestamps[0]
    let lastTime = run.timestamps[run.rowCount - 1]
    let sampled = Double(lastTime - firstTime) / 1000
    let average = sampled / Double(run.rowCount - 1)
    let threshold = average * 1.1
    var toStart = Double(firstTime - (times.first - times.range)) / 1000
    if toStart >= threshold { toStart = average / 2 }
    var toEnd = Double(times.first - lastTime) / 1000
    if toEnd >= threshold { toEnd = average / 2 }
    let first = run.row(0)
    let seconds = times.seconds
    for k in 0..<run.count {
      let increase = out[k]
      var left = toStart
      if isCounter {
        let toZero = sampled * (first[k] / increase)
        left = increase > 0 && first[k] >= 0 && toZero < toStart ? toZero : toStart
      }
      let factor = (sampled + left + toEnd) / sampled
      out[k] = increase * (isRate ? factor / seconds : factor)
    }
  }

  /// Counts the neighbours in time of which a condition holds.
  @inline(__always)
  private static func transitions(
    _ run: RowRun, into out: UnsafeMutablePointer<Double>,
    _ isOne: (_ before: Double, _ after: Double) -> Bool
  ) {
    let count = run.count
    out.update(repeating: 0, count: count)
    var previous = run.row(0)
    for r in 1..<Swift.max(1, run.rowCount) {
      let row = run.row(r)
      for k in 0..<count { out[k] += isOne(previous[k], row[k]) ? 1 : 0 }
      previous = row
    }
  }

  private static func extreme(
    _ run: RowRun, isMax: Bool, into out: UnsafeMutablePointer<Double>
  ) {
    let count = run.count
    out.update(from: run.row(0), count: count)
    for r in 1..<Swift.max(1, run.rowCount) {
      let row = run.row(r)
      if isMax {
        for k in 0..<count {
          let best = out[k]
          out[k] = row[k] > best || best.isNaN ? row[k] : best
        }
      } else {
        for k in 0..<count {
          let best = out[k]
          out[k] = row[k] < best || best.isNaN ? row[k] : best
        }
      }
    }
  }

  /// Sums in `out`, what they lost in `lost`.
  private static func sum(
    _ run: RowRun, into out: UnsafeMutablePointer<Double>, _ lost: inout [Double]
  ) {
    let count = run.count
    if lost.count < count { lost = [Double](repeating: 0, count: count) }
    lost.withUnsafeMutableBufferPointer { lost in
      for k in 0..<count {
        out[k] = 0
        lost[k] = 0
      }
      for r in 0..<run.rowCount {
        let row = run.row(r)
        for k in 0..<count {
          var sum = CompensatedSum(out[k])
          sum.compensation = lost[k]
          sum.add(row[k])
          out[k] = sum.sum
          lost[k] = sum.compensation
        }
      }
    }
  }

  private static func mean(
    _ run: RowRun, _ out: UnsafeMutablePointer<Double>, _ lost: [Double]
  ) {
    let n = Double(run.rowCount)
    for k in 0..<run.count {
      if out[k].isFinite {
        out[k] = out[k] / n + lost[k] / n
        continue
      }
      // The sum has overflowed, or a value is not finite: the mean is made step by step.
      var mean = CompensatedMean(first: run.row(0)[k])
      for r in 1..<Swift.max(1, run.rowCount) { mean.add(run.row(r)[k]) }
      out[k] = mean.value
    }
  }
}
