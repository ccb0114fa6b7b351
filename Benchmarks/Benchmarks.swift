import Model

/// Measures the hot paths, each by itself, on made-up data that is the same in every run.
///
/// Prints one line per case: nanoseconds of processor time per unit in the best pass, and in the median pass. Arguments name the
/// cases to run (by part of their name); none runs all.
@main
struct Benchmarks {
  static func main() throws {
    let wanted = CommandLine.arguments.dropFirst()
    let cases: [(name: String, run: (Report) throws -> Void)] = [
      ("exposition", ExpositionCases.run), ("rows", RowCases.run),
      ("queries", QueryCases.run), ("long", LongWindowCases.run), ("daemon", DaemonCases.run),
    ]
    for (name, run) in cases where wanted.isEmpty || wanted.contains(where: name.contains) {
      try run(Report(group: name))
    }
  }
}

/// Prints what was measured as a row of a table.
struct Report {
  let group: String

  /// Runs `body` again and again for about half a second and prints its cost.
  ///
  /// - Parameter units: how many of `unit` one pass treats.
  func measure(_ name: String, units: Int, _ unit: String, _ body: () throws -> Void) rethrows {
    try body()
    var passes: [Int64] = []
    let end = Stopwatch.now() + 500_000_000
    while passes.count < 5 || (Stopwatch.now() < end && passes.count < 100_000) {
      let start = Stopwatch.now()
      try body()
      passes.append(Stopwatch.now() - start)
    }
    print(name, passes: passes, units: units, unit)
  }

  /// Prints the cost of passes that were timed elsewhere.
  func print(_ name: String, passes: [Int64], units: Int, _ unit: String) {
    let sorted = passes.sorted()
    guard let best = sorted.first else { return }
    let median = sorted[sorted.count / 2]
    let columns = [
      pad("\(group): \(name)", 66), rate(best, units), rate(median, units), "ns/\(unit)",
      "(\(units) × \(passes.count) passes)",
    ]
    Swift.print(columns.joined(separator: " "))
  }

  private func rate(_ nanoseconds: Int64, _ units: Int) -> String {
    let tenths = (Double(nanoseconds) / Double(units) * 10).rounded()
    let text = NumberText.plain(tenths / 10)
    return String(repeating: " ", count: max(0, 10 - text.utf8.count)) + text
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
