import Config
import Diagnostics

/// The texts of rule files, read again when a finding is to be shown: a run over thousands of files
/// holds only a few at a time.
struct SourceShelf {
  /// How many texts stay at hand; notes lead to other files.
  private static let room = 4

  /// Texts that cannot be read a second time: standard input.
  private var kept: [SourceText] = []
  private var recent: [SourceText] = []

  init(_ kept: [SourceText] = []) { self.kept = kept }

  /// The text of a file; empty if it is gone meanwhile.
  mutating func text(_ path: String) -> SourceText {
    if let text = (kept + recent).first(where: { $0.name == path }) { return text }
    let text = SourceText(name: path, bytes: (try? FileSystem.read(path)) ?? [])
    if recent.count == Self.room { recent.removeFirst() }
    recent.append(text)
    return text
  }
}

extension Diagnostic {
  /// Lets go of the text it is about, which `attach` gives back.
  mutating func detach(from text: SourceText) {
    if source === text { source = nil }
    for i in notes.indices where notes[i].source === text { notes[i].source = nil }
  }

  /// The finding in its text; notes without a text of their own are about the same.
  func attached(to text: SourceText) -> Diagnostic {
    var diagnostic = self
    if diagnostic.source == nil { diagnostic.source = text }
    return diagnostic
  }
}
