/// How bad a finding is.
package enum Severity: String, Hashable, Comparable, Sendable, CaseIterable {
  case info, warning, error

  package static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .info: 0
    case .warning: 1
    case .error: 2
    }
  }
}

/// One finding about a text its author can change: what, how bad, where, why, and perhaps how to
/// mend it.
///
/// Ids are stable (`promql/syntax`, `yaml/unknown-field`, `rules/duplicate`): people write them
/// into
/// `# tocsin disable` comments. All findings of a text are collected; none hides another.
package struct Diagnostic: Sendable {
  /// A second place, or a sentence of explanation.
  package struct Note: Sendable {
    package var message: String
    package var source: SourceText?
    package var range: SourceRange?

    package init(_ message: String, source: SourceText? = nil, range: SourceRange? = nil) {
      self.message = message
      self.source = source
      self.range = range
    }
  }

  /// A replacement that mends the finding.
  package struct Fix: Sendable {
    package var message: String
    package var range: SourceRange
    package var replacement: String
    /// Whether nothing but the mistake changes, so that a program may apply it unasked.
    package var isCertain: Bool

    package init(
      _ message: String, range: SourceRange, replacement: String, isCertain: Bool = false
    ) {
      self.message = message
      self.range = range
      self.replacement = replacement
      self.isCertain = isCertain
    }
  }

  package var id: String
  package var severity: Severity
  package var message: String
  /// A short text set right behind the caret, if the message alone is long or general.
  package var label: String?
  package var source: SourceText?
  package var range: SourceRange?
  package var notes: [Note]
  package var fix: Fix?
  /// Where in the structure: `in alert "HighErrorRate", group "web"`.
  package var context: String?
  /// The rule group and the rule concerned, for programs.
  package var group: String?
  package var rule: String?

  package init(
    _ id: String, _ severity: Severity = .error, _ message: String, source: SourceText? = nil,
    range: SourceRange? = nil, label: String? = nil, notes: [Note] = [], fix: Fix? = nil,
    context: String? = nil
  ) {
    self.id = id
    self.severity = severity
    self.message = message
    self.source = source
    self.range = range
    self.label = label
    self.notes = notes
    self.fix = fix
    self.context = context
  }

  /// Line and column of the start, where known.
  package var position: SourcePosition? {
    guard let source, let range else { return nil }
    return source.position(at: range.start)
  }
}
