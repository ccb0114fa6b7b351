import Model
import Testing

@testable import Exposition

@Suite struct ParserTests {
  @Test func entriesOfTheTextFormat() {
    let text = "# HELP a x\\\\y\\nz\n# TYPE a untyped\n# a note\n\n a{b=\"c\",} 1 2\n{\"q.r\"} 3"
    let (entries, problem) = ExpositionParser.parse(Array(text.utf8), format: .text)
    #expect(problem == nil)
    #expect(entries.count == 5)
    #expect(
      entries.prefix(3) == [
        .help(name: "a", text: "x\\y\nz"), .type(name: "a", .unknown), .comment("# a note"),
      ])
    guard case .series(let first) = entries[3], case .series(let second) = entries[4] else {
      Issue.record("no series")
      return
    }
    #expect(first.labels["b"] == "c" && first.timestamp == Timestamp(milliseconds: 2))
    #expect(second.labels == ["__name__": "q.r"] && second.value == 3)
  }

  @Test func exemplars() {
    let text = "a_bucket 1 2.5 # {id=\"x\"} 3 4\n# EOF\n"
    let (entries, problem) = ExpositionParser.parse(Array(text.utf8), format: .openMetrics)
    #expect(problem == nil)
    guard case .series(let sample) = entries.first else {
      Issue.record("no series")
      return
    }
    #expect(sample.timestamp == Timestamp(milliseconds: 2500))
    #expect(
      sample.exemplar
        == Exemplar(labels: ["id": "x"], value: 3, timestamp: Timestamp(milliseconds: 4000)))
  }

  @Test func entriesBeforeAnErrorAreKept() {
    let (entries, problem) = ExpositionParser.parse(Array("a 1\nb{c='d'} 1\n".utf8), format: .text)
    #expect(entries.count == 1)
    #expect(
      problem
        == ExpositionProblem(
          "expected label value, got \"'\" (\"INVALID\") while parsing: \"b{c='\"", line: 2))
  }

  @Test func bytesThatAreNotTextAreQuoted() {
    let (_, problem) = ExpositionParser.parse([0x61, 0x7b, 0xff, 0x0a], format: .text)
    #expect(
      problem?.message
        == "expected label name, got \"\\xff\" (\"INVALID\") while parsing: \"a{\\xff\"")
  }
}
