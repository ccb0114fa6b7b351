import Testing

@Suite("House rules")
struct TidyTests {
  @Test(arguments: houseRules)
  func tree(_ rule: HouseRule) {
    report(rule.findings(in: .project))
  }

  @Test func everyRoomHasTests() { report(TreeRules.roomsHaveTests(.project)) }

  @Test func listsOfRoomsAreTrue() { report(TreeRules.listsAreTrue(.project)) }

  @Test func linksLeadSomewhere() { report(TreeRules.linksLeadSomewhere(.project)) }

  @Test func flagsExist() { report(TreeRules.flagsExist(.project)) }

  @Test func treeIsFound() {
    #expect(SourceTree.project.exists("Package.swift"))
    #expect(SourceTree.project.swift.contains { $0.path == "Sources/Model/LabelSet.swift" })
  }

  /// One issue with all findings, one per line.
  private func report(_ findings: [Finding]) {
    if findings.isEmpty { return }
    let text = findings.sorted().map(\.text).joined(separator: "\n")
    Issue.record("\(findings.count) findings:\n\(text)")
  }
}

/// The rules find what they are meant to find, and nothing else.
@Suite("House rules on samples")
struct RuleSampleTests {
  @Test(arguments: houseRules)
  func catches(_ rule: HouseRule) {
    for sample in rule.catches {
      let file = SourceFile(path: rule.samplePath, text: sample)
      #expect(!rule.findings(in: file).isEmpty, "finds nothing in: \(sample.prefix(200))")
    }
  }

  @Test(arguments: houseRules)
  func passes(_ rule: HouseRule) {
    for sample in rule.passes {
      let found = rule.findings(in: SourceFile(path: rule.samplePath, text: sample))
      #expect(found.isEmpty, "\(found.map(\.text)) in: \(sample.prefix(200))")
    }
  }

  @Test(arguments: [
    ("let a = 1 // note", "let a = 1        "),
    ("a /* b /* c */ d */ e", "a                   e"),
    (#"f("x // y") + 1"#, #"f("      ") + 1"#),
    (#"f("x \(g("y")) z")"#, #"f("  \(g(" "))  ")"#),
    (##"f(#"x " \(y) \#(z)"#)"##, ##"f(#"         \#(z)"#)"##),
    (#"f("\"") + 2"#, #"f("  ") + 2"#),
    ("let t = \"\"\"\n  a \"b\" // c\n  \"\"\" + d", "let t = \"\"\"\n            \n  \"\"\" + d"),
    ("#if DEBUG\nlet x = 1\n#endif", "#if DEBUG\nlet x = 1\n#endif"),
  ])
  func blanking(_ source: String, _ expected: String) {
    let file = SourceFile(path: "Sources/Model/Sample.swift", text: source)
    #expect(String(decoding: file.code, as: UTF8.self) == expected)
  }

  @Test func links() {
    let text = """
      See [one](a.md), [two](../b.md#part), [web](https://example.org/x.md), `[no](c.md)`.

          [code](d.md)
      ```
      [code](e.md)
      ```
      ![picture](f.png "title") [here](#below)
      """
    #expect(TreeRules.links(in: text).map(\.target) == ["a.md", "../b.md", "f.png"])
    #expect(TreeRules.links(in: text).map(\.line) == [1, 1, 7])
  }

  @Test func flags() {
    let text =
      "Use `tocsin run --config.file a.yml --x` or `other --y`.\n    tocsin check -o json --zed=1"
    #expect(TreeRules.flags(in: text).map(\.flag) == ["--config.file", "--zed"])
  }
}
