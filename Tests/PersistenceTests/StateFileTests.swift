import Foundation
import GRDB
import Glibc
import Kernel
import Model
import Rules
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Persistence

@Suite struct StateFileTests {
  private let start = Timestamp(seconds: 1_700_000_000)

  private func file(
    _ folder: borrowing TemporaryFolder, retention: HistoryRetention = HistoryRetention()
  ) throws -> StateFile {
    try StateFile(path: folder.path + "/tocsin.db", retention: retention)
  }

  private func labels(_ i: Int) -> LabelSet {
    LabelSet([("alertname", "A\(i % 3)"), ("i", "\(i)")])
  }

  private func transition(_ i: Int) -> JournalEntry {
    let record = TransitionRecord(
      group: "a.yml;g\(i % 2)", rule: "A\(i % 3)", labels: labels(i), from: .pending, to: .firing,
      value: i == 3 ? .nan : Double(i), reason: .held)
    return JournalEntry(
      sequence: UInt64(i), time: start + .seconds(Int64(i)), event: .transition(record))
  }

  private func delivery(_ i: Int) -> JournalEntry {
    let record = DeliveryRecord(
      kind: .webhook, receiver: "值班\(i % 2)", group: "{}:{}", key: "k\(i)",
      alerts: [DeliveryRecord.Mention(labels: labels(i), isFiring: true)], attempt: 2,
      outcome: .retrying, status: i % 2 == 0 ? 503 : nil, error: "no \"answer\"",
      duration: .milliseconds(12))
    return JournalEntry(
      sequence: UInt64(i), time: start + .seconds(Int64(i)), event: .delivery(record))
  }

  private func entries(_ n: Int) -> [JournalEntry] {
    (1...n).map { $0 % 4 == 0 ? delivery($0) : transition($0) }
  }

  @Test func theJournalComesBackAsItWas() async throws {
    let folder = try TemporaryFolder()
    let all = entries(40)
    do {
      let file = try file(folder)
      try file.write([
        StateBatch(time: start, journal: Array(all[..<25])),
        StateBatch(time: start, journal: Array(all[25...])),
      ])
    }
    let file = try file(folder)
    #expect(file.load().state?.lastSequence == 40)
    let back = try await file.entries(matching: HistoryFilter())
    #expect(back.map { "\($0)" } == all.map { "\($0)" })
  }

