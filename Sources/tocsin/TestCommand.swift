import ArgumentParser
import Config
import Dispatch
import Glibc
import RuleTest
import Synchronization

/// `tocsin test rules|promql`.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run unit tests of rules, or PromQL scripts.",
    subcommands: [TestRulesCommand.self, TestPromQLCommand.self])
}

/// `tocsin test rules FILE…`: unit tests in promtool's format.
struct TestRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Run rule unit tests in promtool's format.",
    discussion: "Exit status: 0 all passed, 1 a test failed, 2 a file could not be found.")

  @Argument(help: "Unit test files.")
  var files: [String]

  @Flag(name: .customLong("ignore-unknown-fields"), help: "Accept keys nobody knows.")
  var ignoresUnknownFields = false

  func run() throws {
    let paths = try existing(files)
    let reports = Mutex<[UnitTestReport?]>(Array(repeating: nil, count: paths.count))
    // Files are independent; each worker takes the next one.
    DispatchQueue.concurrentPerform(iterations: paths.count) { i in
      let report = UnitTestRunner.run(
        path: paths[i], ignoresUnknownFields: ignoresUnknownFields)
      reports.withLock { $0[i] = report }
    }
    var failed = false
    for report in reports.withLock({ $0 }).compactMap({ $0 }) {
      print("Unit Testing:  \(report.path)")
      if report.passed {
        print("  SUCCESS\n")
      } else {
        failed = true
        print("  FAILED:")
        for failure in report.failures { print(failure + "\n") }
      }
    }
    if failed { throw ExitCode(1) }
  }
}

/// `tocsin test promql FILE…`: PromQL scripts.
struct TestPromQLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promql",
    abstract: "Run PromQL test scripts (load, eval, clear).",
    discussion: "Exit status: 0 all passed, 1 an evaluation failed, 2 a file could not be read.")

  @Argument(help: "Script files.")
  var files: [String]

  func run() throws {
    var failed = false
    for path in try existing(files) {
      let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
      do throws(ScriptProblem) {
        let report = PromQLScriptRunner.run(try PromQLScriptParser.parse(text, name: path))
        print("\(path): \(report.passed) passed, \(report.failures.count) failed")
        for failure in report.failures { print("  \(failure)") }
        failed = failed || !report.failures.isEmpty
      } catch {
        print("\(path): \(error)")
        failed = true
      }
    }
    if failed { throw ExitCode(1) }
  }
}

/// The paths as given; one that is not there ends the program with status 2.
private func existing(_ files: [String]) throws -> [String] {
  for path in files where !FileSystem.exists(path) {
    let message = "tocsin: \(path): no such file\n"
    _ = message.withCString { write(2, $0, strlen($0)) }
    throw ExitCode(2)
  }
  return files
}
