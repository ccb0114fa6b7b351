import Model
import PromQL

/// An expression laid out flat: every part of it once, parents first.
///
/// All checks go through the same list instead of walking the tree, and a label shape that one of
/// them has worked out is there for the others. Rules of a file with the same text share an
/// outline.
final class ExprOutline {
  /// What a part is, for checks that look at one kind only.
  enum Kind {
    case binary, aggregate, call, selector, other
  }

  /// A part of the expression.
  struct Part {
    let expr: Expr
    let kind: Kind
    /// The part around it; -1 for the whole.
    let parent: Int
    /// Behind the last part inside.
    fileprivate(set) var end: Int
  }

  let expr: Expr
  private(set) var parts: [Part] = []
  private(set) var selectors: [VectorSelector] = []
  private var shapes: [LabelShape?] = []
  /// Whether the checks that look at nothing but the expression had nothing to say.
  var isSilent = false

  init(_ expr: Expr) {
    self.expr = expr
    add(expr, parent: -1)
    shapes = Array(repeating: nil, count: parts.count)
  }

  private func add(_ expr: Expr, parent: Int) {
    let index = parts.count
    let kind: Kind
    switch expr {
    case .binary: kind = .binary
    case .aggregate: kind = .aggregate
    case .call: kind = .call
    case .selector(let node):
      kind = .selector
      selectors.append(node)
    default: kind = .other
    }
    parts.append(Part(expr: expr, kind: kind, parent: parent, end: index + 1))
    expr.forEachChild { add($0, parent: index) }
    parts[index].end = parts.count
  }

  /// The part that is the n-th child of another, in the order of `Expr.children`.
  func child(_ n: Int, of index: Int) -> Int {
    var at = index + 1
    for _ in 0..<n { at = parts[at].end }
    return at
  }

  /// Whether a part stands inside one that fulfils a condition.
  func isInside(_ index: Int, where holds: (Expr) -> Bool) -> Bool {
    var at = parts[index].parent
    while at >= 0 {
      if holds(parts[at].expr) { return true }
      at = parts[at].parent
    }
    return false
  }

  /// The parts around a part, from the whole on, and the part itself.
  func path(to index: Int) -> [Expr] {
    var path: [Expr] = []
    var at = index
    while at >= 0 {
      path.append(parts[at].expr)
      at = parts[at].parent
    }
    return path.reversed()
  }

  /// What is known of the labels of a part.
  func shape(of index: Int) -> LabelShape {
    if let known = shapes[index] { return known }
    let made = LabelShape(parts[index].expr) { shape(of: child($0, of: index)) }
    shapes[index] = made
    return made
  }
}

/// The outlines of a file's expressions, by their text.
struct ExprOutlines {
  private var known: [String: (text: String, outline: ExprOutline)] = [:]

  /// The outline of a rule's expression.
  mutating func outline(of expr: Expr, text: String?) -> ExprOutline {
    guard let text else { return ExprOutline(expr) }
    if let found = known[text], ByteOrder.equal(found.text, text) { return found.outline }
    let outline = ExprOutline(expr)
    known[text] = (text, outline)
    return outline
  }
}