  @Test func theDatabaseAnswersAsMemoryDoes() async throws {
    let folder = try TemporaryFolder()
    let file = try file(folder)
    var journal = Journal()
    for entry in entries(60) { journal.append(entry.event, at: entry.time) }
    try file.write([StateBatch(time: start, journal: Array(journal.entries))])
    var filters: [HistoryFilter] = []
    func add(_ change: (inout HistoryFilter) throws -> Void) rethrows {
      var filter = HistoryFilter()
      try change(&filter)
      filters.append(filter)
      for limit in [0, 1, 5] {
        filter.limit = limit
        filters.append(filter)
        filter.after = 17
        filters.append(filter)
        filter.after = nil
      }
    }
    add { _ in }
    add { $0.kinds = [.delivery] }
    add { $0.kinds = [.transition] }
    add { $0.kinds = [] }
    add { $0.alert = "A1" }
    add { $0.receiver = "值班0" }
    add { $0.group = "a.yml;g1" }
    add { $0.before = 33 }
    add {
      $0.from = start + .seconds(10)
      $0.through = start + .seconds(20)
    }
    try add { $0.matchers = [try Matcher("i", .regexp, "1.|2")] }
    for filter in filters {
      let stored = try await file.entries(matching: filter)
      #expect(
        stored.map(\.sequence) == journal.entries(matching: filter).map(\.sequence), "\(filter)")
    }
    // Memory holds the end, the file everything: together they answer as the file alone.
    var end = Journal(bounds: Journal.Bounds(entries: 20))
    for entry in entries(60) { end.append(entry.event, at: entry.time) }
    for filter in filters {
      let stored = try await file.entries(matching: filter)
      let search = HistorySearch(filter, in: end, isStored: true)
      var older: [JournalEntry] = []
      if let rest = search.rest { older = try await file.entries(matching: rest) }
      #expect(search.answer(stored: older).map(\.sequence) == stored.map(\.sequence), "\(filter)")
    }
  }

  @Test func theHistoryIsBounded() throws {
    let folder = try TemporaryFolder()
    var retention = HistoryRetention()
    retention.entries = 50
    retention.age = .hours(1)
    let file = try file(folder, retention: retention)
    func count() throws -> Int {
      try file.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM journal") ?? -1 }
    }
    for i in 0..<30 {
      let part = (1...10).map { transition(i * 10 + $0) }
      try file.write([StateBatch(time: start + .seconds(Int64(i)), journal: part)])
    }
    #expect(try count() <= 50)
    #expect(try count() >= 40)
    #expect(file.load().state?.lastSequence == 300)
    try file.write([StateBatch(time: start + .hours(9))])
    #expect(try count() == 0)
    var small = HistoryRetention()
    small.bytes = 5_000
    let narrow = try StateFile(path: folder.path + "/other.db", retention: small)
    for i in 0..<30 {
      try narrow.write([StateBatch(time: start, journal: (1...10).map { delivery(i * 10 + $0) })])
    }
    let size = try narrow.database.read {
      try Int.fetchOne($0, sql: "SELECT sum(length(CAST(body AS BLOB))) FROM journal") ?? -1
    }
    #expect(size > 1_000 && size <= 5_000)
  }

  @Test func theOutboxComesBackAndOnlyChangesAreWritten() throws {
    let folder = try TemporaryFolder()
    let alert = AlertNotification(
      labels: labels(1), annotations: [Label(name: "summary", value: "\u{e9}\u{0}\"</script>")],
      startsAt: start, endsAt: start + .minutes(4), generatorURL: "http://x/?q=1&b", isFiring: true)
    var outbox = OutboxCheckpoint()
    outbox.alertmanagers = [AlertmanagerCheckpoint(url: "http://am:9093/", alerts: [alert, alert])]
    let file = try file(folder)
    try file.write([StateBatch(time: start, outbox: outbox)])
    #expect(file.load().state?.outbox == outbox)
    let before = try file.database.read { $0.totalChangesCount }
    try file.write([StateBatch(time: start, outbox: outbox)])
    let after = try file.database.read { $0.totalChangesCount }
    #expect(after - before == 2, "the checkpoint's time and nothing else")
    try file.write([StateBatch(time: start, outbox: OutboxCheckpoint())])
    #expect(file.load().state?.outbox == OutboxCheckpoint())
  }

  @Test func samplesComeBack() throws {
    let folder = try TemporaryFolder()
    let settings = StoreSettings(keep: .all, retention: .minutes(10))
    let store = Store(settings)
    let source = store.openSource("target a")
    let file = try file(folder)
    for i in 0..<50 {
      let time = start + .seconds(Int64(i * 15))
      var row = try store.beginRow(source, at: time)
      for c in 0..<20 where (c + i) % 7 > 0 {
        let labels = LabelSet([("__name__", "m"), ("c", "\(c)")])
        let column = try #require(store.column(for: labels, in: source))
        row.set(column, Double(i * c) + (c == 4 ? 0.5 : 0))
      }
      store.commit(row, markMissingStale: true)
      try store.append(LabelSet([("__name__", "side")]), at: time, .float(Double(i)))
      if i % 10 == 9 { store.sweep(now: time) }
      let changes = store.takeChanges(listsObsolete: i % 10 == 9)
      try file.write([StateBatch(time: time, samples: changes)])
    }
    let now = start + .seconds(50 * 15)
    let loaded = file.load()
    #expect(loaded.problem == nil)
    let back = Store(settings)
    let summary = back.restore(try #require(loaded.state?.samples), now: now, areStored: true)
    #expect(summary.series == 21)
    let old = try store.extract(
      [([Matcher("__name__", equals: "m")], start, now)], maxSamples: 100_000)
    let new = try back.extract(
      [([Matcher("__name__", equals: "m")], start, now)], maxSamples: 100_000)
    #expect(old.statistics.samples > 500)
    #expect(new.statistics.samples <= old.statistics.samples)
    let rows = try file.database.read {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM source_row") ?? -1
    }
    #expect(rows < 50, "rows that no window reaches are deleted")
  }

  @Test func whatCanBeReadOfADamagedFileGoesOn() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try file(folder)
      var samples = StoreChanges()
      samples.sources = [StoreChanges.Source(id: 1, name: "s")]
      samples.columns = [
        StoreChanges.Column(source: 1, column: 0, since: 0, labels: labels(1), isAlways: true)
      ]
      let alert = AlertInstance(
        labels: labels(1), state: .firing, annotations: [], value: 1, activeAt: start)
      let rule = RuleCheckpoint(group: "g", rule: "r", ordinal: 0, alerts: [alert])
      try file.write([
        StateBatch(
          time: start, alerts: AlertCheckpoint(time: start, rules: [rule]), samples: samples)
      ])
      try file.database.write {
        try $0.execute(sql: "UPDATE source_column SET labels = x'05616263'")
      }
    }
    let opened = StateFolder(path: folder.path, suffix: "1")
    #expect(opened.setAside != nil)
    #expect(opened.file != nil)
    #expect(opened.saved?.alerts?.alertCount == 1)
    #expect(opened.saved?.samples == nil)
    #expect(opened.saved?.samplesAreStored == false)
    #expect(opened.problem?.description.contains("unreadable labels") == true)
  }

  @Test func aFileOfANewerVersionIsSetAside() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try file(folder)
      try file.database.write {
        try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of the future')")
      }
    }
    let opened = StateFolder(path: folder.path, suffix: "1")
    #expect(opened.problem?.description == "it was written by a newer Tocsin")
    #expect(opened.setAside != nil)
    #expect(opened.file != nil)
  }
}

