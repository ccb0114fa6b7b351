/// The NaN patterns with a meaning of their own; compare bits, never `isNaN`, where the difference
/// matters.
package enum SpecialValue {
  /// Prometheus' staleness marker: the series ended here.
  package static let staleBits: UInt64 = 0x7ff0_0000_0000_0002
  /// Ours, never stored by anyone else: a cell of a row without a sample.
  package static let absentBits: UInt64 = 0x7ff0_0000_0000_00a5
  /// The NaN of PromQL results (Go's `math.NaN()` as Prometheus' "normal NaN").
  package static let normalBits: UInt64 = 0x7ff8_0000_0000_0001

  package static var stale: Double { Double(bitPattern: staleBits) }
  package static var absent: Double { Double(bitPattern: absentBits) }
  package static var nan: Double { Double(bitPattern: normalBits) }

  @inlinable
  package static func isStale(_ v: Double) -> Bool { v.bitPattern == 0x7ff0_0000_0000_0002 }
  @inlinable
  package static func isAbsent(_ v: Double) -> Bool { v.bitPattern == 0x7ff0_0000_0000_00a5 }
}

/// What a series holds at one instant.
package enum SampleValue: Hashable, Sendable {
  case float(Double)
  indirect case histogram(FloatHistogram)
}

/// One value at one time.
package struct Sample: Hashable, Sendable {
  package var timestamp: Timestamp
  package var value: SampleValue

  package init(timestamp: Timestamp, value: SampleValue) {
    self.timestamp = timestamp
    self.value = value
  }
}
