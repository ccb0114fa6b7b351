import Model
import Rules

/// Which entries of the journal somebody wants to see.
package struct HistoryFilter: Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable { case transition, delivery }

  package var kinds: Set<Kind> = [.transition, .delivery]
  /// The alert's name; of a delivery, the name of one of its alerts.
  package var alert: String?
  /// What the alert's labels, or those of one of a delivery's alerts, must fulfil.
  package var matchers: [Matcher] = []
  /// `file;name` of the rule's group, or the key of the notification's.
  package var group: String?
  package var receiver: String?
  /// The first and the last time.
  package var from: Timestamp?
  package var through: Timestamp?
  /// Numbers between which the entries lie; neither is included.
  package var after: UInt64?
  package var before: UInt64?
  package var limit = 1_000

  package init() {}

  /// Whether an entry fulfils everything but the limit.
  package func accepts(_ entry: JournalEntry) -> Bool {
    if let after, entry.sequence <= after { return false }
    if let before, entry.sequence >= before { return false }
    if let from, entry.time < from { return false }
    if let through, entry.time > through { return false }
    switch entry.event {
    case .transition(let record):
      guard kinds.contains(.transition), receiver == nil else { return false }
      if let group, !ByteOrder.equal(group, record.group) { return false }
      return accepts(record.labels)
    case .delivery(let record):
      guard kinds.contains(.delivery) else { return false }
      if let receiver, !ByteOrder.equal(receiver, record.receiver) { return false }
      if let group, !ByteOrder.equal(group, record.group) { return false }
      if alert == nil && matchers.isEmpty { return true }
      return record.alerts.contains { accepts($0.labels) }
    }
  }

  private func accepts(_ labels: LabelSet) -> Bool {
    if let alert, !ByteOrder.equal(alert, labels.value(of: "alertname")) { return false }
    return matchers.allSatisfy { $0.matches(labels) }
  }

  /// The accepted ones of entries that ascend by number: the oldest `limit` where the filter says
  /// behind which number, else the newest.
  package func selection(
    from entries: some BidirectionalCollection<JournalEntry>
  ) -> [JournalEntry] {
    var found: [JournalEntry] = []
    if after != nil {
      for entry in entries where accepts(entry) {
        if found.count >= limit { break }
        found.append(entry)
      }
      return found
    }
    for entry in entries.reversed() where accepts(entry) {
      if found.count >= limit { break }
      found.append(entry)
    }
    return found.reversed()
  }
}

/// A search in the journal in memory, and in what is stored of older entries.
package struct HistorySearch: Sendable {
  private let filter: HistoryFilter
  private let inMemory: [JournalEntry]
  /// What to ask the stored journal for; nil if memory has all there is to find.
  package let rest: HistoryFilter?

  /// Searches the journal in memory.
  ///
  /// - Parameter isStored: whether there is a stored journal, too.
  package init(_ filter: HistoryFilter, in journal: Journal, isStored: Bool) {
    let ring = journal.entries
    self.filter = filter
    inMemory = filter.selection(from: ring)
    let first = ring.first?.sequence ?? .max
    // Memory has the newest, and what memory has needs no disk.
    let isAnswered =
      if let after = filter.after { after >= first - 1 } else { inMemory.count >= filter.limit }
    if !isStored || isAnswered {
      rest = nil
    } else {
      var older = filter
      older.before = min(filter.before ?? .max, first)
      rest = older
    }
  }

  /// The answer, given what the stored journal answered to `rest`.
  package func answer(stored: [JournalEntry] = []) -> [JournalEntry] {
    let all = stored + inMemory
    return filter.after == nil ? all.suffix(filter.limit) : Array(all.prefix(filter.limit))
  }
}
