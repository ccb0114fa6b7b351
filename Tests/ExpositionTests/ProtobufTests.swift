import Model
import TestSupport
import Testing

@testable import Exposition

@Suite struct ProtobufTests {
  private func label(_ out: inout WireWriter, _ name: String, _ value: String) {
    out.message(1) {
      $0.text(1, name)
      $0.text(2, value)
    }
  }

  private func family(
    _ name: String, _ type: UInt64, _ metrics: [(inout WireWriter) -> Void]
  ) -> [UInt8] {
    WireWriter { out in
      out.delimited { family in
        family.text(1, name)
        family.text(2, "Some help.")
        family.integer(3, type)
        for metric in metrics { family.message(4, metric) }
      }
    }.bytes
  }

  private func delivered(_ cache: ScrapeCache) throws -> [String] {
    try zip(cache.sampleEntries, cache.sampleValues).map {
      "\(try cache.labels(of: $0).metricText) \(NumberText.general($1))"
    }
  }

  private func histogram(_ out: inout WireWriter) {
    label(&out, "code", "200")
    out.message(7) { h in
      h.integer(1, 175)
      h.double(2, 3.5)
      for (count, bound) in [(4, 0.5), (60, 1.0)] as [(UInt64, Double)] {
        h.message(3) {
          $0.integer(1, count)
          $0.double(2, bound)
          $0.message(3) { $0.double(2, 0.4) }
        }
      }
      h.signed(5, 3)
      h.double(6, 0.001)
      h.integer(7, 2)
      for (offset, length) in [(0, 1), (2, 3)] as [(Int64, UInt64)] {
        h.message(12) {
          $0.signed(1, offset)
          $0.integer(2, length)
        }
      }
      h.packed(13, zigzag: [1, 2, -1, 3])
    }
  }

  private static let classic = [
    "h_count{code=\"200\"} 175", "h_sum{code=\"200\"} 3.5",
    "h_bucket{code=\"200\", le=\"0.5\"} 4", "h_bucket{code=\"200\", le=\"1.0\"} 60",
    "h_bucket{code=\"200\", le=\"+Inf\"} 175",
  ]

