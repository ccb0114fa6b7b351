import JSON
import Model

/// One line of a JSON-lines file.
struct JSONCase {
  let json: JSONValue
  /// The case's own id, or its line number.
  let id: String

  init(_ json: JSONValue, index: Int) {
    self.json = json
    id = json["id"]?.string ?? "line \(index + 1)"
  }

  func text(_ key: String) -> String? { json[key]?.string }

  var isAccepted: Bool { json["ok"]?.bool ?? false }

  /// An object of texts as a label set.
  func labels(_ key: String) -> LabelSet { Self.labels(json[key]) }

  static func labels(_ json: JSONValue?) -> LabelSet {
    LabelSet((json?.object ?? []).map { ($0.key, $0.value.string ?? "") })
  }

  /// Base64 content of a member.
  func base64(_ key: String) -> [UInt8] {
    var out: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    for b in (text(key) ?? "").utf8 {
      let value: UInt32
      switch b {
      case 0x41...0x5a: value = UInt32(b) - 0x41
      case 0x61...0x7a: value = UInt32(b) - 0x61 + 26
      case 0x30...0x39: value = UInt32(b) - 0x30 + 52
      case 0x2b: value = 62
      case 0x2f: value = 63
      default: continue
      }
      buffer = buffer << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
      }
    }
    return out
  }

  /// A number written as text the way Go prints it.
  static func number(_ text: String) -> Double? {
    switch text {
    case "NaN": .nan
    case "+Inf", "Inf": .infinity
    case "-Inf": -.infinity
    default: Double(text)
    }
  }
}
