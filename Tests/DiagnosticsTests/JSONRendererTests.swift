import Diagnostics
import JSON
import Testing

@Suite("JSON output of diagnostics")
struct JSONRendererTests {
  @Test func wholeDocument() {
    let source = SourceText(name: "f.yml", text: "a: é\nb: \"x\"\n")
    var first = Diagnostic(
      "promql/syntax", .error, "no", source: source, range: SourceRange(9, 12), label: "here",
      notes: [.init("because"), .init("other", range: SourceRange(0, 1))],
      fix: .init("drop it", range: SourceRange(9, 12), replacement: "1"))
    first.group = "g"
    first.rule = "R"
    let second = Diagnostic("io", .warning, "gone")
    #expect(
      JSONRenderer.render([first, second]) == #"{"version":1,"columns":"utf-8 bytes","#
        + #""summary":{"errors":1,"warnings":1,"infos":0},"problems":[{"check":"promql/syntax","#
        + #""severity":"error","file":"f.yml","line":2,"column":4,"endLine":2,"endColumn":7,"#
        + #""group":"g","rule":"R","message":"no","detail":"here; because","#
        + #""docs":"docs/checking-rules.md#promqlsyntax","related":["#
        + #"{"message":"other","file":"f.yml","line":1,"column":1,"endLine":1,"endColumn":2}],"#
        + #""fix":{"message":"drop it","line":2,"column":4,"endLine":2,"endColumn":7,"#
        + #""replacement":"1","certain":false}},{"check":"io","severity":"warning","file":null,"#
        + #""line":null,"#
        + #""column":null,"endLine":null,"endColumn":null,"group":null,"rule":null,"#
        + #""message":"gone","detail":null,"docs":"docs/checking-rules.md#io","fix":null}]}"# + "\n"
    )
  }

  @Test func theAnswerIsJSON() throws {
    let source = SourceText(name: "q\"\n\u{1}连", text: "x")
    let text = JSONRenderer.render(
      [Diagnostic("a", .info, "tab\tand \\ \u{7f}", source: source, range: .zero)])
    let parsed = try JSONValue(parsing: text)
    #expect(parsed["problems"]?[0]?["file"]?.string == "q\"\n\u{1}连")
    #expect(parsed["summary"]?["infos"]?.int == 1)
  }
}
