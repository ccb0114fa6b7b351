import Model

/// What a piece of an import holds.
package struct ImportBatch: Sendable {
  /// A sample of the series with this number.
  package struct Sample: Sendable {
    package var series: UInt32
    /// Nil: the time of the import.
    package var timestamp: Timestamp?
    package var value: Double
  }

  /// Series that are new in this batch, numbered from `firstSeries`.
  package var firstSeries = 0
  package var series: [LabelSet] = []
  package var samples: [Sample] = []

  package init() {}
}

/// Reads a text or OpenMetrics document of any length piece by piece.
///
/// Lines are known from the piece before, as in scrapes: a dump that lists the same series again
/// and again costs a comparison a line.
package struct ImportReader {
  /// The notation of a document.
  package enum Notation: Sendable {
    case text, openMetrics
    /// OpenMetrics if the first timestamp has a decimal point, for only there times are in
    /// seconds.
    case detected
  }

  /// Bytes that are read at a time, at least.
  package static let pieceSize = 1 << 20

  private let cache: ScrapeCache
  private let longestLine: Int
  private var notation: Notation
  private var pending: [UInt8] = []
  private var seriesCount = 0
  private var lines = 0
  private var isEnded = false

  package init(_ notation: Notation = .detected, limits: ScrapeLimits = ScrapeLimits()) {
    cache = ScrapeCache(limits: limits)
    longestLine = limits.lineLength
    self.notation = notation
  }

  /// Takes bytes; a batch comes back now and then.
  package mutating func take(
    _ bytes: some Collection<UInt8>
  ) throws(ExpositionProblem) -> ImportBatch? {
    pending.append(contentsOf: bytes)
    if pending.count < Self.pieceSize { return nil }
    guard let end = pending.lastIndex(of: Byte.newline) else {
      if pending.count <= longestLine { return nil }
      throw ExpositionProblem("line longer than \(longestLine) bytes", line: lines + 1)
    }
    let rest = Array(pending[(end + 1)...])
    pending.removeSubrange((end + 1)...)
    defer { pending = rest }
    return try read(pending)
  }

  /// Reads what is left.
  package mutating func finish() throws(ExpositionProblem) -> ImportBatch? {
    if pending.isEmpty { return nil }
    if pending.last != Byte.newline { pending.append(Byte.newline) }
    defer { pending = [] }
    return try read(pending)
  }

  private mutating func read(_ piece: [UInt8]) throws(ExpositionProblem) -> ImportBatch {
    if notation == .detected { notation = Self.notation(of: piece) }
    let isOpenMetrics = notation == .openMetrics
    var body = piece
    if isOpenMetrics {
      if isEnded { throw ExpositionProblem("unexpected data after # EOF", line: lines + 1) }
      isEnded = piece.suffix(6).elementsEqual("# EOF\n".utf8)
      // Each piece is read as a document of its own.
      if !isEnded { body += "# EOF\n".utf8 }
    }
    do throws(ExpositionProblem) {
      _ = try cache.scan(body, format: isOpenMetrics ? .openMetrics : .text)
      let batch = try batch()
      lines += piece.reduce(0) { $0 + ($1 == Byte.newline ? 1 : 0) }
      return batch
    } catch {
      throw ExpositionProblem(error.message, line: error.line > 0 ? error.line + lines : 0)
    }
  }

  private mutating func batch() throws(ExpositionProblem) -> ImportBatch {
    defer { cache.letGo() }
    var batch = ImportBatch()
    batch.firstSeries = seriesCount
    let payloads = cache.payloads
    func number(_ entry: UInt32) throws(ExpositionProblem) -> UInt32 {
      let known = payloads[Int(entry)]
      if known != ScrapeCache.unresolved { return UInt32(truncatingIfNeeded: known) }
      batch.series.append(try cache.labels(of: entry))
      let number = seriesCount + batch.series.count - 1
      payloads[Int(entry)] = UInt64(number)
      return UInt32(truncatingIfNeeded: number)
    }
    batch.samples.reserveCapacity(cache.timed.count + cache.sampleEntries.count)
    for sample in cache.timed {
      batch.samples.append(
        ImportBatch.Sample(
          series: try number(sample.entry), timestamp: sample.timestamp, value: sample.value))
    }
    for (entry, value) in zip(cache.sampleEntries, cache.sampleValues) {
      batch.samples.append(
        ImportBatch.Sample(series: try number(entry), timestamp: nil, value: value))
    }
    seriesCount += batch.series.count
    return batch
  }

  /// Looks at the last word of the first sample.
  private static func notation(of piece: [UInt8]) -> Notation {
    for line in piece.split(separator: Byte.newline) where line.first != Byte.hash {
      let words = line.split(whereSeparator: Byte.isBlank)
      guard let last = words.last else { continue }
      // A time and a value: the last of them may be the value only.
      let isTime = words.count > 2 && last.contains(UInt8(ascii: "."))
      return isTime && last.allSatisfy { Byte.isDigit($0) || $0 == UInt8(ascii: ".") }
        ? .openMetrics : .text
    }
    return .text
  }
}
