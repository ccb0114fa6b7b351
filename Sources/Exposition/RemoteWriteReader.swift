import Model

/// Reads the messages of remote write 1.0 (`prometheus.WriteRequest`) and 2.0
/// (`io.prometheus.write.v2.Request`).
package struct RemoteWriteReader {
  private let version: RemoteWriteVersion
  /// The texts that the series of a 2.0 request refer to.
  private var symbols: [UnsafeBufferPointer<UInt8>] = []
  private var request = PushedRequest()

  private init(_ version: RemoteWriteVersion) { self.version = version }

  /// Reads a request; a series that is malformed is left out and named in `problems`.
  package static func read(
    _ message: [UInt8], version: RemoteWriteVersion
  ) throws(WireProblem) -> PushedRequest {
    let outcome = message.withUnsafeBufferPointer { bytes -> Result<PushedRequest, WireProblem> in
      Result { () throws(WireProblem) in
        var reader = RemoteWriteReader(version)
        try reader.read(WireReader(bytes))
        return reader.request
      }
    }
    return try outcome.get()
  }

  private mutating func read(_ message: WireReader) throws(WireProblem) {
    let seriesField: UInt32 = version == .v1 ? 1 : 5
    if version == .v2 { try readSymbols(message) }
    var fields = message
    while let tag = try fields.tag() {
      guard tag.field == seriesField else {
        try fields.skip(tag.kind)
        continue
      }
      try WireReader.expect(tag, .bytes)
      try series(try fields.message())
    }
  }

  private mutating func readSymbols(_ message: WireReader) throws(WireProblem) {
    var fields = message
    while let tag = try fields.tag() {
      guard tag.field == 4 else {
        try fields.skip(tag.kind)
        continue
      }
      try WireReader.expect(tag, .bytes)
      symbols.append(try fields.bytes())
    }
    if let first = symbols.first, !first.isEmpty {
      throw WireProblem("the first symbol is not the empty text")
    }
  }

  // MARK: Series

  private mutating func series(_ message: WireReader) throws(WireProblem) {
    var fields = message
    var pairs: [(name: [UInt8], value: [UInt8])] = []
    var references: [UInt64] = []
    var out = PushedSeries(labels: .empty, samples: [])
    var created: Timestamp?
    let histogramField: UInt32 = version == .v1 ? 4 : 3
    let exemplarField: UInt32 = version == .v1 ? 3 : 4
    while let tag = try fields.tag() {
      switch tag.field {
      case 1 where version == .v1:
        try WireReader.expect(tag, .bytes)
        pairs.append(try Self.label(try fields.message()))
      case 1:
        try fields.forEach(tag, of: .varint) { one throws(WireProblem) in
          references.append(try one.varint())
        }
      case 2:
        try WireReader.expect(tag, .bytes)
        out.samples.append(try Self.sample(try fields.message()))
      case histogramField:
        try WireReader.expect(tag, .bytes)
        out.samples.append(try PushedHistogram.read(try fields.message()))
      case exemplarField:
        try fields.skip(tag.kind)
        out.exemplars += 1
      case 6 where version == .v2:
        try WireReader.expect(tag, .varint)
        let time = Int64(bitPattern: try fields.varint())
        if time != 0 { created = Timestamp(milliseconds: time) }
      default: try fields.skip(tag.kind)
      }
    }
    if version == .v2 {
      guard let resolved = resolve(references) else { return }
      pairs = resolved
    }
    add(out, pairs, created)
  }

  private mutating func add(
    _ series: PushedSeries, _ pairs: [(name: [UInt8], value: [UInt8])], _ created: Timestamp?
  ) {
    var series = series
    let labels = SeriesLabels(pairs: pairs)
    series.labels = labels.labelSet
    let hasName = series.labels.metricName?.isEmpty == false
    if let problem = labels.problem ?? (hasName ? nil : "invalid metric name or label names") {
      request.problems.append("\(problem) in \(series.labels)")
      return
    }
    for i in series.samples.indices {
      if series.samples[i].start == nil { series.samples[i].start = created }
      guard case .histogram(let histogram) = series.samples[i].value else { continue }
      do throws(HistogramFault) {
        try histogram.validate()
      } catch {
        request.problems.append("\(error) in \(series.labels)")
        return
      }
    }
    request.series.append(series)
  }

  /// The labels behind references, name and value in turn; nil, and a problem, where they lead
  /// nowhere.
  private mutating func resolve(
    _ references: [UInt64]
  ) -> [(name: [UInt8], value: [UInt8])]? {
    var pairs: [(name: [UInt8], value: [UInt8])] = []
    guard references.count % 2 == 0, references.allSatisfy({ $0 < UInt64(symbols.count) }) else {
      request.problems.append("invalid label references")
      return nil
    }
    for i in stride(from: 0, to: references.count, by: 2) {
      pairs.append((Array(symbols[Int(references[i])]), Array(symbols[Int(references[i + 1])])))
    }
    return pairs
  }

  private static func label(
    _ message: WireReader
  ) throws(WireProblem) -> (name: [UInt8], value: [UInt8]) {
    var fields = message
    var pair: (name: [UInt8], value: [UInt8]) = ([], [])
    while let tag = try fields.tag() {
      switch tag.field {
      case 1, 2:
        try WireReader.expect(tag, .bytes)
        let text = Array(try fields.bytes())
        if tag.field == 1 { pair.name = text } else { pair.value = text }
      default: try fields.skip(tag.kind)
      }
    }
    return pair
  }

  private static func sample(_ message: WireReader) throws(WireProblem) -> PushedSeries.Sample {
    var fields = message
    var value = 0.0
    var time: Int64 = 0
    var start: Int64 = 0
    while let tag = try fields.tag() {
      switch tag.field {
      case 1:
        try WireReader.expect(tag, .fixed64)
        value = try fields.double()
      case 2, 3:
        try WireReader.expect(tag, .varint)
        let number = Int64(bitPattern: try fields.varint())
        if tag.field == 2 { time = number } else { start = number }
      default: try fields.skip(tag.kind)
      }
    }
    return PushedSeries.Sample(
      timestamp: Timestamp(milliseconds: time), value: .float(value),
      start: start == 0 ? nil : Timestamp(milliseconds: start))
  }
}
