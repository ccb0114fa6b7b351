import Model
import Rules

/// A rule that does not run as it stands in its file.
package struct QuarantineReport: Sendable, Hashable {
  package var file: String
  package var group: String
  /// Empty where the name cannot be read.
  package var rule: String
  /// What is wrong, with its place.
  package var message: String
  /// Whether the last good version runs in its stead.
  package var runsLastGood: Bool
}

extension Kernel {
  /// All rules in quarantine, by file, group and place.
  package var quarantineReport: [QuarantineReport] {
    scheduler.groups.flatMap { group in
      group.runner.quarantined.map { rule, runsLastGood in
        QuarantineReport(
          file: group.definition.file, group: group.definition.name, rule: rule.name,
          message: rule.message, runsLastGood: runsLastGood)
      }
    }
  }

  /// Says in the log which rules do not run as written.
  func logQuarantine(_ effects: inout EffectList) {
    for entry in quarantineReport {
      effects.log(
        .error, "rules",
        entry.runsLastGood
          ? "Rule quarantined: its last good version runs on"
          : "Rule quarantined: it does not run",
        [
          ("file", entry.file), ("group", entry.group), ("rule", entry.rule),
          ("err", entry.message),
        ])
    }
    for held in settings.heldFiles {
      let running = scheduler.groups.count { ByteOrder.equal($0.definition.file, held.file) }
      effects.log(
        .error, "rules", "Rule file held: what it cannot tell runs on as it was",
        [("file", held.file), ("groups", "\(running)"), ("err", held.message)])
    }
  }

  func writeQuarantineMetrics(to out: inout MetricsText) {
    let rules = quarantineReport
    out.family(
      "tocsin_rules_quarantined", .gauge,
      "Rules that cannot be loaded, by group; a last good version may run in their stead.")
    // Summed: a group may have several rules of a name.
    var counts: [[String]: Int] = [:]
    for rule in rules { counts[[rule.file, rule.group, rule.rule], default: 0] += 1 }
    for (texts, count) in counts.sorted(by: { isBefore($0.key, $1.key) }) {
      out.sample(
        Double(count), [("file", texts[0]), ("rule_group", texts[1]), ("rule", texts[2])])
    }
    out.family(
      "tocsin_rule_files_held", .gauge,
      "Rule files that do not tell all their groups; what ran of them runs on.")
    out.sample(Double(settings.heldFiles.count), [])
  }

  private func isBefore(_ a: [String], _ b: [String]) -> Bool {
    for (x, y) in zip(a, b) where !ByteOrder.equal(x, y) { return ByteOrder.less(x, y) }
    return false
  }
}
