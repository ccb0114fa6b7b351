import Model

/// The labels of all series, as lists of numbered pairs of name and value: most pairs belong to
/// many series.
///
/// A label set is put together when somebody asks for it; comparing one with what is stored needs
/// none.
final class LabelStore: @unchecked Sendable {
  /// The labels of one series.
  private struct Entry {
    var start: UInt32 = 0
    var count: UInt32 = 0
    /// As in the series' record: handles of former series see no labels.
    var generation: UInt32 = 0
  }

  private var pairs = PairTable()
  private var entries = GrowingBuffer<Entry>()
  /// The pairs' numbers, series by series.
  private var lists = GrowingBuffer<UInt32>()
  private var listsInUse = 0
  /// Room to put lists and bytes together.
  private var scratch: [UInt32] = []

  deinit {
    pairs.deallocate()
    entries.deallocate()
    lists.deallocate()
  }

  /// Bytes held.
  var byteCount: Int { pairs.byteCount + entries.byteCount + lists.byteCount }

  /// Sets the labels of a place in the series table.
  func set(_ slot: UInt32, generation: UInt32, _ labels: LabelSet) {
    scratch.removeAll(keepingCapacity: true)
    labels.bytes.withUnsafeBufferPointer { all in
      var i = 0
      while i < all.count {
        let start = i
        _ = LabelSet.next(all, &i)
        _ = LabelSet.next(all, &i)
        scratch.append(pairs.retain(UnsafeBufferPointer(rebasing: all[start..<i])))
      }
    }
    while entries.count <= Int(slot) { entries.append(Entry()) }
    precondition(lists.count < Int(UInt32.max) - scratch.count, "a store has four billion labels")
    entries[Int(slot)] = Entry(
      start: UInt32(lists.count), count: UInt32(scratch.count), generation: generation)
    for pair in scratch { lists.append(pair) }
    listsInUse += scratch.count
  }

  /// Forgets the labels of a place.
  func remove(_ slot: UInt32) {
    let entry = entries[Int(slot)]
    for i in 0..<Int(entry.count) { pairs.release(lists[Int(entry.start) + i]) }
    listsInUse -= Int(entry.count)
    entries[Int(slot)] = Entry(start: 0, count: 0, generation: entry.generation &+ 1)
  }

  /// Gives back what forgotten labels took up, once it is much; places from `count` on are free.
  func tidy(places count: Int) {
    entries.truncate(to: count)
    if lists.count > listsInUse + listsInUse / 2 + 512 { compactLists() }
    pairs.tidy()
  }

  private func compactLists() {
    var fresh = GrowingBuffer<UInt32>(capacity: listsInUse + listsInUse / 8)
    for slot in 0..<entries.count {
      let entry = entries[slot]
      entries[slot].start = UInt32(fresh.count)
      for i in 0..<Int(entry.count) { fresh.append(lists[Int(entry.start) + i]) }
    }
    lists.deallocate()
    lists = fresh
  }

  /// The labels of a place.
  func labels(_ slot: UInt32) -> LabelSet {
    let entry = entries[Int(slot)]
    var size = 0
    for i in 0..<Int(entry.count) { size += pairs[lists[Int(entry.start) + i]].count }
    if size == 0 { return .empty }
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      for i in 0..<Int(entry.count) {
        let pair = pairs[lists[Int(entry.start) + i]]
        guard let from = pair.baseAddress else { continue }
        (base + count).update(from: from, count: pair.count)
        count += pair.count
      }
    }
    return LabelSet(bytes: bytes)
  }

  /// The labels of a series; none if it is gone.
  func labels(of series: SeriesID) -> LabelSet {
    guard Int(series.index) < entries.count,
      entries[Int(series.index)].generation == series.generation
    else { return .empty }
    return labels(series.index)
  }

  /// Whether a place has just these labels.
  func holds(_ slot: UInt32, _ wanted: LabelSet) -> Bool {
    let entry = entries[Int(slot)]
    return wanted.bytes.withUnsafeBufferPointer { all in
      var at = 0
      for i in 0..<Int(entry.count) {
        let pair = pairs[lists[Int(entry.start) + i]]
        guard at + pair.count <= all.count,
          ByteOrder.compare(pair, UnsafeBufferPointer(rebasing: all[at..<(at + pair.count)])) == 0
        else { return false }
        at += pair.count
      }
      return at == all.count
    }
  }
}

