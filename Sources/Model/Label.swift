/// One name and value of a label set.
package struct Label: Hashable, Sendable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// Label names with a meaning of their own.
package enum LabelName {
  package static let metricName = "__name__"
  package static let alertName = "alertname"
  package static let alertState = "alertstate"
  package static let bucketBound = "le"
  package static let quantile = "quantile"
  package static let instance = "instance"
  package static let job = "job"

  /// Whether the name can be written without quotes: `[a-zA-Z_][a-zA-Z0-9_]*`.
  package static func isLegacyValid(_ name: some StringProtocol) -> Bool {
    var first = true
    for b in name.utf8 {
      let letter = (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b == 0x5f
      if !letter && (first || b < 0x30 || b > 0x39) { return false }
      first = false
    }
    return !first
  }

  /// Whether a metric name can be written without quotes: as a label name, colons allowed.
  package static func isLegacyValidMetric(_ name: some StringProtocol) -> Bool {
    var first = true
    for b in name.utf8 {
      let letter = (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b == 0x5f || b == 0x3a
      if !letter && (first || b < 0x30 || b > 0x39) { return false }
      first = false
    }
    return !first
  }
}

/// Byte-wise order and equality of texts.
///
/// Swift's own `==` and `<` on `String` follow Unicode canonical equivalence ("é" in one or two
/// scalars is equal); Prometheus compares bytes. Labels are compared through these.
package enum ByteOrder {
  package static func less(_ a: String, _ b: String) -> Bool {
    withBytes(of: a, b) { compare($0, $1) < 0 } ?? a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  package static func equal(_ a: String, _ b: String) -> Bool {
    a.utf8.count == b.utf8.count
      && (withBytes(of: a, b) { compare($0, $1) == 0 } ?? a.utf8.elementsEqual(b.utf8))
  }

  /// Lends the bytes of two texts; nil if one of them does not lie in one piece.
  private static func withBytes(
    of a: String, _ b: String,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Bool? {
    let answer = a.utf8.withContiguousStorageIfAvailable { a in
      b.utf8.withContiguousStorageIfAvailable { b in body(a, b) }
    }
    return answer ?? nil
  }

  /// Three-way comparison of byte strings: negative, zero or positive.
  @inlinable
  package static func compare(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>
  ) -> Int {
    let n = min(a.count, b.count)
    var i = 0
    while i < n {
      if a[i] != b[i] { return a[i] < b[i] ? -1 : 1 }
      i += 1
    }
    return a.count - b.count
  }
}
