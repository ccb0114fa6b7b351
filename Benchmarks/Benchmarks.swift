import CAllocations
import Model

/// Measures the hot paths, each by itself, on made-up data that is the same in every run.
///
/// Prints one line per case: nanoseconds of processor time per unit in the best pass and in the
/// median pass, and the blocks of memory a pass asks for. Arguments name the cases to run (by part
/// of their name); none runs all but `growth`, which needs a minute and a gigabyte.
@main
struct Benchmarks {
  static func main() throws {
    let wanted = CommandLine.arguments.dropFirst()
    let cases: [(name: String, run: (Report) throws -> Void)] = [
      ("exposition", ExpositionCases.run), ("rows", RowCases.run),
      ("queries", QueryCases.run), ("operators", OperatorCases.run),
      ("long", LongWindowCases.run), ("daemon", DaemonCases.run), ("parallel", ParallelCases.run),
      ("growth", GrowthCases.run),
    ]
    for (name, run) in cases {
      let isWanted = wanted.isEmpty ? name != "growth" : wanted.contains(where: name.contains)
      if isWanted { try run(Report(group: name)) }
    }
  }
}

/// Prints what was measured as a row of a table.
struct Report {
  let group: String

  /// The cost of a body that was run again and again.
  struct Cost {
    var passes: [Int64] = []
    /// Blocks of memory that all passes asked for.
    var allocations: UInt64 = 0

    /// Nanoseconds of the fastest pass.
    var best: Int64 { passes.min() ?? 0 }
  }

  /// Runs `body` again and again for about half a second and prints its cost.
  ///
  /// - Parameter units: how many of `unit` one pass treats.
  func measure(_ name: String, units: Int, _ unit: String, _ body: () throws -> Void) rethrows {
    let cost = try Self.cost(of: body)
    print(
      name, passes: cost.passes, units: units, unit,
      allocations: Double(cost.allocations) / Double(cost.passes.count))
  }

  /// Runs `body` again and again after a first time that does not count.
  static func cost(
    _ milliseconds: Int64 = 500, of body: () throws -> Void
  ) rethrows -> Cost {
    try body()
    var cost = Cost()
    let end = Stopwatch.now() + milliseconds * 1_000_000
    while cost.passes.count < 5 || (Stopwatch.now() < end && cost.passes.count < 100_000) {
      let before = allocations_of_thread()
      let start = Stopwatch.now()
      try body()
      let passed = Stopwatch.now() - start
      cost.allocations += allocations_of_thread() - before
      cost.passes.append(passed)
    }
    return cost
  }

  /// Prints the cost of passes that were timed elsewhere.
  func print(
    _ name: String, passes: [Int64], units: Int, _ unit: String, allocations: Double? = nil
  ) {
    let sorted = passes.sorted()
    guard let best = sorted.first else { return }
    let median = sorted[sorted.count / 2]
    var columns = [
      pad("\(group): \(name)", 66), rate(best, units), rate(median, units), "ns/\(unit)",
      "(\(units) × \(passes.count) passes)",
    ]
    if let allocations { columns.append("\(Self.tenths(allocations)) allocations") }
    Swift.print(columns.joined(separator: " "))
  }

  private func rate(_ nanoseconds: Int64, _ units: Int) -> String {
    let text = Self.tenths(Double(nanoseconds) / Double(units))
    return String(repeating: " ", count: max(0, 10 - text.utf8.count)) + text
  }

  /// A number with one decimal place at most.
  static func tenths(_ number: Double) -> String {
    NumberText.plain((number * 10).rounded() / 10)
  }

  func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
