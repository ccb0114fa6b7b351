import Diagnostics
import TestSupport
import Testing

@testable import YAML

private func parse(_ yaml: String, limits: YAMLDocument.Limits = .init()) -> YAMLDocument {
  YAMLDocument.parse(source: SourceText(name: "t.yml", text: yaml), limits: limits)
}

@Suite("YAML documents")
struct YAMLDocumentTests {
  @Test func emptyTextsAreNoError() {
    for text in ["", "\n", "# only a comment\n", "---\n", "\u{feff}"] {
      let document = parse(text)
      #expect(document.diagnostics.isEmpty)
      #expect(document.root?.isNull ?? true)
    }
  }

  @Test func onlyTheFirstDocumentCounts() {
    let document = parse("a: 1\n---\nb: [\n")
    #expect(document.diagnostics.isEmpty)
    #expect(document.root != nil)
  }

  @Test func rangesAndMarksOfNodes() throws {
    let document = parse("é: &x\n  - 1\n  - {b: 'c'}\nd: *x\n")
    guard case .mapping(let entries) = document.root?.kind else {
      Issue.record("no mapping")
      return
    }
    let bytes = document.source.bytes
    func text(_ node: YAMLNode) -> String {
      String(decoding: bytes[node.range.start..<node.range.end], as: UTF8.self)
    }
    #expect(text(entries[0].key) == "é")
    #expect(text(entries[0].value) == "- 1\n  - {b: 'c'}")
    #expect(entries[0].value.mark == SourcePosition(line: 1, column: 4))
    #expect(text(entries[1].value) == "*x")
    guard case .sequence(let items) = entries[1].value.content.kind else {
      Issue.record("no sequence")
      return
    }
    #expect(items.map(text) == ["1", "{b: 'c'}"])
  }

  @Test(arguments: [
    ("a: [", 1, 5, "did not find expected node content"),
    ("a: b: c", 1, 5, "mapping values are not allowed in this context"),
    ("a:\n\t- b", 2, 1, "found character that cannot start any token"),
    ("a: 'x", 1, 6, "found unexpected end of stream"),
    ("- a\nb: 1", 2, 1, "did not find expected '-' indicator"),
    ("a: *nope", 1, 4, "unknown anchor 'nope' referenced"),
    ("a: &x [*x]", 1, 8, "anchor 'x' value contains itself"),
    ("a: \u{1}", 1, 4, "control characters are not allowed"),
    ("连: @x", 1, 6, "found character that cannot start any token"),
  ])
  func syntaxErrorsHaveAPlace(
    _ yaml: String, _ line: Int, _ column: Int, _ message: String
  ) throws {
    let document = parse(yaml)
    let diagnostic = try #require(document.diagnostics.first)
    #expect(document.root == nil)
    #expect(diagnostic.message == message)
    #expect(diagnostic.position == SourcePosition(line: line, column: column))
  }

  @Test func aliasBombsAreRefused() {
    var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in 1..<9 {
      let item = "*a\(i - 1)"
      yaml += "a\(i): &a\(i) [\(Array(repeating: item, count: 10).joined(separator: ", "))]\n"
    }
    #expect(parse(yaml).diagnostics.map(\.message) == ["document contains excessive aliasing"])
  }

  @Test func depthAndSizeAreLimited() {
    let deep = String(repeating: "[", count: 600)
    #expect(parse(deep).diagnostics.first?.id == "yaml/limit")
    var limits = YAMLDocument.Limits()
    limits.bytes = 10
    #expect(parse("a: 12345678", limits: limits).diagnostics.first?.id == "yaml/limit")
  }

  @Test func commentsAreFoundOutsideScalars() {
    let yaml = """
      # one
      a: 'x # no' # two
      b: |  # header
        # no
        text
      c: x#no
      d: [1, #three
          2]
      # four
      """
    #expect(parse(yaml).comments.map(\.text) == ["one", "two", "header", "three", "four"])
  }

  @Test func damagedTextsNeverTrap() {
    let seed = Array(
      """
      groups:
        - &g
          name: "a\\u00e9"
          rules: [{record: x, expr: 'it''s'}, *r, ~]
        - <<: *g
          text: |2-
              block
            more
          folded: >+
            a

            b
      """.utf8)
    let alphabet = Array("&*{}[]:,#|>'\"\\!%@`- \n\t\u{e9}x<~?".utf8)
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.remove(at: at)
        case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0x20, at: at)
        default: bytes[at] = alphabet.randomElement(using: &random) ?? 0x20
        }
      }
      let document = YAMLDocument.parse(source: SourceText(name: "fuzz", bytes: bytes))
      for diagnostic in document.diagnostics {
        #expect((diagnostic.range?.end ?? 0) <= bytes.count)
        _ = HumanRenderer().render(diagnostic)
      }
      if let root = document.root { check(root) }
      _ = document.comments
    }
  }

  private func check(_ node: YAMLNode) {
    switch node.kind {
    case .scalar(let text, let style):
      let map = ScalarMap(text: text, style: style, range: node.range, source: node.source)
      if !map.isExact { Issue.record("inexact \(text.debugDescription) at \(node.mark)") }
    case .sequence(let items): for item in items { check(item) }
    case .mapping(let entries):
      for entry in entries {
        check(entry.key)
        check(entry.value)
      }
    case .alias: break
    }
  }
}
