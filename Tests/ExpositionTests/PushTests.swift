import Model
import TestSupport
import Testing

@testable import Exposition

@Suite struct SnappyTests {
  @Test func literalsAndCopies() throws {
    // "abcde", eleven bytes from five back, "xyz".
    let block: [UInt8] =
      [19, 4 << 2] + Array("abcde".utf8) + [10 << 2 | 2, 5, 0, 2 << 2]
      + Array("xyz".utf8)
    let text = try Snappy.decode(block, limit: 100)
    #expect(String(decoding: text, as: UTF8.self) == "abcdeabcdeabcdeaxyz")
    // One byte repeated eleven times.
    #expect(
      try Snappy.decode([12, 0, 0x61, 7 << 2 | 1, 1], limit: 12)
        == Array(repeating: 0x61, count: 12))
    // A literal whose length stands in a byte of its own.
    let long = [UInt8](repeating: 7, count: 100)
    #expect(try Snappy.decode([100, 60 << 2, 99] + long, limit: 100) == long)
    #expect(try Snappy.decode([0], limit: 0) == [])
  }

  @Test(
    arguments: [
      [], [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 1], [5, 0], [5, 0, 0x61], [1, 4 << 2, 0x61],
      [4, 0, 0x61, 2, 2, 0], [4, 0, 0x61, 2, 0, 0], [9, 60 << 2],
      [9, 63 << 2, 0xff, 0xff, 0xff, 0xff],
    ] as [[UInt8]])
  func damage(block: [UInt8]) {
    let problem = #expect(throws: SnappyProblem.self) { try Snappy.decode(block, limit: 1000) }
    #expect(problem?.description == "snappy: corrupt input")
  }

  @Test func bombsAreNotBegun() {
    let problem = #expect(throws: SnappyProblem.self) {
      try Snappy.decode([0xff, 0xff, 0xff, 0xff, 0x07], limit: 1000)
    }
    #expect(problem?.description == "snappy: the block is longer than 1000 bytes")
  }
}

@Suite struct RemoteWriteReaderTests {
  private func label(_ out: inout WireWriter, _ name: String, _ value: String) {
    out.message(1) {
      $0.text(1, name)
      $0.text(2, value)
    }
  }

  @Test func versionOne() throws {
    let message = WireWriter { out in
      out.message(1) { series in
        label(&series, "job", "j")
        label(&series, "__name__", "m")
        series.message(2) {
          $0.double(1, 1.5)
          $0.integer(2, 1000)
        }
        series.message(3) { $0.double(2, 1) }
        series.message(4) { h in
          h.integer(1, 3)
          h.double(3, 2.5)
          h.signed(4, 1)
          h.integer(6, 1)
          h.message(11) { $0.integer(2, 2) }
          h.packed(12, zigzag: [1, 0])
          h.integer(14, 2)
          h.integer(15, 2000)
        }
      }
      out.message(3) { $0.text(2, "metadata") }
    }
    let request = try RemoteWriteReader.read(message.bytes, version: .v1)
    #expect(request.problems.isEmpty && request.series.count == 1)
    let series = try #require(request.series.first)
    #expect(series.labels.metricText == "m{job=\"j\"}" && series.exemplars == 1)
    #expect(series.samples[0].value == .float(1.5))
    #expect(series.samples[0].timestamp == Timestamp(milliseconds: 1000))
    guard case .histogram(let histogram) = series.samples[1].value else {
      Issue.record("no histogram")
      return
    }
    #expect(
      histogram.positiveBuckets == [1, 1] && histogram.count == 3 && histogram.zeroCount == 1)
    #expect(histogram.counterResetHint == .notReset)
  }

  private func second(_ references: [UInt64], symbols: [String]) -> [UInt8] {
    WireWriter { out in
      for symbol in symbols { out.text(4, symbol) }
      out.message(5) { series in
        series.packed(1, references)
        series.message(2) {
          $0.double(1, 7)
          $0.integer(2, 1000)
          $0.integer(3, 500)
        }
      }
    }.bytes
  }

  @Test func versionTwo() throws {
    let symbols = ["", "__name__", "m", "a", "b"]
    let request = try RemoteWriteReader.read(second([1, 2, 3, 4], symbols: symbols), version: .v2)
    #expect(request.series.first?.labels.metricText == "m{a=\"b\"}")
    #expect(request.series.first?.samples.first?.start == Timestamp(milliseconds: 500))
  }

  @Test(
    arguments: [
      [1, 2, 3], [1, 9], [3, 4],
      [1, 2, 3, 4, 3, 4],
    ] as [[UInt64]])
  func seriesThatAreNone(references: [UInt64]) throws {
    let symbols = ["", "__name__", "m", "a", "b"]
    let request = try RemoteWriteReader.read(second(references, symbols: symbols), version: .v2)
    #expect(request.series.isEmpty && request.problems.count == 1)
  }

  @Test func theFirstSymbolIsEmpty() {
    #expect(throws: WireProblem.self) {
      try RemoteWriteReader.read(second([1, 2], symbols: ["x", "__name__", "m"]), version: .v2)
    }
  }
}

@Suite struct ImportReaderTests {
  private func all(
    _ text: String, _ notation: ImportReader.Notation = .detected, pieces: Int = 7
  ) throws -> [String] {
    var reader = ImportReader(notation)
    var labels: [LabelSet] = []
    var out: [String] = []
    func add(_ batch: ImportBatch?) {
      guard let batch else { return }
      #expect(batch.firstSeries == labels.count)
      labels += batch.series
      for sample in batch.samples {
        let time = sample.timestamp.map { "\($0.milliseconds)" } ?? "-"
        out.append(
          "\(labels[Int(sample.series)].metricText) \(NumberText.general(sample.value)) \(time)")
      }
    }
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      add(try reader.take(bytes[start..<min(bytes.count, start + pieces)]))
    }
    add(try reader.finish())
    return out
  }

  @Test func textTimesAreMilliseconds() throws {
    #expect(try all("# TYPE a gauge\na{x=\"1\"} 1 1500\na 2") == ["a{x=\"1\"} 1 1500", "a 2 -"])
  }

  @Test func decimalsMeanSeconds() throws {
    #expect(try all("a 1 1.500\na 2 2.500\n") == ["a 1 1500", "a 2 2500"])
    #expect(try all("a 1 1\na 2 2\n# EOF\n", .openMetrics) == ["a 1 1000", "a 2 2000"])
  }

  @Test func longDocumentsComeInPieces() throws {
    let line = "some_metric{label=\"value\"} 1 "
    let count = 3 * ImportReader.pieceSize / (line.utf8.count + 5)
    let text = (0..<count).map { "\(line)\(1000 + $0)\n" }.joined()
    #expect(try all(text, pieces: 10_000).count == count)
    let broken = text + "nonsense {\n"
    let problem = #expect(throws: ExpositionProblem.self) { try all(broken, pieces: 10_000) }
    #expect(problem?.line == count + 1)
  }

  @Test func aLineWithoutEndIsRefused() {
    var limits = ScrapeLimits()
    limits.lineLength = 2 << 20
    var reader = ImportReader(.text, limits: limits)
    let part = [UInt8](repeating: 0x61, count: 1 << 20)
    #expect(throws: ExpositionProblem.self) {
      for _ in 0..<4 { _ = try reader.take(part) }
    }
  }

  @Test func nothingFollowsTheEnd() {
    #expect(throws: ExpositionProblem.self) {
      try all("a 1 1\n# EOF\na 2 2\n", .openMetrics)
    }
  }
}
