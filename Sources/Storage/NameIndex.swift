import Model

/// Metric name → its series, and the selectors that ask for just this name.
struct NameIndex {
  struct Entry {
    var name: [UInt8]
    /// Series in order of birth.
    var series: [UInt32] = []
    var selectors: [UInt32] = []
  }

  private(set) var entries: [Entry] = []
  private var byName: [[UInt8]: Int32] = [:]
  private var free: [Int32] = []

  /// The entry of a name, if there is one.
  func find(_ name: [UInt8]) -> Int32? { byName[name] }

  /// The entry of a name.
  mutating func intern(_ name: [UInt8]) -> Int32 {
    if let known = byName[name] { return known }
    let entry: Int32
    if let reused = free.popLast() {
      entry = reused
      entries[Int(entry)] = Entry(name: name)
    } else {
      entry = Int32(entries.count)
      entries.append(Entry(name: name))
    }
    byName[name] = entry
    return entry
  }

  mutating func add(series: UInt32, to entry: Int32) { entries[Int(entry)].series.append(series) }

  mutating func add(selector: UInt32, to entry: Int32) {
    entries[Int(entry)].selectors.append(selector)
  }

  mutating func remove(selector: UInt32, from entry: Int32) {
    entries[Int(entry)].selectors.removeAll { $0 == selector }
    dropIfUnused(entry)
  }

  /// Removes series that fail the test, keeping the order.
  mutating func filterSeries(of entry: Int32, _ keep: (UInt32) -> Bool) {
    entries[Int(entry)].series.removeAll { !keep($0) }
    dropIfUnused(entry)
  }

  private mutating func dropIfUnused(_ entry: Int32) {
    let e = entries[Int(entry)]
    guard e.series.isEmpty && e.selectors.isEmpty, byName[e.name] == entry else { return }
    byName[e.name] = nil
    entries[Int(entry)] = Entry(name: [])
    free.append(entry)
  }
}
