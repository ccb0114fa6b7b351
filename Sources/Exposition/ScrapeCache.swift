import Model

/// Bounds on what one target may send.
package struct ScrapeLimits: Sendable, Hashable {
  /// Bytes of one entry.
  package var lineLength = 1 << 24
  /// Distinct series and metadata lines of one target.
  package var lines = 10_000_000

  package init() {}
}

/// What one scan found.
package struct ScanSummary: Sendable, Equatable {
  /// Sample lines: `scrape_samples_scraped`.
  package var samples = 0
  /// Repetitions of a series without a timestamp, left out.
  package var duplicates = 0
  /// Series not seen in the scan before.
  package var newEntries = 0
  package var metadataLines = 0
}

/// A sample that carries its own timestamp.
package struct TimedSample: Sendable, Equatable {
  package var entry: UInt32
  package var value: Double
  package var timestamp: Timestamp

  init(_ entry: Int, _ value: Double, _ milliseconds: Int64) {
    self.entry = UInt32(truncatingIfNeeded: entry)
    self.value = value
    self.timestamp = Timestamp(milliseconds: milliseconds)
  }
}

/// What a target sent last time, so that reading it again costs a comparison per line.
///
/// A scan predicts each line from the one that followed last time, compares the hash of its bytes
/// and reads the number; only an unknown line is parsed and checked in full. The samples come as
/// two arrays, entry numbers and values, which are handed over only when the whole body was good.
package final class ScrapeCache: @unchecked Sendable {
  /// The payload of an entry nobody has claimed yet.
  package static let unresolved = UInt64.max

  private let limits: ScrapeLimits
  let buffers: ScanBuffers
  var table: LineTable
  private(set) var format = ExpositionFormat.text
  /// The number of the scan under way, and of the last good one.
  private(set) var current: UInt32 = 1
  private(set) var lastGood: UInt32 = 1
  /// The last body, in which the texts of its series stand; empty once it was let go.
  private var body: [UInt8] = []
  /// Lines the last good scan saw.
  private var liveLines = 0
  private var delivered = 0
  private var isSettled = false
  /// Samples with a timestamp of their own, from the last good scan.
  package private(set) var timed: [TimedSample] = []
  /// Native histograms of the last good scan.
  package internal(set) var histograms: [HistogramSample] = []

  /// What a scan that failed had found until then.
  package private(set) var failedSummary = ScanSummary()

  /// - Parameter buffers: where samples are put; caches whose scans never overlap may share one.
  package init(limits: ScrapeLimits = ScrapeLimits(), buffers: ScanBuffers = ScanBuffers()) {
    self.limits = limits
    self.buffers = buffers
    table = LineTable(hasher: buffers.hasher)
  }

  /// The entries of the last good scan's samples, in document order, none twice.
  package var sampleEntries: UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(start: buffers.entries, count: delivered)
  }

  /// The values that belong to `sampleEntries`.
  package var sampleValues: UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(start: buffers.values, count: delivered)
  }

  /// A word per entry for the owner, kept while the series keeps coming; new entries hold
  /// `unresolved`.
  package var payloads: UnsafeMutableBufferPointer<UInt64> {
    UnsafeMutableBufferPointer(start: table.payloads, count: table.count)
  }

  /// Bytes of memory held, the buffers aside.
  package var footprint: Int { table.footprint }

  /// Forgets everything.
  package func removeAll() {
    table = LineTable(hasher: buffers.hasher)
    (delivered, liveLines) = (0, 0)
    timed = []
    histograms = []
    body = []
  }

  /// Lets go of the last body: no labels can be asked for until the next scan.
  package func letGo() { body = [] }

  /// Makes every payload `unresolved`; the lines stay known.
  package func resetPayloads() {
    payloads.update(repeating: Self.unresolved)
  }

  /// The labels of an entry of the last scan, parsed from its text; throws where no store would
  /// take them.
  package func labels(of entry: UInt32) throws(ExpositionProblem) -> LabelSet {
    let line = table.lines[Int(entry)]
    precondition(!line.isMetadata && entry > 0, "only series have labels")
    if line.hasText {
      let text = table.text(of: line)
      if format == .protobuf { return try protobufLabels(of: text) }
      return try labels(of: text, type: line.type)
    }
    precondition(
      line.seen == current && Int(line.offset) + line.length < body.count,
      "the labels of a line are read while the body is there")
    return try body.withUnsafeBufferPointer { bytes throws(ExpositionProblem) in
      let start = Int(line.offset)
      return try labels(
        of: UnsafeBufferPointer(rebasing: bytes[start..<(start + line.length)]),
        type: line.type)
    }
  }

  private func labels(
    of text: UnsafeBufferPointer<UInt8>, type: MetricType
  ) throws(ExpositionProblem) -> LabelSet {
    guard let start = text.baseAddress else { return .empty }
    var grammar = Grammar(Lexer(start, count: text.count, openMetrics: format == .openMetrics))
    let labels = SeriesLabels(try grammar.series(), in: grammar.lexer, type: type)
    if let problem = labels.problem { throw ExpositionProblem(problem) }
    return labels.labelSet
  }

  private func protobufLabels(
    of key: UnsafeBufferPointer<UInt8>
  ) throws(ExpositionProblem) -> LabelSet {
    let labels: SeriesLabels
    do throws(WireProblem) {
      labels = SeriesLabels(pairs: try ProtobufKey.pairs(key))
    } catch {
      throw ExpositionProblem(error.message)
    }
    if let problem = labels.problem { throw ExpositionProblem(problem) }
    return labels.labelSet
  }

  /// Reads a body into `sampleEntries`, `sampleValues` and `timed`.
  ///
  /// When it throws nothing is delivered, and the cache stands where it stood.
  ///
  /// - Parameters:
  ///   - honorTimestamps: false: timestamps are checked, then ignored.
  ///   - histograms: which forms of histograms are taken.
  package func scan(
    _ body: [UInt8], format: ExpositionFormat, honorTimestamps: Bool = true,
    histograms reading: HistogramReading = HistogramReading()
  ) throws(ExpositionProblem) -> ScanSummary {
    if body.count >= Int(UInt32.max) { throw ExpositionProblem("exposition of four gigabytes") }
    if format != self.format {
      removeAll()
      self.format = format
    }
    tidy()
    if table.count == 1 {
      table = LineTable(
        hasher: buffers.hasher, lines: body.count / 128, bytes: body.count / 16)
    }
    current &+= 1
    delivered = 0
    // Memory for many stays with a target that sends such samples again and again only.
    timed.removeAll(keepingCapacity: !timed.isEmpty)
    histograms.removeAll(keepingCapacity: !histograms.isEmpty)
    self.body = []
    if format == .protobuf {
      return try body.withUnsafeBufferPointer { bytes throws(ExpositionProblem) in
        try scanMessages(bytes, honorTimestamps, reading)
      }
    }
    let count = body.count
    self.body = body
    // The fast path relies on a line feed at the end.
    if body.last != Byte.newline { self.body.append(Byte.newline) }
    let text = self.body
    return try text.withUnsafeBufferPointer { bytes throws(ExpositionProblem) in
      guard let base = bytes.baseAddress else { return ScanSummary() }
      return try scan(
        base, count, readable: count == 0 ? 0 : bytes.count, honorTimestamps, reading)
    }
  }

  private func scan(
    _ base: UnsafePointer<UInt8>, _ count: Int, readable: Int, _ honorTimestamps: Bool,
    _ reading: HistogramReading
  ) throws(ExpositionProblem) -> ScanSummary {
    var scan = Scan(
      base, count: count, readable: readable, openMetrics: format == .openMetrics,
      honorTimestamps: honorTimestamps, current: current, expected: lastGood, limits: limits)
    do throws(ExpositionProblem) {
      try scan.run(&table, buffers, &timed)
      var summary = scan.summary
      var (delivered, lines) = (scan.delivered, scan.lines)
      if reading.convertsClassic {
        lines += try convertClassic(
          &delivered, keepsClassic: reading.keepsClassic, &summary)
      }
      return accept(summary, delivered: delivered, lines: lines)
    } catch {
      rollBack(scan.summary)
      throw error
    }
  }

  private func scanMessages(
    _ body: UnsafeBufferPointer<UInt8>, _ honorTimestamps: Bool, _ reading: HistogramReading
  ) throws(ExpositionProblem) -> ScanSummary {
    var scan = ProtobufScan(
      body, honorTimestamps: honorTimestamps,
      reading: reading, current: current, expected: lastGood, limits: limits)
    do throws(ExpositionProblem) {
      try scan.run(&table, buffers, &timed)
    } catch {
      rollBack(scan.summary)
      throw error
    }
    histograms = scan.histograms
    return accept(scan.summary, delivered: scan.delivered, lines: scan.lines)
  }

  /// A scan was good: what it found is what counts from now on.
  private func accept(_ summary: ScanSummary, delivered: Int, lines: Int) -> ScanSummary {
    self.delivered = delivered
    liveLines = lines
    lastGood = current
    isSettled = summary.newEntries == 0
    return summary
  }

  /// Lines a failed scan marked count as seen in the last good one again.
  private func rollBack(_ summary: ScanSummary) {
    failedSummary = summary
    letGo()
    timed.removeAll(keepingCapacity: true)
    histograms.removeAll()
    for i in 1..<max(table.count, 1) where table.lines[i].seen == current {
      table.lines[i].seen = lastGood
    }
    // A target that never gets through must not fill the memory.
    if table.count > 2 * liveLines + 1000 { removeAll() }
  }

  /// Drops lines that are no longer sent once they are many, and memory that is not needed.
  private func tidy() {
    let gone = table.count - 1 - liveLines
    if gone > liveLines / 4 + 256 || (table.isLoose && isSettled) {
      table = table.compacted(keeping: lastGood)
    }
  }
}

/// Where scans put their samples.
package final class ScanBuffers: @unchecked Sendable {
  private(set) var entries: UnsafeMutablePointer<UInt32>
  private(set) var values: UnsafeMutablePointer<Double>
  private(set) var capacity = 256

  /// How lines are recognised.
  let hasher: LineHasher

  /// - Parameter seed: of the hash by which lines are recognised.
  package init(seed: UInt64 = 0) {
    hasher = LineHasher(seed: seed)
    entries = .allocate(capacity: capacity)
    values = .allocate(capacity: capacity)
  }

  deinit {
    entries.deallocate()
    values.deallocate()
  }

  /// Makes room; the first `count` samples stay.
  func grow(keeping count: Int) {
    let grown = capacity * 2
    let newEntries = UnsafeMutablePointer<UInt32>.allocate(capacity: grown)
    newEntries.update(from: entries, count: count)
    let newValues = UnsafeMutablePointer<Double>.allocate(capacity: grown)
    newValues.update(from: values, count: count)
    entries.deallocate()
    values.deallocate()
    (entries, values, capacity) = (newEntries, newValues, grown)
  }
}
