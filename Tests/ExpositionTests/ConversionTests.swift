import Model
import TestSupport
import Testing

@testable import Exposition

@Suite struct ConversionTests {
  private let body = Array(
    """
    # TYPE a gauge
    a 1
    # TYPE h histogram
    h_bucket{x="1",le="1"} 3
    h_bucket{x="1",le="2.5"} 5
    h_bucket{x="1",le="+Inf"} 6
    h_count{x="1"} 6
    h_sum{x="1"} 7.5
    h_bucket{x="é\\"",le="+Inf"} 1
    h_count{x="é\\""} 1
    # TYPE z_count counter
    z_count 4

    """.utf8)

  private func reading(keepsClassic: Bool = false) -> HistogramReading {
    var reading = HistogramReading()
    reading.convertsClassic = true
    reading.keepsClassic = keepsClassic
    return reading
  }

  @Test func classicHistogramsBecomeNative() throws {
    let cache = ScrapeCache()
    for round in 0..<3 {
      let summary = try cache.scan(body, format: .text, histograms: reading())
      #expect(summary.samples == 4)
      // The parts are new lines too; from the second scan on nothing is.
      #expect(summary.newEntries == (round == 0 ? 11 : 0))
      let names = try cache.sampleEntries.map { try cache.labels(of: $0).metricText }
      #expect(names == ["a", "z_count"])
      #expect(
        try cache.histograms.map { try cache.labels(of: $0.entry).metricText } == [
          "h{x=\"1\"}", "h{x=\"é\\\"\"}",
        ])
      let first = cache.histograms[0].value
      #expect(first.customValues == [1, 2.5] && first.positiveBuckets == [3, 2, 1])
      #expect(first.sum == 7.5 && first.count == 6)
    }
  }

  @Test func payloadsOfConvertedSeriesStay() throws {
    let cache = ScrapeCache()
    _ = try cache.scan(body, format: .text, histograms: reading())
    for sample in cache.histograms { cache.payloads[Int(sample.entry)] = 9 }
    _ = try cache.scan(body, format: .text, histograms: reading())
    #expect(cache.histograms.allSatisfy { cache.payloads[Int($0.entry)] == 9 })
  }

  @Test func theClassicFormMayStay() throws {
    let cache = ScrapeCache()
    let summary = try cache.scan(body, format: .text, histograms: reading(keepsClassic: true))
    #expect(summary.samples == 11 && cache.sampleEntries.count == 9)
  }

  @Test func contradictoryPartsAreLeftOut() throws {
    let cache = ScrapeCache()
    let bad = Array(
      "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n".utf8)
    _ = try cache.scan(bad, format: .text, histograms: reading())
    #expect(cache.histograms.isEmpty && cache.sampleEntries.isEmpty)
  }
}