/// Distinct texts with numbers and counts of their uses.
struct PairTable {
  private struct Entry {
    var start: UInt32 = 0
    var length: UInt32 = 0
    var uses: UInt32 = 0
    var hash: UInt32 = 0
  }

  private var entries = GrowingBuffer<Entry>()
  private var text = GrowingBuffer<UInt8>()
  private var textInUse = 0
  private var free: [UInt32] = []
  private var index = HashIndex(size: 64)

  /// Frees the memory; the table must not be used again.
  func deallocate() {
    entries.deallocate()
    text.deallocate()
  }

  /// Bytes held.
  var byteCount: Int { entries.byteCount + text.byteCount + index.byteCount }

  /// The text of a number; valid until the table changes.
  subscript(number: UInt32) -> UnsafeBufferPointer<UInt8> {
    let entry = entries[Int(number)]
    return UnsafeBufferPointer(
      start: text.elements + Int(entry.start), count: Int(entry.length))
  }

  /// The number of a text, with one more use.
  mutating func retain(_ wanted: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = UInt32(truncatingIfNeeded: SeriesTable.hash(UnsafeRawBufferPointer(wanted)))
    let known = index.find(hash) {
      entries[Int($0)].hash == hash && ByteOrder.compare(self[$0], wanted) == 0
    }
    if let known {
      entries[Int(known)].uses += 1
      return known
    }
    precondition(
      text.count + wanted.count < Int(UInt32.max), "a store has four gigabytes of labels")
    let entry = Entry(
      start: UInt32(text.count), length: UInt32(wanted.count), uses: 1, hash: hash)
    text.append(contentsOf: wanted)
    textInUse += wanted.count
    let number: UInt32
    if let reused = free.popLast() {
      number = reused
      entries[Int(number)] = entry
    } else {
      number = UInt32(entries.count)
      entries.append(entry)
    }
    if (entries.count - free.count) * 4 > index.size * 3 {
      rehash(index.size * 2)
    } else {
      index.insert(number, hash: hash)
    }
    return number
  }

  /// One use less; a text without uses is forgotten.
  mutating func release(_ number: UInt32) {
    entries[Int(number)].uses -= 1
    guard entries[Int(number)].uses == 0 else { return }
    unlink(number)
    textInUse -= Int(entries[Int(number)].length)
    entries[Int(number)] = Entry()
    free.append(number)
  }

  private mutating func unlink(_ number: UInt32) {
    let entries = entries
    index.remove(number) { entries[Int($0)].hash }
  }

  private mutating func rehash(_ size: Int) {
    index = HashIndex(size: size)
    for number in 0..<entries.count where entries[number].uses > 0 {
      index.insert(UInt32(number), hash: entries[number].hash)
    }
  }

  /// Gives back what forgotten texts took up, once it is much.
  mutating func tidy() {
    guard text.count > textInUse + textInUse / 2 + 4096 || free.count > entries.count / 2 + 64
    else { return }
    var last = entries.count
    while last > 0, entries[last - 1].uses == 0 { last -= 1 }
    entries.truncate(to: last)
    free = free.filter { Int($0) < last }
    var fresh = GrowingBuffer<UInt8>(capacity: textInUse + textInUse / 8)
    for number in 0..<entries.count where entries[number].uses > 0 {
      let start = fresh.count
      fresh.append(contentsOf: self[UInt32(number)])
      entries[number].start = UInt32(start)
    }
    text.deallocate()
    text = fresh
    while index.size > 64, (entries.count - free.count) * 4 < index.size {
      rehash(index.size / 2)
    }
  }
}
