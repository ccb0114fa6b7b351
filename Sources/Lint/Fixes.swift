import Config
import Diagnostics

/// Applies certain fixes to a text, each only if the text is read as before afterwards.
struct Fixes {
  let checks: RuleFileChecks
  let records: Set<String>

  /// Rounds after which nothing certain is left; a fix may uncover another.
  private static let rounds = 4

  func apply(to bytes: [UInt8], name: String) -> (bytes: [UInt8], count: Int) {
    var bytes = bytes
    var count = 0
    for _ in 0..<Self.rounds {
      let before = checks.diagnostics(SourceText(name: name, bytes: bytes), records)
      let fixed = Self.disjoint(before.filter(Self.isFixable))
      if fixed.isEmpty { break }
      let all = Self.edited(bytes, fixed)
      if isBetter(all, than: before, without: fixed, name) {
        bytes = all
        count += fixed.count
        continue
      }
      // Together they do harm: one at a time, from the end, so that ranges stay what they are.
      var applied = 0
      var current = before
      for finding in fixed.reversed() {
        let one = Self.edited(bytes, [finding])
        guard isBetter(one, than: current, without: [finding], name) else { continue }
        bytes = one
        applied += 1
        current = checks.diagnostics(SourceText(name: name, bytes: bytes), records)
      }
      count += applied
      if applied == 0 { break }
    }
    return (bytes, count)
  }

  private static func isFixable(_ finding: Diagnostic) -> Bool { finding.fix?.isCertain == true }

  /// Whether findings are gone, and nothing has come but what can be fixed in its turn.
  private func isBetter(
    _ bytes: [UInt8], than before: [Diagnostic], without fixed: [Diagnostic], _ name: String
  ) -> Bool {
    let after = checks.diagnostics(SourceText(name: name, bytes: bytes), records)
    func count(_ findings: [Diagnostic], _ holds: (Diagnostic) -> Bool) -> Int {
      findings.count(where: holds)
    }
    return after.count <= before.count
      && count(after) { $0.severity == .error } <= count(before) { $0.severity == .error }
      && count(after) { !Self.isFixable($0) } <= count(before) { !Self.isFixable($0) }
      && Set(fixed.map(\.id)).allSatisfy { id in
        count(after) { $0.id == id } <= count(before) { $0.id == id } - count(fixed) { $0.id == id }
      }
  }

  private static func disjoint(_ findings: [Diagnostic]) -> [Diagnostic] {
    var kept: [Diagnostic] = []
    func range(_ finding: Diagnostic) -> SourceRange { finding.fix?.range ?? .zero }
    for finding in findings.sorted(by: {
      (range($0).start, range($0).end) < (range($1).start, range($1).end)
    }) {
      if let last = kept.last.map(range),
        last.end > range(finding).start || last == range(finding)
      {
        continue
      }
      kept.append(finding)
    }
    return kept
  }

  private static func edited(_ bytes: [UInt8], _ findings: [Diagnostic]) -> [UInt8] {
    var out = bytes
    for fix in findings.reversed().compactMap(\.fix) {
      out.replaceSubrange(fix.range.start..<fix.range.end, with: fix.replacement.utf8)
    }
    return out
  }
}
