import Diagnostics

/// Relates every byte of a decoded scalar to the bytes of the source it came from.
///
/// libyaml tells where a scalar starts and what it says, not how the one became the other. The
/// walkers
/// repeat its folding, escapes and chomping over the source, and the result is checked against what
/// libyaml decoded: where they should ever differ, the whole scalar is the answer instead of a
/// wrong place.
struct ScalarMap {
  /// Start and end in the source of each decoded byte.
  private var starts: [Int] = []
  private var ends: [Int] = []
  /// Whether every byte is known, which is always so unless a walker and libyaml disagree.
  private(set) var isExact = true
  /// Where an empty text, or the end of the text, is pointed at.
  private var end: Int

  init(text: String, style: YAMLNode.ScalarStyle, range: SourceRange, source: SourceText) {
    end = range.end
    let wanted = Array(text.utf8)
    for walk in Self.walks(style, wanted, range, source) where walk.decoded == wanted {
      starts = walk.starts
      ends = walk.ends
      // The end of a block is that of its last line, not the start of the line below.
      let isBlock = style == .literal || style == .folded
      if let last = walk.decoded.lastIndex(where: { !isBlock || $0 != 0x0a }) {
        end = walk.ends[last]
      } else if style == .singleQuoted || style == .doubleQuoted {
        end = min(range.start + 1, range.end)
      }
      return
    }
    isExact = false
    starts = wanted.map { _ in range.start }
    ends = wanted.map { _ in range.end }
  }

  func sourceRange(of part: SourceRange) -> SourceRange {
    guard part.start < starts.count else { return SourceRange(end, end) }
    let start = starts[max(0, part.start)]
    if part.end <= part.start { return SourceRange(start, start) }
    return SourceRange(start, ends[min(part.end, ends.count) - 1])
  }

  private static func walks(
    _ style: YAMLNode.ScalarStyle, _ wanted: [UInt8], _ range: SourceRange, _ source: SourceText
  ) -> [ScalarWalk] {
    switch style {
    case .plain:
      var walk = ScalarWalk(source.bytes, from: range.start, to: range.end)
      walk.flow(escapes: .none)
      return [walk]
    case .singleQuoted, .doubleQuoted:
      var walk = ScalarWalk(source.bytes, from: range.start + 1, to: range.end - 1)
      walk.flow(escapes: style == .singleQuoted ? .doubledQuote : .backslash)
      return [walk]
    case .literal, .folded:
      // The indentation may be given relative to a parent this scalar does not know: try what fits.
      var walk = ScalarWalk(source.bytes, from: range.start, to: source.bytes.count)
      let header = walk.readBlockHeader()
      let (guess, most) = walk.indentation
      for indent in [guess] + Array(0...most).reversed() where indent == guess || indent < 64 {
        var attempt = walk
        attempt.block(indent: indent, folded: style == .folded, chomping: header)
        if attempt.decoded == wanted { return [attempt] }
      }
      return []
    }
  }
}

/// Decodes a scalar from the source, remembering where each byte came from.
struct ScalarWalk {
  enum Escapes { case none, doubledQuote, backslash }
  enum Chomping { case clip, strip, keep }

  let bytes: [UInt8]
  var i: Int
  let limit: Int
  var decoded: [UInt8] = []
  var starts: [Int] = []
  var ends: [Int] = []

  init(_ bytes: [UInt8], from start: Int, to end: Int) {
    self.bytes = bytes
    i = start
    limit = min(max(start, end), bytes.count)
  }

  /// A line break met: its bytes once decoded, and where it stands.
  struct Break {
    var decoded: [UInt8]
    var range: SourceRange
    /// LS and PS are kept as they are and never folded to a space.
    var folds: Bool { decoded == [0x0a] }
  }

  mutating func emit(_ out: [UInt8], _ start: Int, _ end: Int) {
    for byte in out {
      decoded.append(byte)
      starts.append(start)
      ends.append(end)
    }
  }

  /// Appends source bytes one for one.
  mutating func copy(_ from: Int, _ to: Int) {
    for j in from..<max(from, to) { emit([bytes[j]], j, j + 1) }
  }

  func isBlank(_ at: Int) -> Bool { at < limit && (bytes[at] == 0x20 || bytes[at] == 0x09) }

  /// The line break at a place: LF, CR LF, CR, NEL, LS or PS.
  func lineBreak(at p: Int) -> Break? {
    guard p < limit else { return nil }
    func has(_ tail: [UInt8]) -> Bool {
      p + tail.count < bytes.count && bytes[(p + 1)...].starts(with: tail)
    }
    switch bytes[p] {
    case 0x0a: return Break(decoded: [0x0a], range: SourceRange(p, p + 1))
    case 0x0d:
      return Break(decoded: [0x0a], range: SourceRange(p, has([0x0a]) ? p + 2 : p + 1))
    case 0xc2 where has([0x85]): return Break(decoded: [0x0a], range: SourceRange(p, p + 2))
    case 0xe2 where has([0x80, 0xa8]) || has([0x80, 0xa9]):
      return Break(decoded: Array(bytes[p..<(p + 3)]), range: SourceRange(p, p + 3))
    default: return nil
    }
  }

