import Model
import TestSupport
import Testing

@testable import Exposition

@Suite struct ScrapeCacheTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// What the cache delivered, as text.
  private func delivered(_ cache: ScrapeCache) throws -> [String] {
    try zip(cache.sampleEntries, cache.sampleValues).map {
      "\(try cache.labels(of: $0).metricText) \(NumberText.general($1))"
    }
  }

  @Test func repeatedScansDeliverTheSame() throws {
    let cache = ScrapeCache()
    let body = bytes("# HELP a text\n# TYPE a counter\na{b=\"c\"} 1\na{b=\"d\"} 2.5\nz NaN\n")
    for round in 0..<3 {
      let summary = try cache.scan(body, format: .text)
      #expect(summary.samples == 3 && summary.metadataLines == 2 && summary.duplicates == 0)
      #expect(summary.newEntries == (round == 0 ? 3 : 0))
      #expect(try delivered(cache) == ["a{b=\"c\"} 1", "a{b=\"d\"} 2.5", "z NaN"])
      #expect(cache.sampleValues[2].bitPattern == SpecialValue.normalBits)
    }
  }

  @Test func payloadsStayWithTheirSeries() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(bytes("a 1\nb 2\nc 3\n"), format: .text)
    for entry in cache.sampleEntries {
      #expect(cache.payloads[Int(entry)] == ScrapeCache.unresolved)
      let name = try cache.labels(of: entry).metricName ?? ""
      cache.payloads[Int(entry)] = UInt64(name.utf8.first ?? 0)
    }
    _ = try cache.scan(bytes("c 3\nb 2\nnew 4\na 1\n"), format: .text)
    let payloads = cache.sampleEntries.map { cache.payloads[Int($0)] }
    #expect(payloads == [0x63, 0x62, ScrapeCache.unresolved, 0x61])
    cache.resetPayloads()
    #expect(cache.sampleEntries.allSatisfy { cache.payloads[Int($0)] == ScrapeCache.unresolved })
  }

  @Test func aReturningSeriesIsUnresolved() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(bytes("a 1\nb 2\n"), format: .text)
    for entry in cache.sampleEntries { cache.payloads[Int(entry)] = 7 }
    _ = try cache.scan(bytes("b 2\n"), format: .text)
    let summary = try cache.scan(bytes("a 1\nb 2\n"), format: .text)
    #expect(summary.newEntries == 1)
    #expect(
      cache.sampleEntries.map { cache.payloads[Int($0)] } == [ScrapeCache.unresolved, 7])
  }

  @Test func aFailedScanChangesNothing() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(bytes("a 1\nb 2\n"), format: .text)
    for entry in cache.sampleEntries { cache.payloads[Int(entry)] = 7 }
    let problem = #expect(throws: ExpositionProblem.self) {
      try cache.scan(bytes("a 1\nx 5\nb two\n"), format: .text)
    }
    #expect(
      problem?.message
        == "strconv.ParseFloat: parsing \"two\": invalid syntax while parsing: \"b two\"")
    #expect(problem?.line == 3)
    #expect(cache.sampleEntries.isEmpty)
    let summary = try cache.scan(bytes("a 1\nb 2\n"), format: .text)
    #expect(summary.newEntries == 0)
    #expect(cache.sampleEntries.allSatisfy { cache.payloads[Int($0)] == 7 })
  }

  @Test func duplicatesAreCountedAndLeftOut() throws {
    let cache = ScrapeCache()
    for _ in 0..<3 {
      let summary = try cache.scan(
        bytes("a 1\na 2\nb 1\na 3 1000\na 4 2000\n"), format: .text)
      #expect(summary.samples == 5 && summary.duplicates == 1)
      #expect(try delivered(cache) == ["a 1", "b 1"])
      #expect(cache.timed.map(\.value) == [3, 4])
      #expect(cache.timed.map(\.timestamp.milliseconds) == [1000, 2000])
    }
  }

  @Test func timestampsMayBeIgnored() throws {
    let cache = ScrapeCache()
    for _ in 0..<2 {
      _ = try cache.scan(bytes("a 1 1000\nb 2\t 2000 \n"), format: .text, honorTimestamps: false)
      #expect(cache.timed.isEmpty)
      #expect(cache.sampleValues.elementsEqual([1, 2]))
    }
  }

  @Test func labelsOfBadSetsThrow() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(bytes("a{b=\"1\",b=\"2\"} 1\n"), format: .text)
    let problem = #expect(throws: ExpositionProblem.self) {
      try cache.labels(of: cache.sampleEntries[0])
    }
    #expect(problem?.message == "label name \"b\" is not unique: invalid sample")
  }

  @Test func boundsAndQuantilesAreNormalised() throws {
    let cache = ScrapeCache()
    let body =
      "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# TYPE s summary\ns{quantile=\"0\"} 2\n"
      + "# TYPE g gauge\ng{le=\"1\"} 1\n"
    _ = try cache.scan(bytes(body), format: .text)
    #expect(
      try delivered(cache)
        == ["h_bucket{le=\"1.0\"} 1", "s{quantile=\"0.0\"} 2", "g{le=\"1\"} 1"])
  }

  @Test func aBodyWithoutFinalLineFeed() throws {
    let cache = ScrapeCache()
    for _ in 0..<2 {
      _ = try cache.scan(bytes("a 1\nb 2"), format: .text)
      #expect(try delivered(cache) == ["a 1", "b 2"])
    }
    #expect(try cache.scan([], format: .text).samples == 0)
    #expect(throws: ExpositionProblem("data does not end with # EOF", line: 1)) {
      try cache.scan([], format: .openMetrics)
    }
  }

  @Test func openMetricsWithExemplars() throws {
    let cache = ScrapeCache()
    let body = "# TYPE a counter\na_total 5 # {id=\"x}\"} 1.5 12\nb 1 1.5\nb 2\n# EOF\n"
    for _ in 0..<3 {
      _ = try cache.scan(bytes(body), format: .openMetrics)
      #expect(try delivered(cache) == ["a_total 5"])
      #expect(cache.timed.map(\.timestamp.milliseconds) == [1500])
    }
  }

  @Test func limits() {
    var limits = ScrapeLimits()
    limits.lineLength = 20
    limits.lines = 3
    let cache = ScrapeCache(limits: limits)
    #expect(throws: ExpositionProblem("line longer than 20 bytes", line: 2)) {
      try cache.scan(bytes("a 1\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1\n"), format: .text)
    }
    #expect(throws: ExpositionProblem("more than 3 lines in one exposition", line: 4)) {
      try cache.scan(bytes("a 1\nb 1\nc 1\nd 1\n"), format: .text)
    }
  }

  @Test func churnDoesNotGrowTheCache() throws {
    let cache = ScrapeCache()
    var largest = 0
    for round in 0..<200 {
      let body = (0..<100).map { "pod{id=\"\(round * 50 + $0)\"} \($0)\n" }.joined()
      let summary = try cache.scan(bytes(body), format: .text)
      #expect(summary.newEntries == (round == 0 ? 100 : 50))
      if round > 20 { largest = max(largest, cache.footprint) }
    }
    #expect(largest < 100_000)
  }

  @Test func aTargetThatAlwaysFailsDoesNotGrowTheCache() {
    let cache = ScrapeCache()
    for round in 0..<100 {
      let body = (0..<100).map { "pod{id=\"\(round * 100 + $0)\"} \($0)\n" }.joined() + "}\n"
      #expect(throws: ExpositionProblem.self) { try cache.scan(bytes(body), format: .text) }
    }
    #expect(cache.footprint < 300_000)
  }

  /// Whatever the bytes, both faces agree, and a cache that has seen everything agrees with a new
  /// one.
  @Test func mutatedDocuments() {
    var random = SeededGenerator(seed: 7)
    let text =
      "# HELP a some \\n text\n# TYPE a histogram\na_bucket{le=\"1\",x=\"é\\\"\"} 1 1000\n"
      + "a_bucket{le=\"+Inf\"} 17.25\n{\"b.c\",d=\"e\"} -1e-3\n\nf NaN\n# done\ng +Inf\n"
    let alphabet = Array("{}\"\\=,# \n\t\u{0}19.eE+-aZ_:é\r".utf8)
    let shared = ScrapeCache()
    for format in [ExpositionFormat.text, .openMetrics] {
      let good = bytes(
        format == .text
          ? text
          : text.replacing("\n\n", with: "\n").replacing("# done\n", with: "")
            .replacing("1 1000", with: "1 1 # {i=\"k\"} 1") + "# EOF\n")
      for _ in 0..<3000 {
        var body = good
        for _ in 0...Int.random(in: 0...2, using: &random) {
          let i = Int.random(in: 0..<body.count, using: &random)
          let c = alphabet.randomElement(using: &random) ?? 0
          switch Int.random(in: 0..<3, using: &random) {
          case 0: body[i] = c
          case 1: body.insert(c, at: i)
          default: body.remove(at: i)
          }
        }
        let (entries, problem) = ExpositionParser.parse(body, format: format)
        let samples = entries.count { if case .series = $0 { true } else { false } }
        for cache in [ScrapeCache(), shared] {
          do throws(ExpositionProblem) {
            let summary = try cache.scan(body, format: format)
            #expect(problem == nil && summary.samples == samples)
          } catch {
            #expect(error == problem)
          }
        }
      }
    }
  }
}
