/// Interned sets of selectors: most series are accepted by the same few.
struct DemandSets {
  /// The set of nobody.
  static let empty: Int32 = 0

  private struct Entry {
    var selectors: [UInt32]
    /// The longest window in milliseconds; −1 for the empty set.
    var longest: Int64
    var uses = 0
  }

  private var entries: [Entry] = [Entry(selectors: [], longest: -1)]
  private var bySelectors: [[UInt32]: Int32] = [[]: 0]
  private var free: [Int32] = []
  /// The last step taken, since whole families take the same one.
  private var memo: (from: Int32, selector: UInt32, isAdding: Bool, to: Int32)?

  func selectors(_ set: Int32) -> [UInt32] { entries[Int(set)].selectors }

  /// The longest window of a set's selectors in milliseconds; −1 for the empty set.
  func longest(_ set: Int32) -> Int64 { entries[Int(set)].longest }

  func contains(_ set: Int32, _ selector: UInt32) -> Bool {
    entries[Int(set)].selectors.contains(selector)
  }

  /// The set of the given selectors (ascending), with one more use.
  mutating func intern(_ selectors: [UInt32], window: (UInt32) -> Int64) -> Int32 {
    let set: Int32
    if let known = bySelectors[selectors] {
      set = known
    } else {
      let longest = selectors.reduce(-1) { max($0, window($1)) }
      let entry = Entry(selectors: selectors, longest: longest)
      if let reused = free.popLast() {
        set = reused
        entries[Int(set)] = entry
      } else {
        set = Int32(entries.count)
        entries.append(entry)
      }
      bySelectors[selectors] = set
    }
    entries[Int(set)].uses += 1
    return set
  }

  /// One more use of a set.
  mutating func retain(_ set: Int32) { entries[Int(set)].uses += 1 }

  /// One use less; a set without uses is forgotten.
  mutating func release(_ set: Int32) {
    entries[Int(set)].uses -= 1
    if set != Self.empty && entries[Int(set)].uses == 0 {
      bySelectors[entries[Int(set)].selectors] = nil
      entries[Int(set)].selectors = []
      free.append(set)
      memo = nil
    }
  }

  /// Turns a use of `set` into one of `set` with or without `selector`.
  mutating func moving(
    _ set: Int32, _ selector: UInt32, isAdding: Bool, window: (UInt32) -> Int64
  ) -> Int32 {
    let to: Int32
    if let memo, memo.from == set, memo.selector == selector, memo.isAdding == isAdding {
      to = memo.to
      entries[Int(to)].uses += 1
    } else {
      var selectors = entries[Int(set)].selectors.filter { $0 != selector }
      if isAdding {
        selectors.insert(selector, at: selectors.firstIndex { $0 > selector } ?? selectors.count)
      }
      to = intern(selectors, window: window)
      memo = (set, selector, isAdding, to)
    }
    release(set)
    return to
  }

  /// Recomputes the longest window of the sets that contain `selector`.
  mutating func windowChanged(_ selector: UInt32, window: (UInt32) -> Int64) {
    for i in entries.indices where entries[i].selectors.contains(selector) {
      entries[i].longest = entries[i].selectors.reduce(-1) { max($0, window($1)) }
    }
  }
}
