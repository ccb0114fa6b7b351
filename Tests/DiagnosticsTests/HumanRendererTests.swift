import Diagnostics
import Testing

@Suite("Human output of diagnostics")
struct HumanRendererTests {
  private func rendered(
    _ text: String, marking part: String, message: String = "wrong", label: String? = nil
  ) -> String {
    let source = SourceText(name: "f.yml", text: text)
    let range = range(of: part, in: text)
    return HumanRenderer().render(
      Diagnostic("a/b", .error, message, source: source, range: range, label: label))
  }

  private func range(of part: String, in text: String) -> SourceRange {
    let all = Array(text.utf8)
    let wanted = Array(part.utf8)
    let start = all.indices.first { all[$0...].starts(with: wanted) } ?? 0
    return SourceRange(start, start + wanted.count)
  }

  @Test func caretWithLabelContextAndTheLineBefore() {
    let text = "rules:\n  - expr: sum(rate(errors[5m])) by ())\n    for: 5m\n"
    let source = SourceText(name: "rules/web.yml", text: text)
    let offset = Array(text.utf8).count - "\n    for: 5m\n".utf8.count - 1
    let diagnostic = Diagnostic(
      "promql/syntax", .error, "unexpected right parenthesis ')'", source: source,
      range: SourceRange(offset, offset + 1), label: "no parenthesis is open here",
      context: "in alert \"HighErrorRate\", group \"web\"")
    #expect(
      HumanRenderer().render(diagnostic) == """
        rules/web.yml:2:38: error: unexpected right parenthesis ')' [promql/syntax]
           1 | rules:
           2 |   - expr: sum(rate(errors[5m])) by ())
             |                                      ^ no parenthesis is open here
             = in alert "HighErrorRate", group "web"

        """)
  }

  @Test func tildesCoverTheRange() {
    #expect(
      rendered("a: bcd ef\n", marking: "bcd") == """
        f.yml:1:4: error: wrong [a/b]
           1 | a: bcd ef
             |    ^~~

        """)
  }

  @Test func tabsBecomeSpacesAndTheCaretFollows() {
    #expect(
      rendered("\tab\tc\n", marking: "c") == """
        f.yml:1:5: error: wrong [a/b]
           1 |     ab  c
             |         ^

        """)
  }

  @Test func wideCharactersTakeTwoColumns() {
    #expect(
      rendered("摘要: 连接池 x\n", marking: "x") == """
        f.yml:1:9: error: wrong [a/b]
           1 | 摘要: 连接池 x
             |              ^

        """)
    #expect(
      rendered("摘要: 连接池 x\n", marking: "接") == """
        f.yml:1:6: error: wrong [a/b]
           1 | 摘要: 连接池 x
             |         ^~

        """)
  }

  @Test func combiningMarksTakeNone() {
    #expect(rendered("e\u{301}x\n", marking: "x").contains("     |  ^\n"))
  }

  @Test func anEmptyRangeAtTheEndStillHasACaret() {
    let source = SourceText(name: "f", text: "sum(")
    let diagnostic = Diagnostic("a", .warning, "m", source: source, range: SourceRange(4, 4))
    #expect(
      HumanRenderer().render(diagnostic) == """
        f:1:5: warning: m [a]
           1 | sum(
             |     ^

        """)
  }

  @Test func aRangeOverSeveralLinesIsMarkedOnEach() {
    #expect(
      rendered("a: |\n  one\n  two\nb: 1\n", marking: "one\n  two") == """
        f.yml:2:3: error: wrong [a/b]
           1 | a: |
           2 |   one
             |   ^~~
           3 |   two
             |   ~~~

        """)
  }

  @Test func aLongRangeLosesItsMiddle() {
    let body = (1...9).map { "l\($0)" }.joined(separator: "\n")
    let out = rendered(body + "\n", marking: body)
    #expect(out.contains("| ...\n"))
    #expect(out.contains("9 | l9"))
    #expect(!out.contains("l5"))
  }

  @Test func notesWithAPlaceHaveAnExcerptOfTheirOwn() {
    let text = "a: 1\na: 2\n"
    let source = SourceText(name: "f", text: text)
    let diagnostic = Diagnostic(
      "x", .error, "again", source: source, range: SourceRange(5, 6),
      notes: [
        .init("first here", range: SourceRange(0, 1)), .init("keys must be unique"),
      ],
      fix: .init("remove one", range: SourceRange(5, 10), replacement: ""))
    #expect(
      HumanRenderer().render(diagnostic) == """
        f:2:1: error: again [x]
           1 | a: 1
           2 | a: 2
             | ^
             = fix: remove one
             = note: keys must be unique
        f:1:1: note: first here
           1 | a: 1
             | ^

        """)
  }

  @Test func withoutAPlaceOnlyTheMessageIsThere() {
    #expect(
      HumanRenderer().render(Diagnostic("io", .error, "cannot read x"))
        == "error: cannot read x [io]\n"
    )
  }

  @Test func controlCharactersCannotSteerTheTerminal() {
    let out = rendered("a\u{1b}[31mb\u{0}\n", marking: "b", message: "bad \u{1b}[2J")
    #expect(!out.utf8.contains(0x1b))
    #expect(!out.utf8.contains(0))
  }

  @Test func colourIsOnlyThereWhenAskedFor() {
    let source = SourceText(name: "f", text: "abc")
    let diagnostic = Diagnostic("x", .error, "m", source: source, range: SourceRange(0, 3))
    let coloured = HumanRenderer(decoration: .ansi).render(diagnostic)
    #expect(coloured.contains("\u{1b}[1;31merror\u{1b}[0m"))
    var plain = ""
    var isSequence = false
    for scalar in coloured.unicodeScalars {
      if scalar == "\u{1b}" { isSequence = true }
      if !isSequence { plain.unicodeScalars.append(scalar) }
      if scalar == "m", isSequence { isSequence = false }
    }
    #expect(plain == HumanRenderer().render(diagnostic))
  }

  @Test func veryLongLinesAreCutAroundTheCaret() {
    let text = String(repeating: "x", count: 500) + "@" + String(repeating: "y", count: 500)
    let out = rendered(text, marking: "@")
    let lines = out.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 180 })
    let caret = lines.last.map { Array($0).firstIndex(of: "^") }
    let sign = lines.dropLast().last.map { Array($0).firstIndex(of: "@") }
    #expect(caret != nil && caret == sign)
  }
}