  /// Plain and quoted scalars: one break folds to a space, n breaks to n − 1.
  mutating func flow(escapes: Escapes) {
    while i < limit {
      var escapedBreak = false
      while i < limit, !isBlank(i), lineBreak(at: i) == nil {
        if escapes == .doubledQuote, bytes[i] == 0x27 {
          emit([0x27], i, min(i + 2, limit))
          i += 2
        } else if escapes == .backslash, bytes[i] == 0x5c {
          if let skipped = lineBreak(at: i + 1) {
            i = skipped.range.end
            escapedBreak = true
            break
          }
          escape()
        } else {
          emit([bytes[i]], i, i + 1)
          i += 1
        }
      }
      whitespace(afterEscapedBreak: escapedBreak)
    }
  }

  private mutating func whitespace(afterEscapedBreak: Bool) {
    let blanks = i
    var breaks: [Break] = []
    var blanksEnd = i
    while i < limit {
      if let found = lineBreak(at: i) {
        breaks.append(found)
        i = found.range.end
      } else if isBlank(i) {
        i += 1
        if breaks.isEmpty { blanksEnd = i }
      } else {
        break
      }
    }
    if afterEscapedBreak {
      for b in breaks { emit(b.decoded, b.range.start, b.range.end) }
    } else if let first = breaks.first {
      if !first.folds { emit(first.decoded, first.range.start, first.range.end) }
      if first.folds, breaks.count == 1 { emit([0x20], blanks, i) }
      for b in breaks.dropFirst() { emit(b.decoded, b.range.start, b.range.end) }
    } else {
      copy(blanks, blanksEnd)
    }
  }

  private static let simpleEscapes: [UInt8: [UInt8]] = [
    0x30: [0], 0x61: [7], 0x62: [8], 0x74: [9], 0x09: [9], 0x6e: [10], 0x76: [11], 0x66: [12],
    0x72: [13], 0x65: [27], 0x20: [0x20], 0x22: [0x22], 0x2f: [0x2f], 0x5c: [0x5c],
    0x4e: [0xc2, 0x85], 0x5f: [0xc2, 0xa0], 0x4c: [0xe2, 0x80, 0xa8], 0x50: [0xe2, 0x80, 0xa9],
  ]

  private mutating func escape() {
    let start = i
    guard i + 1 < limit else {
      i = limit
      return
    }
    let code = bytes[i + 1]
    if let simple = Self.simpleEscapes[code] {
      i += 2
      emit(simple, start, i)
      return
    }
    let digits = code == 0x78 ? 2 : code == 0x75 ? 4 : 8
    let hex = bytes[min(i + 2, limit)..<min(i + 2 + digits, limit)]
    i = min(i + 2 + digits, limit)
    let value = UInt32(String(decoding: hex, as: UTF8.self), radix: 16)
    let scalar = value.flatMap(Unicode.Scalar.init) ?? "\u{fffd}"
    emit(Array(String(Character(scalar)).utf8), start, i)
  }

  /// Reads `|+2  # …` up to and with its line break.
  mutating func readBlockHeader() -> Chomping {
    var chomping = Chomping.clip
    i += 1
    while i < limit, lineBreak(at: i) == nil, bytes[i] != 0x23 {
      if bytes[i] == 0x2b { chomping = .keep }
      if bytes[i] == 0x2d { chomping = .strip }
      i += 1
    }
    while i < limit, lineBreak(at: i) == nil { i += 1 }
    if let found = lineBreak(at: i) { i = found.range.end }
    return chomping
  }

  /// Leading spaces of the first line that holds anything else, and the most of any line up to it.
  var indentation: (first: Int, most: Int) {
    var p = i
    var most = 0
    while p < limit {
      var q = p
      while q < limit, bytes[q] == 0x20 { q += 1 }
      most = max(most, q - p)
      guard let found = lineBreak(at: q) else { return (q < limit ? q - p : most, most) }
      p = found.range.end
    }
    return (most, most)
  }

  /// A literal or folded scalar from its first line on.
  mutating func block(indent: Int, folded: Bool, chomping: Chomping) {
    var leading: Break?
    var leadingWasBlank = false
    var (trailing, column) = blockBreaks(indent)
    while column == indent, i < limit {
      let startsBlank = isBlank(i)
      if let found = leading {
        if folded, found.folds, !leadingWasBlank, !startsBlank {
          if trailing.isEmpty { emit([0x20], found.range.start, i) }
        } else {
          emit(found.decoded, found.range.start, found.range.end)
        }
      }
      for b in trailing { emit(b.decoded, b.range.start, b.range.end) }
      leadingWasBlank = startsBlank
      let start = i
      while i < limit, lineBreak(at: i) == nil { i += 1 }
      copy(start, i)
      leading = lineBreak(at: i)
      guard let found = leading else {
        trailing = []
        break
      }
      i = found.range.end
      (trailing, column) = blockBreaks(indent)
    }
    if chomping != .strip, let found = leading {
      emit(found.decoded, found.range.start, found.range.end)
    }
    if chomping == .keep { for b in trailing { emit(b.decoded, b.range.start, b.range.end) } }
  }

  /// Eats indentation and empty lines; the column reached says whether content follows.
  private mutating func blockBreaks(_ indent: Int) -> ([Break], Int) {
    var breaks: [Break] = []
    while true {
      let lineStart = i
      while i < limit, i - lineStart < indent, bytes[i] == 0x20 { i += 1 }
      guard let found = lineBreak(at: i) else { return (breaks, i - lineStart) }
      breaks.append(found)
      i = found.range.end
    }
  }
}
