import Diagnostics

/// A comment of a document; libyaml drops them, so they are found in the raw text.
package struct YAMLComment: Sendable {
  /// From the `#` to the end of its line.
  package let range: SourceRange
  /// What follows the `#`, without blanks around it.
  package let text: String
}

extension YAMLDocument {
  /// All comments outside scalars, in order.
  package var comments: [YAMLComment] { YAMLComment.all(in: source, root: root) }
}

extension YAMLComment {
  /// The comments of a text outside the scalars of its tree, in order.
  package static func all(in source: SourceText, root: YAMLNode?) -> [YAMLComment] {
    guard source.bytes.contains(0x23) else { return [] }
    var scalars: [SourceRange] = []
    if let root { collectScalars(root, into: &scalars) }
    scalars.sort { $0.start < $1.start }
    var found: [YAMLComment] = []
    var next = 0
    var i = 0
    let bytes = source.bytes
    while i < bytes.count {
      while next < scalars.count, scalars[next].end <= i { next += 1 }
      if next < scalars.count, scalars[next].start <= i {
        i = scalars[next].end
        continue
      }
      guard bytes[i] == 0x23, i == 0 || bytes[i - 1] <= 0x20 else {
        i += 1
        continue
      }
      let start = i
      while i < bytes.count, bytes[i] != 0x0a, bytes[i] != 0x0d { i += 1 }
      let text = bytes[(start + 1)..<i].drop { $0 <= 0x20 }
      let trimmed = text.reversed().drop { $0 <= 0x20 }.reversed()
      found.append(
        YAMLComment(
          range: SourceRange(start, i), text: String(decoding: Array(trimmed), as: UTF8.self)))
    }
    return found
  }

  private static func collectScalars(_ node: YAMLNode, into out: inout [SourceRange]) {
    switch node.kind {
    case .scalar(_, let style):
      var range = node.range
      if style == .literal || style == .folded {
        // The line of a block's header may end with a comment.
        let bytes = node.source.bytes
        while range.start < range.end, bytes[range.start] != 0x0a { range.start += 1 }
      }
      out.append(range)
    case .alias: break
    case .sequence(let items): for item in items { collectScalars(item, into: &out) }
    case .mapping(let entries):
      for entry in entries {
        collectScalars(entry.key, into: &out)
        collectScalars(entry.value, into: &out)
      }
    }
  }
}
