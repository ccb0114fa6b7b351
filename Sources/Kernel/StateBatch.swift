import Model
import Storage

/// What has changed since the last one and shall survive the process; saved whole or not at all.
///
/// The alerts never come without the outbox of the same moment: no stored alert counts as told
/// before what tells of it is stored.
package struct StateBatch: Sendable {
  package var time: Timestamp
  /// Replaces what was saved before; nil if nothing changed.
  package var alerts: AlertCheckpoint?
  /// Replaces what was saved before; nil if nothing changed.
  package var outbox: OutboxCheckpoint?
  /// New entries, by ascending number.
  package var journal: [JournalEntry]
  /// New samples.
  package var samples: StoreChanges?
  /// The process ends: nothing comes after it.
  package var isLast: Bool

  package init(
    time: Timestamp, alerts: AlertCheckpoint? = nil, outbox: OutboxCheckpoint? = nil,
    journal: [JournalEntry] = [], samples: StoreChanges? = nil, isLast: Bool = false
  ) {
    self.time = time
    self.alerts = alerts
    self.outbox = outbox
    self.journal = journal
    self.samples = samples
    self.isLast = isLast
  }

  /// Whether there is nothing to save.
  package var isEmpty: Bool {
    alerts == nil && outbox == nil && journal.isEmpty && samples == nil && !isLast
  }
}

/// What an earlier process has left.
package struct RestoredState: Sendable {
  package var alerts: AlertCheckpoint?
  package var outbox: OutboxCheckpoint?
  package var samples: StoreChanges?
  /// Whether the samples stay stored as they are; if not, they are to be stored anew.
  package var samplesAreStored: Bool
  /// The number of the newest entry of the journal; 0 if there is none.
  package var lastSequence: UInt64
  /// Whether the process ended in peace, and had saved everything.
  package var isClean: Bool

  package init(
    alerts: AlertCheckpoint? = nil, outbox: OutboxCheckpoint? = nil, samples: StoreChanges? = nil,
    samplesAreStored: Bool = true, lastSequence: UInt64 = 0, isClean: Bool = false
  ) {
    self.alerts = alerts
    self.outbox = outbox
    self.samples = samples
    self.samplesAreStored = samplesAreStored
    self.lastSequence = lastSequence
    self.isClean = isClean
  }

  /// From when a process goes on that starts at `now`, by a clock that has been set back meanwhile;
  /// nil if the clock is right, or if what is saved lies so far ahead of it that it is worth
  /// nothing.
  ///
  /// Time does not run backwards over a restart any more than it does within a process: alerts keep
  /// their age, and no sample comes before those that are there.
  package func continuation(at now: Timestamp, tolerance: PromDuration) -> Timestamp? {
    // Samples that carry times of their own say nothing about the process's.
    let row = samples?.rows.lazy.map(\.time).max().map { Timestamp(milliseconds: $0) }
    let newest = max(alerts?.time ?? .distantPast, row ?? .distantPast)
    return newest > now && newest - now <= tolerance ? newest : nil
  }
}
