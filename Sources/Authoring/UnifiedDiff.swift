import Diagnostics

/// Edits of a text as a unified diff, which `patch` and `git apply` read.
package struct UnifiedDiff {
  /// Lines that go, and those that come for them.
  private struct Change {
    /// From 0.
    var start: Int
    var old: [String]
    var new: [String]
  }

  private static let context = 3

  private let name: String
  private let lines: [String]
  private let changes: [Change]

  package init(_ source: SourceText, _ edits: [TextEdit]) {
    name = source.name
    lines = Self.lines(source.bytes[...])
    var changes: [Change] = []
    var i = 0
    while i < edits.count {
      // Edits on one line are one change.
      let first = source.position(at: edits[i].range.start).line - 1
      var last = source.position(at: edits[i].range.end).line - 1
      var j = i + 1
      while j < edits.count, source.position(at: edits[j].range.start).line - 1 <= last {
        last = max(last, source.position(at: edits[j].range.end).line - 1)
        j += 1
      }
      let start = source.lineStarts[first]
      let end =
        last + 1 < source.lineStarts.count ? source.lineStarts[last + 1] : source.bytes.count
      let moved = edits[i..<j].map {
        TextEdit($0.range.shifted(by: -start), $0.replacement)
      }
      let old = Array(source.bytes[start..<end])
      let new = TextEdit.apply(moved, to: old)
      changes.append(Self.trimmed(first, Self.lines(old[...]), Self.lines(new[...])))
      i = j
    }
    self.changes = changes
  }

  /// Without the lines that both begin or end with.
  private static func trimmed(_ start: Int, _ old: [String], _ new: [String]) -> Change {
    var head = 0
    while head < min(old.count, new.count), old[head] == new[head] { head += 1 }
    var tail = 0
    while tail < min(old.count, new.count) - head,
      old[old.count - 1 - tail] == new[new.count - 1 - tail]
    { tail += 1 }
    return Change(
      start: start + head, old: Array(old[head..<(old.count - tail)]),
      new: Array(new[head..<(new.count - tail)]))
  }

  private static func lines(_ bytes: ArraySlice<UInt8>) -> [String] {
    var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  /// The diff; empty without edits.
  package var text: String {
    if changes.isEmpty { return "" }
    var out = "--- \(name)\n+++ \(name)\n"
    var shift = 0
    var i = 0
    while i < changes.count {
      var j = i + 1
      while j < changes.count,
        changes[j].start - (changes[j - 1].start + changes[j - 1].old.count) <= 2 * Self.context
      { j += 1 }
      out += hunk(changes[i..<j], &shift)
      i = j
    }
    return out
  }

  private func hunk(_ changes: ArraySlice<Change>, _ shift: inout Int) -> String {
    guard let first = changes.first, let last = changes.last else { return "" }
    let start = max(0, first.start - Self.context)
    let end = min(lines.count, last.start + last.old.count + Self.context)
    var body = ""
    var at = start
    for change in changes {
      for line in lines[at..<change.start] { body += " \(line)\n" }
      for line in change.old { body += "-\(line)\n" }
      for line in change.new { body += "+\(line)\n" }
      at = change.start + change.old.count
    }
    for line in lines[at..<max(at, end)] { body += " \(line)\n" }
    let grown = changes.reduce(0) { $0 + $1.new.count - $1.old.count }
    let header =
      "@@ -\(start + 1),\(end - start) +\(start + 1 + shift),\(end - start + grown) @@\n"
    shift += grown
    return header + body
  }
}
