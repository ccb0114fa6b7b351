/// The little of XML that reports need.
package enum XMLText {
  package static let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

  /// A start tag, or with `isEmpty` a whole element; attributes in the order given.
  package static func tag(
    _ name: String, _ attributes: [(name: String, value: String)], isEmpty: Bool = false
  ) -> String {
    let list = attributes.map { " \($0.name)=\"\(escaped($0.value))\"" }.joined()
    return "<\(name)\(list)\(isEmpty ? "/>" : ">")"
  }

  /// Text fit for content and attributes: characters that XML does not have become U+FFFD.
  package static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&apos;"
      case "\n": out += "&#10;"
      case "\r": out += "&#13;"
      case "\t": out += "&#9;"
      case "\u{0}"..<"\u{20}", "\u{fffe}", "\u{ffff}": out += "\u{fffd}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