  @Test func simpleTypes() throws {
    let body =
      family(
        "c_total", 0,
        [
          {
            label(&$0, "a", "é"); $0.message(3) { $0.double(1, 5) }
          }
        ])
      + family("g", 1, [{ $0.message(2) { $0.double(1, -1.5) } }, { label(&$0, "b", "") }])
      + family("u", 3, [{ $0.message(5) { $0.double(1, .infinity) } }])
      + family(
        "s", 2,
        [
          {
            $0.message(4) { s in
              s.integer(1, 7)
              s.double(2, 8)
              s.message(3) {
                $0.double(1, 0.99)
                $0.double(2, 2)
              }
            }
          }
        ])
    let cache = ScrapeCache()
    for round in 0..<3 {
      let summary = try cache.scan(body, format: .protobuf)
      #expect(summary.newEntries == (round == 0 ? 7 : 0))
      #expect(
        try delivered(cache) == [
          "c_total{a=\"é\"} 5", "g -1.5", "g 0", "u +Inf", "s_count 7", "s_sum 8",
          "s{quantile=\"0.99\"} 2",
        ])
    }
  }

  @Test func theSameLabelsTwiceCountAsADuplicate() throws {
    let metric: (inout WireWriter) -> Void = { $0.message(2) { $0.double(1, 1) } }
    let cache = ScrapeCache()
    let summary = try cache.scan(family("g", 1, [metric, metric]), format: .protobuf)
    #expect(summary.samples == 2 && summary.duplicates == 1)
    #expect(try delivered(cache) == ["g 1"])
  }

  @Test func timestampsAreTheirOwn() throws {
    let body = family(
      "g", 1,
      [
        {
          $0.message(2) { $0.double(1, 1) }; $0.integer(6, 1234)
        }
      ])
    let cache = ScrapeCache()
    _ = try cache.scan(body, format: .protobuf)
    #expect(cache.sampleEntries.isEmpty)
    #expect(cache.timed.map(\.timestamp.milliseconds) == [1234])
    _ = try cache.scan(body, format: .protobuf, honorTimestamps: false)
    #expect(try delivered(cache) == ["g 1"])
  }

  @Test func histogramsWithoutNativeReadingAreClassic() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(family("h", 4, [histogram]), format: .protobuf)
    #expect(try delivered(cache) == Self.classic)
    #expect(cache.histograms.isEmpty)
  }

  @Test func nativeHistograms() throws {
    let cache = ScrapeCache()
    var reading = HistogramReading()
    reading.readsNative = true
    let body = family("h", 4, [histogram])
    for _ in 0..<2 {
      let summary = try cache.scan(body, format: .protobuf, histograms: reading)
      #expect(summary.samples == 1 && cache.sampleEntries.isEmpty)
      let sample = try #require(cache.histograms.first)
      #expect(try cache.labels(of: sample.entry).metricText == "h{code=\"200\"}")
      #expect(sample.value.schema == 3 && sample.value.count == 175 && sample.value.sum == 3.5)
      #expect(sample.value.zeroCount == 2 && sample.value.zeroThreshold == 0.001)
      #expect(sample.value.positiveBuckets == [1, 3, 2, 5])
      #expect(
        sample.value.positiveSpans == [.init(offset: 0, length: 1), .init(offset: 2, length: 3)])
    }
    reading.keepsClassic = true
    let both = try cache.scan(body, format: .protobuf, histograms: reading)
    #expect(both.samples == 6 && cache.histograms.count == 1)
    #expect(try delivered(cache) == Self.classic)
  }

  @Test func classicHistogramsWithCustomBounds() throws {
    let cache = ScrapeCache()
    var reading = HistogramReading()
    reading.convertsClassic = true
    _ = try cache.scan(family("h", 4, [histogram]), format: .protobuf, histograms: reading)
    let value = try #require(cache.histograms.first?.value)
    #expect(value.usesCustomBuckets && value.customValues == [0.5, 1])
    #expect(value.positiveBuckets == [4, 56, 115] && value.count == 175)
  }

  @Test func floatHistogramsAndGauges() throws {
    let body = family(
      "h", 5,
      [
        { metric in
          metric.message(7) { h in
            h.double(4, 3.5)
            h.message(12) { $0.integer(2, 2) }
            for count in [1.5, 2] { h.double(14, count) }
          }
        }
      ])
    var reading = HistogramReading()
    reading.readsNative = true
    let cache = ScrapeCache()
    _ = try cache.scan(body, format: .protobuf, histograms: reading)
    let value = try #require(cache.histograms.first?.value)
    #expect(value.positiveBuckets == [1.5, 2] && value.counterResetHint == .gauge)
  }

  @Test(arguments: [
    ([0x05, 0x0a], "metric family 1: the message is truncated"),
    ([0x02, 0x0a, 0x05], "metric family 1: the message is truncated"),
    ([0x03, 0x0a, 0x01, 0xff], "metric family \u{fffd}: invalid metric name: \u{fffd}"),
    (
      [0x05, 0x0a, 0x01, 0x61, 0x18, 0x09],
      "metric family a: unknown metric type for metric \"a\": 9"
    ),
    ([0x05, 0x0a, 0x01, 0x61, 0x20, 0x01], "metric family a: field 4 has the wrong type"),
    ([0x00], "metric family 1: invalid metric name: "),
  ])
  func damage(bytes: [UInt8], message: String) {
    let problem = #expect(throws: ExpositionProblem.self) {
      try ScrapeCache().scan(bytes, format: .protobuf)
    }
    #expect(problem?.message == message)
  }

  @Test func badHistogramsAreRefused() {
    let body = family(
      "h", 4, [{ $0.message(7) { $0.message(12) { $0.integer(2, 4_000_000_000) } } }])
    var reading = HistogramReading()
    reading.readsNative = true
    #expect(throws: ExpositionProblem.self) {
      try ScrapeCache().scan(body, format: .protobuf, histograms: reading)
    }
  }

  @Test func badLabelsShowWhenTheyAreAskedFor() throws {
    let cache = ScrapeCache()
    let body = family(
      "g", 1,
      [
        {
          $0.message(1) {
            $0.raw(1, [0x61]); $0.raw(2, [0xff])
          }
        }
      ])
    _ = try cache.scan(body, format: .protobuf)
    #expect(throws: ExpositionProblem.self) { try cache.labels(of: cache.sampleEntries[0]) }
  }
}
