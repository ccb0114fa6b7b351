import JSON
import Model
import PromQL
import Testing

@Suite("An expression prints")
struct PrinterTests {
  @Test(
    "canonically",
    arguments: [
      (
        "sum(rate(hits{b='2',a=\"1\"}[300]))by(host)",
        "sum by (host) (rate(hits{a=\"1\",b=\"2\"}[5m]))"
      ),
      ("{\"disk.free\"}", "{__name__=\"disk.free\"}"),
      ("hits{\"the host\"=\"a\"}", "hits{\"the host\"=\"a\"}"),
      ("sum by (\"the host\") (hits)", "sum by (\"the host\") (hits)"),
      ("a*on(x)group_right(y)b", "a * on (x) group_right (y) b"),
      ("a==bool 1", "a == bool 1"),
      ("a[90m:30]@ -1.5 offset -1d", "a[1h30m:30s] @ -1.500 offset -1d"),
      ("a[5m] anchored offset 1m", "a[5m] anchored offset 1m"),
      ("a smoothed @ end()", "a @ end() smoothed"),
      ("a[step()*2+range()]", "a[step() * 2 + range()]"),
      ("a offset-(max_of(step(),1m)/2)", "a offset -(max_of(step(), 1m) / 2)"),
      ("1e6*0x10", "1000000 * 16"),
      ("1e-9", "0.000000001"),
      ("-inf", "-Inf"),
      ("120s", "2m"),
      ("topk(3,a)", "topk(3, a)"),
      ("'tab\t\"'", "\"tab\\t\\\"\""),
      ("a+fill(2)b", "a + fill (2) b"),
      ("a+fill_left(1)fill_right(2)b", "a + fill_left (1) fill_right (2) b"),
      ("- - a", "--a"),
    ])
  func canonical(_ text: String, _ wanted: String) throws {
    let expr = try expression(text)
    #expect(expr.description == wanted)
    #expect(try expression(wanted).description == wanted)
  }

  @Test("over several lines, where a line would be longer than 100 bytes")
  func pretty() throws {
    let text =
      "sum by (service, instance) (rate(http_requests_total{code=~\"5..\"}[5m])) / "
      + "sum by (service, instance) (rate(http_requests_total[5m])) > 0.05 and on (service) up"
    #expect(
      try expression(text).pretty == """
              sum by (service, instance) (rate(http_requests_total{code=~"5.."}[5m]))
            /
              sum by (service, instance) (rate(http_requests_total[5m]))
          >
            0.05
        and on (service)
          up
        """)
    #expect(try expression("a + b").pretty == "a + b")
  }

  @Test("its nodes as headings")
  func headings() throws {
    let expr = try expression("sum by (a) (rate(x[5m])) > bool -1")
    #expect(expr.heading == "> bool")
    #expect(expr.children.map(\.heading) == ["sum by (a) ", "-1"])
  }

  @Test("as a tree")
  func tree() throws {
    var json = JSONWriter()
    try expression("absent_over_time(a[1m:] offset 1m)").children[0].writeTree(to: &json)
    #expect(
      json.text == """
        {"type":"subquery","expr":{"type":"vectorSelector","name":"a","matchers":[\
        {"name":"__name__","type":"=","value":"a"}],"offset":0,"offsetExpr":null,"timestamp":null,"startOrEnd":null,\
        "anchored":false,"smoothed":false},"range":60000,"rangeExpr":null,"step":0,"stepExpr":null,\
        "offset":60000,"offsetExpr":null,"timestamp":null,"startOrEnd":null}
        """)
  }

  @Test("the same after its selectors were rewritten")
  func rewriting() throws {
    let expr = try expression("rate(a[5m]) + sum(b offset 1m)")
    let pinned = expr.mapped { node in
      guard case .selector(var selector) = node else { return node }
      selector.at = .timestamp(Timestamp(milliseconds: 1500))
      return .selector(selector)
    }
    #expect(pinned.description == "rate(a[5m] @ 1.500) + sum(b @ 1.500 offset 1m)")
    #expect(expr.selectors.map(\.name) == ["a", "b"])
    var depths: [Int] = []
    expr.walk { _, path in depths.append(path.count) }
    #expect(depths == [0, 1, 2, 3, 1, 2])
  }
}
