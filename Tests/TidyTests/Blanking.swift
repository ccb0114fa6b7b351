/// Replaces comments and the contents of string literals by blanks; interpolated code stays.
struct Blanking {
  /// What the current byte belongs to; an interpolation counts its parentheses.
  private enum Mode {
    case code(parentheses: Int)
    case text(hashes: Int, isMultiline: Bool)
  }

  private let bytes: [UInt8]
  private var out: [UInt8]
  private var modes: [Mode] = [.code(parentheses: 0)]
  private var at = 0
  /// Offsets of lines that begin inside a multi-line literal.
  private(set) var textLineStarts: Set<Int> = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    out = bytes
  }

  mutating func run() -> [UInt8] {
    while at < bytes.count {
      switch modes[modes.count - 1] {
      case .code(let parentheses): code(parentheses)
      case .text(let hashes, let isMultiline): text(hashes, isMultiline)
      }
    }
    return out
  }

  private mutating func code(_ parentheses: Int) {
    switch bytes[at] {
    case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
      while at < bytes.count, bytes[at] != 0x0a { blank() }
    case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
      blockComment()
    case UInt8(ascii: "#"), UInt8(ascii: "\""):
      openText()
    case UInt8(ascii: "("):
      modes[modes.count - 1] = .code(parentheses: parentheses + 1)
      at += 1
    case UInt8(ascii: ")"):
      if parentheses == 0, modes.count > 1 {
        modes.removeLast()
      } else {
        modes[modes.count - 1] = .code(parentheses: parentheses - 1)
      }
      at += 1
    default:
      at += 1
    }
  }

  private mutating func blockComment() {
    var depth = 0
    repeat {
      if bytes[at] == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        depth += 1
        blank()
      } else if bytes[at] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        depth -= 1
        blank()
      }
      blank()
    } while depth > 0 && at < bytes.count
  }

  /// At `#` or a quotation mark: the start of a literal, or a directive such as `#if`.
  private mutating func openText() {
    var hashes = 0
    while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
    guard peek(hashes) == UInt8(ascii: "\"") else {
      at += max(hashes, 1)
      return
    }
    let quotes = isQuote(hashes + 1) && isQuote(hashes + 2) ? 3 : 1
    at += hashes + quotes
    modes.append(.text(hashes: hashes, isMultiline: quotes == 3))
  }

  private mutating func text(_ hashes: Int, _ isMultiline: Bool) {
    let byte = bytes[at]
    if byte == UInt8(ascii: "\\"), areHashes(from: 1, count: hashes) {
      if peek(1 + hashes) == UInt8(ascii: "(") {
        at += 2 + hashes
        modes.append(.code(parentheses: 0))
      } else {
        for _ in 0..<(2 + hashes) where at < bytes.count { blank() }
      }
      return
    }
    let quotes = isMultiline ? 3 : 1
    if (0..<quotes).allSatisfy(isQuote), areHashes(from: quotes, count: hashes) {
      at += quotes + hashes
      modes.removeLast()
      return
    }
    if byte == 0x0a, !isMultiline { modes.removeLast() }  // cannot be: no valid Swift
    blank()
  }

  private mutating func blank() {
    guard at < bytes.count else { return }
    if bytes[at] == 0x0a {
      if case .text = modes[modes.count - 1] { textLineStarts.insert(at + 1) }
    } else {
      out[at] = 0x20
    }
    at += 1
  }

  private func peek(_ distance: Int) -> UInt8? {
    at + distance < bytes.count ? bytes[at + distance] : nil
  }

  private func isQuote(_ distance: Int) -> Bool { peek(distance) == UInt8(ascii: "\"") }

  private func areHashes(from start: Int, count: Int) -> Bool {
    (0..<count).allSatisfy { peek(start + $0) == UInt8(ascii: "#") }
  }
}
