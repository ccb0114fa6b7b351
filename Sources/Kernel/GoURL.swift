import Model

/// URLs put together as Go's `net/url` does.
enum GoURL {
  /// `url.QueryEscape`: a blank becomes `+`.
  static func queryEscape(_ text: String) -> String {
    escape(text) { b in
      switch b {
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): true
      default: isAlphanumeric(b)
      }
    }
  }

  /// A path as `URL.String` writes it: with a slash in front.
  static func path(_ text: String) -> String {
    if text.isEmpty { return "" }
    let allowed = Array("-_.~$&+,/:;=@".utf8)
    let escaped = escape(text, blank: "%20") { isAlphanumeric($0) || allowed.contains($0) }
    return escaped.utf8.first == UInt8(ascii: "/") ? escaped : "/" + escaped
  }

  /// `url.Values.Encode`: by key, several values in their order.
  static func query(_ params: [(name: String, values: [String])]) -> String {
    params.sorted { ByteOrder.less($0.name, $1.name) }
      .flatMap { param in
        param.values.map { queryEscape(param.name) + "=" + queryEscape($0) }
      }
      .joined(separator: "&")
  }

  private static func isAlphanumeric(_ b: UInt8) -> Bool {
    (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39
  }

  private static func escape(
    _ text: String, blank: String = "+", keeping isAllowed: (UInt8) -> Bool
  ) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for b in text.utf8 {
      if isAllowed(b) {
        out.append(b)
      } else if b == 0x20 {
        out.append(contentsOf: blank.utf8)
      } else {
        out += [UInt8(ascii: "%"), digits[Int(b >> 4)], digits[Int(b & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
