import Diagnostics
import JSON
import Testing

@Suite("reports for programs")
struct ReportTests {
  private var files: [CheckedFile] {
    let source = SourceText(name: "rules/a b.yml", text: "expr: é <&> \"x\"\nfor: 0s\n")
    var first = Diagnostic(
      "promql/syntax", .error, "bad <x> & \"y\"\n100%", source: source, range: SourceRange(6, 8),
      label: "here", notes: [.init("see", source: source, range: SourceRange(17, 20))],
      fix: .init("drop, it", range: SourceRange(6, 8), replacement: ""))
    first.group = "g:1"
    first.rule = "R"
    let second = Diagnostic(
      "rules/for-zero", .info, "zero", source: source, range: SourceRange(22, 24))
    return [
      CheckedFile(
        path: "rules/a b.yml", diagnostics: [first, second],
        rules: [.init(group: "g:1", name: "R"), .init(group: "g:1", name: "S")]),
      CheckedFile(path: "ok.yml", diagnostics: []),
    ]
  }

  @Test func gitHub() {
    #expect(
      GitHubRenderer.render(files) == """
        ::error file=rules/a b.yml,line=1,endLine=1,col=7,endColumn=8,title=promql/syntax::bad <x> & \
        "y"%0A100%25 (here)%0Afix: drop, it%0Anote: see (rules/a b.yml:2:1)
        ::notice file=rules/a b.yml,line=2,endLine=2,col=6,endColumn=8,title=rules/for-zero::zero

        """)
  }

  @Test func gitHubShowsTenOfEach() {
    let many = (0..<12).map { Diagnostic("a/b", .warning, "n\($0)") }
    let out = GitHubRenderer.render([CheckedFile(path: "x:y,z", diagnostics: many)])
    #expect(out.split(separator: "\n").count == 11)
    #expect(out.hasPrefix("::warning file=x%3Ay%2Cz,line=1,title=a/b::n0\n"))
    #expect(out.hasSuffix("::notice title=tocsin::2 more findings are in the log of this step\n"))
  }

  @Test func sarif() throws {
    let text = SARIFRenderer(
      version: "1.2.3",
      checks: [.init(id: "promql/syntax", severity: .error, summary: "s", text: "t")]
    ).render(files)
    let json = try JSONValue(parsing: text)
    #expect(json["version"]?.string == "2.1.0")
    let run = json["runs"]?[0]
    #expect(run?["tool"]?["driver"]?["name"]?.string == "tocsin")
    let rules = run?["tool"]?["driver"]?["rules"]?.array ?? []
    #expect(rules.compactMap { $0["id"]?.string } == ["promql/syntax", "rules/for-zero"])
    let results = run?["results"]?.array ?? []
    #expect(results.count == 2)
    #expect(results.compactMap { $0["level"]?.string } == ["error", "note"])
    for result in results {
      let index = try #require(result["ruleIndex"]?.int)
      #expect(rules[index]["id"]?.string == result["ruleId"]?.string)
      let place = result["locations"]?[0]?["physicalLocation"]
      #expect(place?["artifactLocation"]?["uri"]?.string == "rules/a%20b.yml")
      #expect(result["message"]?["text"]?.string?.isEmpty == false)
      #expect(result["partialFingerprints"]?["tocsinFinding/v1"]?.string?.count == 18)
    }
    // Columns count characters: the é is one.
    let region = results[0]["locations"]?[0]?["physicalLocation"]?["region"]
    #expect(region?["startColumn"]?.int == 7)
    #expect(region?["endColumn"]?.int == 8)
    let change = results[0]["fixes"]?[0]?["artifactChanges"]?[0]
    #expect(change?["replacements"]?[0]?["deletedRegion"]?["startLine"]?.int == 1)
    #expect(results[0]["relatedLocations"]?[0]?["message"]?["text"]?.string == "see")
  }

  @Test func fingerprintsDoNotMoveWithLines() throws {
    func print(_ head: String) throws -> String? {
      let source = SourceText(name: "a", text: head + "bad line\n")
      let d = Diagnostic(
        "x/y", .error, "m", source: source,
        range: SourceRange(head.utf8.count, head.utf8.count + 3))
      let text = SARIFRenderer(version: "1", checks: [])
        .render([CheckedFile(path: "a", diagnostics: [d])])
      return try JSONValue(parsing: text)["runs"]?[0]?["results"]?[0]?["partialFingerprints"]?[
        "tocsinFinding/v1"]?.string
    }
    #expect(try print("") == print("one\ntwo\n"))
  }

  @Test func jUnit() {
    let out = JUnitRenderer.render(files)
    #expect(
      out.hasPrefix(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="tocsin" tests="4" failures="1" errors="0">
          <testsuite name="rules/a b.yml" tests="3" failures="1" errors="0" skipped="0" time="0">
            <testcase name="R" classname="rules/a b.yml g:1" file="rules/a b.yml" time="0">
              <failure message="bad &lt;x&gt; &amp; &quot;y&quot;&#10;100% (here)" type="promql/syntax">
        """))
    #expect(out.contains("<testcase name=\"S\" classname=\"rules/a b.yml g:1\""))
    #expect(
      out.contains("<testcase name=\"ok.yml\" classname=\"ok.yml\" file=\"ok.yml\" time=\"0\"/>"))
    #expect(out.contains("<system-out>"))
  }

  @Test func checkstyle() {
    #expect(
      CheckstyleRenderer.render(files) == """
        <?xml version="1.0" encoding="UTF-8"?>
        <checkstyle version="4.3">
          <file name="rules/a b.yml">
            <error line="1" column="7" severity="error" \
        message="bad &lt;x&gt; &amp; &quot;y&quot;&#10;100% (here)&#10;fix: drop, it&#10;\
        note: see (rules/a b.yml:2:1)" source="tocsin.promql/syntax"/>
            <error line="2" column="6" severity="info" message="zero" source="tocsin.rules/for-zero"/>
          </file>
          <file name="ok.yml">
          </file>
        </checkstyle>

        """)
  }
}
