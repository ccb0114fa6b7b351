import Kernel
import Model
import Testing

@Suite("Relabelling")
struct RelabelTests {
  private func rule(
    _ action: String, source: [String]? = nil, regex: String? = nil, target: String? = nil,
    replacement: String? = nil, separator: String? = nil, modulus: UInt64? = nil
  ) throws(RelabelProblem) -> RelabelRule {
    var fields = RelabelFields()
    try fields.setAction(action)
    if let source { try fields.setSourceLabels(source) }
    if let regex { try fields.setRegex(regex) }
    if let target { fields.setTargetLabel(target) }
    if let replacement { fields.setReplacement(replacement) }
    if let separator { fields.setSeparator(separator) }
    if let modulus { fields.setModulus(modulus) }
    return try .validated(from: fields)
  }

  private let start: LabelSet = [
    "__address__": "db-1:5432", "env": "Prod", "job": "db", "__meta_tag_team": "core",
  ]

  @Test("replace writes, removes, and leaves alone")
  func replace() throws {
    let host = try rule(
      "replace", source: ["__address__"], regex: "([^:]+):.*", target: "host")
    #expect([host].apply(to: start)?["host"] == "db-1")
    let joined = try rule("Replace", source: ["env", "job"], target: "both", separator: "/")
    #expect([joined].apply(to: start)?["both"] == "Prod/db")
    let none = try rule("replace", source: ["job"], regex: "web", target: "x")
    #expect([none].apply(to: start) == start)
    let removed = try rule("replace", source: ["job"], target: "env", replacement: "")
    #expect([removed].apply(to: start)?["env"] == nil)
    let computed = try rule(
      "replace", source: ["job"], regex: "(.*)", target: "${1}_up", replacement: "yes")
    #expect([computed].apply(to: start)?["db_up"] == "yes")
  }

  @Test("keep and drop, by pattern and by equality")
  func dropping() throws {
    #expect(try [rule("keep", source: ["job"], regex: "db")].apply(to: start) == start)
    #expect(try [rule("keep", source: ["job"], regex: "d")].apply(to: start) == nil)
    #expect(try [rule("drop", source: ["env"], regex: "P.*")].apply(to: start) == nil)
    #expect(try [rule("keepequal", source: ["job"], target: "job")].apply(to: start) == start)
    #expect(try [rule("dropequal", source: ["nope"], target: "none")].apply(to: start) == nil)
  }

  @Test("labelmap, labeldrop and labelkeep go by names")
  func names() throws {
    let map = try rule("labelmap", regex: "__meta_tag_(.+)")
    #expect([map].apply(to: start)?["team"] == "core")
    let drop = try rule("labeldrop", regex: "__.*")
    #expect([map, drop].apply(to: start) == ["env": "Prod", "job": "db", "team": "core"])
    #expect(try [rule("labelkeep", regex: "job|env")].apply(to: start)?.count == 2)
  }

  @Test("Case and hashes")
  func values() throws {
    #expect(
      try [rule("lowercase", source: ["env"], target: "env")].apply(to: start)?["env"] == "prod")
    #expect(
      try [rule("uppercase", source: ["job"], target: "job")].apply(to: start)?["job"] == "DB")
    let shard = try rule("hashmod", source: ["job"], target: "shard", modulus: 8)
    #expect([shard].apply(to: start)?["shard"] == "3")
    // The digest of the empty text ends in e9800998ecf8427e.
    let empty = try rule("hashmod", source: ["nope"], target: "h", modulus: .max)
    #expect([empty].apply(to: start)?["h"] == String(0xe980_0998_ecf8_427e as UInt64))
  }

  @Test("Refusals in Prometheus' words")
  func refusals() {
    func message(_ make: () throws -> RelabelRule) -> String {
      let problem = #expect(throws: RelabelProblem.self) { _ = try make() }
      return problem?.message ?? ""
    }
    #expect(message { try rule("keeep") } == #"unknown relabel action "keeep""#)
    #expect(
      message { try rule("keep", regex: "a(") }
        == "error parsing regexp: missing closing ): `^(?s:a()$`"
    )
    #expect(
      message { try rule("hashmod", target: "x") }
        == "relabel configuration for hashmod requires non-zero modulus")
    #expect(
      message { try rule("replace") }
        == "relabel configuration for replace action requires 'target_label' value")
    #expect(
      message { try rule("lowercase", target: "x", replacement: "y") }
        == "'replacement' can not be set for lowercase action")
    #expect(
      message { try rule("keepequal", target: "x", separator: ",") }
        == "keepequal action requires only 'source_labels' and `target_label`, and no other fields")
    #expect(
      message { try rule("labeldrop", source: []) }
        == "labeldrop action requires only 'regex', and no other fields")
    #expect(
      message { try rule("labelmap", replacement: "") }
        == #""" is invalid 'replacement' for labelmap action"#)
    #expect(message { try rule("keep", source: [""]) } == #""" is not a valid label name"#)
  }
}
