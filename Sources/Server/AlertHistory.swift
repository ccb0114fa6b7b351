import Kernel

/// Who can tell what happened.
package protocol AlertHistory: Sendable {
  /// The entries that a filter lets through, by ascending number.
  ///
  /// Without `after` the newest `limit` of them, with it the oldest: whoever follows the journal
  /// asks again with the last number seen.
  func entries(matching filter: HistoryFilter) async throws -> [JournalEntry]
}

/// The journal in memory, and behind it the stored one.
package struct KernelHistory: AlertHistory {
  private let older: (any AlertHistory)?
  private let newest: @Sendable () -> Journal

  /// Makes a history of a kernel's journal and what is stored of it and its predecessors.
  package init(older: (any AlertHistory)? = nil, newest: @escaping @Sendable () -> Journal) {
    self.older = older
    self.newest = newest
  }

  package func entries(matching filter: HistoryFilter) async throws -> [JournalEntry] {
    let search = HistorySearch(filter, in: newest(), isStored: older != nil)
    guard let rest = search.rest, let older else { return search.answer() }
    return search.answer(stored: try await older.entries(matching: rest))
  }
}
