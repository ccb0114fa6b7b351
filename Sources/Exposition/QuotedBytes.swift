import Model

/// Bytes in Go's `%q` notation; what is not UTF-8 shows as `\xff`.
enum QuotedBytes {
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let all = Array(bytes)
    var out = "\""
    var i = 0
    while i < all.count {
      let n = sequenceLength(all[i...])
      if n == 0 {
        out += "\\x" + (all[i] < 0x10 ? "0" : "") + String(all[i], radix: 16)
        i += 1
      } else {
        let piece = String(decoding: all[i..<(i + n)], as: UTF8.self)
        out += GoText.quote(piece).dropFirst().dropLast()
        i += n
      }
    }
    return out + "\""
  }

  /// Whether bytes are well-formed UTF-8.
  static func isValidUTF8(_ bytes: some Sequence<UInt8>) -> Bool {
    if bytes.allSatisfy({ $0 < 0x80 }) { return true }
    return String(validating: Array(bytes), as: UTF8.self) != nil
  }

  /// The length of the UTF-8 sequence at the start, or 0 where there is none.
  private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
    guard let first = bytes.first else { return 0 }
    let n = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    guard n > 0, first < 0xf5, bytes.count >= n else { return 0 }
    return String(validating: bytes.prefix(n), as: UTF8.self) == nil ? 0 : n
  }
}
