import Diagnostics
import Model
import PromQL
import Testing

/// Parses a text that must be PromQL.
func expression(_ text: String, _ options: ParserOptions = .all) throws -> Expr {
  do {
    return try PromQLParser.parse(text, options: options)
  } catch {
    Issue.record("\(text): \(error.text(in: text))")
    throw error
  }
}

@Suite("The parser reads")
struct ParserTests {
  @Test(
    "the same expression from",
    arguments: [
      ("requests{path='/a'}", "requests { path = \"/a\" , }"),
      ("requests", "  requests # all of them"),
      ("{\"disk.free\", host=~`a.*`}", "{__name__=\"disk.free\",host=~\"a.*\"}"),
      ("sum(load) by (host)", "sum by (host) (load)"),
      ("SUM without (a, b,) (load)", "sum without(a, \"b\")(load)"),
      ("a AND b Or c", "a and b or c"),
      ("load[300s]", "load[5m]"),
      ("load[0x3c:1e1]", "load[1m:10s]"),
      ("load offset 90", "load offset 1m30s"),
      ("load offset -(5)", "load offset -5s"),
      ("load @ 1m offset 5m", "load offset 5m @ 60"),
      ("load @ start() ", "load @ Start( )"),
      ("1_000", "1000"),
      ("0x1F", "31"),
      ("017", "15"),
      ("08", "8"),
      ("-1 + .5", "-1.0 + 5e-1"),
      ("a * on (x) group_left b", "a * on(x) group_left() b"),
      ("a + fill_left(1) fill_right(2) b", "a + fill_right(2) fill_left(1) b"),
      ("load[(5m)]", "load[5m]"),
      ("load[((1m + 1m))]", "load[(1m + 1m)]"),
      ("load[+step()]", "load[step()]"),
    ])
  func same(_ one: String, _ other: String) throws {
    let a = try expression(one)
    let b = try expression(other)
    #expect(a == b)
    #expect(a.hashValue == b.hashValue)
  }

  @Test(
    "another expression from",
    arguments: [
      ("a + b * c", "(a + b) * c"),
      ("a - b - c", "a - (b - c)"),
      ("2 ^ 3 ^ 4", "(2 ^ 3) ^ 4"),
      ("-a ^ b", "(-a) ^ b"),
      ("a and b or c", "a and (b or c)"),
      ("a > b", "a > bool b"),
      ("a > b", "a >/ b"),
      ("a * on (x) b", "a * ignoring (x) b"),
      ("a * on () b", "a * b"),
      ("sum by () (a)", "sum without () (a)"),
      ("load[5m]", "load[5m:]"),
      ("load offset 5m", "load offset -5m"),
      ("load @ 0", "load @ start()"),
      ("load anchored", "load smoothed"),
      ("{a=\"x\"}", "{a!=\"x\", b=\"y\"}"),
      ("load[1m + 1m]", "load[2m]"),
      ("0", "-0"),
      ("5m", "300"),
      ("\"caf\u{e9}\"", "\"cafe\u{301}\""),
    ])
  func another(_ one: String, _ other: String) throws {
    #expect(try expression(one) != expression(other))
  }

  @Test("keywords as metric and label names")
  func keywordsAsNames() throws {
    for word in ["sum", "by", "and", "offset", "start", "step", "max_of", "fill", "smoothed"] {
      guard case .selector(let selector) = try expression("\(word){\(word)=\"x\"}") else {
        Issue.record("\(word) is no selector")
        continue
      }
      #expect(selector.name == word)
      #expect(selector.matchers.map(\.name) == [word, "__name__"])
    }
    #expect(
      try expression("sum by (by, on, bool, atan2) (x)").description.hasPrefix("sum by (by, on"))
  }

  @Test("an offset as far as Prometheus does")
  func offsetArithmetic() throws {
    #expect(try expression("a offset 5m * 2") == expression("(a offset 5m) * 2".droppingParens))
    guard case .selector(let one) = try expression("a offset (5m) * 2") else {
      Issue.record("the arithmetic belongs to the offset")
      return
    }
    #expect(one.offset.expr != nil)
  }

  @Test("positions of parts")
  func ranges() throws {
    let text = "sum by (a) (rate(b{c=\"d\"}[5m] offset 1m)) > 2"
    guard case .binary(let comparison) = try expression(text),
      case .aggregate(let sum) = comparison.lhs, case .call(let rate) = sum.expr
    else {
      Issue.record("unexpected tree")
      return
    }
    func part(_ range: SourceRange) -> String {
      String(decoding: Array(text.utf8)[range.start..<range.end], as: UTF8.self)
    }
    #expect(part(comparison.range) == text)
    #expect(part(comparison.opRange) == ">")
    #expect(part(sum.range) == "sum by (a) (rate(b{c=\"d\"}[5m] offset 1m))")
    #expect(part(rate.range) == "rate(b{c=\"d\"}[5m] offset 1m)")
    #expect(part(rate.arguments[0].range) == "b{c=\"d\"}[5m] offset 1m")
  }

  @Test("strings with escapes, also those that are not UTF-8")
  func strings() throws {
    guard case .string(let escaped) = try expression(#"'\x41\101\u00e9\n\'"'"#) else { return }
    #expect(escaped.value == "AA\u{e9}\n'\"")
    #expect(escaped.rawBytes == nil)
    guard case .string(let raw) = try expression(#""\xff""#) else { return }
    #expect(raw.rawBytes == [0xff])
    #expect(Expr.string(raw).description == #""\xff""#)
  }

  @Test("selectors and metrics on their own")
  func parts() throws {
    let matchers = try PromQLParser.parseMetricSelector("up{job!=\"x\"}")
    #expect(matchers.map(\.description) == ["job!=\"x\"", "__name__=\"up\""])
    let metric = try PromQLParser.parseMetric("{\"disk.free\", host=\"a\"}")
    #expect(metric == ["__name__": "disk.free", "host": "a"])
    #expect(throws: ParseProblem.self) { try PromQLParser.parseMetric("up 1") }
    #expect(throws: ParseProblem.self) { try PromQLParser.parseMetricSelector("1") }
  }

  @Test("all functions, by name and case")
  func functions() throws {
    #expect(FunctionSignature.all.count == 90)
    #expect(FunctionSignature.all.filter(\.isExperimental).count == 17)
    #expect(FunctionSignature.named("rate")?.argumentTypes == [.matrix])
    #expect(FunctionSignature.named("Rate") == nil)
  }
}

extension String {
  /// The text without the first pair of parentheses.
  fileprivate var droppingParens: String {
    String(decoding: utf8.filter { $0 != 0x28 && $0 != 0x29 }, as: UTF8.self)
  }
}
