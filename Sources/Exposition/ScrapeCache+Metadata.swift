import Model

/// What a target says of one metric family.
package struct FamilyMetadata: Sendable, Hashable {
  package var name: String
  package var type = MetricType.unknown
  package var help = ""
  package var unit = ""

  package init(name: String) { self.name = name }
}

extension ScrapeCache {
  /// The families that the metadata lines of the last good scan describe, in document order.
  package var families: [FamilyMetadata] {
    var families: [FamilyMetadata] = []
    var places: [[UInt8]: Int] = [:]
    let scan = lastGood
    for i in 1..<max(table.count, 1)
    where table.lines[i].isMetadata && table.lines[i].seen == scan {
      let text = table.text(of: table.lines[i])
      guard let start = text.baseAddress else { continue }
      let lexer = Lexer(start, count: text.count, openMetrics: format == .openMetrics)
      var grammar = Grammar(lexer)
      guard let entry = try? grammar.next() else { continue }
      note(entry, grammar.lexer, &families, &places)
    }
    return families
  }

  private func note(
    _ entry: RawEntry, _ lexer: Lexer, _ families: inout [FamilyMetadata],
    _ places: inout [[UInt8]: Int]
  ) {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    switch entry.kind {
    case .help, .type, .unit: break
    case .series, .comment: return
    }
    let name = lexer.bytes(entry.name)
    let place = places[name] ?? families.count
    if place == families.count {
      places[name] = place
      families.append(FamilyMetadata(name: text(name)))
    }
    switch entry.kind {
    case .type: families[place].type = entry.type
    case .unit: families[place].unit = text(lexer.bytes(entry.text))
    case .help:
      families[place].help = text(
        SeriesLabels.unescaped(lexer.bytes(entry.text), quotes: lexer.isOpenMetrics))
    case .series, .comment: break
    }
  }
}
