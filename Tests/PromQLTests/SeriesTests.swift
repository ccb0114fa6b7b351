import Model
import PromQL
import Testing

@Suite("Series notation")
struct SeriesTests {
  private func texts(_ text: String) throws -> [String] {
    try PromQLParser.parseSeriesDescription("m " + text).values.map { value in
      switch value {
      case .omitted: "_"
      case .float(let v): SpecialValue.isStale(v) ? "stale" : NumberText.plain(v)
      case .histogram(let h, _): h.testExpression
      }
    }
  }

  @Test(
    "expands",
    arguments: [
      ("1 +2 -.5", ["1", "2", "-0.5"]),
      ("_ _x2 stale", ["_", "_", "_", "stale"]),
      ("_x0", []),
      ("3x2", ["3", "3", "3"]),
      ("0x0", ["0"]),
      ("1+1x2 10-5x1", ["1", "2", "3", "10", "5"]),
      ("0.1+0.1x3", ["0.1", "0.2", "0.30000000000000004", "0.4"]),
      ("NaN Inf -inf", ["NaN", "+Inf", "-Inf"]),
      ("Inf+1x1", ["+Inf", "+Inf"]),
      ("{{}}", ["{{}}"]),
      ("{{sum:2 count:1}}x1", ["{{count:1 sum:2}}", "{{count:1 sum:2}}"]),
      (
        "{{buckets:[1 0 2]}}+{{buckets:[1 1 1]}}x1", ["{{buckets:[1 0 2]}}", "{{buckets:[2 1 3]}}"]
      ),
      ("{{sum:5}}-{{sum:2}}x2 1", ["{{sum:5}}", "{{sum:3}}", "{{sum:1}}", "1"]),
      (
        "{{schema:-53 custom_values:[1 2.5] buckets:[1 2 3] counter_reset_hint:gauge}}",
        ["{{schema:-53 custom_values:[1 2.5] counter_reset_hint:gauge buckets:[1 2 3]}}"]
      ),
      (
        "{{z_bucket:1 z_bucket_w:0.5 n_offset:-1 n_buckets:[1 -2]}}",
        ["{{z_bucket:1 z_bucket_w:0.5 n_offset:-1 n_buckets:[1 -2]}}"]
      ),
    ])
  func expands(_ text: String, _ values: [String]) throws {
    #expect(try texts(text) == values)
  }

  @Test("keeps the metric and what was written")
  func metric() throws {
    let series = try PromQLParser.parseSeriesDescription(
      "{\"a.b\", c=\"d\"}\t1 {{counter_reset_hint:unknown}}")
    #expect(series.labels == ["__name__": "a.b", "c": "d"])
    #expect(series.values.map(\.counterResetHintGiven) == [false, true])
    #expect(series.values.map(\.value) == [1, 0])
    #expect(try PromQLParser.parseSeriesDescription("m").values == [])
  }

  @Test(
    "refuses",
    arguments: [
      ("m 1+1", "1:6: parse error: unexpected end of input in series values"),
      (
        "m stalex3",
        "1:3: parse error: unexpected identifier \"stalex3\" in series values, expected number "
          + "or \"stale\""
      ),
      ("m 1 + 1", "1:6: parse error: unexpected \" \" in series values"),
      ("m 1x-1", "1:5: parse error: unexpected <op:-> in series values"),
      ("m 0x1f", "1:5: parse error: bad number syntax: \"1\""),
      (
        "m 1x1e3",
        "1:5: parse error: invalid repetition in series values: strconv.ParseUint: parsing "
          + "\"1e3\": invalid syntax"
      ),
      ("m{a=\"b\"}} 1", "1:9: parse error: unexpected character in series sequence: '}'"),
      ("m{a} 1", "1:4: parse error: unexpected \"}\" in label set, expected \"=\""),
      ("m {{sum:1 sum:2}}", "1:1: parse error: duplicate key \"sum\" in histogram"),
      (
        "m {{sum:1 count: 2}}",
        "1:17: parse error: unexpected \" \" in histogram description, expected histogram "
          + "description key, e.g. buckets:[5 10 7]"
      ),
      ("m {{sum}}", "1:5: parse error: missing `:` for histogram descriptor"),
      (
        "m {{schema:-53}}+{{}}x1",
        "1:23: parse error: cannot apply this operation on histograms with a mix of exponential "
          + "and custom bucket schemas"
      ),
      ("m 1x99999999999", "1:5: parse error: more than 10000000 values in one series"),
    ])
  func refuses(_ text: String, _ message: String) {
    let problem = #expect(throws: ParseProblem.self) {
      try PromQLParser.parseSeriesDescription(text)
    }
    #expect(problem?.text(in: text).hasPrefix(message) == true, "\(problem?.text(in: text) ?? "")")
  }
}

@Suite("Absurd histogram literals")
struct AbsurdHistogramTests {
  @Test("never trap")
  func absurd() throws {
    let literals = [
      "{{offset:2147483647 buckets:[1 2]}}", "{{offset:-2147483648 buckets:[1 2]}}",
      "{{schema:100 buckets:[1]}}", "{{schema:-100 buckets:[1]}}",
      "{{schema:2147483647 n_buckets:[1]}}",
      "{{z_bucket:1 z_bucket_w:NaN buckets:[NaN]}}", "{{z_bucket:1 z_bucket_w:Inf buckets:[1]}}",
      "{{schema:-53 buckets:[1 2 3]}}", "{{schema:-53 offset:-5 custom_values:[1] buckets:[1]}}",
      "{{schema:-53 custom_values:[NaN Inf] buckets:[1]}}", "{{schema:8 offset:99999 buckets:[1]}}",
    ]
    let all = try PromQLParser.parseSeriesDescription("m " + literals.joined(separator: " "))
    let histograms = all.values.compactMap(\.histogram)
    #expect(histograms.count == literals.count)
    for a in histograms {
      _ = (a.description, a.testExpression, a.allBuckets, a.compacted(maxEmpty: 3))
      _ = try? a.validate()
      _ = a.trimmed(at: 1, keepsBelow: true)
      for b in histograms {
        _ = a.adding(b)?.histogram.testExpression
        _ = a.subtracting(b)
        _ = a.detectReset(since: b)
      }
    }
  }
}
