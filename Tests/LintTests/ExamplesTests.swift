import Config
import Diagnostics
import Testing
import YAML

/// The GitHub Action and the pre-commit hooks, as the YAML they must be; Tests/EndToEnd runs them.
@Suite("examples for repositories")
struct ExamplesTests {
  private static let root = String(
    #filePath.dropLast("/Tests/LintTests/ExamplesTests.swift".count))

  private func root(of name: String) throws -> YAMLNode {
    let path = Self.root + "/examples/" + name
    let document = YAMLDocument.parse(
      source: SourceText(name: name, bytes: try FileSystem.read(path)))
    #expect(document.diagnostics.isEmpty)
    return try #require(document.root)
  }

  private func entries(_ node: YAMLNode?) -> [(name: String, value: YAMLNode)] {
    guard case .mapping(let entries)? = node?.content.kind else { return [] }
    return entries.map { ($0.key.text ?? "", $0.value) }
  }

  private func field(_ name: String, of node: YAMLNode?) -> YAMLNode? {
    entries(node).first { $0.name == name }?.value
  }

  private func items(_ node: YAMLNode?) -> [YAMLNode] {
    if case .sequence(let items)? = node?.content.kind { return items }
    return []
  }

  @Test func theActionIsWellFormed() throws {
    let action = try root(of: "github-action/action.yml")
    for name in ["name", "description"] { #expect(field(name, of: action)?.text != nil) }
    var inputs: [String] = []
    for (name, input) in entries(field("inputs", of: action)) {
      inputs.append(name)
      #expect(field("description", of: input)?.text != nil)
      #expect(field("default", of: input)?.text != nil)
    }
    let runs = field("runs", of: action)
    #expect(field("using", of: runs)?.text == "composite")
    let steps = items(field("steps", of: runs))
    #expect(steps.count == 2)
    for step in steps {
      #expect(field("shell", of: step)?.text == "bash")
      let command = try #require(field("run", of: step)?.text)
      for use in command.matches(of: /\$\{\{ inputs\.([a-z-]+) \}\}/) {
        #expect(inputs.contains(String(use.1)))
      }
    }
  }

  @Test func theHooksAreWellFormed() throws {
    let hooks = items(try root(of: "pre-commit/.pre-commit-hooks.yaml"))
    #expect(hooks.count == 2)
    for hook in hooks {
      for name in ["id", "name", "description", "entry"] {
        #expect(field(name, of: hook)?.text != nil)
      }
      #expect(field("language", of: hook)?.text == "system")
      #expect(field("files", of: hook) != nil || field("types", of: hook) != nil)
    }
  }
}
