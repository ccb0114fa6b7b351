import Model

/// What an instant selector sees of each member at one time, column by column.
package struct LatestColumns {
  /// What a member shows.
  package enum Presence: UInt8, Sendable {
    case absent, float, histogram
  }

  /// Presence per member, in the order of the membership.
  package var presence: [Presence] = []
  /// The value of a `float` member; zero otherwise.
  package var values: [Double] = []
  /// The time of the sample in milliseconds; zero for an absent member.
  package var timestamps: [Int64] = []
  /// The histograms with their members, ascending.
  package var histograms: [(member: Int, value: FloatHistogram)] = []

  package init() {}

  /// The number of members.
  package var count: Int { presence.count }

  /// The histogram of a member, or nil.
  package func histogram(at member: Int) -> FloatHistogram? {
    var low = 0
    var high = histograms.count
    while low < high {
      let middle = (low + high) / 2
      if histograms[middle].member < member { low = middle + 1 } else { high = middle }
    }
    return low < histograms.count && histograms[low].member == member ? histograms[low].value : nil
  }

  /// Makes room for `count` members, all absent.
  mutating func reset(_ count: Int) {
    if presence.count == count {
      for i in 0..<count {
        presence[i] = .absent
        values[i] = 0
        timestamps[i] = 0
      }
    } else {
      presence = [Presence](repeating: .absent, count: count)
      values = [Double](repeating: 0, count: count)
      timestamps = [Int64](repeating: 0, count: count)
    }
    histograms.removeAll(keepingCapacity: true)
  }

  /// Lends the columns to a loop.
  @inline(__always)
  mutating func withPointers(
    _ body: (
      UnsafeMutablePointer<Presence>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Int64>
    ) -> Void
  ) {
    presence.withUnsafeMutableBufferPointer { p in
      values.withUnsafeMutableBufferPointer { v in
        timestamps.withUnsafeMutableBufferPointer { t in
          guard let p = p.baseAddress, let v = v.baseAddress, let t = t.baseAddress else { return }
          body(p, v, t)
        }
      }
    }
  }

  mutating func put(_ member: Int, _ value: Double, _ time: Int64) {
    presence[member] = .float
    values[member] = value
    timestamps[member] = time
  }

  mutating func put(_ member: Int, _ value: FloatHistogram, _ time: Int64) {
    presence[member] = .histogram
    timestamps[member] = time
    histograms.append((member, value))
  }
}
