/// Reads the tokens of a text that parses into a layout.
///
/// The parser has accepted the text, so this only follows the grammar. Words with a meaning are
/// respelt in lower case, a grouping behind the arguments goes before them, and commas and
/// parentheses that say nothing are dropped; literals, names and matchers stay as they are written.
struct SourceLayoutBuilder {
  typealias Item = SourceLayout.Item

  var source: CommentedTokens
  private var position = 0

  init(_ source: CommentedTokens) { self.source = source }

  /// The layout of the whole text.
  mutating func whole() -> SourceLayout { expression(above: 0) }

  private var kind: TokenKind { source.tokens[position].kind }

  private mutating func take() -> Int {
    let i = position
    position = min(position + 1, source.tokens.count - 1)
    return i
  }

  /// A word that means something, in lower case.
  private mutating func takeWord() -> Int {
    source.texts[position] = source.texts[position].lowercased()
    return take()
  }

  private func layout(
    _ items: [Item], _ kind: SourceLayout.Kind = .other, breaksWhenLong: Bool = true
  ) -> SourceLayout {
    SourceLayout(items, in: source, kind: kind, breaksWhenLong: breaksWhenLong)
  }

  // MARK: Operators

  private mutating func expression(above minimum: Int) -> SourceLayout {
    var lhs = operand()
    while case .infix(let op) = kind, op.precedence >= minimum {
      var items: [Item] = [
        .part(lhs), .lineBreak(deeper: 0, spaced: true), .token(takeWord(), spaced: false),
      ]
      items += matching()
      let rhs = expression(above: op.rightPrecedence)
      let isDeeper =
        rhs.kind == .operation && rhs.isBroken(source, width: SourceFormatter.width)
      items.append(
        rhs.kind == .literal ? .blank : .lineBreak(deeper: isDeeper ? 1 : 0, spaced: true))
      lhs = layout(items + [.part(rhs)], .operation)
    }
    return lhs
  }

  /// What stands between an operator and its right side.
  private mutating func matching() -> [Item] {
    var items: [Item] = []
    if kind == .keyword(.bool) { items.append(.token(takeWord(), spaced: true)) }
    if kind == .keyword(.on) || kind == .keyword(.ignoring) {
      items.append(.token(takeWord(), spaced: true))
      items += names(spaced: true)
    }
    if kind == .keyword(.groupLeft) || kind == .keyword(.groupRight) {
      let word = takeWord()
      items.append(.token(word, spaced: true))
      if kind == .leftParen { items += names(spaced: true) } else { source.texts[word] += " ()" }
    }
    while true {
      switch kind {
      case .keyword(.fill), .keyword(.fillLeft), .keyword(.fillRight): break
      default: return items
      }
      items.append(.token(takeWord(), spaced: true))
      items.append(.token(take(), spaced: true))
      while kind != .rightParen, kind != .end { items.append(.token(take(), spaced: false)) }
      items.append(.token(take(), spaced: false))
    }
  }

  /// `(a, b)`.
  private mutating func names(spaced: Bool) -> [Item] {
    var items: [Item] = [.token(take(), spaced: spaced)]
    var isFirst = true
    while kind != .rightParen, kind != .end {
      if kind == .comma {
        let comma = take()
        if kind == .rightParen {
          source.drop(comma)
        } else {
          items.append(.token(comma, spaced: false))
        }
      } else {
        items.append(.token(take(), spaced: !isFirst))
        isFirst = false
      }
    }
    items.append(.token(take(), spaced: false))
    return items
  }

  // MARK: Operands

  private mutating func operand() -> SourceLayout {
    guard kind.sign != nil else { return modified(primary()) }
    let sign = take()
    let inner = expression(above: BinaryOperator.power.precedence)
    return layout(
      [.token(sign, spaced: false), .part(inner)], inner.kind == .literal ? .literal : .other)
  }

  private mutating func primary() -> SourceLayout {
    switch kind {
    case .number, .duration, .string:
      return layout([.token(take(), spaced: false)], .literal)
    case .leftParen:
      let open = take()
      let inner = expression(above: 0)
      return layout([
        .token(open, spaced: false), .lineBreak(deeper: 1, spaced: false), .part(inner),
        .lineBreak(deeper: 0, spaced: false), .token(take(), spaced: false),
      ])
    case .leftBrace: return selector(named: nil)
    case .aggregator:
      switch source.tokens[min(position + 1, source.tokens.count - 1)].kind {
      case .leftParen, .keyword(.by), .keyword(.without): return aggregation()
      default: return selector(named: take())
      }
    default:
      let name = take()
      guard kind == .leftParen else { return selector(named: name) }
      return layout([.token(name, spaced: false)] + arguments(spaced: false))
    }
  }

  private mutating func arguments(spaced: Bool) -> [Item] {
    var items: [Item] = [.token(take(), spaced: spaced)]
    if kind == .rightParen { return items + [.token(take(), spaced: false)] }
    items.append(.lineBreak(deeper: 1, spaced: false))
    while true {
      items.append(.part(expression(above: 0)))
      guard kind == .comma else { break }
      items.append(.token(take(), spaced: false))
      items.append(.lineBreak(deeper: 1, spaced: true))
    }
    return items + [.lineBreak(deeper: 0, spaced: false), .token(take(), spaced: false)]
  }

  private mutating func aggregation() -> SourceLayout {
    let op = takeWord()
    var grouping = self.grouping()
    let isBehind = grouping == nil
    let arguments = arguments(spaced: !(grouping ?? []).isEmpty)
    let close = position - 1
    if isBehind, let found = self.grouping() {
      grouping = found
      move(from: close + 1, through: position - 1, before: op, behind: close)
    }
    let items = grouping ?? []
    guard isBehind, !items.isEmpty, case .token(let open, _) = arguments[0] else {
      return layout([.token(op, spaced: false)] + items + arguments)
    }
    let spaced = [Item.token(open, spaced: true)] + arguments.dropFirst()
    return layout([.token(op, spaced: false)] + items + spaced)
  }

