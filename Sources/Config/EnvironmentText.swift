/// Expansion of `$NAME` and `${NAME}`, as Go's `os.Expand` does it.
enum EnvironmentText {
  /// Replaces each variable by what `value` answers; `$$` becomes one dollar sign.
  static func expand(_ text: String, value: (String) -> String) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      guard bytes[i] == dollar, i + 1 < bytes.count else {
        out.append(bytes[i])
        i += 1
        continue
      }
      let (name, width) = name(bytes[(i + 1)...])
      if !name.isEmpty {
        let text = String(decoding: name, as: UTF8.self)
        out += Array((text == "$" ? "$" : value(text)).utf8)
      } else if width == 0 {
        out.append(dollar)
      }
      i += 1 + width
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static let dollar = UInt8(ascii: "$")
  private static let special = Array("*#$@!?-0123456789".utf8)

  /// The name behind a dollar sign and how many bytes it takes; bad syntax has a width and no name.
  private static func name(_ rest: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, Int) {
    let first = rest.startIndex
    if rest[first] == UInt8(ascii: "{") {
      guard let close = rest.firstIndex(of: UInt8(ascii: "}")) else { return ([], 1) }
      return (rest[(first + 1)..<close], close - first + 1)
    }
    if special.contains(rest[first]) { return (rest[first...first], 1) }
    let name = rest.prefix { b in
      b == 0x5f || b >= 0x30 && b <= 0x39 || (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a
    }
    return (name, name.count)
  }
}