/// Saving while the disk is full, and afterwards.
@Suite struct FullDiskTests {
  private final class Reports: Sendable {
    private let all = Mutex<[String?]>([])
    var list: [String?] { all.withLock { $0 } }
    func add(_ report: String?) { all.withLock { $0.append(report) } }

    func wait(for count: Int) {
      for _ in 0..<1_000 where list.count < count { usleep(10_000) }
    }
  }

  private let start = Timestamp(seconds: 1_700_000_000)

  private func alerts(_ n: Int, at time: Timestamp) -> AlertCheckpoint {
    let alerts = (0..<n).map {
      AlertInstance(
        labels: LabelSet([("alertname", "A"), ("i", "\($0)")]), state: .firing,
        annotations: [Label(name: "text", value: String(repeating: "x", count: 500))],
        value: Double($0), activeAt: start)
    }
    return AlertCheckpoint(
      time: time, rules: [RuleCheckpoint(group: "g", rule: "r", ordinal: 0, alerts: alerts)])
  }

  private func rows(_ n: Int, startsOver: Bool = false) -> StoreChanges {
    var changes = StoreChanges()
    changes.startsOver = startsOver
    changes.rows = (0..<n).map {
      StoreChanges.Row(source: 1, time: Int64($0), cells: [UInt8](repeating: 7, count: 2_000))
    }
    return changes
  }

  @Test func stateStaysInMemoryUntilThereIsRoomAgain() throws {
    let folder = try TemporaryFolder()
    let file = try StateFile(path: folder.path + "/tocsin.db", pageLimit: 60)
    let reports = Reports()
    let keeper = StateKeeper(
      file: file,
      pauses: StateKeeper.Pauses(first: .milliseconds(20), longest: .milliseconds(50))
    ) { reports.add($0) }
    keeper.save(StateBatch(time: start, alerts: alerts(3, at: start), samples: rows(1)))
    keeper.flush()
    let full = start + .seconds(1)
    keeper.save(StateBatch(time: full, alerts: alerts(901, at: full), samples: rows(500)))
    reports.wait(for: 1)
    #expect(reports.list == ["the disk is full"])
    // Requests do not wait for a disk that is full.
    let followed = Mutex(0)
    for i in 2..<8 {
      let time = start + .seconds(Int64(i))
      keeper.save(StateBatch(time: time, alerts: alerts(900 + i, at: time), samples: rows(1)))
      keeper.afterWriting { followed.withLock { $0 += 1 } }
    }
    for _ in 0..<500 where followed.withLock({ $0 }) < 6 { usleep(10_000) }
    #expect(followed.withLock { $0 } == 6)
    #expect(file.load().state?.alerts?.alertCount == 3, "the last whole state stands")
    #expect(reports.list.count == 1, "one report per change")
    try file.limit(pages: 100_000)
    reports.wait(for: 2)
    #expect(reports.list == ["the disk is full", nil])
    #expect(file.load().state?.alerts?.alertCount == 907)
    #expect(file.load().state?.samples?.rows.count == 1, "samples wait for a full set")
    keeper.save(StateBatch(time: start + .seconds(9), samples: rows(4)))
    keeper.save(StateBatch(time: start + .seconds(10), samples: rows(7, startsOver: true)))
    keeper.save(StateBatch(time: start + .seconds(11), samples: rows(2)))
    keeper.flush()
    #expect(file.load().state?.samples?.rows.count == 9)
    #expect(reports.list.count == 2)
  }

