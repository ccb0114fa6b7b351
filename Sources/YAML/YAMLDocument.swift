import CYAML
import Diagnostics

/// The first document of a YAML text, as nodes with exact places.
///
/// Further documents are not read, so mistakes in them do no harm; that is how Prometheus reads its
/// files.
package struct YAMLDocument: Sendable {
  package let source: SourceText
  /// Nil when the text is empty or could not be read.
  package let root: YAMLNode?
  package let diagnostics: [Diagnostic]
  /// The line Prometheus' reader names for the error that stopped reading; nil where it names none.
  package let failureLine: Int?

  /// What a document may cost before it is refused.
  package struct Limits: Sendable {
    package var bytes = 64 << 20
    package var depth = 500
    /// Nodes counted once per alias through which they are reached.
    package var expandedNodes = 5_000_000

    package init() {}
  }

  /// Reads a text; every problem is in `diagnostics`.
  package static func parse(
    source: SourceText, limits: Limits = Limits()
  ) -> YAMLDocument {
    do throws(YAMLProblem) {
      if source.bytes.count > limits.bytes {
        throw YAMLProblem(
          id: "yaml/limit", "the file is larger than \(limits.bytes >> 20) MiB",
          range: SourceRange(0, 0))
      }
      let root = try source.bytes.withUnsafeBufferPointer { bytes throws(YAMLProblem) in
        var builder = YAMLBuilder(source: source, limits: limits)
        return try builder.build(bytes)
      }
      return YAMLDocument(source: source, root: root, diagnostics: [], failureLine: nil)
    } catch {
      return YAMLDocument(
        source: source, root: nil, diagnostics: [error.diagnostic(in: source)],
        failureLine: error.referenceLine)
    }
  }
}

/// What stopped the reading of a document.
struct YAMLProblem: Error {
  var id: String
  var message: String
  var range: SourceRange
  var label: String?
  var notes: [Diagnostic.Note] = []
  /// The line as Prometheus' reader counts it.
  var referenceLine: Int?

  init(
    id: String, _ message: String, range: SourceRange, label: String? = nil,
    notes: [Diagnostic.Note] = [], referenceLine: Int? = nil
  ) {
    self.id = id
    self.message = message
    self.range = range
    self.label = label
    self.notes = notes
    self.referenceLine = referenceLine
  }

  func diagnostic(in source: SourceText) -> Diagnostic {
    Diagnostic(id, .error, message, source: source, range: range, label: label, notes: notes)
  }
}
