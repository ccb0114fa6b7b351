import Diagnostics
import Testing

@Suite("Sets of diagnostics")
struct DiagnosticSetTests {
  @Test func countsAndSummary() {
    var set = DiagnosticSet()
    #expect(set.summary == "no problems")
    #expect(set.worst == nil)
    set.append(Diagnostic("a", .warning, "w"))
    #expect(set.summary == "1 warning")
    set.append(contentsOf: [
      Diagnostic("a", .error, "e"), Diagnostic("a", .error, "e"), Diagnostic("a", .info, "i"),
      Diagnostic("a", .info, "i"),
    ])
    #expect(set.summary == "2 errors, 1 warning, 2 info")
    #expect(set.worst == .error)
    #expect(set.hasErrors)
  }

  @Test func sortedByFileThenPlace() {
    let one = SourceText(name: "one", text: "abc")
    let two = SourceText(name: "two", text: "abc")
    func make(_ name: String, _ source: SourceText, _ start: Int) -> Diagnostic {
      Diagnostic("x", .error, name, source: source, range: SourceRange(start, start + 1))
    }
    let set = DiagnosticSet([
      make("b", two, 1), make("d", one, 2), make("a", two, 0), make("c", one, 0),
      make("e", one, 2),
    ])
    #expect(set.sorted.map(\.message) == ["a", "b", "c", "d", "e"])
  }

  @Test func positionsForPeopleCountCharacters() {
    let source = SourceText(name: "f", text: "é连x\ny")
    #expect(source.characterPosition(at: 5) == SourcePosition(line: 1, column: 3))
    #expect(source.position(at: 5) == SourcePosition(line: 1, column: 6))
    #expect(source.characterPosition(at: 7) == SourcePosition(line: 2, column: 1))
    #expect(source.characterPosition(at: 99) == SourcePosition(line: 2, column: 2))
  }

  @Test(arguments: [("a", 1), ("é", 1), ("连", 2), ("ｘ", 2), ("😀", 2), ("e\u{301}", 1), ("", 0)])
  func displayWidth(_ text: String, _ columns: Int) {
    #expect(DisplayWidth.columns(of: text) == columns)
  }
}
