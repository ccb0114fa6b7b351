import Engine
import Model
import PromQL
import Storage
import TestSupport
import Testing

/// Windows over sealed rows are answered by summaries; the bits must be those of the samples.
@Suite struct LongWindowTests {
  private static let functions = [
    "rate", "increase", "delta", "min_over_time", "max_over_time", "sum_over_time",
    "avg_over_time", "count_over_time", "changes", "resets",
  ]

  @Test(arguments: [1, 2, 3] as [UInt64])
  func sealsAnswerAsSamplesDo(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var small = StoreSettings(keep: .all, retention: .hours(48))
    small.rawRows = 16
    small.sealRows = 8
    let rows = Store(small)
    let samples = Store(StoreSettings(keep: .all, retention: .hours(48)))
    let source = rows.openSource("target")
    let labels = (0..<24).map { LabelSet([("__name__", "x_total"), ("i", "\($0)")]) }
    let columns = labels.map { rows.column(for: $0, in: source, always: true) }
    var values = [Double](repeating: 0, count: labels.count)
    for tick in 0..<700 {
      let t = Timestamp(milliseconds: Int64(tick) * 15_000)
      var row = try rows.beginRow(source, at: t)
      for i in labels.indices {
        let dice = Int.random(in: 0..<400, using: &random)
        if i % 5 == 0 && dice < 20 { continue }
        values[i] = Self.next(values[i], kind: i % 8, dice, &random)
        if let column = columns[i] { row.set(column, values[i]) }
        try samples.append(labels[i], at: t, .float(values[i]))
      }
      rows.commit(row, markMissingStale: false)
      if tick % 40 == 0 { rows.sweep(now: t) }
    }
    for function in Self.functions {
      for text in ["\(function)(x_total[2h])", "\(function)(x_total[37m] offset 41m)"] {
        let expr = try PromQLParser.parse(text)
        let fast = try Plan(expr, store: rows, standing: true)
        let slow = try Plan(expr, store: samples, standing: false)
        for tick in stride(from: 400, to: 700, by: 23) {
          let t = Timestamp(milliseconds: Int64(tick) * 15_000 + 5)
          #expect(try Self.bits(fast, t) == Self.bits(slow, t), "\(text) at tick \(tick)")
        }
      }
    }
  }

  /// Counters with and without resets, whole and fractional gauges, constants, odd numbers.
  private static func next(
    _ value: Double, kind: Int, _ dice: Int, _ random: inout SeededGenerator
  ) -> Double {
    switch kind {
    case 0: return dice == 30 ? 0 : value + Double(Int.random(in: 0..<50, using: &random))
    case 1: return dice < 40 ? 1 : value + 3
    case 2: return Double(Int.random(in: -1000..<1000, using: &random))
    case 3: return Double.random(in: -1..<1, using: &random)
    case 4: return 42
    case 5: return dice == 31 ? .nan : dice == 32 ? .infinity : value.isFinite ? value + 0.25 : 1
    case 6: return dice < 200 ? value : 9_007_199_254_740_000 + Double(dice)
    default: return dice == 33 ? 0 : value + Double.random(in: 0..<0.3, using: &random)
    }
  }

  private static func bits(_ plan: Plan, _ t: Timestamp) throws -> [String] {
    guard case .vector(let samples) = try plan.instant(at: t).value else { return [] }
    return samples.map { sample in
      guard case .float(let value) = sample.value else { return "histogram" }
      return "\(sample.labels) \(value.isNaN ? "NaN" : String(value.bitPattern, radix: 16))"
    }
  }
}
