import Config
import Diagnostics
import Model

/// The control comments of one file at work: which findings they hide, and which comments did
/// nothing.
struct ControlScopes: Sendable {
  static let unused = Check(
    "control/unused", .warning, aliases: ["pint/comment"],
    "a control comment that hides nothing",
    """
    The comment names a check that finds nothing here (any more). Left in place it would hide the next
    real finding. Comments about checks that need a server count only when there is one.
    """)
  static let invalid = Check(
    "control/invalid", .warning, aliases: ["pint/comment"],
    "a control comment that cannot be understood",
    """
    Known are `disable ID…`, `snooze DATE ID`, `file/disable ID`, `file/snooze DATE ID`, `ignore/file`,
    `ignore/line`, `ignore/next-line`, `ignore/begin`, `ignore/end`, `rule/owner NAME`,
    `file/owner NAME`, `rule/set promql/series min-age DURATION` and
    `rule/set promql/series ignore/label-value LABEL`, behind `# tocsin` or `# pint`. pint's names of
    checks are understood in both.
    """)

  private(set) var comments: [ControlComment]
  private var used: [Bool]
  private let now: Timestamp

  init(_ file: RuleFile, now: Timestamp) {
    comments = ControlComments.read(file)
    used = comments.map { _ in false }
    self.now = now
  }

  /// Whether the whole file is to be left alone.
  var ignoresFile: Bool {
    comments.contains { comment in
      if case .ignore = comment.action { return comment.scope == .file && comment.problem == nil }
      return false
    }
  }

  /// The owner of a rule at a place.
  func owner(at offset: Int) -> String? {
    var fallback: String?
    for comment in comments {
      guard case .owner(let name) = comment.action, comment.problem == nil else { continue }
      switch comment.scope {
      case .file: fallback = name
      case .range(let range): if range.start <= offset, offset < range.end { return name }
      }
    }
    return fallback
  }

  /// What `rule/set` says of a rule at a place.
  func settings(at offset: Int) -> SeriesSettings {
    var all = SeriesSettings()
    for comment in comments {
      guard case .set(let settings) = comment.action, comment.problem == nil,
        case .range(let range) = comment.scope, range.start <= offset, offset < range.end
      else { continue }
      all.add(settings)
    }
    return all
  }

  /// Whether a comment hides a finding; the comment counts as used.
  mutating func hides(_ diagnostic: Diagnostic) -> Bool {
    guard !comments.isEmpty, let range = diagnostic.range,
      let check = CheckCatalogue.check(diagnostic.id), !check.isRefusal
    else { return false }
    var hidden = false
    for (i, comment) in comments.enumerated() {
      if comment.problem != nil { continue }
      if let until = comment.until, until < now { continue }
      if case .range(let scope) = comment.scope,
        range.start < scope.start || range.start >= max(scope.end, scope.start + 1)
      {
        continue
      }
      switch comment.action {
      case .ignore: break
      case .disable(let name, let detail):
        guard check.id == name || check.aliases.contains(name) || Self.family(check.id) == name
        else { continue }
        if let detail, !Self.mentions(detail, diagnostic) { continue }
      case .owner, .set: continue
      }
      used[i] = true
      hidden = true
    }
    return hidden
  }

  private static func family(_ id: String) -> String {
    String(id.prefix { $0 != "/" }) + "/*"
  }

  private static func mentions(_ detail: String, _ diagnostic: Diagnostic) -> Bool {
    if diagnostic.message.contains(detail) { return true }
    guard let source = diagnostic.source, let range = diagnostic.range,
      range.end <= source.bytes.count
    else { return false }
    return String(decoding: source.bytes[range.start..<range.end], as: UTF8.self).contains(detail)
      // pint writes labels and metrics the way PromQL does; a part of it is enough.
      || detail.contains(
        String(decoding: source.bytes[range.start..<range.end], as: UTF8.self))
  }

  /// What is to be said of the comments themselves, once all checks have run.
  func remarks(
    in source: SourceText, hasServer: Bool, disabled: Set<String>
  ) -> [Diagnostic] {
    zip(comments, used).compactMap { comment, used in
      if let problem = comment.problem {
        return Diagnostic(
          Self.invalid.id, Self.invalid.severity, problem, source: source, range: comment.range)
      }
      guard case .disable(let name, _) = comment.action, !used else { return nil }
      let checks = CheckCatalogue.named(name)
      if checks.isEmpty {
        if comment.isPint { return nil }
        return Diagnostic(
          Self.invalid.id, Self.invalid.severity, "there is no check `\(name)`", source: source,
          range: comment.range,
          label: CheckCatalogue.nearest(name).map { "did you mean `\($0)`?" })
      }
      if let until = comment.until, until < now {
        return Diagnostic(
          Self.unused.id, Self.unused.severity, "the snooze of `\(name)` is over", source: source,
          range: comment.range)
      }
      // A check that did not run may well find something elsewhere.
      let mayNeedServer = checks.contains { $0.needsServer } || comment.isPint
      if mayNeedServer && !hasServer && (comment.isPint ? Self.isLive(name) : true) { return nil }
      if checks.allSatisfy({ disabled.contains($0.id) }) { return nil }
      return Diagnostic(
        Self.unused.id, Self.unused.severity, "`\(name)` finds nothing here", source: source,
        range: comment.range, label: "the comment can go")
    }
  }

  /// pint's checks that ask a server, wholly or in part.
  private static func isLive(_ name: String) -> Bool {
    [
      "promql/series", "promql/rate", "promql/counter", "promql/vector_matching", "alerts/count",
      "alerts/external_labels", "alerts/absent", "labels/conflict", "promql/range_query",
      "promql/offset", "promql/features", "query/cost", "rule/link", "rule/dependency",
      "promql/impossible",
    ].contains(name)
  }
}
