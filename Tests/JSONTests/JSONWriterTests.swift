import JSON
import Testing

@Suite struct JSONWriterTests {
  @Test func containersPlaceTheirCommas() {
    var writer = JSONWriter()
    writer.object { json in
      json.field("a", "x")
      json.key("b")
      json.array { json in
        json.int(1)
        json.bool(true)
        json.null()
        json.object { _ in }
        json.array { _ in }
      }
      json.field("c", raw: "1.50")
    }
    #expect(writer.text == #"{"a":"x","b":[1,true,null,{},[]],"c":1.50}"#)
  }

  @Test func textsStayUTF8() {
    var writer = JSONWriter()
    writer.string("连接池 \"耗尽\"\n\t\u{1}<&>")
    #expect(writer.text == #""连接池 \"耗尽\"\n\t\u0001<&>""#)
  }

  @Test func escapesHTMLAsGoDoes() {
    var writer = JSONWriter(escapesHTML: true)
    writer.string("a > 0 & b < 1")
    #expect(writer.text == #""a \u003e 0 \u0026 b \u003c 1""#)
  }
}
