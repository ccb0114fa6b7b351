/// The parts of a URL that configuration checks look at.
struct URLText {
  private(set) var scheme = ""
  private(set) var host = ""
  /// Why Go's `url.Parse` would refuse the text; nil when it would not.
  private(set) var problem: String?

  init(_ text: String) {
    let bytes = Array(text.utf8)
    if bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      problem = "invalid control character in URL"
      return
    }
    var rest = bytes[...]
    if let colon = rest.firstIndex(of: 0x3a) {
      let head = rest[..<colon]
      if Self.isScheme(head) {
        scheme = String(decoding: head, as: UTF8.self).lowercased()
        rest = rest[(colon + 1)...]
      } else if colon == rest.startIndex {
        problem = "missing protocol scheme"
        return
      } else if !head.contains(0x2f) {
        problem = "first path segment in URL cannot contain colon"
        return
      }
    }
    guard rest.starts(with: [0x2f, 0x2f]) else { return }
    rest = rest.dropFirst(2)
    var authority = rest.prefix { $0 != 0x2f && $0 != 0x3f && $0 != 0x23 }
    if let at = authority.lastIndex(of: 0x40) { authority = authority[(at + 1)...] }
    if authority.contains(0x20) { problem = "invalid character \" \" in host name" }
    host = String(decoding: authority, as: UTF8.self)
    let afterBracket = authority.lastIndex(of: 0x5d).map { authority[($0 + 1)...] } ?? authority
    if let colon = afterBracket.lastIndex(of: 0x3a) {
      let port = afterBracket[(colon + 1)...]
      if port.contains(where: { $0 < 0x30 || $0 > 0x39 }) {
        problem = "invalid port \":\(String(decoding: port, as: UTF8.self))\" after host"
      }
    }
  }

  private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, (first | 0x20) >= 0x61, (first | 0x20) <= 0x7a else {
      return false
    }
    return bytes.allSatisfy { b in
      (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x2b || b == 0x2d
        || b == 0x2e
    }
  }
}
