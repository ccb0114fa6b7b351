import Diagnostics

/// A node of a YAML document, with its exact place in the text.
///
/// Aliases are nodes of their own that lead to the anchored node, so both places are known;
/// `content`
/// looks through them.
package final class YAMLNode: Sendable {
  /// What a node may be.
  package enum Kind: Sendable {
    case scalar(String, ScalarStyle)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
    case alias(YAMLNode)
  }

  /// How a scalar was written.
  package enum ScalarStyle: Sendable {
    case plain, singleQuoted, doubleQuoted, literal, folded
  }

  package let kind: Kind
  package let source: SourceText
  /// The node without its anchor and tag; a collection ends with its last element.
  package let range: SourceRange
  /// Line and column, in characters from 1, where the node starts with its properties: Prometheus'
  /// position.
  package let mark: SourcePosition
  /// The full tag (`tag:yaml.org,2002:int`), if one was written.
  package let tag: String?

  init(
    kind: Kind, source: SourceText, range: SourceRange, mark: SourcePosition, tag: String? = nil
  ) {
    self.kind = kind
    self.source = source
    self.range = range
    self.mark = mark
    self.tag = tag
  }

  /// The node itself, or for an alias the node it stands for.
  package var content: YAMLNode {
    if case .alias(let target) = kind { return target.content }
    return self
  }

  /// The decoded text of a scalar; nil for a collection.
  package var text: String? {
    if case .scalar(let text, _) = content.kind { return text }
    return nil
  }

  /// Whether the node is absent in all but place: `~`, `null` or nothing at all.
  package var isNull: Bool {
    let node = content
    guard case .scalar(let text, let style) = node.kind else { return false }
    if node.tag != nil { return resolved == .null }
    guard style == .plain, text.utf8.count <= 4 else { return false }
    switch text {
    case "", "~", "null", "Null", "NULL": return true
    default: return false
    }
  }

  /// `a list`, `a mapping`, `the number 5`: what is there, for messages.
  package var whatItIs: String {
    switch content.kind {
    case .sequence: return "a list"
    case .mapping: return "a mapping"
    case .alias: return "an alias"
    case .scalar(let text, _):
      let shown =
        text.unicodeScalars.count > 40 ? String(text.unicodeScalars.prefix(40)) + "…" : text
      switch resolved {
      case .null: return "nothing"
      case .bool: return "the boolean \(shown)"
      case .int, .unsigned, .float: return "the number \(shown)"
      case .text, .binary, nil: return shown.isEmpty ? "an empty text" : "the text `\(shown)`"
      }
    }
  }
}

/// A key and its value.
package struct YAMLEntry: Sendable {
  package let key: YAMLNode
  package let value: YAMLNode

  package init(key: YAMLNode, value: YAMLNode) {
    self.key = key
    self.value = value
  }
}

extension YAMLNode {
  /// Where a part of the decoded text stands in the source: exact in every scalar style.
  ///
  /// `part` counts UTF-8 bytes of `text`. An empty part yields an empty range at its place. For a
  /// node
  /// that is no scalar the whole node is the answer.
  package func sourceRange(ofContent part: SourceRange) -> SourceRange {
    let node = content
    guard case .scalar(let text, let style) = node.kind else { return node.range }
    let map = ScalarMap(text: text, style: style, range: node.range, source: node.source)
    return map.sourceRange(of: part)
  }
}
