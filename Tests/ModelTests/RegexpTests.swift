import Model
import TestSupport
import Testing

@Suite("Regular expressions")
struct RegexpTests {
  private func matcher(_ pattern: String) throws -> Regexp { try Regexp(anchored: pattern) }

  @Test("A matcher's pattern takes the whole text and dots take line feeds")
  func anchoring() throws {
    #expect(try matcher("eu").matches("eu"))
    #expect(try !matcher("eu").matches("eu-west"))
    #expect(try matcher("a.c").matches("a\nc"))
    #expect(try !matcher("(?-s:a.c)").matches("a\nc"))
    #expect(try matcher("").matches(""))
    #expect(try !matcher("").matches("x"))
    #expect(try matcher("a|b").matches("b"))
    #expect(try !matcher("a|b").matches("ab"))
  }

  /// Patterns that skip the engine, next to texts and what the engine would say.
  @Test(
    "Shapes without the engine agree with it",
    arguments: [
      "db", "db|cache|web", "(prod|dev)-(eu|us)", "web-[123]", "web.*", ".*web", ".*web.*", "w.+b",
      ".+", ".*", "a.*b.*c", ".*a|b.*", "a.*a", "x.+.*y", "a(.*)b", "", "(|a)b", "é.*ü",
    ])
  func shapes(_ pattern: String) throws {
    let quick = try Regexp(anchored: pattern)
    // A lazy group changes nothing for whole texts, but no shape knows it.
    let slow = try Regexp(anchored: "(?:\(pattern))(?:q{0})*?")
    let texts = [
      "", "db", "cache", "web", "prod-eu", "dev-us", "prod-", "web-2", "web-4", "webb", "aweb",
      "aweba", "wb", "wxb", "a", "ab", "aa", "aba", "abc", "aXbYc", "abcabc", "cab", "xy", "xzy",
      "b", "éü", "é日ü", "\n", "a\nb",
    ]
    for text in texts { #expect(quick.matches(text) == slow.matches(text), "\(text)") }
  }

  @Test("Literal lists are readable")
  func literals() throws {
    #expect(try matcher("web|db").literals == ["db", "web"])
    #expect(try matcher("(a|b)[12]").literals == ["a1", "a2", "b1", "b2"])
    #expect(try matcher("db").literals == ["db"])
    #expect(try matcher("(?i)db").literals == nil)
    #expect(try matcher("db.*").literals == nil)
  }

  @Test(
    "Go's language where RE2's differs",
    arguments: [
      ("(?<n>a)b", "ab", true), ("(?P<n>a)(?P<n>b)", "ab", true), (#"\p{greek}+"#, "αβ", true),
      (#"\p{Letter}"#, "x", true), (#"\P{LC}"#, "1", true), (#"\p{Assigned}"#, "a", true),
      (#"[\p{^Lu}]"#, "A", false), (#"\Qa.b"#, "a.b", true), (#"a{,2}"#, "a{,2}", true),
      (#"(?i)straße"#, "STRAßE", true), (#"[[:word:]]+"#, "a_1", true), (#"[a-]"#, "-", true),
    ])
  func dialect(_ pattern: String, _ text: String, _ expected: Bool) throws {
    #expect(try matcher(pattern).matches(text) == expected)
  }

  @Test(
    "Refusals in Go's words",
    arguments: [
      ("(ab", "missing closing ): `(ab`"), ("ab)", "unexpected ): `ab)`"),
      ("a**", "invalid nested repetition operator: `**`"),
      ("a|*", "missing argument to repetition operator: `*`"),
      ("[b-a]", "invalid character class range: `b-a`"), ("x[ab", "missing closing ]: `[ab`"),
      (#"\Z"#, #"invalid escape sequence: `\Z`"#), (#"\C"#, #"invalid escape sequence: `\C`"#),
      (#"a\"#, "trailing backslash at end of expression: ``"),
      ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
      ("(?<n-m>a)", "invalid named capture: `(?<n-m>`"),
      ("a{1001}", "invalid repeat count: `{1001}`"), ("a{3,2}", "invalid repeat count: `{3,2}`"),
      ("((a{100}){100}){2}", "invalid repeat count: `{100}`"),
      (#"\p{Nope}"#, #"invalid character class range: `\p{Nope}`"#),
      ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
    ])
  func refusals(_ pattern: String, _ message: String) {
    #expect(throws: RegexpProblem("error parsing regexp: " + message)) {
      try Regexp(anchored: pattern)
    }
  }

  @Test("A wrapped pattern is quoted with its wrapping")
  func wrapped() throws {
    #expect(throws: RegexpProblem("error parsing regexp: missing closing ]: `[a)$`")) {
      try Regexp(wrapped: "[a")
    }
    #expect(try Regexp(wrapped: "a)|(?:b").matches("xb"))
    #expect(try Regexp(wrapped: "(a+)(b)?").groups(in: "aa") == ["aa", "aa", ""])
    #expect(try Regexp(wrapped: "(a+)").groups(in: "aab") == nil)
  }

  @Test(
    "Replacements",
    arguments: [
      ("(a)(b)?", "[$1$2]", "ab a", "[ab] [a]"), ("x*", "-", "abc", "-a-b-c-"),
      ("(?P<first>\\w+) (\\w+)", "$2 ${first}", "left right", "right left"),
      ("a", "$$1 $ ${x", "a", "$1 $ ${x"), ("(a)", "$1x", "a", ""), ("(a)", "${1}x", "a", "ax"),
      ("é", "e", "café", "cafe"), ("b*", "<$0>", "abba", "<>a<bb>a<>"),
    ])
  func replacements(_ pattern: String, _ template: String, _ text: String, _ result: String) throws
  {
    let regexp = try Regexp(pattern)
    #expect(regexp.replacingAll(in: text, with: RegexpReplacement(template)) == result)
  }

  @Test("Deep nesting is an error, not a crash")
  func depth() throws {
    let deep = String(repeating: "(", count: 5000) + String(repeating: ")", count: 5000)
    let problem = #expect(throws: RegexpProblem.self) { try Regexp(anchored: deep) }
    #expect(
      problem?.description.hasPrefix("error parsing regexp: expression nests too deeply") == true)
  }

  @Test("Mutated patterns never trap", arguments: UInt64(0)..<40)
  func mutations(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let seeds = [
      #"^(?:[^a-z\d]|\p{Greek}+?|(?i:x{2,5}))*$"#, #"(?P<a>[[:alpha:]])(?<b>\x{41}|\Q*\E|\07)"#,
      "(a|b|c.*)+?d{1,3}(?-s:.)é", "web-(eu|us)-[0-9]+",
    ]
    for _ in 0..<50 {
      var bytes = Array(seeds[Int.random(in: 0..<seeds.count, using: &random)].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let i = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where bytes.count > 1: bytes.remove(at: i)
        case 1: bytes.insert(bytes[i], at: i)
        case 2: bytes[i] = UInt8.random(in: 0...127, using: &random)
        default: bytes.swapAt(i, Int.random(in: 0..<bytes.count, using: &random))
        }
      }
      let pattern = String(decoding: bytes, as: UTF8.self)
      _ = (try? Regexp(anchored: pattern)).map { $0.matches("aXbé\n1") }
      _ = (try? Regexp(wrapped: pattern)).map { $0.groups(in: "aXbé\n1") }
      let replacement = RegexpReplacement("$1-$0")
      _ = (try? Regexp(pattern)).map { $0.replacingAll(in: "aXbé\n1", with: replacement) }
    }
  }
}
