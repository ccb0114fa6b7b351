import Diagnostics

/// The tokens of a text that parses, with the comments between them.
struct CommentedTokens {
  /// All tokens; the last is `.end`.
  private(set) var tokens: [Token] = []
  /// How each token is written: as in the source, but for words the formatter respells.
  var texts: [String] = []
  /// The comments on lines of their own before each token.
  var leading: [[String]] = []
  /// The comment behind each token on its line.
  var trailing: [String?] = []

  private(set) var hasComments = false

  init(_ text: String) throws(ParseProblem) {
    var lexer = Lexer(Array(text.utf8))
    var end = 0
    while true {
      let token = try lexer.next()
      let gap = lexer.bytes[end..<max(end, token.range.start)]
      tokens.append(token)
      texts.append(
        String(decoding: lexer.bytes[token.range.start..<token.range.end], as: UTF8.self))
      leading.append([])
      trailing.append(nil)
      addComments(of: gap)
      end = token.range.end
      if token.kind == .end { return }
    }
  }

  /// Finds the comments of the bytes between the last two tokens.
  private mutating func addComments(of gap: ArraySlice<UInt8>) {
    let isLineEnd: (UInt8) -> Bool = { $0 == 0x0a || $0 == 0x0d }
    let last = tokens.count - 1
    var rest = gap
    var isOnLineOfToken = last > 0
    while let byte = rest.first {
      if byte != UInt8(ascii: "#") {
        if isLineEnd(byte) { isOnLineOfToken = false }
        rest = rest.dropFirst()
        continue
      }
      hasComments = true
      let comment = rest.prefix { !isLineEnd($0) }
      rest = rest.dropFirst(comment.count)
      let kept = comment.prefix((comment.lastIndex { $0 > 0x20 } ?? 0) + 1 - comment.startIndex)
      let text = String(decoding: kept, as: UTF8.self)
      if isOnLineOfToken { addTrailing(text, to: last - 1) } else { leading[last].append(text) }
    }
  }

  /// Puts a comment behind a token; a second one follows the first.
  mutating func addTrailing(_ comment: String, to token: Int) {
    trailing[token] = trailing[token].map { $0 + " " + comment } ?? comment
  }

  /// Takes the comments of a token that is not written to its neighbours.
  mutating func drop(_ token: Int) {
    if let comment = trailing[token] { addTrailing(comment, to: token - 1) }
    trailing[token] = nil
    leading[token + 1] = leading[token] + leading[token + 1]
    leading[token] = []
  }
}
