import GRDB
import Kernel
import Model
import Synchronization

/// The SQLite file that carries state over a restart: alerts, what is to be delivered, what
/// happened, and the samples that rules look back on.
///
/// What is to be saved comes in batches, each in one transaction: after `kill -9` the file holds
/// whole ones. Write-ahead logging keeps a batch to one append. One process at a time holds the
/// file.
package final class StateFile: Sendable {
  /// `TOCS`: marks the file as ours.
  private static let applicationID: Int32 = 0x544f_4353

  let database: DatabaseQueue
  let retention: HistoryRetention
  /// What the file is known to hold; forgotten when a write fails.
  let ledger = Mutex(Ledger())

  /// Opens or creates the file; one that is damaged or foreign is a problem for the caller to set
  /// aside.
  ///
  /// - Parameter pageLimit: the most pages of the file, for trying out what a full disk does.
  package init(
    path: String, retention: HistoryRetention = HistoryRetention(), pageLimit: Int? = nil
  ) throws(StateFileProblem) {
    self.retention = retention
    do {
      var configuration = GRDB.Configuration()
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        if let pageLimit { try db.execute(sql: "PRAGMA max_page_count = \(pageLimit)") }
      }
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.write { db in try Self.claim(db) }
      let migrations = Self.migrations
      if try database.read({ try migrations.hasBeenSuperseded($0) }) {
        throw StateFileProblem(isTheFile: true, "it was written by a newer Tocsin")
      }
      try migrations.migrate(database)
      let size = try database.read { try Self.historySize($0) }
      ledger.withLock { $0.history = size }
    } catch {
      throw StateFileProblem(error)
    }
  }

  /// Lets the file grow to at most so many pages.
  package func limit(pages: Int) throws(StateFileProblem) {
    do {
      try database.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA max_page_count = \(pages)")
      }
    } catch {
      throw StateFileProblem(error)
    }
  }

  /// Marks a new file; refuses one that somebody else filled.
  private static func claim(_ db: Database) throws {
    if try Int32.fetchOne(db, sql: "PRAGMA application_id") == applicationID { return }
    if try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") != 0 {
      throw StateFileProblem(isTheFile: true, "it is the database of another program")
    }
    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
  }

  /// Lets go of the file: whoever uses it afterwards gets an error.
  package func close() { try? database.close() }

  /// Writes batches in one transaction.
  package func write(_ batches: [StateBatch]) throws(StateFileProblem) {
    guard let newest = batches.last else { return }
    do {
      var known = ledger.withLock { $0 }
      try database.write { db in
        try db.execute(sql: "DELETE FROM checkpoint")
        try db.execute(
          sql: "INSERT INTO checkpoint (time, is_last) VALUES (?, ?)",
          arguments: [newest.time.milliseconds, newest.isLast])
        if let alerts = batches.last(where: { $0.alerts != nil })?.alerts {
          try Self.write(alerts, known: &known, db)
        }
        if let outbox = batches.last(where: { $0.outbox != nil })?.outbox {
          try Self.write(outbox, known: &known, db)
        }
        for batch in batches {
          try Self.write(batch.journal, known: &known, db)
          if let samples = batch.samples { try Self.write(samples, db) }
        }
        try Self.trimHistory(to: retention, now: newest.time, known: &known, db)
      }
      let written = known
      ledger.withLock { $0 = written }
    } catch {
      // What was taken back is written anew.
      ledger.withLock { $0.forgetState() }
      throw StateFileProblem(error)
    }
  }

  /// Everything there is, or what of it can be read; nil if nothing was saved.
  ///
  /// - Returns: the state, and the first problem.
  package func load() -> (state: RestoredState?, problem: StateFileProblem?) {
    var first: StateFileProblem?
    func attempt<Part>(_ read: (Database) throws -> Part?) -> Part? {
      do {
        return try database.read { db in try read(db) }
      } catch {
        if first == nil { first = StateFileProblem(error) }
        return nil
      }
    }
    let mark = attempt { db in
      try Row.fetchOne(db, sql: "SELECT time, is_last FROM checkpoint").map {
        (time: Timestamp(milliseconds: $0["time"]), isLast: $0["is_last"] as Bool)
      }
    }
    guard let mark else { return (nil, first) }
    var state = RestoredState(isClean: mark.isLast)
    state.alerts = attempt { db in
      AlertCheckpoint(time: mark.time, rules: try Self.readAlerts(db))
    }
    state.outbox = attempt { db in try Self.readOutbox(db) }
    state.lastSequence = attempt { db in try Self.lastSequence(db) } ?? 0
    state.samples = attempt { db in try Self.readSamples(db) }
    return (state, first)
  }
}

/// What a state file is known to hold.
struct Ledger {
  /// A rule, or a part of the outbox.
  struct Key: Hashable {
    var owner: String
    var part: String
    var ordinal = 0
  }

  /// Nil while unknown.
  var alerts: [Key: RuleCheckpoint]?
  var outbox: [Key: String]?
  var history = HistorySize()

  mutating func forgetState() {
    alerts = nil
    outbox = nil
    history.isKnown = false
  }
}
