import PromQL
import Testing

@Suite("The parser refuses")
struct ProblemTests {
  /// A text in which `▲` marks where the problem is, and the message.
  static let syntax: [(marked: String, message: String)] = [
    ("load +▲", "unexpected end of input"),
    ("▲* load", "unexpected <op:*>"),
    ("load ▲load", "unexpected identifier \"load\""),
    ("(load▲", "unclosed left parenthesis"),
    ("load)▲", "unexpected right parenthesis ')'"),
    ("load▲]", "unexpected right bracket ']'"),
    ("load ▲$", "unexpected character: '$'"),
    ("load ▲=~ 1", "unexpected character after '=': '~'"),
    ("load ▲= 1", "unexpected \"=\""),
    ("load{▲=\"x\"}", "unexpected \"=\" in label matching, expected identifier or \"}\""),
    (
      "load{host ▲\"x\"}",
      "unexpected string \"\\\"x\\\"\" in label matching, expected label matching operator"
    ),
    ("load{host=▲host}", "unexpected identifier \"host\" in label matching, expected string"),
    (
      "load{host=\"x\" ▲rack=\"y\"}",
      "unexpected identifier \"rack\" in label matching, expected \",\" or \"}\""
    ),
    ("load{host=\"x\"▲", "unexpected end of input inside braces"),
    ("load{▲host=~\"(\"}", "error parsing regexp: missing closing ): `(`"),
    ("sum by ▲host (load)", "unexpected identifier \"host\" in grouping opts, expected \"(\""),
    ("sum by (▲1) (load)", "unexpected number \"1\" in grouping opts, expected label"),
    (
      "sum by (host ▲rack) (load)",
      "unexpected identifier \"rack\" in grouping opts, expected \",\" or \")\""
    ),
    ("sum by (▲\"\") (load)", "invalid label name for grouping: \"\""),
    ("sum by (host) ▲load", "unexpected identifier \"load\" in aggregation"),
    ("avg(load ▲load)", "unexpected identifier \"load\" in aggregation"),
    ("rate(load[5m]▲,)", "trailing commas not allowed in function call args"),
    ("▲speed(load[5m])", "unknown function with name \"speed\""),
    ("▲Rate(load[5m])", "unknown function with name \"Rate\""),
    (
      "load[▲]",
      "unexpected \"]\" in subquery or range selector, expected number, duration, step(), or "
        + "range()"
    ),
    ("load[5m:1m ▲2m]", "unexpected duration \"2m\" in subquery selector, expected \"]\""),
    ("load[5m ▲1m]", "unexpected duration \"1m\" in subquery or range, expected \":\" or \"]\""),
    ("load[▲0s]", "duration must be greater than 0"),
    ("load[▲-1m]", "duration must be greater than 0"),
    ("load[5m ▲/ 0]", "division by zero"),
    ("load[5m ▲% 0s]", "modulo by zero"),
    ("load[▲1e11]", "duration out of range"),
    ("load[▲5m5m]", "not a valid duration string: \"5m5m\""),
    ("load[▲5mx]", "bad number or duration syntax: \"5mx\""),
    ("load[5m▲", "unclosed left bracket"),
    (
      "load offset ▲load",
      "unexpected identifier \"load\" in offset, expected number, duration, step(), or range()"
    ),
    (
      "load offset max_of(1m ▲)",
      "unexpected \")\" in offset, expected number, duration, step(), or range()"
    ),
    ("load @ ▲load", "unexpected identifier \"load\" in @, expected timestamp"),
    ("▲load @ Inf", "timestamp out of bounds for @ modifier: +Inf"),
    ("▲load @ 1e19", "timestamp out of bounds for @ modifier: 10000000000000000000.000000"),
    ("▲load @ 1 @ 2", "@ <timestamp> may not be set multiple times"),
    ("▲load offset 1m offset 1m", "offset may not be set multiple times"),
    (
      "▲(load) offset 1m",
      "offset modifier must be preceded by an instant vector selector or range vector selector "
        + "or a subquery"
    ),
    ("load offset 1m▲[5m]", "no offset modifiers allowed before range"),
    ("load @ 1▲[5m]", "no @ modifiers allowed before range"),
    ("▲load[5m] anchored smoothed", "anchored and smoothed modifiers cannot be used together"),
    ("load + on▲", "unexpected end of input in grouping opts, expected \"(\""),
    ("load + ▲group_left(a) load", "unexpected <group_left>"),
    ("▲1e999", "error parsing number: strconv.ParseFloat: parsing \"1e999\": value out of range"),
    ("▲1__0", "bad number or duration syntax: \"1__\""),
    ("▲\"open", "unterminated quoted string"),
    ("▲\"\\y\"", "unknown escape sequence U+0079 'y'"),
    ("▲`open", "unterminated raw string"),
  ]

