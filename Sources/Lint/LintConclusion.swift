import Config
import Diagnostics

/// The findings over all files, told file by file; comments and settings applied.
struct LintConclusion {
  private let linter: Linter
  private var inspections: [Linter.Inspection?]
  private var evidence: Set<MetricLabel> = []
  /// What the checks over all files found, by file.
  private var ofFile: [String: [RuleSets.Finding]] = [:]
  private let disabled: Set<String>
  private var severities: [String: Severity] = [:]

  init(_ linter: Linter, _ inspections: [Linter.Inspection]) {
    self.linter = linter
    self.inspections = inspections
    let facts = inspections.map(\.facts)
    for file in facts { evidence.formUnion(file.evidence) }
    for finding in RuleSets(files: facts, context: linter.context).inspect() {
      ofFile[finding.place.path, default: []].append(finding)
    }
    disabled = Set(linter.settings.disabled.flatMap { CheckCatalogue.named($0).map(\.id) })
    for (name, severity) in linter.settings.severities {
      for check in CheckCatalogue.named(name) { severities[check.id] = severity }
    }
    for i in inspections.indices { self.inspections[i]?.facts.forget() }
  }

  /// Whether there is nothing to say of a file, so that its text need not be read again.
  func isSilent(about index: Int) -> Bool {
    guard let inspection = inspections[index] else { return true }
    return inspection.findings.isEmpty && inspection.facts.repetitions.isEmpty
      && inspection.scopes.comments.isEmpty && ofFile[inspection.facts.path] == nil
  }

  /// The findings of a file, by its index; each file can be asked for once.
  mutating func diagnostics(
    of index: Int, in source: SourceText, _ shelf: inout SourceShelf
  ) -> [Diagnostic] {
    guard let inspection = inspections[index] else { return [] }
    inspections[index] = nil
    var scopes = inspection.scopes
    var all: [Diagnostic] = []
    if !scopes.ignoresFile {
      for finding in inspection.findings
      where !finding.refutedBy.contains(where: evidence.contains) {
        all.append(finding.diagnostic.attached(to: source))
      }
      all += inspection.facts.repetitions.map { $0.attached(to: source) }
      for finding in ofFile.removeValue(forKey: inspection.facts.path) ?? [] {
        all.append(finding.shown(in: source, &shelf))
      }
    }
    var kept = all.filter { !disabled.contains($0.id) && !scopes.hides($0) }
    let hasServer = linter.context.server != nil
    kept += scopes.remarks(in: source, hasServer: hasServer, disabled: disabled)
      .filter { !disabled.contains($0.id) }
    for i in kept.indices { kept[i].severity = severities[kept[i].id] ?? kept[i].severity }
    return Self.unique(kept)
  }

  /// Several rules may share a text by an alias; what is said of it is said once.
  private static func unique(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    struct Key: Hashable {
      var id: String
      var range: SourceRange?
      var message: String
    }
    var seen: Set<Key> = []
    return diagnostics.filter {
      seen.insert(Key(id: $0.id, range: $0.range, message: $0.message)).inserted
    }
  }
}

extension Linter {
  /// The findings over files whose texts are at hand.
  package func finish(
    _ inspections: [Inspection], in texts: [SourceText]
  ) -> [[Diagnostic]] {
    var shelf = SourceShelf(texts)
    var conclusion = LintConclusion(self, inspections)
    return texts.indices.map { conclusion.diagnostics(of: $0, in: texts[$0], &shelf) }
  }
}
