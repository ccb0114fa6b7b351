import Diagnostics

/// A part of a text and what goes in its place.
package struct TextEdit: Hashable, Sendable {
  package var range: SourceRange
  package var replacement: String

  package init(_ range: SourceRange, _ replacement: String) {
    self.range = range
    self.replacement = replacement
  }

  /// The bytes with all edits made; they must be in order and not overlap.
  package static func apply(_ edits: [TextEdit], to bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var end = 0
    for edit in edits {
      out += bytes[end..<edit.range.start]
      out += edit.replacement.utf8
      end = edit.range.end
    }
    return out + bytes[end...]
  }
}
