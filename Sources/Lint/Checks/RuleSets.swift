import Config
import Diagnostics
import Model
import PromQL
import YAML

/// What can only be seen over all rules of a run: repetitions, order, names nobody defines.
struct RuleSets {
  static let order = Check(
    "rules/order", .info, aliases: ["rule/dependency"],
    "a rule reads what a later rule of its group records",
    """
    The rules of a group run in order. What a later rule records is seen one interval late: the value
    is that of the evaluation before.

    Move the recording rule up.
    """)
  static let dependency = Check(
    "rules/dependency", .info, aliases: ["rule/dependency"],
    "a rule reads what another group records",
    """
    Groups run independently. What another group records may be up to one interval old, and alerts are
    late by as much. The finding tells by how much where the intervals are known.
    """)
  static let unknown = Check(
    "rules/unknown-record", .warning, aliases: ["promql/series", "rule/dependency"],
    "a recorded series that no rule records",
    """
    Names with a colon are those of recording rules. When the whole rule set is known (`check config`,
    `--prometheus.yml`) and no rule records the name, it was renamed or removed - unless it comes by
    federation or remote write.
    """)
  static let unknownAlert = Check(
    "rules/unknown-alert", .warning, aliases: ["promql/series"],
    "`ALERTS` is asked for an alert that does not exist",
    """
    When the whole rule set is known and no rule has the name in `ALERTS{alertname="…"}`, the selector
    returns nothing.
    """)
  static let typo = Check(
    "rules/typo", .info, aliases: ["promql/series"],
    "a metric name nearly like another",
    """
    The name is used once, and differs by a single slip from one that is used many times: two letters
    swapped, one doubled or lost.
    """)

  static let checks = [order, dependency, unknown, unknownAlert, typo, HoldDurations.interval]

  let files: [FileFacts]
  let context: LintContext

  /// A finding that waits for the texts it is about.
  struct Finding {
    var place: FileFacts.Place
    var diagnostic: Diagnostic
    /// The word to point at, inside the place.
    var word: String?
    var note: (message: String, place: FileFacts.Place)?

    /// The finding in its text.
    func shown(in source: SourceText, _ shelf: inout SourceShelf) -> Diagnostic {
      var diagnostic = diagnostic.attached(to: source)
      if let word, let range = diagnostic.range {
        diagnostic.range = FileFacts.Place.narrowed(range, to: word, in: source)
      }
      if let note {
        let isOwn = note.place.path == place.path
        diagnostic.notes = [
          Diagnostic.Note(
            note.message, source: isOwn ? source : shelf.text(note.place.path),
            range: note.place.range)
        ]
      }
      return diagnostic
    }
  }

  func inspect() -> [Finding] {
    var out: [Finding] = []
    let records = recorded()
    for file in files {
      for use in file.uses { dependencies(use, records, &out) }
      if context.isWholeSet { unknownAlerts(file, &out) }
    }
    return out + typos(records)
  }

  // MARK: Names

  private func recorded() -> [String: [FileFacts.Rule]] {
    var records: [String: [FileFacts.Rule]] = [:]
    for file in files {
      for rule in file.rules where !rule.place.isAlert {
        records[rule.name, default: []].append(rule)
      }
    }
    return records
  }

  private func dependencies(
    _ use: FileFacts.Use, _ records: [String: [FileFacts.Rule]], _ out: inout [Finding]
  ) {
    guard let sources = records[use.metric] else {
      if context.isWholeSet, use.metric.contains(":") {
        var finding = made(Self.unknown, "no rule records `\(use.metric)`", at: use)
        finding.word = use.metric
        let near = NearestName.find(use.metric, among: records.keys.sorted(by: ByteOrder.less))
        finding.diagnostic.label = near.map { "did you mean `\($0)`?" }
        out.append(finding)
      }
      return
    }
    let own = sources.filter {
      $0.place.path == use.place.path && $0.place.groupIndex == use.place.groupIndex
    }
    if let later = own.first, own.allSatisfy({ $0.place.ruleIndex > use.place.ruleIndex }) {
      var finding = made(
        Self.order, "`\(use.metric)` is recorded later in the group: this is its last value",
        at: use)
      finding.word = use.metric
      finding.note = ("recorded here", later.place)
      out.append(finding)
    } else if own.isEmpty, use.isInstant, let rare = sources.first,
      sources.allSatisfy({ isRare($0.place) }), let interval = rare.place.interval
    {
      var finding = made(
        HoldDurations.interval,
        "`\(use.metric)` is recorded every \(interval) and looked up \(context.lookback) back: "
          + "in between it is missing", at: use)
      finding.word = use.metric
      finding.note = ("recorded here", rare.place)
      out.append(finding)
    } else if own.isEmpty, let first = sources.first {
      var finding = made(
        Self.dependency,
        "`\(use.metric)` comes from group \(GoText.quote(first.place.group)) "
          + "and may be one interval old", at: use)
      finding.word = use.metric
      finding.note = ("recorded here", first.place)
      out.append(finding)
    }
  }

