/// `host:port` taken apart, as Go's `net.SplitHostPort` does.
struct HostPort {
  var host: String
  var port: String

  /// Nil for what is not of the form.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    let open = UInt8(ascii: "[")
    let close = UInt8(ascii: "]")
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    let hostBytes: ArraySlice<UInt8>
    if bytes.first == open {
      guard let end = bytes.firstIndex(of: close), end + 1 == colon else { return nil }
      hostBytes = bytes[1..<end]
      if bytes[1...].contains(open) || bytes[(end + 1)...].contains(close) { return nil }
    } else {
      hostBytes = bytes[..<colon]
      if hostBytes.contains(UInt8(ascii: ":")) { return nil }
      if bytes.contains(open) || bytes.contains(close) { return nil }
    }
    host = String(decoding: hostBytes, as: UTF8.self)
    port = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
  }

  /// The first part of a host name, the port kept; addresses stay as they are.
  static func strippingDomain(_ text: String) -> String {
    let parts = HostPort(text)
    let host = parts?.host ?? text
    if isAddress(host) { return text }
    let short = String(host.prefix { $0 != "." })
    guard let port = parts?.port, !port.isEmpty else { return short }
    return short.contains(":") ? "[\(short)]:\(port)" : "\(short):\(port)"
  }

  private static func isAddress(_ text: String) -> Bool {
    let bytes = Array(text.utf8)[...]
    return bytes.contains(UInt8(ascii: ":")) ? isVersion6(bytes) : isVersion4(bytes)
  }

  /// Four numbers up to 255 without leading zeros.
  private static func isVersion4(_ text: ArraySlice<UInt8>) -> Bool {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard !part.isEmpty, part.count <= 3, part.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
          part.count == 1 || part.first != 0x30
        else { return false }
        return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
      }
  }

  /// Eight groups of up to four hexadecimal digits, one run of zeros shortened, the end perhaps
  /// dotted.
  private static func isVersion6(_ text: ArraySlice<UInt8>) -> Bool {
    var groups = 0
    var sawGap = false
    var rest = text
    let gap = Array("::".utf8)
    if rest.starts(with: gap) {
      sawGap = true
      rest = rest.dropFirst(2)
      if rest.isEmpty { return true }
    }
    while true {
      let group = rest.prefix { $0 != UInt8(ascii: ":") }
      if group.count == rest.count, group.contains(UInt8(ascii: ".")) {
        groups += 2
        return isVersion4(group) && (sawGap ? groups < 8 : groups == 8)
      }
      let isHex = group.allSatisfy {
        $0 >= 0x30 && $0 <= 0x39 || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x66
      }
      guard !group.isEmpty, group.count <= 4, isHex else { return false }
      groups += 1
      rest = rest.dropFirst(group.count)
      if rest.isEmpty { break }
      if rest.starts(with: gap) {
        if sawGap { return false }
        sawGap = true
        rest = rest.dropFirst(2)
        if rest.isEmpty { break }
      } else {
        rest = rest.dropFirst()
      }
    }
    return sawGap ? groups < 8 : groups == 8
  }
}
