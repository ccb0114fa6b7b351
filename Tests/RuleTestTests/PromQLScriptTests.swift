import RuleTest
import Testing

@Suite struct PromQLScriptTests {
  private func run(_ text: String) throws -> ScriptReport {
    PromQLScriptRunner.run(try PromQLScriptParser.parse(text, name: "own.test"))
  }

  @Test func loadsAndEvaluates() throws {
    let report = try run(
      """
      # A counter with a reset.
      load 1m
        requests{job="a"} 0+10x5 0+10x5
        requests{job="b"} 0+1x10

      eval instant at 10m sum(increase(requests[10m]))
        104.4

      eval range from 0 to 2m step 1m requests{job="b"}
        requests{job="b"} 0 1 2

      eval instant at 5m rate(nothing[5m])
        expect no_warn
      """)
    #expect(report.cases == 3)
    #expect(report.failures.map(\.line) == [6])
  }

  @Test func anExpectedFailureMustHappenWithItsWords() throws {
    let report = try run(
      """
      load 1m
        a{x="1"} 1
        a{x="2"} 1

      eval instant at 0 a + on() a
        expect fail regex:many-to-many matching not allowed

      eval instant at 0 a
        expect fail
      """)
    #expect(report.passed == 1)
    #expect(report.failures.map(\.line) == [8])
  }

  @Test func aSyntaxErrorRefusesTheFile() {
    #expect(throws: ScriptProblem.self) {
      try PromQLScriptParser.parse("load 1m\n  a{ 1\n", name: "own.test")
    }
  }
}
