import ArgumentParser
import Config
import HTTPClient
import JSON
import Model
import RuleTest

/// `tocsin test init RULES…`: writes a first test file.
struct TestInitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a first unit test for rule files.",
    discussion: """
      tocsin test init rules/db.yml > rules/db.test.yml
      tocsin test init --server http://127.0.0.1:9090 -o db.test.yml rules/db.yml

      The test passes as it is: read what it expects, and change what you want otherwise. With a
      server its series are the last quarter of an hour of real ones.

      Exit status: 0 written, 1 a rule file has errors, 2 a file or the server cannot be read.
      """)

  @Option(help: "URL of a server with Prometheus' API to take series from.")
  var server: String?

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Where to write; default: standard output.")
  var output: String?

  @Argument(help: "Rule files.")
  var files: [String]

  func run() async throws {
    let paths = try existing(files)
    // Rule files are named as seen from the test's folder.
    let folder = output.map { FileSystem.directory(of: $0) } ?? "."
    let draft: UnitTestDraft
    do {
      draft = try UnitTestDraft(ruleFiles: paths, relativeTo: folder)
    } catch {
      Terminal.write("tocsin: \(error)\n", to: 2)
      throw ExitCode(1)
    }
    var live: [String: [UnitTestDraft.LiveSeries]] = [:]
    if let server {
      let client = QueryClient(server: server)
      let end = WallClock().now()
      for selector in draft.selectors {
        let data = try await client.answer(
          "/api/v1/query_range",
          [
            ("query", selector),
            ("start", NumberText.plain((end - UnitTestDraft.liveSpan).seconds)),
            ("end", NumberText.plain(end.seconds)), ("step", "60"),
          ])
        live[selector] = UnitTestDraft.LiveSeries.read(data)
      }
    }
    let text = draft.text(live: server == nil ? nil : live)
    if let output { try TestRunner.write(text, to: output) } else { Terminal.write(text, to: 1) }
  }
}
