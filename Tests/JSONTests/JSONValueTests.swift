import JSON
import TestSupport
import Testing

@Suite struct JSONValueTests {
  @Test func readsWhatItIsGiven() throws {
    let json = try JSONValue(parsing: #" {"a":[1,-2.5e3,"x\u00e9\ud83d\ude00\n"],"b":{"c":null}} "#)
    #expect(json["a"]?[0]?.int == 1)
    #expect(json["a"]?[1]?.double == -2500)
    #expect(json["a"]?[2]?.string == "xé😀\n")
    #expect(json["b"]?["c"]?.isNull == true)
    #expect(json["missing"] == nil)
    #expect(json.object?.map(\.key) == ["a", "b"])
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("nul", 0), ("01x", 2), ("\"\\q\"", 3),
    ("\"a", 2), ("1 2", 2), ("-", 1),
  ])
  func refusesTheRest(_ text: String, _ offset: Int) {
    do {
      _ = try JSONValue(parsing: text)
      Issue.record("accepted \(text)")
    } catch {
      #expect(error.offset == offset, "\(text): \(error)")
    }
  }

  @Test func nestingHasALimit() {
    let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
    #expect(throws: JSONProblem.self) { try JSONValue(parsing: deep) }
  }

  @Test func damagedTextsNeverTrap() {
    let good = Array(#"{"a":[1,2.5,"é\u00e9",true,null,{"b":-1e-7}]}"#.utf8)
    var random = SeededGenerator(seed: 7)
    for _ in 0..<5000 {
      var bytes = good
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        bytes[at] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        _ = try JSONValue(parsing: bytes)
      } catch {
        #expect(error.offset >= 0 && error.offset <= bytes.count)
      }
    }
  }
}
