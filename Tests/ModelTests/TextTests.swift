import Model
import Testing

@Suite("Texts of Go")
struct TextTests {
  @Test(
    "a duration reads and prints",
    arguments: [
      ("0", 0, "0s"), ("1h30m", 5_400_000, "1h30m"), ("90m", 5_400_000, "1h30m"),
      ("1y2w3d4h5m6s7ms", 33_019_506_007, "382d4h5m6s7ms"), ("14d", 1_209_600_000, "2w"),
      ("365d", 31_536_000_000, "1y"), ("10d", 864_000_000, "10d"), ("1500ms", 1500, "1s500ms"),
      ("0m", 0, "0s"),
    ])
  func durations(_ text: String, _ milliseconds: Int64, _ canonical: String) throws {
    let duration = try PromDuration(parsing: text)
    #expect(duration.milliseconds == milliseconds)
    #expect(duration.description == canonical)
    let negative = try PromDuration(parsingSigned: "-" + text)
    #expect(negative.milliseconds == -milliseconds)
    #expect(negative.description == (milliseconds == 0 ? "" : "-") + canonical)
  }

  @Test(
    "a bad duration is refused",
    arguments: [
      ("", "empty duration string"),
      ("5", "not a valid duration string: \"5\""),
      ("-5m", "not a valid duration string: \"-5m\""),
      ("5m1h", "not a valid duration string: \"5m1h\""),
      ("1m1m", "not a valid duration string: \"1m1m\""),
      ("00", "not a valid duration string: \"00\""),
      ("5 m", "unknown unit \" m\" in duration \"5 m\""),
      ("3us", "unknown unit \"us\" in duration \"3us\""),
      ("1.5h", "unknown unit \".\" in duration \"1.5h\""),
      ("300y", "duration out of range"),
      ("292y99999d", "duration out of range"),
      ("99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""),
    ])
  func badDurations(_ text: String, _ message: String) {
    let problem = #expect(throws: DurationProblem.self) { try PromDuration(parsing: text) }
    #expect(problem?.description == message)
  }

  @Test(
    "numbers in three layouts",
    arguments: [
      (0.0, "0", "0", "0e+00"), (-0.0, "-0", "-0", "-0e+00"), (1, "1", "1", "1e+00"),
      (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "3.0000000000000004e-01"),
      (1_000_000, "1000000", "1e+06", "1e+06"), (123_456, "123456", "123456", "1.23456e+05"),
      (0.0001, "0.0001", "0.0001", "1e-04"), (0.000_012, "0.000012", "1.2e-05", "1.2e-05"),
      (1e21, "1000000000000000000000", "1e+21", "1e+21"),
      (-2.5e-9, "-0.0000000025", "-2.5e-09", "-2.5e-09"),
      (.infinity, "+Inf", "+Inf", "+Inf"), (-.infinity, "-Inf", "-Inf", "-Inf"),
      (.nan, "NaN", "NaN", "NaN"),
    ])
  func numbers(_ value: Double, _ plain: String, _ general: String, _ scientific: String) {
    #expect(NumberText.plain(value) == plain)
    #expect(NumberText.general(value) == general)
    #expect(NumberText.scientific(value) == scientific)
  }

  @Test("numbers with six decimals, exactly")
  func fixed() {
    #expect(NumberText.fixed(0) == "0.000000")
    #expect(NumberText.fixed(1.5) == "1.500000")
    #expect(NumberText.fixed(-0.000_000_5) == "-0.000000")
    #expect(NumberText.fixed(0.000_001_5) == "0.000002")
    #expect(NumberText.fixed(2.675) == "2.675000")
    #expect(NumberText.fixed(0.1) == "0.100000")
    #expect(NumberText.fixed(1e22) == "10000000000000000000000.000000")
    #expect(NumberText.fixed(0x1p70) == "1180591620717411303424.000000")
    #expect(NumberText.fixed(.leastNonzeroMagnitude) == "0.000000")
  }

  @Test("quoted texts")
  func quoting() {
    #expect(GoText.quote("a\"b\\c\n\t\u{7}\u{0}\u{7f}") == #""a\"b\\c\n\t\a\x00\x7f""#)
    #expect(GoText.quote("é日😀'") == "\"é日😀'\"")
    #expect(GoText.quote("\u{a0}\u{200b}\u{e000}\u{e0001}") == #""\u00a0\u200b\ue000\U000e0001""#)
    #expect(GoText.quote(bytes: [0x61, 0xff, 0xc3, 0xa9, 0xc3]) == #""a\xffé\xc3""#)
    #expect(GoText.quote("'" as Unicode.Scalar) == #"'\''"#)
    #expect(GoText.quote("\"" as Unicode.Scalar) == "'\"'")
  }
}
