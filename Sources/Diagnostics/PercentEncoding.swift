/// The percent-encoding of URIs (RFC 3986).
package enum PercentEncoding {
  /// The text with every byte escaped that is neither unreserved nor one of those to keep.
  package static func encode(_ text: String, keeping kept: String = "") -> String {
    var out = ""
    for b in text.utf8 {
      let isPlain =
        (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39
        || "-._~".utf8.contains(b) || kept.utf8.contains(b)
      if isPlain {
        out.unicodeScalars.append(Unicode.Scalar(b))
      } else {
        let hex = String(b, radix: 16, uppercase: true)
        out += "%" + (hex.utf8.count < 2 ? "0" : "") + hex
      }
    }
    return out
  }
}
