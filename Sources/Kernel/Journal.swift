import Model
import Rules

/// One thing worth remembering: an alert changed its state, or a receiver gave an answer.
package struct JournalEntry: Hashable, Sendable {
  /// What happened.
  package enum Event: Hashable, Sendable {
    case transition(TransitionRecord)
    case delivery(DeliveryRecord)
  }

  /// The place in the journal: grows by one, and never goes back over restarts.
  package var sequence: UInt64
  package var time: Timestamp
  package var event: Event

  package init(sequence: UInt64, time: Timestamp, event: Event) {
    self.sequence = sequence
    self.time = time
    self.event = event
  }
}

/// One change of an alert's state.
package struct TransitionRecord: Hashable, Sendable, Codable {
  /// `file;name` of the group.
  package var group: String
  package var rule: String
  package var labels: LabelSet
  package var from: AlertState
  package var to: AlertState
  package var value: Double
  package var reason: AlertTransition.Reason

  package init(
    group: String, rule: String, labels: LabelSet, from: AlertState, to: AlertState, value: Double,
    reason: AlertTransition.Reason
  ) {
    self.group = group
    self.rule = rule
    self.labels = labels
    self.from = from
    self.to = to
    self.value = value
    self.reason = reason
  }

  init(_ transition: AlertTransition, rule: String, group: String) {
    self.init(
      group: group, rule: rule, labels: transition.labels, from: transition.from,
      to: transition.to, value: transition.value, reason: transition.reason)
  }
}

/// One answer of a receiver, or the lack of one.
package struct DeliveryRecord: Hashable, Sendable, Codable {
  /// Who was to hear of it.
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case webhook, alertmanager
  }

  /// What became of the notification.
  package enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
    case accepted
    /// It will be tried again.
    case retrying
    /// The receiver will never take it.
    case refused
    /// It is too old, or the process is leaving: nobody tries again.
    case abandoned
  }

  /// An alert the notification spoke of.
  package struct Mention: Hashable, Sendable, Codable {
    package var labels: LabelSet
    package var isFiring: Bool

    package init(labels: LabelSet, isFiring: Bool) {
      self.labels = labels
      self.isFiring = isFiring
    }
  }

  /// The most alerts that are mentioned by name.
  package static let mentionLimit = 256

  package var kind: Kind
  /// A webhook's name; an Alertmanager's URL without its secrets.
  package var receiver: String
  /// The group's key; empty for an Alertmanager.
  package var group: String
  /// The Idempotency-Key; empty for an Alertmanager.
  package var key: String
  /// The alerts, at most `mentionLimit` of them.
  package private(set) var alerts: [Mention]
  /// How many alerts the notification spoke of.
  package private(set) var alertCount: Int
  /// The first try is 1.
  package var attempt: Int
  package var outcome: Outcome
  /// The HTTP status; nil if there was no answer.
  package var status: Int?
  /// Why it was not accepted; empty if it was.
  package var error: String
  package var duration: PromDuration

  package init(
    kind: Kind, receiver: String, group: String = "", key: String = "", alerts: [Mention],
    attempt: Int, outcome: Outcome, status: Int? = nil, error: String = "", duration: PromDuration
  ) {
    self.kind = kind
    self.receiver = receiver
    self.group = group
    self.key = key
    self.alerts = Array(alerts.prefix(Self.mentionLimit))
    alertCount = alerts.count
    self.attempt = attempt
    self.outcome = outcome
    self.status = status
    self.error = error
    self.duration = duration
  }
}

/// What happened last, as much as memory allows: the newest entries, oldest first.
package struct Journal: Sendable {
  /// How much memory the entries may take.
  package struct Bounds: Sendable {
    package var entries = 10_000
    /// Alerts that deliveries mention, all together.
    package var mentions = 100_000

    package init(entries: Int = 10_000, mentions: Int = 100_000) {
      self.entries = entries
      self.mentions = mentions
    }
  }

  private let bounds: Bounds
  /// The entries; those below `first` are gone and only not yet cleared away.
  private var kept: [JournalEntry] = []
  private var first = 0
  private var mentions = 0
  /// The number of the next entry.
  package private(set) var nextSequence: UInt64 = 1

  package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

  /// The entries in memory by number.
  package var entries: ArraySlice<JournalEntry> { kept[first...] }

  /// Adds an entry; the oldest make room.
  @discardableResult
  package mutating func append(_ event: JournalEntry.Event, at time: Timestamp) -> JournalEntry {
    let entry = JournalEntry(sequence: nextSequence, time: time, event: event)
    nextSequence += 1
    kept.append(entry)
    mentions += Self.mentions(of: entry)
    while kept.count - first > max(1, bounds.entries)
      || (mentions > bounds.mentions && kept.count - first > 1)
    {
      mentions -= Self.mentions(of: kept[first])
      first += 1
    }
    if first > 256, first * 8 > kept.count {
      kept.removeFirst(first)
      first = 0
    }
    return entry
  }

  /// Goes on from a number that an earlier process has used.
  mutating func `continue`(after sequence: UInt64) {
    nextSequence = max(nextSequence, sequence + 1)
  }

  private static func mentions(of entry: JournalEntry) -> Int {
    guard case .delivery(let record) = entry.event else { return 0 }
    return record.alerts.count
  }

  /// The entries in memory that a filter lets through.
  package func entries(matching filter: HistoryFilter) -> [JournalEntry] {
    filter.selection(from: entries)
  }

  /// The entries from a number on, for whoever stores them.
  func entries(from sequence: UInt64) -> [JournalEntry] {
    // Numbers ascend, and the newest are asked for.
    let start = entries.lastIndex { $0.sequence < sequence }.map { $0 + 1 } ?? first
    return Array(kept[start...])
  }
}
