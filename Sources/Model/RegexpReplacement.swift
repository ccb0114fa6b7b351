/// Go's replacement templates: `$1`, `$name`, `${name}`, `$$`.
package struct RegexpReplacement: Sendable {
  private enum Part: Sendable {
    case text([UInt8])
    case group(Int)
    case named([UInt8])
  }

  private let parts: [Part]

  /// Whether the template refers to the match at all.
  package var isConstant: Bool {
    parts.allSatisfy { if case .text = $0 { true } else { false } }
  }

  /// Reads a template; a dollar sign that starts no name stands for itself.
  package init(_ template: some Collection<UInt8>) {
    let bytes = Array(template)
    var parts: [Part] = []
    var text: [UInt8] = []
    var i = 0
    while i < bytes.count {
      guard bytes[i] == UInt8(ascii: "$") else {
        text.append(bytes[i])
        i += 1
        continue
      }
      if i + 1 < bytes.count, bytes[i + 1] == UInt8(ascii: "$") {
        text.append(bytes[i])
        i += 2
      } else if let (name, end) = Self.name(bytes, at: i + 1) {
        if !text.isEmpty { parts.append(.text(text)) }
        text = []
        parts.append(Self.number(name).map { .group($0) } ?? .named(Array(name)))
        i = end
      } else {
        text.append(bytes[i])
        i += 1
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    self.parts = parts
  }

  /// The longest name behind a dollar sign, in braces or bare.
  private static func name(
    _ bytes: [UInt8], at start: Int
  ) -> (name: ArraySlice<UInt8>, end: Int)? {
    let braced = start < bytes.count && bytes[start] == UInt8(ascii: "{")
    let from = braced ? start + 1 : start
    var end = from
    let rest = String(decoding: bytes[from...], as: UTF8.self)
    for scalar in rest.unicodeScalars {
      guard scalar == "_" || GoText.isLetter(scalar) || GoText.isDigit(scalar) else { break }
      end += UTF8.width(scalar)
    }
    if end == from { return nil }
    if !braced { return (bytes[from..<end], end) }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { return nil }
    return (bytes[from..<end], end + 1)
  }

  private static func number(_ name: ArraySlice<UInt8>) -> Int? {
    guard name.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), name.count <= 8 else { return nil }
    if name.count > 1, name.first == 0x30 { return nil }
    return name.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// Writes the template with a match's groups filled in; unknown and absent groups are empty.
  ///
  /// Stops early, with what there is, past `limit` bytes.
  package func expand(
    _ match: [Range<Int>?], of regexp: Regexp, in text: UnsafeBufferPointer<UInt8>,
    into out: inout [UInt8], limit: Int = .max
  ) {
    for part in parts where out.count <= limit {
      switch part {
      case .text(let bytes): out += bytes
      case .group(let i):
        if i < match.count, let range = match[i] { out += text[range] }
      case .named(let name):
        let range = match.indices.first {
          match[$0] != nil && regexp.groupNames[$0].utf8.elementsEqual(name)
        }.flatMap { match[$0] }
        if let range { out += text[range] }
      }
    }
  }
}

extension Regexp {
  /// Replaces every match, as Go's `ReplaceAllString` does.
  package func replacingAll(in text: String, with replacement: RegexpReplacement) -> String {
    String(decoding: replacingAll(in: Array(text.utf8), with: replacement), as: UTF8.self)
  }

  /// Replaces every match in a byte string; stops early, with what there is, past `limit` bytes.
  package func replacingAll(
    in text: [UInt8], with replacement: RegexpReplacement, limit: Int = .max
  ) -> [UInt8] {
    text.withUnsafeBufferPointer { text in
      var out: [UInt8] = []
      var copied = 0
      var search = 0
      while search <= text.count, out.count <= limit,
        let match = firstMatch(in: text, from: search),
        let range = match[0]
      {
        out += text[copied..<range.lowerBound]
        // An empty match right behind the last one does not count.
        if range.upperBound > copied || range.lowerBound == 0 {
          replacement.expand(match, of: self, in: text, into: &out, limit: limit)
        }
        copied = range.upperBound
        let width = search < text.count ? GoText.scalarWidth(text, at: search) : 1
        search = max(range.upperBound, search + width)
      }
      out += text[copied...]
      return out
    }
  }

  /// The first match's groups as texts, "" for absent ones; nil if nothing matches.
  package func groups(in text: String) -> [String]? {
    var text = text
    return text.withUTF8 { bytes in
      firstMatch(in: bytes)?.map { range in
        range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
      }
    }
  }

  /// Fills a template with the first match's groups (Go's `ExpandString`); nil if nothing matches.
  package func expanding(_ replacement: RegexpReplacement, in text: String) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      guard let match = firstMatch(in: bytes) else { return nil }
      var out: [UInt8] = []
      replacement.expand(match, of: self, in: bytes, into: &out)
      return String(decoding: out, as: UTF8.self)
    }
  }
}

extension RegexpReplacement {
  /// Reads a template from text.
  package init(_ template: String) { self.init(template.utf8) }
}
