import PromQL
import Testing

@Suite struct SourceFormatterTests {
  @Test(arguments: [
    ("up", "up"),
    ("  sum( rate(x [5m] ) )BY(job ,\"a b\",)  ", #"sum by (job, "a b") (rate(x[5m]))"#),
    ("SUM BY (a) (x)", "sum by (a) (x)"), ("sum by () (x)", "sum(x)"),
    ("count without()(x)", "count without () (x)"),
    ("x{ }", "x"), (#"x{b = 'q', a=~`\d+` , }"#, #"x{b='q',a=~`\d+`}"#),
    (#"{ "a.b" , c!="d"}"#, #"{"a.b",c!="d"}"#),
    ("1e6*x>bool 0x1F", "1e6 * x > bool 0x1F"), ("100_000 + Inf", "100_000 + Inf"),
    ("a/ON(x,y)GROUP_LEFT(z)b", "a / on (x, y) group_left (z) b"),
    ("a * ignoring(x)group_right b", "a * ignoring (x) group_right () b"),
    ("a AND b unless c", "a and b unless c"), ("a ATAN2 b", "a atan2 b"),
    ("a + fill_left( - 1 ) b", "a + fill_left (-1) b"),
    ("- x ^ 2", "-x ^ 2"), ("-( 1 )", "-(1)"), ("+5", "+5"), ("time ( )", "time()"),
    ("x OFFSET  - 5m", "x offset -5m"), ("x @ start( )", "x @ start()"),
    ("x[ 90s ]@-1.50 offset 1d", "x[90s] @ -1.50 offset 1d"),
    ("sum(x)[1h : 5m] offset 300s", "sum(x)[1h:5m] offset 300s"), ("x[1h:]", "x[1h:]"),
    ("x[5m+ - 1m*2]", "x[5m + -1m * 2]"), ("x[ STEP( )*(2) ]", "x[step() * (2)]"),
    ("x offset min_of(5m,step( ))", "x offset min_of(5m, step())"),
    ("x offset (5m+1m)*2 > y", "x offset (5m + 1m) * 2 > y"), ("x offset 5m*2", "x offset 5m * 2"),
    ("x[5m] anchored", "x[5m] anchored"),
    ("histogram_quantile(.9,x) </ 5", "histogram_quantile(.9, x) </ 5"),
    ("sum/ sum(offset)", "sum / sum(offset)"), ("topk( 5,x)", "topk(5, x)"),
  ])
  func oneLine(_ text: String, _ wanted: String) throws {
    let result = try SourceFormatter.format(text)
    #expect(result.text == wanted)
    #expect(result.line == wanted)
  }

  @Test func longOnes() throws {
    let errors = #"rate(http_requests_total{job="checkout",code=~"5..",method!="OPTIONS"}[5m])"#
    let all = #"rate(http_requests_total{job="checkout",method!="OPTIONS"}[5m])"#
    let result = try SourceFormatter.format(
      "sum(\(errors))by(job)/on(job)sum(\(all))by(job)*100>5 and on() vector(1)")
    #expect(
      result.text == """
        sum by (job) (\(errors))
        / on (job)
        sum by (job) (\(all))
        * 100
        > 5
        and on ()
        vector(1)
        """)
    let line = try #require(result.line)
    #expect(try SourceFormatter.format(line) == result)
    let nested = try SourceFormatter.format(
      "a + (\(errors) * \(all)) == sum(clamp_max(\(errors),scalar(\(all))))")
    #expect(
      nested.text == """
        a
        +
        (
          \(errors)
          *
          \(all)
        )
        ==
        sum(
          clamp_max(
            \(errors),
            scalar(\(all))
          )
        )
        """,
      "\(nested.text)")
  }

  @Test(arguments: [
    ("# first\nup  # why\n# last\n", "# first\nup  # why\n# last"),
    ("sum(x) by (job) # per job", "sum by (job) (x)  # per job"),
    (
      "x{ # of\n  a=\"1\", # one\n  # two\n  b=\"2\", # end\n}",
      "x{  # of\n  a=\"1\",  # one\n  # two\n  b=\"2\"  # end\n}"
    ),
    (
      "# errors\nsum(e)\n# of all\n/ # share\nsum(a) > 5",
      "# errors\nsum(e)\n# of all\n/  # share\nsum(a)\n> 5"
    ),
    (
      "max(\n\n  # inner\n  rate(x[5m]) # r\n)", "max(\n  # inner\n  rate(x[5m])  # r\n)"
    ),
    ("sum(x)\n# grouping\nby (job)", "# grouping\nsum by (job) (x)"),
    ("foo # a # b\t\n + #\n bar", "foo  # a # b\n+  #\nbar"),
    ("x{a=\"#no\"} + `#` == bool 1 # yes", ""),
  ])
  func comments(_ text: String, _ wanted: String) throws {
    if wanted.isEmpty {
      #expect(throws: ParseProblem.self) { try SourceFormatter.format(text) }
      return
    }
    let result = try SourceFormatter.format(text)
    #expect(result.text == wanted)
    #expect(result.line == nil)
    #expect(try SourceFormatter.format(result.text) == result)
  }
}
