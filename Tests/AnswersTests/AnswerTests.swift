import Answers
import JSON
import Model
import Testing

@Suite struct AnswerTests {
  private func answer(_ json: String, _ subject: Answer.Subject = .query) throws -> Answer {
    Answer(subject, try JSONValue(parsing: json))
  }

  static let vector = #"""
    {"resultType":"vector","result":[
      {"metric":{"__name__":"up","job":"a, \"b\""},"value":[60,"1"]},
      {"metric":{"__name__":"up","instance":"x","job":"c"},"value":[60.5,"+Inf"]}]}
    """#
  static let matrix = #"""
    {"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[0,"1"],[60,"NaN"]]}]}
    """#

  @Test func tables() throws {
    #expect(
      try answer(Self.vector).table == """
        up{job="a, \\"b\\""}         1
        up{instance="x", job="c"}  +Inf

        """)
    #expect(
      try answer(Self.matrix).table == """
        {a="1"}
          1970-01-01T00:00:00Z  1
          1970-01-01T00:01:00Z  NaN

        """)
    #expect(try answer(#"{"resultType":"scalar","result":[60,"7"]}"#).table == "7\n")
    #expect(try answer(#"{"resultType":"vector","result":[]}"#).table == "no data\n")
    #expect(try answer(#"["a","b"]"#, .labels).table == "a\nb\n")
    #expect(try answer(#"[{"__name__":"up","a":"1"}]"#, .series).table == "up{a=\"1\"}\n")
    let up = #""up":[{"type":"gauge","help":"Is up.","unit":""}]"#
    let total = #""a_total":[{"type":"counter","help":"","unit":""}]"#
    #expect(
      try answer("{\(up),\(total)}", .metadata).table
        == "a_total  counter\nup       gauge    Is up.\n")
  }

  @Test func commaSeparated() throws {
    #expect(
      try answer(Self.vector).csv == """
        __name__,instance,job,time,value
        up,,"a, ""b""\",1970-01-01T00:01:00Z,1
        up,x,c,1970-01-01T00:01:00.5Z,+Inf

        """)
    #expect(
      try answer(Self.matrix).csv
        == "a,time,value\n1,1970-01-01T00:00:00Z,1\n1,1970-01-01T00:01:00Z,NaN\n")
    #expect(
      try answer(#"{"resultType":"scalar","result":[60,"7"]}"#).csv
        == "time,value\n1970-01-01T00:01:00Z,7\n")
    #expect(try answer(#"["a"]"#, .labels).csv == "value\na\n")
  }

  private func plot(_ series: [[Double]], _ change: (inout Plot.Options) -> Void = { _ in }) throws
    -> String
  {
    let result = series.enumerated().map { i, values in
      let points = values.enumerated().map {
        "[\($0.offset * 60),\"\(NumberText.plain($0.element))\"]"
      }
      return #"{"metric":{"i":"\#(i)"},"values":[\#(points.joined(separator: ","))]}"#
    }.joined(separator: ",")
    var options = Plot.Options()
    options.width = 40
    options.height = 6
    change(&options)
    let count = Int64(series.map(\.count).max() ?? 1)
    return Plot(
      try answer(#"{"resultType":"matrix","result":[\#(result)]}"#), from: .zero,
      through: .zero + .minutes(count - 1), step: .minutes(1), options: options
    ).text
  }

  @Test func aRisingLine() throws {
    let text = try plot([(0...30).map { Double($0) * 10 }])
    #expect(
      text == """
        300 ┤                             ⢀⡠⠤⠤⠒⠉
            │                       ⢀⣀⠤⠒⠒⠊⠁
        200 ┤                 ⣀⣀⠤⠒⠊⠉⠁
        100 ┤           ⣀⣀⡠⠔⠊⠉
            │     ⢀⡠⠤⠔⠒⠉
          0 ┤⡠⠤⠒⠒⠉⠁
            └┬────────────────┬────────────────┬
             00:00          00:15          00:30 UTC
        ⠒ {i="0"}  300

        """, "\n\(text)")
  }

  @Test func severalLines() throws {
    let text = try plot([[1, 1, 1, 1], [2, .nan, 2, 2]])
    #expect(text.contains("a {i=\"0\"}  1\nb {i=\"1\"}  2\n"), "\n\(text)")
    #expect(!text.contains("\u{1b}"))
    let coloured = try plot([[1, 2], [2, 1]]) { $0.isColoured = true }
    #expect(coloured.contains("\u{1b}[33m━\u{1b}[0m {i=\"1\"}  1\n"))
    #expect(try plot([[.nan]]) == "no data\n")
    let many = try plot((0..<20).map { [Double($0)] }) { $0.legend = 3 }
    #expect(many.hasSuffix("c {i=\"2\"}  2\n… and 17 more\n"))
  }

  @Test(arguments: [
    (0.0, 1.0, ["0", "0.5", "1"]), (5, 5, ["4", "5", "6"]), (0, 2e6, ["0", "1M", "2M"]),
    (-0.002, 0.003, ["-0.002", "0", "0.002"]), (1e4, 3e4, ["10k", "20k", "30k"]),
  ])
  func axes(_ low: Double, _ high: Double, _ labels: [String]) throws {
    let text = try plot([[low, high]])
    let found = text.split(separator: "\n").filter { $0.contains("┤") }
      .map { $0.prefix { $0 != "┤" }.filter { $0 != " " } }
    #expect(found.reversed() == labels, "\n\(text)")
  }
}
