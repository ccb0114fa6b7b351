import Model

/// Which times samples were appended at, as far as somebody can still ask: since when nothing has
/// changed before a certain time.
struct AppendLog {
  /// The most entries kept; the older half is forgotten then.
  private static let capacity = 4096
  /// Times are noted to the second below: one entry a second is enough.
  private static let resolution: Int64 = 1000

  /// Appends so far.
  private(set) var count: UInt64 = 0
  /// Ascending in both: an entry is the earliest of all appends from the entry before it on.
  private var entries: [(number: UInt64, time: Int64)] = []
  private var forgotten: UInt64 = 0

  /// Notes that a sample of this time was appended.
  mutating func note(_ time: Int64) {
    count &+= 1
    let time = time.flooredDivision(by: Self.resolution).quotient &* Self.resolution
    while let last = entries.last, last.time >= time { entries.removeLast() }
    entries.append((count, time))
    if entries.count > Self.capacity {
      forgotten = entries[Self.capacity / 2 - 1].number
      entries.removeFirst(Self.capacity / 2)
    }
  }

  /// The earliest time of the appends after the first `number`, `Int64.max` if there were none.
  func earliest(since number: UInt64) -> Int64 {
    if number >= count { return .max }
    if number < forgotten { return .min }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].number <= number { low = middle + 1 } else { high = middle }
    }
    return low < entries.count ? entries[low].time : .max
  }
}

extension Store {
  /// A moment in the history of appends.
  package struct AppendMark: Sendable {
    let number: UInt64
  }

  /// The moment now.
  package var appendMark: AppendMark { AppendMark(number: appends.count) }

  /// No sample before this time was appended since a moment; what was computed then from earlier
  /// samples alone is still right.
  package func earliestAppend(since mark: AppendMark) -> Timestamp {
    Timestamp(milliseconds: appends.earliest(since: mark.number))
  }
}
