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
      let fixes = Self.disjoint(before.compactMap(\.fix).filter(\.isCertain))
      if fixes.isEmpty { break }
      let all = Self.edited(bytes, fixes)
      if isBetter(all, than: before, by: fixes.count, name) {
        bytes = all
        count += fixes.count
        continue
      }
      // Together they do harm: one at a time, from the end, so that ranges stay what they are.
      var applied = 0
      var current = before
      for fix in fixes.reversed() {
        let one = Self.edited(bytes, [fix])
        guard isBetter(one, than: current, by: 1, name) else { continue }
        bytes = one
        applied += 1
        current = checks.diagnostics(SourceText(name: name, bytes: bytes), records)
      }
      count += applied
      if applied == 0 { break }
    }
    return (bytes, count)
  }

  /// Whether that many findings are gone and no refusal has come.
  private func isBetter(
    _ bytes: [UInt8], than before: [Diagnostic], by count: Int, _ name: String
  ) -> Bool {
    let after = checks.diagnostics(SourceText(name: name, bytes: bytes), records)
    return after.count { $0.severity == .error } <= before.count { $0.severity == .error }
      && after.count <= before.count - count
  }

  private static func disjoint(_ fixes: [Diagnostic.Fix]) -> [Diagnostic.Fix] {
    var kept: [Diagnostic.Fix] = []
    for fix in fixes.sorted(by: { ($0.range.start, $0.range.end) < ($1.range.start, $1.range.end) })
    {
      if let last = kept.last, last.range.end > fix.range.start || last.range == fix.range {
        continue
      }
      kept.append(fix)
    }
    return kept
  }

  private static func edited(_ bytes: [UInt8], _ fixes: [Diagnostic.Fix]) -> [UInt8] {
    var out = bytes
    for fix in fixes.reversed() {
      out.replaceSubrange(fix.range.start..<fix.range.end, with: fix.replacement.utf8)
    }
    return out
  }
}
