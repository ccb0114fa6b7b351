import Exposition
import Testing

/// Lines are known by length and hash alone.
@Suite struct KnownLineTests {
  /// A line that differs from the expected one in a single byte, wherever, is another series.
  @Test(arguments: [1, 7, 8, 15, 16, 17, 31, 32, 33, 64, 95, 200])
  func everyByteCounts(length: Int) throws {
    let name = [UInt8](repeating: UInt8(ascii: "a"), count: length)
    let cache = ScrapeCache()
    _ = try cache.scan(name + Array(" 1\n".utf8), format: .text)
    for i in name.indices {
      for other in [UInt8(ascii: "b"), UInt8(ascii: "A"), UInt8(ascii: "_")] {
        var changed = name
        changed[i] = other
        let summary = try cache.scan(changed + Array(" 2\n".utf8), format: .text)
        #expect(summary.newEntries == 1, "byte \(i)")
        let entry = try #require(cache.sampleEntries.first)
        #expect(try cache.labels(of: entry).metricName == String(decoding: changed, as: UTF8.self))
        let again = try cache.scan(name + Array(" 3\n".utf8), format: .text)
        #expect(again.samples == 1 && cache.sampleValues[0] == 3)
      }
    }
  }

  @Test func blanksBehindALineOfAnotherLengthDoNotConfuse() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(Array("ab 1\nabc 2\n".utf8), format: .text)
    let summary = try cache.scan(Array("abc 3\nab 4\n".utf8), format: .text)
    #expect(summary.newEntries == 0 && Array(cache.sampleValues) == [3, 4])
    let names = try cache.sampleEntries.map { try cache.labels(of: $0).metricName }
    #expect(names == ["abc", "ab"])
  }

  /// What is remembered of a line does not grow with its length.
  @Test func aKnownLineTakesFewBytes() throws {
    let cache = ScrapeCache()
    let long = String(repeating: "x", count: 400)
    let body = (0..<2000).map { "m{path=\"/\($0)\",long=\"\(long)\"} \($0)\n" }.joined()
    for _ in 0..<3 { _ = try cache.scan(Array(body.utf8), format: .text) }
    #expect(cache.footprint < 2000 * 56)
    cache.letGo()
    let summary = try cache.scan(Array(body.utf8), format: .text)
    #expect(summary.newEntries == 0 && summary.samples == 2000)
    let last = try #require(cache.sampleEntries.last)
    #expect(try cache.labels(of: last)["path"] == "/1999")
  }

  /// A body without a line feed at its end is read as one with it.
  @Test func labelsOfALineAtTheVeryEnd() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(Array("a{x=\"1\"} 1\nb 2".utf8), format: .text)
    let names = try cache.sampleEntries.map { try cache.labels(of: $0).metricText }
    #expect(names == ["a{x=\"1\"}", "b"])
    _ = try cache.scan(Array("b 2\na{x=\"1\"} 5".utf8), format: .text)
    #expect(try cache.sampleEntries.map { try cache.labels(of: $0).metricText } == names.reversed())
  }
}
