import ArgumentParser
import Authoring
import Config
import Diagnostics

/// `tocsin fmt FILE…`.
struct FmtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt",
    abstract: "Format the PromQL of rule files in place.",
    discussion: """
      tocsin fmt rules/                    format, and name the files that changed
      tocsin fmt --check rules/ more.yml   for CI: name what is not formatted
      tocsin fmt --diff rules/*.yml        show what would change
      tocsin fmt - < rules.yml             standard input to standard output

      Comments of YAML and PromQL stay, and so do the layout of the file, the kinds of its scalars, \
      and every literal and name. An expression takes several lines only where it is longer than \
      100 bytes or has comments; a plain or quoted one becomes a block then. Nothing is written \
      that does not mean what it meant.

      Exit status: 0 done, 1 --check found files to format, 2 a file or an expression could not be \
      read; the others are formatted all the same.
      """)

  @Flag(help: "Write nothing; name the files that are not formatted, and end with status 1.")
  var check = false

  @Flag(help: "Write nothing; show the changes.")
  var diff = false

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Argument(help: "Rule files, folders or globs; - is standard input.", completion: .file())
  var files: [String]

  func run() throws {
    let paths = RulePaths.expand(files)
    var (isWhole, isFormatted) = (paths.problems.isEmpty, true)
    for problem in paths.problems { Terminal.complain(problem) }
    let progress = Progress("formatting \(paths.files.count) files")
    defer { progress.finish() }
    for path in paths.files {
      do throws(FileSystem.Problem) {
        let name = path == "-" ? "<stdin>" : path
        let file = RuleFormatter(SourceText(name: name, bytes: try FileSystem.read(path)))
        try write(file, path, progress)
        isFormatted = isFormatted && file.edits.isEmpty
        isWhole = isWhole && !file.problems.contains { $0.severity == .error }
        if !file.problems.isEmpty {
          progress.finish()
          let renderer = HumanRenderer(decoration: color.isOn(for: 2) ? .ansi : .plain)
          Terminal.write(renderer.render(file.problems), to: 2)
        }
      } catch {
        progress.finish()
        Terminal.complain(error.description)
        isWhole = false
      }
    }
    progress.finish()
    if !isWhole { throw ExitCode(2) }
    if check && !isFormatted { throw ExitCode(1) }
  }

  private func write(
    _ file: RuleFormatter, _ path: String, _ progress: Progress
  ) throws(FileSystem.Problem) {
    if path == "-", !check, !diff {
      return Terminal.write(String(decoding: file.bytes, as: UTF8.self), to: 1)
    }
    if file.edits.isEmpty { return }
    if !check && !diff { try AtomicFile.replace(path, with: file.bytes) }
    progress.finish()
    if !diff { return Terminal.write(file.source.name + "\n", to: 1) }
    let text = UnifiedDiff(file.source, file.edits).text
    Terminal.write(color.isOn(for: 1) ? Self.coloured(text) : text, to: 1)
  }

  private static func coloured(_ diff: String) -> String {
    diff.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let code: String
      switch line.utf8.first {
      case UInt8(ascii: "-"): code = line.hasPrefix("--- ") ? "1" : "31"
      case UInt8(ascii: "+"): code = line.hasPrefix("+++ ") ? "1" : "32"
      case UInt8(ascii: "@"): code = "36"
      default: return String(line)
      }
      return "\u{1b}[\(code)m\(line)\u{1b}[0m"
    }.joined(separator: "\n")
  }
}
