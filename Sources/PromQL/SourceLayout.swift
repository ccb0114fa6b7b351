/// A part of an expression as it is written: tokens, parts of it, and places where lines may break.
final class SourceLayout {
  /// One element, in the order of the text.
  enum Item {
    /// A token; whether a blank goes before it.
    case token(Int, spaced: Bool)
    case part(SourceLayout)
    /// A new line, so many levels deeper than the layout; else a blank or nothing.
    case lineBreak(deeper: Int, spaced: Bool)
    case blank
  }

  /// What matters for its neighbours.
  enum Kind { case operation, literal, other }

  let items: [Item]
  /// Bytes on one line.
  let length: Int
  let first: Int
  let last: Int
  let kind: Kind
  /// Whether it is broken where it is long, not only where comments ask for it.
  let breaksWhenLong: Bool

  init(
    _ items: [Item], in source: CommentedTokens, kind: Kind = .other, breaksWhenLong: Bool = true
  ) {
    self.items = items
    self.kind = kind
    self.breaksWhenLong = breaksWhenLong
    var length = 0
    var (first, last): (Int?, Int) = (nil, 0)
    for item in items {
      switch item {
      case .token(let i, let spaced):
        length += source.texts[i].utf8.count + (spaced ? 1 : 0)
        first = first ?? i
        last = i
      case .part(let part):
        length += part.length
        first = first ?? part.first
        last = part.last
      case .lineBreak(_, let spaced): length += spaced ? 1 : 0
      case .blank: length += 1
      }
    }
    self.length = length
    self.first = first ?? 0
    self.last = last
  }

  /// Whether it takes several lines: it is long, or comments stand inside, neither before its first
  /// nor behind its last token.
  func isBroken(_ source: CommentedTokens, width: Int) -> Bool {
    if breaksWhenLong && length > width { return true }
    if !source.hasComments { return false }
    let before = source.leading[first].isEmpty ? 0 : 1
    let behind = source.trailing[last] == nil ? 0 : 1
    return comments(source) > before + behind
  }

  private func comments(_ source: CommentedTokens) -> Int {
    items.reduce(0) { count, item in
      switch item {
      case .token(let i, _):
        count + (source.leading[i].isEmpty ? 0 : 1) + (source.trailing[i] == nil ? 0 : 1)
      case .part(let part): count + part.comments(source)
      case .lineBreak, .blank: count
      }
    }
  }
}
