import Diagnostics
import TestSupport
import Testing

@testable import YAML

/// The source bytes that each decoded byte came from, as text.
private func origin(_ yaml: String, _ part: Range<Int>) throws -> String {
  let node = try value(yaml)
  let range = node.sourceRange(ofContent: SourceRange(part.lowerBound, part.upperBound))
  return String(decoding: node.source.bytes[range.start..<range.end], as: UTF8.self)
}

/// The value of the only key of a document.
private func value(_ yaml: String) throws -> YAMLNode {
  let document = YAMLDocument.parse(source: SourceText(name: "t", text: yaml))
  let root = try #require(document.root, "\(document.diagnostics.map(\.message))")
  guard case .mapping(let entries) = root.kind else { return root }
  return try #require(entries.first).value.content
}

@Suite("Places inside scalars")
struct ScalarMapTests {
  /// One case: the YAML, its text, and pairs of a part of the text and where it stands.
  @Test(arguments: [
    ("k: sum(x)", "sum(x)", 4..<5, "x"),
    ("k:   'sum(x)'", "sum(x)", 4..<5, "x"),
    ("k: 'it''s x'", "it's x", 2..<3, "''"),
    ("k: 'it''s x'", "it's x", 5..<6, "x"),
    ("k: \"a\\nb x\"", "a\nb x", 1..<2, "\\n"),
    ("k: \"a\\nb x\"", "a\nb x", 4..<5, "x"),
    ("k: \"\\u00e9x\"", "éx", 0..<2, "\\u00e9"),
    ("k: \"\\u00e9x\"", "éx", 2..<3, "x"),
    ("k: \"\\x41\\U0001F600z\"", "A😀z", 5..<6, "z"),
    ("k: \"\\N\\_\\L\\P\\e\\/z\"", "\u{85}\u{a0}\u{2028}\u{2029}\u{1b}/z", 12..<13, "z"),
    ("k: a\n  b\n  c", "a b c", 4..<5, "c"),
    ("k: a\n  b\n  c", "a b c", 1..<2, "\n  "),
    ("k: a\n\n\n  b", "a\n\nb", 3..<4, "b"),
    ("k: 'a\n  b'", "a b", 2..<3, "b"),
    ("k: 'a\n\n  b'", "a\nb", 2..<3, "b"),
    ("k: \"a  \\\n   b\"", "a  b", 3..<4, "b"),
    ("k: \"a\\\n   \\ b\"", "a b", 1..<2, "\\ "),
    ("k: |\n  ab\n  cd\n", "ab\ncd\n", 3..<4, "c"),
    ("k: |\n  ab\n  cd\n", "ab\ncd\n", 0..<5, "ab\n  cd"),
    ("k: |-\n  ab\n   cd", "ab\n cd", 4..<5, "c"),
    ("k: |+\n  ab\n\n\n", "ab\n\n\n", 0..<1, "a"),
    ("k: |2\n    ab\n  cd", "  ab\ncd", 2..<3, "a"),
    ("k: |2\n    ab\n  cd", "  ab\ncd", 5..<6, "c"),
    ("k: | # why\n    ab\n", "ab\n", 0..<2, "ab"),
    ("k: |\n\n\n  ab\n", "\n\nab\n", 2..<3, "a"),
    ("k: >\n  ab\n  cd\n", "ab cd\n", 3..<4, "c"),
    ("k: >\n  ab\n\n  cd\n", "ab\ncd\n", 3..<4, "c"),
    ("k: >\n  ab\n    cd\n  ef\n", "ab\n  cd\nef\n", 5..<6, "c"),
    ("k: >\n  ab\n    cd\n  ef\n", "ab\n  cd\nef\n", 8..<9, "e"),
    ("k: >-\n  ab\n  cd\n\n", "ab cd", 3..<5, "cd"),
    ("k: &a 'x y'", "x y", 2..<3, "y"),
    ("k: !!str &a\n  x y", "x y", 2..<3, "y"),
    ("k: |\r\n  ab\r\n  cd\r\n", "ab\ncd\n", 3..<4, "c"),
    ("k: 摘要 连接", "摘要 连接", 7..<10, "连"),
    ("{k: sum(x), j: 1}", "sum(x)", 4..<5, "x"),
    ("\u{feff}k: xyz", "xyz", 1..<2, "y"),
  ])
  func partsAreFound(_ yaml: String, _ text: String, _ part: Range<Int>, _ wanted: String) throws {
    #expect(try value(yaml).text == text)
    #expect(try origin(yaml, part) == wanted)
  }

  @Test(arguments: [
    ("k: ab", 5), ("k: 'ab'", 6), ("k: \"ab\"", 6), ("k: |\n  ab\n", 9), ("k: ''", 4), ("k:", 2),
  ])
  func theEndOfTheTextIsAPlaceToo(_ yaml: String, _ offset: Int) throws {
    let node = try value(yaml)
    let end = node.text?.utf8.count ?? 0
    #expect(node.sourceRange(ofContent: SourceRange(end, end)) == SourceRange(offset, offset))
  }

  /// All texts of up to six letters from a nasty alphabet, in each style that can hold them.
  @Test func noSmallScalarIsInexact() {
    let alphabet = ["a", " ", "\n", "\n  ", "#", "é"]
    var texts = [""]
    var all: [String] = []
    for _ in 0..<4 {
      texts = texts.flatMap { head in alphabet.map { head + $0 } }
      all += texts
    }
    var read = 0
    for body in all {
      for yaml in [
        "k: x\(body)y", "k: 'x\(body)y'", "k: \"x\(body)y\"", "k: |\n  x\(body)y\n",
        "k: >\n  x\(body)y\n", "k: >+\n  x\(body)\n", "k: |2-\n  \(body)y\n",
      ] {
        let document = YAMLDocument.parse(source: SourceText(name: "t", text: yaml))
        guard case .mapping(let entries) = document.root?.kind,
          case .scalar(let text, let style) = entries[0].value.kind
        else { continue }
        let node = entries[0].value
        let map = ScalarMap(text: text, style: style, range: node.range, source: node.source)
        if !map.isExact { Issue.record("inexact: \(yaml.debugDescription)") }
        read += 1
      }
    }
    #expect(read > 3000)
  }

  /// The end of the text is where its last line ends, so that a caret there stands behind the text.
  @Test(arguments: [
    ("k: >\n  up ==\n", 12), ("k: |\n  up ==\n\n", 12), ("k: >-\n  up ==\nl: x\n", 13),
  ])
  func theEndOfABlock(_ yaml: String, _ offset: Int) throws {
    let node = try value(yaml)
    let count = node.text?.utf8.count ?? 0
    #expect(node.sourceRange(ofContent: SourceRange(count, count)) == SourceRange(offset, offset))
  }
}