  /// `by (a, b)`; nothing to write for `by ()`, nil where there is none.
  private mutating func grouping() -> [Item]? {
    guard kind == .keyword(.by) || kind == .keyword(.without) else { return nil }
    let isBy = kind == .keyword(.by)
    let word = takeWord()
    let names = names(spaced: true)
    guard isBy, names.count == 2 else { return [.token(word, spaced: true)] + names }
    for i in (word..<position).reversed() { source.drop(i) }
    return []
  }

  /// The comments around a grouping that goes to another place stay with the aggregation.
  private mutating func move(from first: Int, through last: Int, before op: Int, behind close: Int)
  {
    source.leading[op] += source.leading[first]
    source.leading[first] = []
    for i in [close, last] {
      guard let comment = source.trailing[i], i == last || i == close else { continue }
      source.trailing[i] = nil
      source.addTrailing(comment, to: close)
    }
  }

  // MARK: Selectors

  private mutating func selector(named name: Int?) -> SourceLayout {
    var items: [Item] = name.map { [.token($0, spaced: false)] } ?? []
    guard kind == .leftBrace else { return layout(items) }
    let open = take()
    if kind == .rightBrace, name != nil {
      let close = take()
      source.drop(close)
      source.drop(open)
      return layout(items)
    }
    items.append(.token(open, spaced: false))
    if kind != .rightBrace { items.append(.lineBreak(deeper: 1, spaced: false)) }
    while kind != .rightBrace, kind != .end {
      if kind == .comma {
        let comma = take()
        if kind == .rightBrace {
          source.drop(comma)
        } else {
          items.append(.token(comma, spaced: false))
          items.append(.lineBreak(deeper: 1, spaced: false))
        }
      } else {
        items.append(.token(take(), spaced: false))
      }
    }
    items.append(.lineBreak(deeper: 0, spaced: false))
    items.append(.token(take(), spaced: false))
    return layout(items, breaksWhenLong: false)
  }

  // MARK: Modifiers

  /// A part with its ranges, `offset`, `@`, `anchored` and `smoothed`.
  private mutating func modified(_ inner: SourceLayout) -> SourceLayout {
    var items: [Item] = [.part(inner)]
    while true {
      switch kind {
      case .leftBracket: items += range()
      case .keyword(.offset):
        items.append(.token(takeWord(), spaced: true))
        items += offset()
      case .at: items += time()
      case .keyword(.anchored), .keyword(.smoothed):
        items.append(.token(takeWord(), spaced: true))
      default: return items.count == 1 ? inner : layout(items)
      }
    }
  }

  /// `[5m]` or `[1h:5m]`.
  private mutating func range() -> [Item] {
    let open = take()
    let start = position
    while kind != .rightBracket, kind != .end { position += 1 }
    let inside = duration(Array(start..<position), spaced: false)
    return [.token(open, spaced: false)] + inside + [.token(take(), spaced: false)]
  }

  private mutating func time() -> [Item] {
    var items: [Item] = [.token(take(), spaced: true)]
    let start = position
    if kind.sign != nil { position += 1 }
    let isWord = kind == .query(.start) || kind == .query(.end)
    position += isWord ? 3 : 1
    items += duration(Array(start..<position), spaced: true)
    return items
  }

  /// The duration behind `offset`, which has operators only behind parentheses or two signs.
  private mutating func offset() -> [Item] {
    let start = position
    if kind.sign == nil {
      let hasOperators = kind == .leftParen
      skipOperand()
      if hasOperators { skipOperators() }
    } else {
      position += 1
      let hasOperators = kind.sign != nil
      skipOperand()
      if hasOperators { skipOperators() }
    }
    return duration(Array(start..<position), spaced: true)
  }

  private mutating func skipOperators() {
    while case .infix(let op) = kind {
      switch op {
      case .add, .subtract, .multiply, .divide, .modulo, .power: break
      default: return
      }
      position += 1
      skipOperand()
    }
  }

  private mutating func skipOperand() {
    while kind.sign != nil { position += 1 }
    if case .query = kind {
      position += 1
    } else if kind != .leftParen {
      position += 1
      return
    }
    var depth = 0
    repeat {
      if kind == .leftParen { depth += 1 }
      if kind == .rightParen { depth -= 1 }
      position += 1
    } while depth > 0 && kind != .end
  }

  /// Tokens of duration arithmetic with blanks around operators, none at signs and parentheses.
  private mutating func duration(_ tokens: [Int], spaced: Bool) -> [Item] {
    var items: [Item] = []
    var previous: TokenKind?
    var isValueBefore = false
    var isAfterSign = false
    for i in tokens {
      let kind = source.tokens[i].kind
      var isSpaced = true
      switch kind {
      case .rightParen, .comma, .colon: isSpaced = false
      case .leftParen:
        if case .query = previous { isSpaced = false }
      default: break
      }
      if previous == .leftParen || previous == .colon || isAfterSign { isSpaced = false }
      if previous == nil { isSpaced = spaced }
      isAfterSign = kind.sign != nil && !isValueBefore
      switch kind {
      case .number, .duration, .rightParen: isValueBefore = true
      default: isValueBefore = false
      }
      if case .query = kind { source.texts[i] = source.texts[i].lowercased() }
      items.append(.token(i, spaced: isSpaced))
      previous = kind
    }
    return items
  }
}
