import Model
import Testing

@testable import Discovery

@Suite struct TargetListTests {
  @Test func groupsWithLabels() throws {
    let body = """
      [{"targets": ["a:1", "b:2"], "labels": {"env": "é", "x": ""}}, {"targets": []}]
      """
    let groups = try TargetList.parse(Array(body.utf8), url: "http://sd/")
    #expect(groups.map(\.source) == ["http://sd/:0", "http://sd/:1"])
    #expect(groups[0].targets == ["a:1", "b:2"])
    #expect(groups[0].labels == LabelSet([("env", "é"), ("__meta_url", "http://sd/")]))
  }

  @Test(arguments: [
    ("{}", "the list is not an array"),
    ("[1]", "nil target group item found (index 0)"),
    ("[null]", "nil target group item found (index 0)"),
    (#"[{"targets": [1]}]"#, "group 0: `targets` is not a list of texts"),
    (#"[{"targets": [], "labels": {"a": 1}}]"#, "group 0: the label \"a\" is not a text"),
    (#"[{"target": []}]"#, "group 0: unknown field \"target\""),
  ])
  func refusals(body: String, message: String) {
    let problem = #expect(throws: TargetListProblem.self) {
      try TargetList.parse(Array(body.utf8), url: "u")
    }
    #expect(problem?.description == message)
  }
}
