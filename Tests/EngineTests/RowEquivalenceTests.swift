import Engine
import Model
import PromQL
import Storage
import TestSupport
import Testing

/// Scraped rows take faster paths than samples with times of their own; the bits must be the same.
@Suite struct RowEquivalenceTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func rowsAnswerAsSamplesDo(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let rows = Store(StoreSettings(keep: .all, retention: .hours(1)))
    let samples = Store(StoreSettings(keep: .all, retention: .hours(1)))
    let source = rows.openSource("target")
    let labels = (0..<40).map {
      LabelSet([("__name__", "x_total"), ("i", "\($0)"), ("j", "\($0 % 3)")])
    }
    let columns = labels.map { rows.column(for: $0, in: source, always: true) }
    var values = [Double](repeating: 0, count: labels.count)
    for tick in 0..<60 {
      let t = Timestamp(
        milliseconds: Int64(tick) * 15_000 + Int64.random(in: 0..<9, using: &random))
      var row = try rows.beginRow(source, at: t)
      for i in labels.indices {
        // Most series have no gaps; some skip beats, reset, or turn into odd numbers.
        let dice = Int.random(in: 0..<200, using: &random)
        if i % 5 == 0 && dice < 20 { continue }
        values[i] =
          switch dice {
          case 20..<24: 0
          case 24 where i % 7 == 0: .nan
          case 25 where i % 11 == 0: .infinity
          default: values[i] + Double.random(in: -0.01..<1, using: &random)
          }
        if let column = columns[i] { row.set(column, values[i]) }
        try samples.append(labels[i], at: t, .float(values[i]))
      }
      rows.commit(row, markMissingStale: false)
    }
    for function in [
      "rate", "increase", "delta", "irate", "max_over_time", "min_over_time", "sum_over_time",
      "avg_over_time", "count_over_time", "stddev_over_time", "changes", "last_over_time",
      "idelta", "resets", "first_over_time", "present_over_time", "stdvar_over_time", "deriv",
    ] {
      for text in ["\(function)(x_total[3m])", "sum by (j) (\(function)(x_total[1m] offset 1m))"] {
        let expr = try PromQLParser.parse(text)
        let fast = try Plan(expr, store: rows, standing: true)
        let slow = try Plan(expr, store: samples, standing: false)
        for tick in 20..<60 {
          let t = Timestamp(milliseconds: Int64(tick) * 15_000 + 5)
          #expect(try Self.bits(fast, t) == Self.bits(slow, t), "\(text) at tick \(tick)")
        }
      }
    }
  }

  private static func bits(_ plan: Plan, _ t: Timestamp) throws -> [String] {
    guard case .vector(let samples) = try plan.instant(at: t).value else { return [] }
    return samples.map { sample in
      guard case .float(let value) = sample.value else { return "histogram" }
      // Which of several NaNs an operation yields is the processor's choice.
      let bits = value.isNaN ? "NaN" : String(value.bitPattern, radix: 16)
      return "\(sample.labels) \(bits)"
    }
  }
}
