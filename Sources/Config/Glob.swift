/// File name patterns with Go's rules: `*`, `?`, `[a-z]`, `[^a-z]` and `\\` within one path
/// element.
package struct Glob: Sendable {
  private let pattern: String

  /// Nil for a pattern that is malformed (an open bracket, a lone backslash).
  package init?(_ pattern: String) {
    self.pattern = pattern
    for element in pattern.split(separator: "/", omittingEmptySubsequences: false) {
      if Self.parts(of: Array(element.utf8)) == nil { return nil }
    }
  }

  /// The existing paths that match, sorted within each directory; hidden files match `*` too.
  package func matches() -> [String] { Self.expand(pattern) }

  private static func expand(_ pattern: String) -> [String] {
    guard pattern.utf8.contains(where: isMagic) else {
      return FileSystem.exists(pattern) ? [pattern] : []
    }
    var directory = ""
    var name = pattern
    if let slash = pattern.utf8.lastIndex(of: UInt8(ascii: "/")) {
      directory = slash == pattern.utf8.startIndex ? "/" : String(pattern[..<slash])
      name = String(pattern[pattern.utf8.index(after: slash)...])
    }
    guard let parts = parts(of: Array(name.utf8)) else { return [] }
    let directories = directory.utf8.contains(where: isMagic) ? expand(directory) : [directory]
    return directories.flatMap { place -> [String] in
      FileSystem.names(in: place).filter { match(parts[...], Array($0.utf8)[...]) }
        .map { place.isEmpty ? $0 : FileSystem.join(place, $0) }
    }
  }

  private static func isMagic(_ b: UInt8) -> Bool {
    b == UInt8(ascii: "*") || b == UInt8(ascii: "?") || b == UInt8(ascii: "[")
      || b == UInt8(ascii: "\\")
  }

  private enum Part {
    case byte(UInt8)
    case any
    case star
    case set([ClosedRange<UInt32>], negated: Bool)
  }

  private static func parts(of bytes: [UInt8]) -> [Part]? {
    var out: [Part] = []
    var i = 0
    while i < bytes.count {
      switch bytes[i] {
      case UInt8(ascii: "*"): out.append(.star)
      case UInt8(ascii: "?"): out.append(.any)
      case UInt8(ascii: "\\"):
        i += 1
        guard i < bytes.count else { return nil }
        out.append(.byte(bytes[i]))
      case UInt8(ascii: "["):
        guard let part = set(bytes, &i) else { return nil }
        out.append(part)
        continue
      default: out.append(.byte(bytes[i]))
      }
      i += 1
    }
    return out
  }

  /// Reads `[^a-z0]`, leaving `i` behind the bracket.
  private static func set(_ bytes: [UInt8], _ i: inout Int) -> Part? {
    i += 1
    let negated = i < bytes.count && bytes[i] == UInt8(ascii: "^")
    if negated { i += 1 }
    var ranges: [ClosedRange<UInt32>] = []
    func character() -> UInt32? {
      guard i < bytes.count else { return nil }
      if bytes[i] == UInt8(ascii: "\\") { i += 1 }
      guard i < bytes.count, bytes[i] != UInt8(ascii: "-") else { return nil }
      let (scalar, length) = scalar(bytes[i...])
      i += length
      return scalar
    }
    while true {
      guard i < bytes.count else { return nil }
      if bytes[i] == UInt8(ascii: "]"), !ranges.isEmpty {
        i += 1
        return .set(ranges, negated: negated)
      }
      guard let low = character() else { return nil }
      var high = low
      if i < bytes.count, bytes[i] == UInt8(ascii: "-") {
        i += 1
        guard let end = character() else { return nil }
        high = end
      }
      ranges.append(low...max(low, high))
    }
  }

  private static func scalar(_ bytes: ArraySlice<UInt8>) -> (UInt32, Int) {
    let text = String(decoding: bytes.prefix(4), as: UTF8.self)
    guard let first = text.unicodeScalars.first else { return (0, 1) }
    return (first.value, String(first).utf8.count)
  }

  private static func match(_ parts: ArraySlice<Part>, _ name: ArraySlice<UInt8>) -> Bool {
    guard let part = parts.first else { return name.isEmpty }
    let rest = parts.dropFirst()
    switch part {
    case .star:
      return name.indices.contains { match(rest, name[$0...]) } || match(rest, [])
    case .byte(let b):
      return name.first == b && match(rest, name.dropFirst())
    case .any:
      return !name.isEmpty && match(rest, name.dropFirst(scalar(name).1))
    case .set(let ranges, let negated):
      guard !name.isEmpty else { return false }
      let (value, length) = scalar(name)
      return ranges.contains { $0.contains(value) } != negated
        && match(rest, name.dropFirst(length))
    }
  }
}
