import ArgumentParser
import Config
import JSON
import Reference

/// `tocsin completions SHELL`.
struct CompletionsCommand: ParsableCommand {
  /// The shells ArgumentParser knows.
  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print the completion script of a shell.",
    discussion: """
      tocsin completions bash > ~/.local/share/bash-completion/completions/tocsin
      tocsin completions zsh > ~/.zsh/completions/_tocsin
      tocsin completions fish > ~/.config/fish/completions/tocsin.fish
      """)

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() {
    let script: String
    switch shell {
    case .bash: script = Tocsin.completionScript(for: .bash)
    case .zsh: script = Tocsin.completionScript(for: .zsh)
    case .fish: script = Tocsin.completionScript(for: .fish)
    }
    Terminal.write(script + (script.hasSuffix("\n") ? "" : "\n"), to: 1)
  }
}

/// `tocsin manual FOLDER`.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Write the manual pages, one for every command.",
    discussion: """
      tocsin manual man/
      man man/tocsin-check-rules.1

      Exit status: 0 written, 2 the folder cannot be written to.
      """)

  @Argument(help: "An existing folder.", completion: .directory)
  var folder: String

  func run() throws {
    guard let dump = try? JSONValue(parsing: Tocsin._dumpHelp()),
      let reference = CommandReference(dump)
    else { preconditionFailure("the commands describe themselves") }
    for command in reference.all {
      let page = ManualPage(command, version: Tocsin.version)
      do throws(FileSystem.Problem) {
        try AtomicFile.replace(
          FileSystem.join(folder, page.fileName), with: Array(page.text.utf8))
      } catch {
        Terminal.complain(error.description)
        throw ExitCode(2)
      }
    }
  }
}
