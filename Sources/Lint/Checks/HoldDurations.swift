import Diagnostics
import Model
import PromQL
import YAML

/// How `for`, the interval of the group and the ranges go together.
enum HoldDurations: RuleInspection {
  static let zero = Check(
    "rules/for-zero", .info, aliases: ["alerts/for"],
    "a `for` of zero can go",
    """
    `for: 0s` is what an alert without `for` has anyway.
    """)
  static let rounded = Check(
    "rules/for-rounded", .info,
    "a `for` that is no multiple of the interval",
    """
    Alerts change state at evaluations only. A `for` that is shorter than the interval of its group, or
    no multiple of it, is rounded up to the next evaluation. The message tells the longest time from
    cause to alert: a scrape, an evaluation, and the effective `for`.
    """)
  static let interval = Check(
    "rules/interval-over-lookback", .warning, aliases: ["group/interval"],
    "an interval longer than the lookback",
    """
    Series are looked up five minutes back. What a group records less often has gaps in between, and
    alerts on it flap. The group itself is only remarked; the warning stands at a rule of another group
    that reads the series as they are.

    Use an interval of at most half of that, or read the series over a range: `last_over_time(x[1h])`.
    """)
  static let gap = Check(
    "rules/for-over-range", .info,
    "a `for` at least as long as the range",
    """
    With `for` at least as long as the range of `rate(x[…])`, a single event is out of the range again
    before the time is up, and the alert never fires for it.
    """)

  static let checks = [zero, rounded, gap]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    guard let alert = rule.alert else {
      lookback(rule, .zero, &findings)
      return
    }
    lookback(rule, alert.keepFiringFor, &findings)
    guard let entry = rule.field("for") else { return }
    if alert.holdDuration == .zero {
      findings.node(
        zero, "`for: \(entry.value.text ?? "0")` is the default", at: entry.value,
        fix: LineRemoval.fix("remove the line", of: entry))
      return
    }
    round(rule, alert.holdDuration, &findings)
    events(rule, alert.holdDuration, &findings)
  }

  /// `increase(x[5m]) > 0` with a `for` of five minutes: one event never lasts that long.
  private static func events(
    _ rule: RuleSubject, _ hold: PromDuration, _ findings: inout Findings
  ) {
    guard case .binary(let node) = rule.expr.unwrapped, node.op == .greater,
      ValueRange(node.rhs) == ValueRange(0), let entry = rule.field("for")
    else { return }
    var windows: [PromDuration] = []
    node.lhs.walk { expr, _ in
      guard case .call(let call) = expr, ["rate", "increase"].contains(call.function.name),
        case .matrix(let matrix)? = call.arguments.first?.unwrapped, matrix.window.expr == nil
      else { return }
      windows.append(matrix.window.constant)
    }
    guard let longest = windows.max(), longest <= hold else { return }
    findings.node(
      gap, "a single event is out of the range of \(longest) before `for: \(hold)` is over",
      at: entry.value, label: "shorter than \(longest)")
  }

  private static func round(
    _ rule: RuleSubject, _ hold: PromDuration, _ findings: inout Findings
  ) {
    guard let interval = rule.group.interval, interval > .zero,
      let entry = rule.field("for"), hold.milliseconds % interval.milliseconds != 0
    else { return }
    let steps = (hold.milliseconds + interval.milliseconds - 1) / interval.milliseconds
    let effective = interval * steps
    let scrape = rule.context.scrapeIntervals.map(\.interval).max()
    let worst = effective + interval + (scrape ?? .zero)
    let parts =
      (scrape.map { "scrape \($0) + " } ?? "") + "evaluation \(interval) + for \(effective)"
    findings.node(
      rounded,
      "`for: \(hold)` acts as \(effective): the group is evaluated every \(interval)",
      at: entry.value, notes: [.init("at most \(worst) from cause to alert: \(parts)")])
  }

  private static func lookback(
    _ rule: RuleSubject, _ keepFiring: PromDuration, _ findings: inout Findings
  ) {
    let written = rule.group.node?.entry("interval")?.value
    guard rule.place.index == 0, let interval = rule.group.interval, let node = written,
      interval > rule.context.lookback, keepFiring < interval
    else { return }
    findings.node(
      self.interval,
      "the group is evaluated every \(interval), and series are looked up \(rule.context.lookback) "
        + "back: there are gaps", at: node, severity: .info)
  }
}

/// Takes whole lines out of a file.
enum LineRemoval {
  /// The fix that removes an entry of a block mapping; nil where it shares its line.
  static func fix(_ message: String, of entry: YAMLEntry) -> Diagnostic.Fix? {
    let source = entry.key.source
    let value = entry.value.content
    guard value.source === source, entry.value.range == value.range else { return nil }
    let first = source.position(at: entry.key.range.start).line
    let last = source.position(at: max(value.range.start, value.range.end - 1)).line
    guard first == last else { return nil }
    let start = source.lineStarts[first - 1]
    let end = first < source.lineStarts.count ? source.lineStarts[first] : source.bytes.count
    // Only the entry and perhaps a comment may stand on the line.
    guard source.bytes[start..<entry.key.range.start].allSatisfy({ $0 == 0x20 }),
      source.bytes[value.range.end..<end].allSatisfy({ $0 <= 0x20 })
    else { return nil }
    return Diagnostic.Fix(
      message, range: SourceRange(start, end), replacement: "", isCertain: true)
  }
}
