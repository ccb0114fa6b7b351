import ArgumentParser
import FoundationEssentials
import JSON

/// Runs every case found under a folder and counts what passes, kind by kind.
@main
struct ConformanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Runs conformance cases and counts what passes.",
    discussion: "Exit status: 0, or 1 when a number falls below the baseline.")

  @Argument(help: "The folder of cases.")
  var folder: String

  @Option(help: "Only kinds that start with this text.")
  var only: String?

  @Option(help: "How many failures to print per kind.")
  var failures = 0

  @Flag(help: "Print the numbers as JSON.")
  var json = false

  @Option(help: "A file of numbers that must not fall.")
  var baseline: String?

  @Flag(help: "Raise the numbers of the baseline file to what passed now.")
  var raise = false

  func run() throws {
    let suites = Suites.all(in: CaseFolder(path: folder)).filter { suite in
      only.map { suite.kind.hasPrefix($0) } ?? true
    }
    var results: [KindResult] = []
    for suite in suites {
      let result = try suite.run()
      results.append(result)
      if !json { report(result) }
    }
    if json { print(Self.document(results)) } else { total(results) }
    if let baseline { try compare(results, with: baseline) }
  }

  private func report(_ result: KindResult) {
    let name = result.kind + String(repeating: " ", count: max(1, 38 - result.kind.count))
    let numbers = [result.cases, result.passed, result.cases - result.passed].map { n in
      let text = String(n)
      return String(repeating: " ", count: max(0, 7 - text.count)) + text
    }
    print(name + numbers.joined())
    for failure in result.failures.prefix(failures) { print("    " + failure) }
  }

  private func total(_ results: [KindResult]) {
    var sum = KindResult("total (kind, cases, passed, failed)")
    for result in results {
      sum.cases += result.cases
      sum.passed += result.passed
    }
    report(sum)
  }

  private static func document(_ results: [KindResult]) -> String {
    var writer = JSONWriter()
    writer.object { json in
      json.key("kinds")
      json.array { json in
        for result in results {
          json.object { json in
            json.field("kind", result.kind)
            json.field("cases", int: result.cases)
            json.field("passed", int: result.passed)
          }
        }
      }
    }
    return writer.text
  }

  private func compare(_ results: [KindResult], with path: String) throws {
    let bytes = (try? Data(contentsOf: URL(filePath: path))) ?? Data("{\"kinds\":[]}".utf8)
    let document = try JSONValue(parsing: Array(bytes))
    var wanted: [String: Int] = [:]
    for kind in document["kinds"]?.array ?? [] {
      wanted[kind["kind"]?.string ?? ""] = kind["passed"]?.int ?? 0
    }
    var fell = false
    for result in results where result.passed < wanted[result.kind] ?? 0 {
      fell = true
      print("\(result.kind): \(result.passed) passed, the baseline has \(wanted[result.kind] ?? 0)")
    }
    if raise {
      try raised(results, over: wanted, in: document).write(to: URL(filePath: path))
    }
    if fell { throw ExitCode(1) }
  }

  /// The baseline with every number at the higher of old and new; kinds not run stay as they are.
  private func raised(
    _ results: [KindResult], over wanted: [String: Int], in document: JSONValue
  ) -> Data {
    var lines: [(String, String)] = []
    for kind in document["kinds"]?.array ?? [] {
      let name = kind["kind"]?.string ?? ""
      if results.contains(where: { $0.kind == name }) { continue }
      lines.append((name, Self.line(name, kind["cases"]?.int ?? 0, kind["passed"]?.int ?? 0)))
    }
    for result in results {
      let passed = max(result.passed, wanted[result.kind] ?? 0)
      lines.append((result.kind, Self.line(result.kind, result.cases, passed)))
    }
    lines.sort { $0.0 < $1.0 }
    let text = "{\"kinds\":[\n" + lines.map(\.1).joined(separator: ",\n") + "\n]}\n"
    return Data(text.utf8)
  }

  private static func line(_ kind: String, _ cases: Int, _ passed: Int) -> String {
    "{\"kind\":\"\(kind)\",\"cases\":\(cases),\"passed\":\(passed)}"
  }
}