  static let types: [(marked: String, message: String)] = [
    (
      "▲-load[5m]",
      "unary expression only allowed on expressions of type scalar or instant vector, got "
        + "\"range vector\""
    ),
    ("rate(▲load)", "expected type range vector in call to function \"rate\", got instant vector"),
    ("▲rate()", "expected 1 argument(s) in call to \"rate\", got 0"),
    ("▲round(load, 1, 2)", "expected at most 2 argument(s) in call to \"round\", got 3"),
    (
      "▲label_join(load, \"a\")", "expected at least 3 argument(s) in call to \"label_join\", got 2"
    ),
    (
      "label_join(load, \"a\", \"b\", \"c\", ▲1)",
      "expected type string in call to function \"label_join\", got scalar"
    ),
    ("sum(▲1)", "expected type instant vector in aggregation expression, got scalar"),
    ("topk(▲load, load)", "expected type scalar in aggregation parameter, got instant vector"),
    ("count_values(▲1, load)", "expected type string in aggregation parameter, got scalar"),
    (
      "▲topk(load)",
      "wrong number of arguments for aggregate expression provided, expected 2, got 1"
    ),
    ("▲sum()", "no arguments for aggregate expression provided"),
    ("1 ▲> 2", "comparisons between scalars must use BOOL modifier"),
    ("load ▲+ bool load", "bool modifier can only be used on comparison operators"),
    ("▲load and 1", "set operator \"and\" not allowed in binary scalar expression"),
    ("▲load + on(a) 1", "vector matching only allowed between instant vectors"),
    ("▲load or on(a) group_left load", "no grouping allowed for \"or\" operation"),
    (
      "load ▲* on(a) group_left(a) load",
      "label \"a\" must not occur in ON and GROUP clause at once"
    ),
    ("1 + ▲\"x\"", "binary expression must contain only scalar and instant vector types"),
    ("▲load[5m][5m:]", "subquery is only allowed on instant vector, got matrix instead"),
    ("1▲[5m]", "ranges only allowed for vector selectors"),
    ("▲{host=~\".*\"}", "vector selector must contain at least one non-empty matcher"),
    ("▲load{__name__=\"up\"}", "metric name must not be set twice: \"load\" or \"up\""),
    ("info(load, ▲up)", "expected label selectors only, got vector selector instead"),
    ("▲load or fill(0) load", "filling in missing series not allowed for set operators"),
  ]

  @Test("bad syntax, at its place", arguments: syntax)
  func badSyntax(_ marked: String, _ message: String) { check(marked, message) }

  @Test("wrong types, at their place", arguments: types)
  func wrongTypes(_ marked: String, _ message: String) { check(marked, message) }

  private func check(_ marked: String, _ message: String) {
    let bytes = Array(marked.utf8)
    let mark = Array("▲".utf8)
    guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
      Issue.record("no mark in \(marked)")
      return
    }
    let text = String(decoding: bytes[..<at] + bytes[(at + mark.count)...], as: UTF8.self)
    do {
      let expr = try PromQLParser.parse(text)
      Issue.record("\(text) was accepted as \(expr)")
    } catch {
      #expect(error.message.hasPrefix(message), "\(text)")
      #expect(error.range.start == at, "\(text)")
    }
  }

  @Test("nothing at all")
  func nothing() {
    for (text, wanted) in [
      ("", "unknown position: parse error: no expression found in input"),
      ("  # idle\n", "1:1: parse error: no expression found in input"),
      ("up\n  +", "2:4: parse error: unexpected end of input"),
      ("é", "1:1: parse error: unexpected character: 'é'"),
    ] {
      let problem = #expect(throws: ParseProblem.self) { try PromQLParser.parse(text) }
      #expect(problem?.text(in: text) == wanted)
    }
  }

  @Test(
    "what a Prometheus without feature flags refuses",
    arguments: [
      (
        "limitk(1, load)",
        "limitk() is experimental and must be enabled with "
          + "--enable-feature=promql-experimental-functions"
      ),
      ("mad_over_time(load[5m])", "function \"mad_over_time\" is not enabled"),
      ("load[5m] anchored", "anchored modifier is experimental and not enabled"),
      ("load smoothed", "smoothed modifier is experimental and not enabled"),
      ("load + fill(0) load", "binop fill modifiers are experimental and not enabled"),
    ])
  func release(_ text: String, _ message: String) throws {
    _ = try expression(text)
    let problem = #expect(throws: ParseProblem.self) {
      try PromQLParser.parse(text, options: .release)
    }
    #expect(problem?.message == message)
  }

  @Test("arithmetic on durations, where it is off")
  func durationExpressions() throws {
    let options = ParserOptions(durationExpressions: false)
    _ = try expression("load[+5m] offset -(5)", options)
    for text in ["load[1m + 1m]", "load[step()]", "load offset (5m)", "load[min_of(1m, 2m)]"] {
      _ = try expression(text, .release)
      #expect(throws: ParseProblem.self) { try PromQLParser.parse(text, options: options) }
    }
  }

  @Test("nesting that would cost the stack")
  func nesting() throws {
    let deep = PromQLParser.maximumDepth - 1
    _ = try expression(
      String(repeating: "(", count: deep) + "1" + String(repeating: ")", count: deep))
    let high = PromQLParser.maximumHeight
    let chain = try expression(Array(repeating: "x", count: high).joined(separator: " + "))
    #expect(try expression(chain.description) == chain)
    for text in [
      String(repeating: "(", count: 100_000), String(repeating: "-", count: 100_000),
      String(repeating: "abs(", count: 100_000), "x[" + String(repeating: "(", count: 100_000),
      Array(repeating: "x", count: 100_000).joined(separator: "*"),
      Array(repeating: "2", count: 100_000).joined(separator: "^"),
      "x" + String(repeating: "[1m:]", count: 100_000),
      "x[1s" + String(repeating: "+1s", count: 100_000) + "]",
    ] {
      let problem = #expect(throws: ParseProblem.self) { try PromQLParser.parse(text) }
      #expect(problem?.message.contains("nested too deeply") == true)
    }
  }
}
