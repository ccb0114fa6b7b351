import Testing

@testable import Config

@Suite("Variables in external labels")
struct EnvironmentTextTests {
  @Test(arguments: [
    ("a", "a"), ("$A", "1"), ("${A}", "1"), ("$A_b", "<A_b>"), ("x$A-y", "x1-y"), ("$$A", "$A"),
    ("${}", ""), ("${", ""), ("$", "$"), ("$ x", "$ x"), ("$1x", "<1>x"), ("${A", "A"),
    ("100$", "100$"), ("${a.b}", "<a.b>"),
  ])
  func expansion(_ text: String, _ wanted: String) {
    #expect(EnvironmentText.expand(text) { $0 == "A" ? "1" : "<\($0)>" } == wanted)
  }
}
