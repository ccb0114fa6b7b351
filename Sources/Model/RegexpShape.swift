/// What many label patterns boil down to, and how such shapes are matched without the engine.
///
/// All hold for the whole text (matchers are anchored), bytewise, where a dot takes any character.
enum RegexpShape {
  /// One text.
  case literal([UInt8])
  /// One of several texts.
  case alternatives(Set<[UInt8]>)
  /// Texts with anything between them.
  case wildcards([Wildcard])

  /// Literal pieces with gaps: `prefix.*`, `.*middle.*`, `a.+b`.
  struct Wildcard: Sendable {
    /// `pieces[0]` stands at the start, the last one at the end (either may be empty).
    var pieces: [[UInt8]]
    /// The fewest bytes of each gap: 0 for `.*`, 1 for `.+`; one fewer than the pieces.
    var gaps: [Int]
  }

  /// More texts than this are left to the engine.
  static let maxAlternatives = 256

  /// Reads the shape of an expression that has to match a whole text.
  static func of(_ node: RegexpNode) -> RegexpShape? {
    if let texts = texts(of: node) {
      let unique = Set(texts)
      if unique.count == 1, let only = unique.first { return .literal(only) }
      return .alternatives(unique)
    }
    if case .alternate(let parts) = stripped(node), parts.count <= 16 {
      var all: [Wildcard] = []
      for part in parts {
        guard let one = wildcard(of: part) else { return nil }
        all.append(one)
      }
      return .wildcards(all)
    }
    return wildcard(of: node).map { .wildcards([$0]) }
  }

  /// An expression without the groups around it.
  private static func stripped(_ node: RegexpNode) -> RegexpNode {
    if case .capture(let inner) = node { return stripped(inner) }
    return node
  }

  /// The texts of a finite language without case folding, at most `maxAlternatives`.
  private static func texts(of node: RegexpNode) -> [[UInt8]]? {
    switch node {
    case .empty: return [[]]
    case .literal(let scalars, let folds): return folds ? nil : [utf8(scalars)]
    case .set(let set): return set.members.map { $0.map { utf8([$0]) } }
    case .capture(let inner): return texts(of: inner)
    case .alternate(let parts):
      var all: [[UInt8]] = []
      for part in parts {
        guard let some = texts(of: part), all.count + some.count <= maxAlternatives else {
          return nil
        }
        all += some
      }
      return all
    case .concat(let parts):
      var all: [[UInt8]] = [[]]
      for part in parts {
        guard let some = texts(of: part), all.count * some.count <= maxAlternatives else {
          return nil
        }
        all = all.flatMap { head in some.map { head + $0 } }
      }
      return all
    case .any, .assertion, .repetition: return nil
    }
  }

  private static func wildcard(of node: RegexpNode) -> Wildcard? {
    var result = Wildcard(pieces: [[]], gaps: [])
    return append(node, to: &result) && !result.gaps.isEmpty ? result : nil
  }

  private static func append(_ node: RegexpNode, to result: inout Wildcard) -> Bool {
    switch node {
    case .empty: return true
    case .literal(let scalars, false):
      result.pieces[result.pieces.count - 1] += utf8(scalars)
      return true
    case .capture(let inner): return append(inner, to: &result)
    case .concat(let parts): return parts.allSatisfy { append($0, to: &result) }
    case .repetition(.any(newline: true), let min, nil, _, _) where min <= 1:
      if result.pieces.count > 1, result.pieces[result.pieces.count - 1].isEmpty {
        // `.*.+` needs as many bytes as both together.
        let last = result.gaps.count - 1
        if result.gaps[last] + min > 1 { return false }
        result.gaps[last] += min
        return true
      }
      result.gaps.append(min)
      result.pieces.append([])
      return true
    default: return false
    }
  }

  private static func utf8(_ scalars: [Unicode.Scalar]) -> [UInt8] {
    scalars.flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }
  }
}

extension RegexpShape {
  /// Whether the whole text has this shape.
  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    switch self {
    case .literal(let wanted): Self.equal(text, 0, wanted) && text.count == wanted.count
    case .alternatives(let texts): texts.contains(Array(text))
    case .wildcards(let all): all.contains { $0.matches(text) }
    }
  }

  fileprivate static func equal(
    _ text: UnsafeBufferPointer<UInt8>, _ at: Int, _ piece: [UInt8]
  ) -> Bool {
    if at < 0 || text.count - at < piece.count { return false }
    return piece.withUnsafeBufferPointer { piece in
      for i in piece.indices where text[at + i] != piece[i] { return false }
      return true
    }
  }
}

extension RegexpShape.Wildcard {
  /// Leftmost placement of each middle piece is enough: the gaps take what is left.
  ///
  /// A gap of one byte is a gap of one character, because pieces and text are whole UTF-8
  /// characters.
  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let last = pieces.count - 1
    let tail = text.count - pieces[last].count
    guard RegexpShape.equal(text, 0, pieces[0]), RegexpShape.equal(text, tail, pieces[last]) else {
      return false
    }
    var position = pieces[0].count
    for i in stride(from: 1, to: last, by: 1) {
      var start = position + gaps[i - 1]
      let piece = pieces[i]
      while !RegexpShape.equal(text, start, piece) {
        start += 1
        if start + piece.count > tail { return false }
      }
      position = start + piece.count
    }
    return position + gaps[last - 1] <= tail
  }
}
