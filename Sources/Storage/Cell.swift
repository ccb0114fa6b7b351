import Model

/// The bit patterns of a row's cells that are not values.
enum Cell {
  /// No sample.
  static let absent: UInt64 = 0x7ff0_0000_0000_00a5
  /// The staleness marker.
  static let stale: UInt64 = 0x7ff0_0000_0000_0002
  /// The sample (a histogram, or one with a start time) stands in the series' side store.
  static let elsewhere: UInt64 = 0x7ff0_0000_0000_00a6

  /// Whether the bits are none of a value: one comparison lets every number and the usual NaNs
  /// pass.
  @inline(__always)
  static func isSpecial(_ bits: UInt64) -> Bool {
    guard bits &- 0x7ff0_0000_0000_0001 < 0xff else { return false }
    return bits == absent || bits == stale || bits == elsewhere
  }
}
