import ArgumentParser
import Config
import Dispatch
import Glibc
import Model
import RuleTest
import Synchronization

/// `tocsin test rules|init|promql`.
struct TestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run unit tests of rules, or PromQL scripts.",
    discussion: """
      tocsin test init rules/db.yml > rules/db.test.yml   write a first test
      tocsin test rules rules/*.test.yml                  run tests
      tocsin test rules --coverage rules/*.test.yml       and say what they leave out
      """,
    subcommands: [TestRulesCommand.self, TestInitCommand.self, TestPromQLCommand.self])
}

/// `tocsin test rules FILE…`: unit tests in promtool's format.
struct TestRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Run rule unit tests in promtool's format, and in our own.",
    discussion: """
      tocsin test rules rules/*.test.yml
      tocsin test rules --run 'pool' --watch rules/db.test.yml
      tocsin test rules --coverage-threshold 80 --coverage-lcov out.info *.test.yml

      Exit status: 0 all passed, 1 a test failed or the coverage is too low, 2 a file is not there.
      """)

  @OptionGroup var flags: TestFlags

  @Option(name: .customLong("junit"), help: "Write results as JUnit's XML to a file.")
  var junit: String?

  @Flag(help: "Print what of the rules no test brings to work.")
  var coverage = false

  @Option(
    name: .customLong("coverage-threshold"), help: "Percent; less ends with status 1.")
  var threshold: Double?

  @Option(name: .customLong("coverage-lcov"), help: "Write the coverage in lcov's format.")
  var lcov: String?

  @Flag(help: "Run again whenever a test or one of its rule files changes.")
  var watch = false

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Argument(help: "Unit test files.")
  var files: [String]

  func run() throws {
    let paths = try existing(files)
    var options = try flags.options()
    options.measuresCoverage = coverage || threshold != nil || lcov != nil
    if watch {
      try TestWatch.run { try round(paths, options).files }
      return
    }
    if try !round(paths, options).passed { throw ExitCode(1) }
  }

  /// Runs all files once and prints what came of it.
  private func round(
    _ paths: [String], _ options: UnitTestOptions
  ) throws -> (passed: Bool, files: [String]) {
    let progress = Progress("running tests")
    let reports = TestRunner.run(paths, options)
    progress.finish()
    let text = UnitTestText(.own(isColored: color.isOn(for: 1)))
    for report in reports { Terminal.write(text.render(report).output, to: 1) }
    var passed = reports.allSatisfy(\.passed)
    if !passed || watch { Terminal.write(UnitTestText.summary(reports), to: 1) }
    if let junit { try TestRunner.write(UnitTestText.junit(reports), to: junit) }
    if options.measuresCoverage {
      var all = RuleCoverage()
      for report in reports { all.merge(report.coverage) }
      if coverage { Terminal.write(all.text, to: 1) }
      if let lcov { try TestRunner.write(all.lcov, to: lcov) }
      if let threshold, all.percent < threshold {
        passed = false
        let (covered, total) = all.count
        Terminal.write(
          "tocsin: coverage is \(covered) of \(total): below \(NumberText.plain(threshold)) %\n",
          to: 2)
      }
    }
    return (passed, paths + reports.flatMap(\.ruleFiles))
  }
}

/// Flags that promtool has too.
struct TestFlags: ParsableArguments {
  @Option(
    name: .customLong("run"),
    help: "Only tests whose name matches a regular expression; may be repeated.")
  var names: [String] = []

  @Flag(help: "Show a diff of what was expected and what came.")
  var diff = false

  @Flag(help: "Print all samples after each test.")
  var debug = false

  @Flag(name: .customLong("ignore-unknown-fields"), help: "Accept keys nobody knows.")
  var ignoresUnknownFields = false

  func options(_ base: UnitTestOptions = UnitTestOptions()) throws -> UnitTestOptions {
    var options = base
    options.ignoresUnknownFields = ignoresUnknownFields
    options.dumpsSamples = debug
    for name in names {
      do {
        options.names.append(try Regexp(name))
      } catch {
        throw ValidationError("--run: \(error)")
      }
    }
    return options
  }
}

/// Runs files side by side.
enum TestRunner {
  /// The reports in the order of the files, however long each takes.
  static func run(_ paths: [String], _ options: UnitTestOptions) -> [UnitTestReport] {
    let reports = Mutex<[UnitTestReport?]>(Array(repeating: nil, count: paths.count))
    // As many threads as processors, each with the next file.
    DispatchQueue.concurrentPerform(iterations: paths.count) { i in
      let report = UnitTestRunner.run(path: paths[i], options: options)
      reports.withLock { $0[i] = report }
    }
    return reports.withLock { $0 }.compactMap { $0 }
  }

  /// Writes a file whole.
  static func write(_ text: String, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      Terminal.write("tocsin: \(path): \(String(cString: strerror(errno)))\n", to: 2)
      throw ExitCode(2)
    }
    Terminal.write(text, to: file)
    close(file)
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
func existing(_ files: [String]) throws -> [String] {
  for path in files where !FileSystem.exists(path) {
    Terminal.write("tocsin: \(path): no such file\n", to: 2)
    throw ExitCode(2)
  }
  return files
}
