extension LabelSet {
  /// Takes a set's bytes back from where damage may have befallen them; nil if they are none of a
  /// set.
  package init?(stored bytes: [UInt8]) {
    let isWhole = bytes.withUnsafeBufferPointer { Self.isWellFormed($0) }
    guard isWhole else { return nil }
    self.init(bytes: bytes)
  }

  private static func isWellFormed(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var at = 0
    var before: UnsafeBufferPointer<UInt8>?
    while at < bytes.count {
      guard let name = piece(bytes, &at), let value = piece(bytes, &at), !value.isEmpty else {
        return false
      }
      if let before, ByteOrder.compare(before, name) >= 0 { return false }
      before = name
    }
    return true
  }

  /// The next text and the length before it, if they lie within the bytes.
  private static func piece(
    _ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) -> UnsafeBufferPointer<UInt8>? {
    var length = 0
    var shift = 0
    while at < bytes.count, shift < 35 {
      let byte = bytes[at]
      at += 1
      length |= Int(byte & 0x7f) << shift
      shift += 7
      if byte >= 0x80 { continue }
      guard length <= bytes.count - at else { return nil }
      defer { at += length }
      let text = UnsafeBufferPointer(rebasing: bytes[at..<(at + length)])
      return String(validating: text, as: UTF8.self) == nil ? nil : text
    }
    return nil
  }
}
