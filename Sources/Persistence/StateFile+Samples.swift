import Foundation
import GRDB
import Kernel
import Model
import Storage

extension StateFile {
  static func write(_ changes: StoreChanges, _ db: Database) throws {
    if changes.startsOver {
      for table in ["source", "source_column", "source_row", "side_series", "side_run"] {
        try db.execute(sql: "DELETE FROM \(table)")
      }
    }
    if !changes.sources.isEmpty {
      let insert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO source VALUES (?, ?)")
      for source in changes.sources {
        try insert.execute(arguments: [source.id, source.name])
      }
    }
    if !changes.columns.isEmpty {
      let insert = try db.cachedStatement(
        sql: "INSERT OR REPLACE INTO source_column VALUES (?, ?, ?, ?, ?)")
      for column in changes.columns {
        try insert.execute(
          arguments: [
            column.source, column.column, column.since, column.isAlways, Data(column.labels.bytes),
          ])
      }
    }
    if !changes.rows.isEmpty {
      let insert = try db.cachedStatement(sql: "INSERT INTO source_row VALUES (?, ?, ?)")
      for row in changes.rows {
        try insert.execute(arguments: [row.source, row.time, Data(row.cells)])
      }
    }
    try writeSides(changes, db)
    if let obsolete = changes.obsolete { try delete(obsolete, db) }
  }

  private static func writeSides(_ changes: StoreChanges, _ db: Database) throws {
    if changes.sideRuns.isEmpty { return }
    let insert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO side_series VALUES (?, ?, ?)")
    for series in changes.sideSeries {
      try insert.execute(arguments: [series.id, series.isAlways, Data(series.labels.bytes)])
    }
    for run in changes.sideRuns {
      try db.execute(
        sql: "INSERT INTO side_run VALUES (?, ?)", arguments: [run.newest, Data(run.samples)])
    }
  }

  private static func delete(_ obsolete: StoreChanges.Obsolete, _ db: Database) throws {
    let rows = try db.cachedStatement(sql: "DELETE FROM source_row WHERE source = ? AND time < ?")
    // What a column held before is needed no longer when no row is older than what it holds now.
    let columns = try db.cachedStatement(
      sql: """
        DELETE FROM source_column AS old WHERE source = ?1 AND EXISTS (
          SELECT 1 FROM source_column AS new WHERE new.source = old.source
            AND new.place = old.place AND new.since > old.since AND new.since <= ?2)
        """)
    for (source, horizon) in obsolete.rows.sorted(by: { $0.key < $1.key }) {
      try rows.execute(arguments: [source, horizon])
      if db.changesCount > 0 { try columns.execute(arguments: [source, horizon]) }
    }
    for source in obsolete.sources {
      try db.execute(sql: "DELETE FROM source_row WHERE source = ?", arguments: [source])
      try db.execute(sql: "DELETE FROM source_column WHERE source = ?", arguments: [source])
      try db.execute(sql: "DELETE FROM source WHERE id = ?", arguments: [source])
    }
    for series in obsolete.sideSeries {
      try db.execute(sql: "DELETE FROM side_series WHERE id = ?", arguments: [series])
    }
    try db.execute(sql: "DELETE FROM side_run WHERE newest < ?", arguments: [obsolete.sideRuns])
  }

  static func readSamples(_ db: Database) throws -> StoreChanges {
    var stored = StoreChanges()
    let sources = try Row.fetchCursor(db, sql: "SELECT id, name FROM source ORDER BY id")
    while let row = try sources.next() {
      stored.sources.append(StoreChanges.Source(id: row[0], name: row[1]))
    }
    let columns = try Row.fetchCursor(
      db, sql: "SELECT source, place, since, is_always, labels FROM source_column")
    while let row = try columns.next() {
      stored.columns.append(
        StoreChanges.Column(
          source: row[0], column: row[1], since: row[2], labels: try labels(row[4]),
          isAlways: row[3]))
    }
    let rows = try Row.fetchCursor(
      db, sql: "SELECT source, time, cells FROM source_row ORDER BY rowid")
    while let row = try rows.next() {
      stored.rows.append(
        StoreChanges.Row(source: row[0], time: row[1], cells: [UInt8](row[2] as Data)))
    }
    let series = try Row.fetchCursor(db, sql: "SELECT id, is_always, labels FROM side_series")
    while let row = try series.next() {
      stored.sideSeries.append(
        StoreChanges.SideSeries(id: row[0], labels: try labels(row[2]), isAlways: row[1]))
    }
    let runs = try Row.fetchCursor(db, sql: "SELECT newest, samples FROM side_run ORDER BY rowid")
    while let row = try runs.next() {
      stored.sideRuns.append(
        StoreChanges.SideRun(newest: row[0], samples: [UInt8](row[1] as Data)))
    }
    return stored
  }

  private static func labels(_ data: Data) throws -> LabelSet {
    guard let labels = LabelSet(stored: [UInt8](data)) else {
      throw StateFileProblem(isTheFile: true, "it holds unreadable labels of a series")
    }
    return labels
  }
}
