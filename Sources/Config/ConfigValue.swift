import Model

/// A piece of configuration to be written as YAML: texts, lists and mappings in order.
indirect enum ConfigValue {
  /// `isPlain`: it stood without quotes, so it may stand so again.
  case text(String, isPlain: Bool)
  case list([ConfigValue])
  case map([(key: String, value: ConfigValue)])

  /// The text of a scalar.
  var text: String? {
    if case .text(let text, _) = self { return text }
    return nil
  }

  /// The value of a key; setting adds it at the end or replaces it.
  subscript(key: String) -> ConfigValue? {
    get {
      guard case .map(let entries) = self else { return nil }
      return entries.first { ByteOrder.equal($0.key, key) }?.value
    }
    set {
      guard case .map(var entries) = self, let newValue else { return }
      if let place = entries.firstIndex(where: { ByteOrder.equal($0.key, key) }) {
        entries[place].value = newValue
      } else {
        entries.append((key, newValue))
      }
      self = .map(entries)
    }
  }

  /// Adds a default where nothing was written.
  mutating func complete(_ key: String, _ value: String) {
    if self[key] == nil { self[key] = .text(value, isPlain: true) }
  }

  /// Puts these keys first, in this order.
  mutating func order(_ keys: [String]) {
    guard case .map(let entries) = self else { return }
    let first = keys.compactMap { key in entries.first { ByteOrder.equal($0.key, key) } }
    let rest = entries.filter { entry in !keys.contains { ByteOrder.equal($0, entry.key) } }
    self = .map(first + rest)
  }

  /// Changes the value of a key if it is there.
  mutating func change(_ key: String, _ body: (inout ConfigValue) -> Void) {
    guard var value = self[key] else { return }
    body(&value)
    self[key] = value
  }

  /// Changes every item of a list if it is there.
  mutating func changeAll(_ key: String, _ body: (inout ConfigValue) -> Void) {
    guard case .list(let items) = self[key] else { return }
    self[key] = .list(
      items.map { item in
        var item = item
        body(&item)
        return item
      })
  }

  // MARK: writing

  /// Writes the value in block style; a list stands at the indent of its key, as Go's encoder does.
  func write(to out: inout String, indent: Int) {
    let space = String(repeating: " ", count: indent)
    switch self {
    case .text(let text, let isPlain): out += space + Self.scalar(text, isPlain) + "\n"
    case .list(let items):
      for item in items {
        var inner = ""
        item.write(to: &inner, indent: indent + 2)
        out += space + "- " + inner.dropFirst(indent + 2)
      }
    case .map(let entries):
      for (key, value) in entries {
        out += space + Self.scalar(key, false) + ":"
        switch value {
        case .text(let text, let isPlain): out += " " + Self.scalar(text, isPlain) + "\n"
        case .list(let items) where items.isEmpty: out += " []\n"
        case .map(let inner) where inner.isEmpty: out += " {}\n"
        case .list:
          out += "\n"
          value.write(to: &out, indent: indent)
        case .map:
          out += "\n"
          value.write(to: &out, indent: indent + 2)
        }
      }
    }
  }

  private static let words: Set<String> = [
    "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n",
  ]

  private static func scalar(_ text: String, _ isPlain: Bool) -> String {
    let isOneLine = !text.unicodeScalars.contains { $0 == "\n" || $0.value < 0x20 }
    if isPlain && isOneLine { return text.isEmpty ? "null" : text }
    let isSafe =
      !words.contains(text.lowercased())
      && text.utf8.allSatisfy { b in
        isLetter(b) || isDigit(b) || "_./:@%-".utf8.contains(b)
      } && text.utf8.first.map { isLetter($0) || "_/".utf8.contains($0) } ?? false
      && text.utf8.last != UInt8(ascii: ":")
    return isSafe ? text : quoted(text)
  }

  private static func isLetter(_ b: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(b | 0x20)
  }

  private static func isDigit(_ b: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(b)
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        out += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
