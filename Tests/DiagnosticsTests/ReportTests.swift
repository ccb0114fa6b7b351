import Diagnostics
import JSON
import TestSupport
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

  /// Everything a finding can have or lack, over names that need escaping.
  private var manifold: [CheckedFile] {
    let source = SourceText(name: "dir/é %&?#:x.yml", text: "expr: a\n  b: é連😀\n\n")
    let other = SourceText(name: "other.yml", text: "x: 1\n")
    func finding(_ id: String, _ range: SourceRange?, _ note: Diagnostic.Note) -> Diagnostic {
      Diagnostic(
        id, .warning, "m", source: source, range: range, notes: [note, note],
        fix: range.map { .init("do", range: $0, replacement: "\u{1}\n") })
    }
    let all = [
      finding("a/b", SourceRange(0, 24), .init("see", source: other, range: SourceRange(0, 1))),
      finding("a/c", SourceRange(0, 0), .init("see", range: SourceRange(3, 3))),
      finding("a/b", nil, .init("plain")),
      Diagnostic("x", .error, "&<>\u{0}"), Diagnostic("io", .info, "gone"),
    ]
    return files + [
      CheckedFile(path: source.name, diagnostics: all), CheckedFile(path: "", diagnostics: []),
    ]
  }

  @Test func sarifKeepsToTheForm() throws {
    let checks = [CheckText(id: "a/b", severity: .warning, summary: "s", text: "t")]
    for version in ["0.1.0", "12.0.3"] {
      let text = SARIFRenderer(version: version, checks: checks).render(manifold)
      let problems = SARIFForm.problems(in: try JSONValue(parsing: text))
      #expect(problems.isEmpty, "\(problems)")
    }
    let empty = SARIFRenderer(version: "0.1.0", checks: []).render([])
    #expect(SARIFForm.problems(in: try JSONValue(parsing: empty)) == [])
  }

  @Test(
    "the form notices what is not SARIF",
    arguments: [
      (#"{"version":"2.1.0"}"#, "log: runs is missing"),
      (#"{"version":"2.0.0","runs":[]}"#, #"log.version: not one of ["2.1.0"]"#),
      (#"{"version":"2.1.0","runs":[{}]}"#, "log.runs[0]: tool is missing"),
      (
        #"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x","colour":1}}}]}"#,
        "log.runs[0].tool.driver: colour is not known"
      ),
      (
        #"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":"#
          + #"{"text":"m"},"ruleIndex":0,"ruleId":"a"}]}]}"#, "ruleIndex 0 is not a"
      ),
      (
        #"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":"#
          + #"{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a b"},"#
          + #""region":{"startLine":0}}}]}]}]}"#,
        "log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri: "
          + "a byte 32 that has to be escaped in a b"
      ),
    ])
  func sarifForm(_ text: String, _ problem: String) throws {
    #expect(SARIFForm.problems(in: try JSONValue(parsing: text)).contains(problem))
  }

  @Test func xmlKeepsToTheForms() {
    #expect(XMLForm.jUnit.problems(in: JUnitRenderer.render(manifold)) == [])
    #expect(XMLForm.jUnit.problems(in: JUnitRenderer.render(manifold, failOn: .info)) == [])
    #expect(XMLForm.jUnit.problems(in: JUnitRenderer.render([])) == [])
    #expect(XMLForm.checkstyle.problems(in: CheckstyleRenderer.render(manifold)) == [])
  }

  @Test(
    "the forms notice what is not theirs",
    arguments: [
      ("<testsuites><testsuite/></testsuites>", "testsuite: name is missing"),
      ("<testsuites>", "testsuites is not closed"),
      ("<testsuites><a></b></testsuites>", "a is closed as b"),
      ("<testsuites tests=\"x\"/>", "testsuites: tests=x is no number"),
      ("<testsuites tests=\"1\"/>", "testsuites: tests=1, counted 0"),
      ("<testsuites colour=\"x\"/>", "testsuites: colour is not known"),
      ("<testsuites a='1' a='2'/>", "testsuites: a twice"),
      ("<testsuites>&bad;</testsuites>", "testsuites: an & that starts nothing"),
      ("<testsuites/><testsuites/>", "more than one element at the top"),
    ])
  func xmlForm(_ text: String, _ problem: String) {
    #expect(XMLForm.jUnit.problems(in: text).contains(problem))
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
