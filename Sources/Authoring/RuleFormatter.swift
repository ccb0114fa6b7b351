import Config
import Diagnostics
import PromQL
import YAML

/// Formats the expressions of a rule file in place: YAML comments, layout and the kinds of scalars
/// stay, and so does everything that is no expression.
package struct RuleFormatter: Sendable {
  /// The text that was read.
  package let source: SourceText
  /// What changes; empty for a file that is formatted.
  package private(set) var edits: [TextEdit] = []
  /// Why expressions stay as they are: mistakes in the file, or a place nobody can edit.
  package private(set) var problems: [Diagnostic] = []

  /// The text with the changes made.
  package var bytes: [UInt8] { TextEdit.apply(edits, to: source.bytes) }

  /// Formats what can be; nothing that does not mean the same afterwards is taken.
  package init(_ source: SourceText) {
    self.source = source
    let file = Self.load(source)
    problems = file.diagnostics.filter { $0.severity == .error && Self.stops($0) }
    guard file.root != nil else { return }
    var found: [(edit: TextEdit, node: YAMLNode)] = []
    var seen: Set<Int> = []
    for place in file.places {
      guard let node = place.exprNode, let text = node.text,
        let scalar = ExprScalar(node, of: place.node), seen.insert(node.range.start).inserted,
        let formatted = try? SourceFormatter.format(text), let edit = scalar.edit(formatted)
      else { continue }
      found.append((edit, node))
    }
    found.sort { $0.edit.range.start < $1.edit.range.start }
    if isFaithful(found.map(\.edit), file) {
      edits = found.map(\.edit)
      return
    }
    // One of them does harm: those that are faithful by themselves are taken.
    for (edit, node) in found {
      if isFaithful([edit], file), isFaithful(edits + [edit], file) {
        edits.append(edit)
      } else {
        problems.append(
          Diagnostic(
            "fmt/place", .warning, "the expression cannot be formatted in this place",
            source: source, range: node.range))
      }
    }
  }

  private static func load(_ source: SourceText) -> RuleFile {
    var options = RuleFileLoader.Options()
    options.ignoresUnknownFields = true
    return RuleFileLoader.load(source, options: options)
  }

  /// Mistakes that keep expressions from being read; others are for `check`.
  private static func stops(_ diagnostic: Diagnostic) -> Bool {
    diagnostic.id.hasPrefix("yaml/") || diagnostic.id.hasPrefix("promql/")
  }

  /// Whether a text with the edits says the same, with the same comments.
  private func isFaithful(_ edits: [TextEdit], _ before: RuleFile) -> Bool {
    let text = SourceText(name: source.name, bytes: TextEdit.apply(edits, to: source.bytes))
    let after = Self.load(text)
    guard let old = before.root, let new = after.root,
      before.places.count == after.places.count,
      before.comments.map(\.text) == after.comments.map(\.text)
    else { return false }
    var exprs: Set<ObjectIdentifier> = []
    for (a, b) in zip(before.places, after.places) {
      if let node = a.exprNode { exprs.insert(ObjectIdentifier(node.content)) }
      guard let text = a.exprNode?.text, let expr = try? PromQLParser.parse(text) else { continue }
      guard let other = b.exprNode?.text, let same = try? PromQLParser.parse(other), expr == same
      else { return false }
    }
    return Self.isSame(old, new, besides: exprs)
  }

  private static func isSame(
    _ a: YAMLNode, _ b: YAMLNode, besides exprs: Set<ObjectIdentifier>
  ) -> Bool {
    if exprs.contains(ObjectIdentifier(a)) { return b.text != nil && a.tag == b.tag }
    switch (a.kind, b.kind) {
    case (.scalar(let x, _), .scalar(let y, _)): return a.tag == b.tag && x == y
    case (.alias, .alias): return true
    case (.sequence(let x), .sequence(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { isSame($0, $1, besides: exprs) }
    case (.mapping(let x), .mapping(let y)):
      return x.count == y.count
        && zip(x, y).allSatisfy {
          isSame($0.key, $1.key, besides: exprs) && isSame($0.value, $1.value, besides: exprs)
        }
    default: return false
    }
  }
}
