import Config
import Diagnostics
import JSON

/// Gathers what checks of several files found, and prints it: for people file by file, for programs
/// as one document.
struct CheckReport {
  private struct File {
    var path: String
    var diagnostics: [Diagnostic]
    var success: String
    var counts: [(name: String, count: Int)]
    var rules: [CheckedFile.Rule]
    var fixes: Int

    var isSuccess: Bool { !diagnostics.contains { $0.severity == .error } }
  }

  private let options: CheckOptions
  private var files: [File] = []
  private var failures: [String] = []
  /// Text for people that was not printed yet.
  private var text = ""
  private var hasFailed = false

  /// Text is printed in pieces of about this size.
  private static let pieceSize = 1 << 16

  init(_ options: CheckOptions) { self.options = options }

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
    path: String, diagnostics: [Diagnostic], success: String,
    counts: [(name: String, count: Int)], rules: [CheckedFile.Rule] = [], fixes: Int = 0
  ) {
    let file = File(
      path: path,
      diagnostics: DiagnosticSet(diagnostics).sorted.filter {
        $0.severity >= min(options.minimum, options.failOn)
      },
      success: success, counts: counts, rules: rules, fixes: fixes)
    hasFailed = hasFailed || file.diagnostics.contains { $0.severity >= options.failOn }
    // The log of a step is for people, its commands are for the page.
    if options.format == .human || options.format == .github { human(file) }
    if options.format != .human { files.append(file) }
  }

  func outcome() -> CheckOutcome {
    var out = CheckOutcome()
    if hasFailed { out.exitCode = 1 }
    if !failures.isEmpty { out.exitCode = 2 }
    out.standardError = failures.map { "tocsin: \($0)\n" }.joined()
    switch options.format {
    case .human: out.standardOutput = text
    case .json: out.standardOutput = json(files, files.flatMap(\.diagnostics))
    case .github: out.standardOutput = text + GitHubRenderer.render(checked())
    case .sarif:
      let texts = CheckCatalogue.all.map {
        CheckText(id: $0.id, severity: $0.severity, summary: $0.summary, text: $0.text)
      }
      out.standardOutput = SARIFRenderer(version: options.version, checks: texts)
        .render(checked())
    case .junit:
      out.standardOutput = JUnitRenderer.render(checked(), failOn: options.failOn)
    case .checkstyle:
      out.standardOutput = CheckstyleRenderer.render(checked())
    }
    return out
  }

  private func checked() -> [CheckedFile] {
    files.map { file in
      var path = file.path
      let prefix = options.workspace + "/"
      if !options.workspace.isEmpty, path.hasPrefix(prefix) {
        path = String(path.dropFirst(prefix.count))
      }
      if path.hasPrefix("./") { path = String(path.dropFirst(2)) }
      return CheckedFile(path: path, diagnostics: file.diagnostics, rules: file.rules)
    }
  }

  private func json(_ files: [File], _ all: [Diagnostic]) -> String {
    JSONRenderer.render(all) { json in
      json.key("files")
      json.array { json in
        for file in files {
          json.object { json in
            json.field("file", file.path)
            json.field("success", bool: file.isSuccess)
            for (name, count) in file.counts { json.field(name, int: count) }
            if file.fixes > 0 { json.field("fixed", int: file.fixes) }
          }
        }
      }
    }
  }

  private mutating func human(_ file: File) {
    let renderer = HumanRenderer(decoration: options.decoration)
    text += "Checking \(file.path)\n"
    for diagnostic in file.diagnostics { text += renderer.render(diagnostic) }
    if file.fixes > 0 {
      text += "  FIXED: \(file.fixes) \(file.fixes == 1 ? "finding" : "findings")\n"
    }
    let summary = DiagnosticSet(file.diagnostics).summary
    if file.isSuccess {
      let remark = file.diagnostics.isEmpty ? "" : " (\(summary))"
      text += "  SUCCESS: \(file.success)\(remark)\n\n"
    } else {
      text += "  FAILED: \(summary)\n\n"
    }
    if let emit = options.emit, text.utf8.count >= Self.pieceSize {
      emit(text)
      text = ""
    }
  }
}
