import Exposition
import Model
import PromQL
import TestSupport
import Testing

@testable import Kernel

/// Native histograms of scrapes, and what bounds them.
@Suite struct HistogramScrapeTests {
  private func settings(_ change: (inout ScrapeSettings) -> Void) -> Settings {
    var settings = Settings()
    var scrape = Sample.scrape()
    scrape.histograms.readsNative = true
    change(&scrape)
    settings.scrapes = [scrape]
    settings.storage.keep = .all
    return settings
  }

  /// A histogram of schema 3 with four buckets.
  private func body(count: UInt64) -> ScrapeOutcome.Result {
    let bytes = WireWriter { out in
      out.delimited { family in
        family.text(1, "h")
        family.integer(3, 4)
        family.message(4) { metric in
          metric.message(7) { h in
            h.integer(1, count)
            h.double(2, 3.5)
            h.signed(5, 3)
            h.double(6, 0.001)
            h.message(12) { $0.integer(2, 4) }
            h.packed(13, zigzag: [Int64(count) - 3, 4 - Int64(count), 0, 0])
          }
        }
      }
    }.bytes
    return .body(bytes, contentType: "application/vnd.google.protobuf; encoding=delimited")
  }

  private func histogram(_ world: World) throws -> FloatHistogram? {
    let prepared = try world.kernel.prepareQuery(
      try PromQLParser.parse("h"), from: world.now, through: world.now)
    guard case .vector(let samples) = try prepared.instant(at: world.now).value,
      case .histogram(let histogram)? = samples.first?.value
    else { return nil }
    return histogram
  }

  @Test func nativeHistogramsAreStored() throws {
    let world = World(settings { _ in })
    var count: UInt64 = 10
    world.scrape = { _, _ in
      count += 1
      return body(count: count)
    }
    world.run(for: .minutes(2))
    #expect(try histogram(world)?.positiveBuckets == [Double(count - 3), 1, 1, 1])
    #expect(try world.value("histogram_count(increase(h[1m]))") == 4)
    #expect(try world.value("scrape_samples_scraped") == 1)
    world.scrape = { _, _ in .failure("gone") }
    world.run(for: .seconds(15))
    #expect(try histogram(world) == nil)
  }

  @Test func resolutionIsReducedToTheLimits() throws {
    let limited = World(settings { $0.nativeHistogramBucketLimit = 2 })
    limited.scrape = { _, _ in body(count: 10) }
    limited.run(for: .seconds(15))
    let histogram = try #require(try histogram(limited))
    #expect(histogram.positiveBuckets.count <= 2 && histogram.schema < 3)
    let coarse = World(settings { $0.nativeHistogramMinBucketFactor = 2 })
    coarse.scrape = { _, _ in body(count: 10) }
    coarse.run(for: .seconds(15))
    #expect(try self.histogram(coarse)?.schema == 0)
    #expect(HistogramLimits.schema(forFactor: 1.1) == 2)
    #expect(HistogramLimits.schema(forFactor: 0) == 8)
    #expect(HistogramLimits.schema(forFactor: 1e9) == -4)
  }

  @Test func whatCannotBeReducedFailsTheScrape() throws {
    let world = World(
      settings {
        $0.histograms = HistogramReading()
        $0.histograms.convertsClassic = true
        $0.nativeHistogramBucketLimit = 1
      })
    world.scrape = { _, _ in
      world.text(
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 3\n"
          + "h_count 3\nh_sum 2\n")
    }
    world.run(for: .seconds(15))
    #expect(try world.value("up") == 0)
    #expect(
      world.kernel.targetsReport.active[0].lastError == "histogram bucket limit exceeded")
    #expect(world.kernel.scraper.counts.exceededBucketLimit == 1)
  }
}

/// What is told of scrapes beside their samples.
@Suite struct ScrapeRemarkTests {
  @Test func whatWasReadBeforeAProblemCounts() throws {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.scrapes[0].extraScrapeMetrics = true
    settings.scrapes[0].sampleLimit = 7
    settings.scrapes[0].failureLogFile = "failures.log"
    let world = World(settings)
    world.scrape = { _, _ in world.text("a 1\nb 2\nc {\n") }
    world.run(for: .seconds(15))
    #expect(try world.value("up") == 0)
    #expect(try world.value("scrape_samples_scraped") == 2)
    #expect(try world.value("scrape_timeout_seconds") == 10)
    #expect(try world.value("scrape_sample_limit") == 7)
    #expect(try world.value("scrape_body_size_bytes") == 12)
    let record = try #require(world.logs.first { $0.file != nil })
    #expect(record.file == "failures.log" && record.fields.map(\.name) == ["job_name", "target"])
    world.scrape = { _, _ in .bodyTooLarge(limit: 1) }
    world.run(for: .seconds(15))
    #expect(try world.value("scrape_body_size_bytes") == -1)
  }

  @Test func namesBeyondTheOldFormMayBeRefused() throws {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.scrapes[0].allowsUTF8Names = false
    let world = World(settings)
    world.scrape = { _, _ in world.text("{\"a.b\"} 1\n") }
    world.run(for: .seconds(15))
    #expect(try world.value("up") == 0)
    #expect(
      world.kernel.targetsReport.active[0].lastError.hasPrefix(
        "invalid metric name or label names: "))
  }

  @Test func targetsMayListenOnASocket() throws {
    let group = TargetGroup(
      source: "0", targets: ["app"], labels: LabelSet([("__unix_socket__", "/run/app.sock")]))
    guard
      case .active(let spec) = TargetLabels.candidate(
        address: "app", group: group, settings: Sample.scrape())
    else {
      Issue.record("no target")
      return
    }
    #expect(spec.unixSocketPath == "/run/app.sock" && spec.url == "http://app/metrics")
    #expect(spec.labels.value(of: "instance") == "app")
  }

  @Test func protobufIsAskedForFirstWithNativeHistograms() throws {
    var scrape = Sample.scrape()
    scrape.histograms.readsNative = true
    #expect(accept(scrape).hasPrefix("application/vnd.google.protobuf;"))
    scrape.histograms.readsNative = false
    scrape.nameEscaping = .underscores
    #expect(
      accept(scrape).hasPrefix("application/openmetrics-text;version=1.0.0;escaping=underscores"))
  }

  private func accept(_ scrape: ScrapeSettings) -> String {
    let group = TargetGroup(source: "0", targets: ["a:1"])
    guard
      case .active(let spec) = TargetLabels.candidate(
        address: "a:1", group: group, settings: scrape)
    else { return "" }
    let kernel = Kernel()
    let target = Target(
      id: TargetID(raw: 1), spec: spec, settings: scrape,
      source: kernel.store.openSource("t"), buffers: ScanBuffers(), now: World.epoch)
    return target.request(userAgent: "T").headers[0].value
  }
}
