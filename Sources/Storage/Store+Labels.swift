import Model

extension Store {
  /// The label names of the series that fulfil any of the matcher lists (of all, without lists),
  /// sorted.
  package func labelNames(matching lists: [[Matcher]] = []) -> [String] {
    var names: Set<[UInt8]> = []
    for slot in slots(matching: lists) {
      table.labels(slot).forEachRaw { name, _ in names.insert(Array(name)) }
    }
    return Self.sortedTexts(names)
  }

  /// The values of a label over the series that fulfil any of the matcher lists (over all, without
  /// lists), sorted.
  package func labelValues(_ name: String, matching lists: [[Matcher]] = []) -> [String] {
    if lists.isEmpty && ByteOrder.equal(name, LabelName.metricName) {
      return Self.sortedTexts(
        names.entries.filter { !$0.series.isEmpty && !$0.name.isEmpty }.map(\.name))
    }
    let wanted = Array(name.utf8)
    var values: Set<[UInt8]> = []
    for slot in slots(matching: lists) {
      table.labels(slot).forEachRaw { n, v in
        if n.elementsEqual(wanted) { values.insert(Array(v)) }
      }
    }
    return Self.sortedTexts(values)
  }

  /// The label sets of the series that fulfil any of the matcher lists (of all, without lists),
  /// sorted.
  package func series(matching lists: [[Matcher]]) -> [LabelSet] {
    slots(matching: lists).map { table.labels($0) }.sorted()
  }

  private static func sortedTexts(_ texts: some Sequence<[UInt8]>) -> [String] {
    texts.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The series that fulfil any of the lists, each once.
  private func slots(matching lists: [[Matcher]]) -> [UInt32] {
    if lists.isEmpty { return candidates(Selector(matchers: [], labels: table.labels)) }
    var seen: Set<UInt32> = []
    var slots: [UInt32] = []
    for matchers in lists {
      let selector = Selector(matchers: matchers, labels: table.labels)
      for slot in candidates(selector)
      where selector.acceptsRest(table.labels(slot)) && seen.insert(slot).inserted {
        slots.append(slot)
      }
    }
    return slots
  }
}