  /// Whether what is recorded there is gone before it is recorded again.
  private func isRare(_ place: FileFacts.Place) -> Bool {
    place.interval.map { $0 > context.lookback } ?? false
  }

  private func unknownAlerts(_ file: FileFacts, _ out: inout [Finding]) {
    let names = Set(files.flatMap { $0.rules.filter(\.place.isAlert).map(\.name) })
    for use in file.alertUses where !names.contains(use.metric) {
      var finding = made(
        Self.unknownAlert, "no rule has the alert \(GoText.quote(use.metric))", at: use)
      finding.diagnostic.label = NearestName.find(
        use.metric, among: names.sorted(by: ByteOrder.less)
      )
      .map { "did you mean `\($0)`?" }
      out.append(finding)
    }
  }

  private func made(_ check: Check, _ message: String, at use: FileFacts.Use) -> Finding {
    Finding(place: use.place, diagnostic: use.place.diagnostic(check, message, at: use.range))
  }

  // MARK: Slips

  private func typos(_ records: [String: [FileFacts.Rule]]) -> [Finding] {
    var counts: [String: Int] = [:]
    var lastUses: [String: FileFacts.Use] = [:]
    for use in files.flatMap(\.uses) {
      counts[use.metric, default: 0] += use.count
      lastUses[use.metric] = use
    }
    // Names that lose the same byte somewhere are one slip apart: index by what is left.
    let names = counts.keys.filter { $0.utf8.count >= 12 }.sorted(by: ByteOrder.less)
    var frequent: [UInt64: [String]] = [:]
    for name in names where counts[name] ?? 0 >= 4 {
      for left in Self.shortened(name) { frequent[left, default: []].append(name) }
    }
    var out: [Finding] = []
    if frequent.isEmpty { return out }
    for name in names where counts[name] == 1 && records[name] == nil {
      guard let use = lastUses[name],
        let meant = Self.shortened(name).lazy.compactMap({ frequent[$0] }).joined().first(where: {
          Self.isSlip(name, of: $0)
        })
      else { continue }
      var finding = made(
        Self.typo, "`\(name)` is used once, `\(meant)` \(counts[meant] ?? 0) times", at: use)
      finding.word = name
      finding.diagnostic.label = "did you mean `\(meant)`?"
      out.append(finding)
    }
    return out
  }

  /// Hashes of the name, and of the name without one of its bytes; `isSlip` looks at the names.
  private static func shortened(_ name: String) -> [UInt64] {
    let bytes = Array(name.utf8)
    let factor: UInt64 = 0x100_0000_01b3
    // What stands behind the byte left out, times what the bytes before it amount to.
    var powers: [UInt64] = [1]
    var tails: [UInt64] = [0]
    for b in bytes.reversed() {
      tails.append(tails[tails.count - 1] &+ UInt64(b) &* powers[powers.count - 1])
      powers.append(powers[powers.count - 1] &* factor)
    }
    var out = [tails[bytes.count]]
    var head: UInt64 = 0
    for (i, b) in bytes.enumerated() {
      let behind = bytes.count - i - 1
      out.append(head &* powers[behind] &+ tails[behind])
      head = head &* factor &+ UInt64(b)
    }
    return out
  }

  /// Swapped neighbours, or a letter doubled or missing inside: not a plural, not another number.
  static func isSlip(_ name: String, of meant: String) -> Bool {
    let a = Array(name.utf8)
    let b = Array(meant.utf8)
    func isLetter(_ c: UInt8) -> Bool { (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a }
    guard let at = zip(a, b).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
      return false
    }
    if a.count == b.count {
      return at + 1 < a.count && a[at] == b[at + 1] && a[at + 1] == b[at]
        && a[(at + 2)...] == b[(at + 2)...] && isLetter(a[at]) && isLetter(b[at])
    }
    let (short, long) = a.count < b.count ? (a, b) : (b, a)
    guard long.count == short.count + 1, Array(long[(at + 1)...]) == Array(short[at...]),
      isLetter(long[at])
    else { return false }
    // A plural or a short suffix is a name of its own.
    let next = at + 1 < long.count ? long[at + 1] : 0x5f
    return next != 0x5f && at > 0 && long[at - 1] != 0x5f
  }
}
