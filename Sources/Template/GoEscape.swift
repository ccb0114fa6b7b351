import Model

/// Go's escapers: HTML, JavaScript, URL queries.
enum GoEscape {
  /// Escapes as `template.HTMLEscapeString` does.
  static func html(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for b in text {
      switch b {
      case 0: out += "\u{fffd}".utf8
      case UInt8(ascii: "\""): out += "&#34;".utf8
      case UInt8(ascii: "'"): out += "&#39;".utf8
      case UInt8(ascii: "&"): out += "&amp;".utf8
      case UInt8(ascii: "<"): out += "&lt;".utf8
      case UInt8(ascii: ">"): out += "&gt;".utf8
      default: out.append(b)
      }
    }
    return out
  }

  /// Escapes as `template.JSEscapeString` does.
  static func javaScript(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for scalar in text.text.unicodeScalars {
      switch scalar {
      case "\\": out += #"\\"#.utf8
      case "'": out += #"\'"#.utf8
      case "\"": out += #"\""#.utf8
      case "<": out += #"\u003C"#.utf8
      case ">": out += #"\u003E"#.utf8
      case "&": out += #"\u0026"#.utf8
      case "=": out += #"\u003D"#.utf8
      default:
        if scalar.value < 0x20 || !scalar.isASCII && !GoText.isPrint(scalar) {
          let digits = String(scalar.value, radix: 16, uppercase: true)
          out += ("\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits).utf8
        } else {
          out += Array(String(Character(scalar)).utf8)
        }
      }
    }
    return out
  }

  /// Escapes as `url.QueryEscape` does.
  static func query(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for b in text {
      switch b {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."), UInt8(ascii: "~"):
        out.append(b)
      case UInt8(ascii: " "): out.append(UInt8(ascii: "+"))
      default:
        let digits = String(b, radix: 16, uppercase: true)
        out += ("%" + (b < 16 ? "0" : "") + digits).utf8
      }
    }
    return out
  }

  /// The path of a URL, percent signs decoded: what Go's `URL.Path` holds.
  static func path(ofURL url: String) -> String {
    var rest = Array(url.utf8)[...]
    if let end = rest.firstIndex(where: { $0 == UInt8(ascii: "#") }) { rest = rest[..<end] }
    if let end = rest.firstIndex(where: { $0 == UInt8(ascii: "?") }) { rest = rest[..<end] }
    let text = String(decoding: rest, as: UTF8.self)
    let slashes = Array("//".utf8)
    if let start = (rest.indices.first { rest[$0...].starts(with: slashes) }),
      start == rest.startIndex || rest[start - 1] == UInt8(ascii: ":")
    {
      rest = rest[(start + 2)...].drop { $0 != UInt8(ascii: "/") }
    } else if !text.hasPrefix("/") {
      return text
    }
    return String(decoding: percentDecoded(rest), as: UTF8.self)
  }

  private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var rest = text
    while let b = rest.popFirst() {
      if b == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        out.append(value)
        rest.removeFirst(2)
      } else {
        out.append(b)
      }
    }
    return out
  }
}
