import Diagnostics
import Testing
import YAML

@Suite("Reading fields")
struct YAMLFieldsTests {
  private let reader = YAMLReader()

  private func fields(_ yaml: String) throws -> YAMLFields {
    let document = YAMLDocument.parse(source: SourceText(name: "t", text: yaml))
    let root = try #require(document.root)
    return try #require(reader.fields(of: root, "a thing"))
  }

  private var problems: [String] {
    reader.diagnostics.map { "\($0.position?.line ?? 0):\($0.position?.column ?? 0) \($0.message)" }
  }

  @Test func typedValues() throws {
    let f = try fields("s: 5\nb: yes\ni: 0x10\nd: 1.5\nl: [a, 1]\nm: {x: 1, y: ~}\nn: ~\n")
    #expect(f.string("s") == "5")
    #expect(f.bool("b") == true)
    #expect(f.int("i") == 16)
    #expect(f.double("d") == 1.5)
    #expect(f.strings("l")?.map(\.text) == ["a", "1"])
    #expect(f.map("m")?.map { "\($0.name)=\($0.text)" } == ["x=1", "y="])
    #expect(f.string("n") == nil)
    #expect(f.node("n") != nil)
    f.close()
    #expect(reader.diagnostics.isEmpty)
  }

  @Test func everyWrongTypeIsReported() throws {
    let f = try fields("s: [1]\nb: maybe\ni: 1x\nc: -1\nl: text\nm: [x]\n")
    #expect(f.string("s") == nil)
    #expect(f.bool("b") == nil)
    #expect(f.int("i") == nil)
    #expect(f.count("c") == nil)
    #expect(f.strings("l") == nil)
    #expect(f.map("m") == nil)
    f.close()
    #expect(
      problems == [
        "1:4 expected a text, found a list",
        "2:4 expected true or false, found the text `maybe`",
        "3:4 expected a whole number, found the text `1x`",
        "4:4 expected a number that is not negative, found the number -1",
        "5:4 expected a list, found the text `text`",
        "6:4 expected a mapping, found a list",
      ])
  }

  @Test func unknownFieldsNameTheNearest() throws {
    let f = try fields("intervall: 1\nexpr : 2\nzzz: 3\nName: 4\n")
    _ = f.string("interval")
    _ = f.string("expr")
    _ = f.string("name")
    f.close()
    #expect(
      reader.diagnostics.map(\.label) == ["did you mean `interval`?", nil, "did you mean `name`?"])
    #expect(reader.diagnostics.first?.fix?.replacement == "interval")
    #expect(problems.first == "1:1 field intervall not found in a thing")
  }

  @Test func repeatedKeysNameTheFirst() throws {
    let f = try fields("a: 1\nb: 2\na: 3\n")
    #expect(problems == ["3:1 mapping key \"a\" already defined at line 1"])
    #expect(reader.diagnostics.first?.notes.first?.range == SourceRange(0, 1))
    #expect(reader.skippedDepth == 1)
    _ = f.string("a")
    _ = f.string("b")
    f.close()
    #expect(reader.skippedDepth == 0)
  }

  @Test func mergesAreLaidUnderTheWrittenKeys() throws {
    let f = try fields(
      """
      x: &x {a: 1, b: 1}
      y: &y {b: 2, c: 2}
      z:
        <<: [*x, *y]
        a: 0
      """)
    let z = try #require(f.fields("z", "z"))
    #expect(z.fields.map { "\($0.name)=\($0.value.text ?? "")" } == ["a=0", "b=1", "c=2"])
    #expect(reader.diagnostics.isEmpty)
  }

  @Test func onlyMappingsMerge() throws {
    _ = try fields("<<: 5\na: 1\n")
    #expect(problems == ["1:5 map merge requires map or sequence of maps as the value"])
    let quoted = try fields("'<<': 5\n")
    #expect(quoted.string("<<") == "5")
  }

  @Test func binaryTextsAreDecoded() throws {
    let f = try fields("a: !!binary aGk=\nb: !!binary '*'\nc: !!binary /w==\n")
    #expect(f.string("a") == "hi")
    #expect(f.string("b") == nil)
    #expect(f.string("c") == nil)
    #expect(problems.count == 2)
  }

  @Test(arguments: [
    ("scrap_interval", "scrape_interval"), ("scrape-interval", "scrape_interval"),
    ("jobname", "job_name"), ("jbo", nil), ("xyz", nil), ("job_naem", "job_name"),
  ])
  func nearestName(_ name: String, _ wanted: String?) {
    #expect(NearestName.find(name, among: ["scrape_interval", "job_name"]) == wanted)
  }
}