  @Test func aFileThatIsDamagedInUseIsSetAside() throws {
    let folder = try TemporaryFolder()
    let reports = Reports()
    let path = folder.path
    let file = try StateFile(path: path + "/tocsin.db")
    let places = Mutex<[String]>([])
    let keeper = StateKeeper(
      file: file,
      pauses: StateKeeper.Pauses(first: .milliseconds(10), longest: .milliseconds(20)),
      reopen: { StateFolder(path: path, suffix: "1").file },
      setAside: { problem in
        #expect(problem.description == "it is damaged, or no state file")
        let place = try? StateFolder.setAside(in: path, suffix: "1")
        places.withLock { $0.append(place ?? "nowhere") }
      }
    ) { reports.add($0) }
    keeper.save(StateBatch(time: start, alerts: alerts(2_000, at: start)))
    keeper.flush()
    try file.database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      try db.execute(sql: "PRAGMA shrink_memory")
    }
    try damage(path + "/tocsin.db")
    let later = start + .seconds(1)
    keeper.save(StateBatch(time: later, alerts: alerts(1_999, at: later)))
    reports.wait(for: 2)
    keeper.flush()
    #expect(reports.list == ["it is damaged, or no state file", nil])
    let place = path + "/tocsin.db.damaged-1"
    #expect(places.withLock { $0 } == [place])
    #expect(access(place, F_OK) == 0)
    #expect(StateFolder(path: path, suffix: "2").problem?.isBusy == true, "the new one is in use")
    keeper.save(StateBatch(time: later, alerts: alerts(5, at: later), isLast: true))
    keeper.flush()
    let copy = try TemporaryFolder()
    for name in ["/tocsin.db", "/tocsin.db-wal"] {
      try FileManager.default.copyItem(atPath: path + name, toPath: copy.path + name)
    }
    #expect(StateFolder(path: copy.path, suffix: "3").saved?.alerts?.alertCount == 5)
  }

  /// Overwrites everything behind the first page.
  private func damage(_ path: String) throws {
    let handle = open(path, O_WRONLY)
    #expect(handle >= 0)
    defer { close(handle) }
    var info = stat()
    fstat(handle, &info)
    let junk = [UInt8](repeating: 0xA5, count: Int(info.st_size) - 4096)
    #expect(pwrite(handle, junk, junk.count, 4096) == junk.count)
  }

  @Test func aFileThatComesLaterIsUsed() throws {
    let folder = try TemporaryFolder()
    let reports = Reports()
    let path = folder.path
    let tries = Mutex(0)
    let keeper = StateKeeper(
      file: nil,
      pauses: StateKeeper.Pauses(first: .milliseconds(10), longest: .milliseconds(20)),
      reopen: {
        let n = tries.withLock {
          $0 += 1
          return $0
        }
        return n < 3 ? nil : try? StateFile(path: path + "/tocsin.db")
      }
    ) { reports.add($0) }
    keeper.save(StateBatch(time: start, alerts: alerts(5, at: start)))
    reports.wait(for: 2)
    #expect(reports.list == ["there is no state file", nil])
    keeper.flush()
    #expect(StateFolder(path: path, suffix: "1").problem?.isBusy == true)
  }
}
