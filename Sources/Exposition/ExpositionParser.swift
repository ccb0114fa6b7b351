import Model

/// One entry of an exposition, with texts.
package enum ExpositionEntry: Sendable, Equatable {
  case series(ExpositionSample)
  case type(name: String, MetricType)
  case help(name: String, text: String)
  case unit(name: String, unit: String)
  case comment(String)
}

/// One sample line.
package struct ExpositionSample: Sendable, Equatable {
  /// The labels as written (empty values and repeated names included), sorted by name.
  package var pairs: [Label]
  package var labels: LabelSet
  package var value: Double
  package var timestamp: Timestamp?
  package var exemplar: Exemplar?
  /// Where the line starts in the body.
  package var offset: Int
}

/// A measurement that stands for a sample, with labels of its own.
package struct Exemplar: Sendable, Equatable {
  package var labels: LabelSet
  package var value: Double
  package var timestamp: Timestamp?
}

/// Reads a text exposition entry by entry, accepting and refusing exactly what Prometheus does.
///
/// Protobuf has no lines to read one by one: `ScrapeCache` takes it whole.
package struct ExpositionParser {
  private let bytes: [UInt8]
  private let isOpenMetrics: Bool
  private var position = 0
  private var state = LexerState.initial
  private var type = MetricType.unknown
  /// Where the entry that came last starts.
  package private(set) var entryStart = 0

  package init(_ bytes: [UInt8], format: ExpositionFormat) {
    precondition(format != .protobuf, "only text is read entry by entry")
    self.bytes = bytes
    self.isOpenMetrics = format == .openMetrics
  }

  /// The next entry, or nil at the end.
  package mutating func next() throws(ExpositionProblem) -> ExpositionEntry? {
    var next = (
      entry: ExpositionEntry?.none, start: entryStart, position: position, state: state, type: type
    )
    let (start, openMetrics, bytes) = (next, isOpenMetrics, bytes)
    let outcome = bytes.withUnsafeBufferPointer { buffer -> ExpositionProblem? in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { nothing in
        guard let base = buffer.baseAddress.map({ $0 }) ?? UnsafePointer(nothing.baseAddress)
        else { return nil }
        var lexer = Lexer(
          base, count: bytes.count, openMetrics: openMetrics, at: start.position)
        lexer.state = start.state
        var grammar = Grammar(lexer)
        do throws(ExpositionProblem) {
          guard let raw = try grammar.next() else { return nil }
          if raw.kind == .type { next.type = raw.type }
          next.start = raw.start
          next.entry = Self.entry(raw, grammar.lexer, next.type)
          next.position = grammar.lexer.position
          next.state = grammar.lexer.state
          return nil
        } catch {
          return error
        }
      }
    }
    if let outcome { throw outcome }
    (position, state, type) = (next.position, next.state, next.type)
    entryStart = next.start
    return next.entry
  }

  /// Reads a whole exposition: the entries up to the end or to the first problem.
  package static func parse(
    _ bytes: [UInt8], format: ExpositionFormat
  ) -> (entries: [ExpositionEntry], problem: ExpositionProblem?) {
    var parser = ExpositionParser(bytes, format: format)
    var entries: [ExpositionEntry] = []
    do throws(ExpositionProblem) {
      while let entry = try parser.next() { entries.append(entry) }
      return (entries, nil)
    } catch {
      return (entries, error)
    }
  }

  private static func entry(
    _ raw: RawEntry, _ lexer: Lexer, _ type: MetricType
  ) -> ExpositionEntry {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let name = text(lexer.bytes(raw.name))
    switch raw.kind {
    case .type: return .type(name: name, raw.type)
    case .unit: return .unit(name: name, unit: text(lexer.bytes(raw.text)))
    case .comment: return .comment(text(lexer.bytes(raw.text)))
    case .help:
      let help = SeriesLabels.unescaped(lexer.bytes(raw.text), quotes: lexer.isOpenMetrics)
      return .help(name: name, text: text(help))
    case .series:
      let labels = SeriesLabels(raw, in: lexer, type: type)
      return .series(
        ExpositionSample(
          pairs: labels.labels, labels: labels.labelSet, value: raw.value,
          timestamp: raw.timestamp.map(Timestamp.init(milliseconds:)),
          exemplar: raw.exemplar.map { exemplar($0, lexer) }, offset: raw.start))
    }
  }

  private static func exemplar(_ raw: RawExemplar, _ lexer: Lexer) -> Exemplar {
    Exemplar(
      labels: SeriesLabels(raw.labels, in: lexer).labelSet, value: raw.value,
      timestamp: raw.timestamp.map(Timestamp.init(milliseconds:)))
  }
}
