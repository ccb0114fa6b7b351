import Config
import Diagnostics
import JSON

/// Gathers what checks of several files found, and prints it once.
struct CheckReport {
  private struct File {
    var path: String
    var diagnostics: [Diagnostic]
    var success: String
    var counts: [(name: String, count: Int)]

    var isSuccess: Bool { !diagnostics.contains { $0.severity == .error } }
  }

  private var files: [File] = []
  private var failures: [String] = []

  /// The text of a file or of standard input; what cannot be read is noted.
  mutating func read(_ path: String) -> SourceText? {
    do throws(FileSystem.Problem) {
      return SourceText(
        name: path == "-" ? "<stdin>" : path, bytes: try FileSystem.read(path))
    } catch {
      cannotRun(error.description)
      return nil
    }
  }

  mutating func cannotRun(_ message: String) { failures.append(message) }

  mutating func add(
    path: String, diagnostics: [Diagnostic], success: String, counts: [(name: String, count: Int)]
  ) {
    files.append(
      File(
        path: path, diagnostics: DiagnosticSet(diagnostics).sorted, success: success,
        counts: counts))
  }

  func outcome(_ options: CheckOptions) -> CheckOutcome {
    var out = CheckOutcome()
    let all = files.flatMap(\.diagnostics)
    let set = DiagnosticSet(all)
    if set.hasErrors || (options.failsOnWarnings && set.count(.warning) > 0) { out.exitCode = 1 }
    if !failures.isEmpty { out.exitCode = 2 }
    out.standardError = failures.map { "tocsin: \($0)\n" }.joined()
    switch options.format {
    case .human: human(options, &out)
    case .json:
      out.standardOutput = JSONRenderer.render(all) { json in
        json.key("files")
        json.array { json in
          for file in files {
            json.object { json in
              json.field("file", file.path)
              json.field("success", bool: file.isSuccess)
              for (name, count) in file.counts { json.field(name, int: count) }
            }
          }
        }
      }
    }
    return out
  }

  private func human(_ options: CheckOptions, _ out: inout CheckOutcome) {
    let renderer = HumanRenderer(decoration: options.decoration)
    for file in files {
      out.standardOutput += "Checking \(file.path)\n"
      for diagnostic in file.diagnostics {
        out.standardOutput += renderer.render(diagnostic)
      }
      let summary = DiagnosticSet(file.diagnostics).summary
      if file.isSuccess {
        let remark = file.diagnostics.isEmpty ? "" : " (\(summary))"
        out.standardOutput += "  SUCCESS: \(file.success)\(remark)\n\n"
      } else {
        out.standardOutput += "  FAILED: \(summary)\n\n"
      }
    }
  }
}
