import Engine
import Model
import PromQL
import Storage
import TestSupport
import Testing

/// Windows that slide over a series give the bits of windows read one by one.
@Suite struct SlidingWindowTests {
  /// Kinds of series; each has something that a window must not carry over to the next one.
  private enum Kind: CaseIterable {
    case counter, fallingCounter, wholeGauge, fractions, zeros, odd, huge

    func value(_ i: Int, _ before: Double, _ random: inout SeededGenerator) -> Double {
      let dice = Int.random(in: 0..<20, using: &random)
      switch self {
      case .counter: return before + Double(dice)
      case .fallingCounter: return dice < 4 ? Double(dice) : before + Double(dice) / 3
      case .wholeGauge: return Double(dice % 5 - 2)
      case .fractions: return Double(dice) / 7 - 1
      case .zeros: return [0, -0.0, 0, 1, -0.0][dice % 5]
      case .odd: return [.nan, .infinity, -.infinity, 1, 2, 3, .nan][dice % 7]
      case .huge: return Double(dice) * 0x1p52
      }
    }
  }

  private static let functions = [
    "rate", "increase", "delta", "min_over_time", "max_over_time", "sum_over_time",
    "avg_over_time", "changes", "resets", "deriv", "stddev_over_time", "irate",
  ]

  @Test(arguments: [1, 2, 3] as [UInt64])
  func aRangeEqualsItsInstants(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let store = Store(StoreSettings(keep: .all, retention: .hours(10)))
    for (number, kind) in Kind.allCases.enumerated() {
      var value = 0.0
      for i in 0..<120 where Int.random(in: 0..<12, using: &random) > 0 {
        value = kind.value(i, value, &random)
        try store.append(
          ["__name__": "x_total", "kind": "\(number)"],
          at: Timestamp(milliseconds: Int64(i) * 15_000), .float(value))
      }
    }
    for function in Self.functions {
      for window in ["20s", "1m", "7m"] {
        for text in [
          "\(function)(x_total[\(window)])", "\(function)(x_total[\(window)] offset 1m)",
        ] {
          let plan = try Plan(
            try PromQLParser.parse(text), store: store, settings: EngineSettings(), standing: false)
          let result = try plan.range(
            from: Timestamp(seconds: 30), through: Timestamp(seconds: 1900), step: .seconds(11))
          guard case .matrix(let series) = result.value else { continue }
          for one in series {
            for sample in one.samples {
              let expected = try Self.value(plan, one.labels, sample.timestamp)
              #expect(
                Self.bits(sample.value) == expected,
                "\(text) of \(one.labels) at \(sample.timestamp.milliseconds), seed \(seed)")
            }
          }
        }
      }
    }
  }

  private static func value(
    _ plan: Plan, _ labels: LabelSet, _ t: Timestamp
  ) throws -> String {
    guard case .vector(let samples) = try plan.instant(at: t).value else { return "no vector" }
    return samples.first { $0.labels == labels }.map { bits($0.value) } ?? "nothing"
  }

  private static func bits(_ value: SampleValue) -> String {
    guard case .float(let number) = value else { return "histogram" }
    // Which of several NaNs an operation yields is the processor's choice.
    return number.isNaN ? "NaN" : String(number.bitPattern, radix: 16)
  }

  @Test(arguments: [
    "a + on (i) b", "a * on (j) group_left () c", "a > b", "c / on (j) group_right (extra) a",
    "a == bool on (i) b", "b - a",
  ])
  func pairsKnownFromLabelsEqualPairsFound(text: String) throws {
    // A second series of the same group, gone long ago, makes pairs a matter of each step.
    var outcomes: [[String]] = []
    for extra in [false, true] {
      let world = try World(
        "a{i=\"1\",j=\"1\"} 1+1x50", "a{i=\"2\",j=\"1\"} 2 _x20 5x29", "a{i=\"3\",j=\"2\"} 7x50",
        "b{i=\"1\",j=\"1\"} 3x50", "b{i=\"2\",j=\"1\"} 2 _x10 9x39", "b{i=\"4\",j=\"2\"} 7x50",
        "c{j=\"1\",extra=\"e\"} 10x50", "c{j=\"2\",extra=\"f\"} 20 _x30 1x19")
      if extra {
        for line in [
          "a{i=\"1\",j=\"1\",k=\"k\"} 1", "b{i=\"1\",j=\"1\",k=\"k\"} 1",
          "c{j=\"1\",k=\"k\"} 1",
        ] {
          try world.load(line, step: .minutes(1))
        }
      }
      outcomes.append(try world.range(text, 600, 3000, 60))
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(!outcomes[0].isEmpty)
  }
}
