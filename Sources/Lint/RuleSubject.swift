import Config
import Diagnostics
import Model
import PromQL
import Rules
import YAML

/// A rule as the checks see it: definition, text, group, and what is known of the world.
struct RuleSubject {
  let place: RulePlace
  let outline: ExprOutline
  /// Nil for a recording rule.
  let alert: AlertRule?
  let group: GroupSubject
  let context: LintContext

  var expr: Expr { outline.expr }

  init?(
    _ place: RulePlace, group: GroupSubject, context: LintContext,
    outlines: inout ExprOutlines
  ) {
    guard let definition = place.definition else { return nil }
    self.place = place
    self.group = group
    self.context = context
    outline = outlines.outline(of: definition.expr, text: place.exprNode?.text)
    if case .alert(let alert) = definition { self.alert = alert } else { alert = nil }
  }

  /// The entry of a field of the rule as written.
  func field(_ name: String) -> YAMLEntry? { place.node.entry(name) }

  /// The entry of a label or annotation; a label may come from the group.
  func entry(_ name: String, in block: String) -> YAMLEntry? {
    field(block)?.value.entry(name)
      ?? (block == "labels" ? group.node?.entry("labels")?.value.entry(name) : nil)
  }

  /// Where a part of the expression stands in the file.
  func place(of part: SourceRange) -> (source: SourceText, range: SourceRange) {
    let node = (place.exprNode ?? place.node).content
    return (node.source, node.sourceRange(ofContent: part))
  }

  /// The text of a part of the expression.
  func text(of part: SourceRange) -> String {
    let bytes = Array((place.exprNode?.text ?? "").utf8)
    guard part.end <= bytes.count else { return "" }
    return String(decoding: bytes[part.start..<part.end], as: UTF8.self)
  }
}

/// The group around a rule.
struct GroupSubject {
  let name: String
  let node: YAMLNode?
  /// Nil where neither the group nor the configuration says.
  let interval: PromDuration?

  /// The groups of a file by the rules they hold.
  static func groups(of file: RuleFile, context: LintContext) -> [ObjectIdentifier: GroupSubject] {
    var found: [ObjectIdentifier: GroupSubject] = [:]
    for node in file.root?.entry("groups")?.value.sequence ?? [] {
      let text = node.entry("interval")?.value.text
      let written = text.flatMap { try? PromDuration(parsing: $0) }
      let subject = GroupSubject(
        name: node.entry("name")?.value.text ?? "", node: node,
        interval: written == .zero
          ? context.evaluationInterval
          : written ?? context.evaluationInterval)
      for rule in node.entry("rules")?.value.sequence ?? [] {
        found[ObjectIdentifier(rule)] = subject
      }
    }
    return found
  }
}

extension YAMLNode {
  /// The entry of a key, merged mappings included.
  func entry(_ name: String) -> YAMLEntry? {
    guard case .mapping(let entries) = content.kind else { return nil }
    if let own = entries.first(where: { $0.key.text.map { ByteOrder.equal($0, name) } == true }) {
      return own
    }
    for merge in entries where merge.key.text == "<<" {
      for target in merge.value.sequence ?? [merge.value] {
        if let found = target.entry(name) { return found }
      }
    }
    return nil
  }

  /// The items of a list.
  var sequence: [YAMLNode]? {
    if case .sequence(let items) = content.kind { return items }
    return nil
  }
}

extension RuleSubject {
  /// The source of a part of the expression, as it stands in the file, without its first or last
  /// byte.
  func source(of part: SourceRange, without: (first: Bool, last: Bool)) -> String {
    let (source, range) = place(of: part)
    var bytes = source.bytes[range.start..<range.end]
    if without.first { bytes = bytes.dropFirst() }
    if without.last { bytes = bytes.dropLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A word of the expression between two of its bytes, with the blank behind it.
  func word(_ word: String, between start: Int, and end: Int) -> SourceRange? {
    let bytes = Array((place.exprNode?.text ?? "").utf8)
    let wanted = Array(word.utf8)
    var at = start
    while at + wanted.count <= min(end, bytes.count) {
      if bytes[at...].starts(with: wanted) {
        var stop = at + wanted.count
        while stop < end, bytes[stop] == 0x20 { stop += 1 }
        return SourceRange(at, stop)
      }
      at += 1
    }
    return nil
  }
}
