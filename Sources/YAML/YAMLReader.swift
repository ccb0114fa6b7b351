import Diagnostics

/// Reads a node tree into typed values and gathers every problem on the way.
///
/// Nothing throws: a value that is not what was asked for is reported with its place and reads as
/// absent, so
/// one mistake does not hide the next.
package final class YAMLReader {
  package private(set) var diagnostics: [Diagnostic] = []
  /// Where in the structure the reading is; goes into every diagnostic.
  package var context: String? {
    get { makeContext?() }
    set { makeContext = newValue.map { text in { text } } }
  }
  /// The same, made only if there is something to report.
  package var makeContext: (() -> String)?
  package var group: String?
  package var rule: String?
  /// Above zero inside a mapping that Prometheus' reader skips because it repeats a key.
  package private(set) var skippedDepth = 0

  package init() {}

  /// Reports a problem at a node.
  package func report(
    _ id: String, _ message: String, severity: Severity = .error, at node: YAMLNode,
    label: String? = nil, notes: [Diagnostic.Note] = [], fix: Diagnostic.Fix? = nil
  ) {
    let target = node.content
    report(
      id, message, severity: severity, source: target.source, range: target.range, label: label,
      notes: notes, fix: fix)
  }

  /// Reports a problem at any place.
  package func report(
    _ id: String, _ message: String, severity: Severity = .error, source: SourceText,
    range: SourceRange, label: String? = nil, notes: [Diagnostic.Note] = [],
    fix: Diagnostic.Fix? = nil
  ) {
    var diagnostic = Diagnostic(
      id, severity, message, source: source, range: range, label: label, notes: notes, fix: fix,
      context: context)
    diagnostic.group = group
    diagnostic.rule = rule
    diagnostics.append(diagnostic)
  }

  /// Takes over diagnostics made elsewhere.
  package func append(contentsOf others: [Diagnostic]) { diagnostics += others }

  /// Reports that a node is not what its place asks for.
  package func wrongType(_ node: YAMLNode, expected: String) {
    report("yaml/type", "expected \(expected), found \(node.whatItIs)", at: node)
  }

  /// The fields of a mapping; nil, and reported, for anything else.
  ///
  /// Nothing at all reads as no fields.
  package func fields(of node: YAMLNode, _ what: String) -> YAMLFields? {
    switch node.content.kind {
    case .mapping(let entries):
      let repeated = reportDuplicates(entries)
      if repeated { skippedDepth += 1 }
      var merged: [YAMLFields.Field] = []
      collect(entries, isMerged: false, depth: 0, into: &merged)
      return YAMLFields(
        reader: self, node: node, what: what, fields: merged, isSkipped: repeated)
    case .scalar where node.isNull:
      return YAMLFields(reader: self, node: node, what: what, fields: [], isSkipped: false)
    default:
      wrongType(node, expected: what)
      return nil
    }
  }

  func leaveSkipped() { skippedDepth -= 1 }

  /// The items of a list; nothing at all reads as none.
  package func items(of node: YAMLNode, _ what: String) -> [YAMLNode]? {
    switch node.content.kind {
    case .sequence(let items): return items
    case .scalar where node.isNull: return []
    default:
      wrongType(node, expected: what)
      return nil
    }
  }

  private func reportDuplicates(_ entries: [YAMLEntry]) -> Bool {
    var found = false
    // Pairs in Prometheus' order; mappings with hundreds of keys do not occur in what we read
    // strictly.
    for i in entries.indices {
      let first = entries[i]
      guard case .scalar(let name, _) = first.key.kind else { continue }
      for j in (i + 1)..<max(i + 1, entries.count) {
        let second = entries[j]
        guard case .scalar(let other, _) = second.key.kind, other.hasBytes(of: name)
        else { continue }
        found = true
        report(
          "yaml/duplicate-key",
          "mapping key \"\(name)\" already defined at line \(first.key.mark.line)", at: second.key,
          notes: [
            Diagnostic.Note(
              "first defined here", source: first.key.source, range: first.key.range)
          ])
      }
    }
    return found
  }

  /// The text of a scalar, binary ones decoded; anything else is reported.
  package func text(of node: YAMLNode, as expected: String = "a text") -> String? {
    guard let text = node.text else {
      wrongType(node, expected: expected)
      return nil
    }
    guard let tag = node.content.tag else { return text }
    if node.resolved == nil {
      report("yaml/tag", "cannot decode `\(text)` as a \(YAMLNode.shortTag(tag))", at: node)
      return nil
    }
    guard node.resolved == .binary else { return text }
    guard let bytes = Base64.decode(text) else {
      report("yaml/tag", "!!binary value contains invalid base64 data", at: node)
      return nil
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      report("yaml/tag", "!!binary value is not UTF-8", at: node)
      return nil
    }
    return decoded
  }

  /// Lays merged mappings under the written keys: a written key wins, then the earlier of a list.
  private func collect(
    _ entries: [YAMLEntry], isMerged: Bool, depth: Int, into out: inout [YAMLFields.Field]
  ) {
    var merges: [YAMLNode] = []
    if out.isEmpty { out.reserveCapacity(entries.count) }
    for entry in entries {
      if entry.key.content.isMergeKey {
        merges.append(entry.value)
        continue
      }
      guard let name = text(of: entry.key, as: "a text as key") else { continue }
      if isMerged, out.contains(where: { $0.name.hasBytes(of: name) }) { continue }
      out.append(YAMLFields.Field(name: name, key: entry.key, value: entry.value))
    }
    guard depth < 100 else { return }
    for merge in merges {
      switch merge.content.kind {
      case .mapping(let inner): collect(inner, isMerged: true, depth: depth + 1, into: &out)
      case .sequence(let list):
        for item in list {
          if case .mapping(let inner) = item.content.kind {
            collect(inner, isMerged: true, depth: depth + 1, into: &out)
          } else {
            mergeProblem(item)
          }
        }
      default: mergeProblem(merge)
      }
    }
  }

  private func mergeProblem(_ node: YAMLNode) {
    report(
      "yaml/merge", "map merge requires map or sequence of maps as the value", at: node)
  }
}
