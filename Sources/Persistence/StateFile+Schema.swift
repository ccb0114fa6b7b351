import GRDB

extension StateFile {
  static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("alerts") { db in
      try db.create(table: "alert") { table in
        table.column("group", .text).notNull()
        table.column("rule", .text).notNull()
        table.column("ordinal", .integer).notNull()
        table.column("labels", .text).notNull()
        table.column("annotations", .text).notNull()
        table.column("state", .text).notNull()
        table.column("value", .text).notNull()
        table.column("active_at", .integer).notNull()
        table.column("fired_at", .integer)
        table.column("resolved_at", .integer)
        table.column("last_sent_at", .integer)
        table.column("valid_until", .integer)
        table.column("keep_firing_since", .integer)
      }
      try db.create(table: "checkpoint") { table in
        table.column("time", .integer).notNull()
      }
    }
    migrator.registerMigration("everything") { db in
      try db.execute(sql: "ALTER TABLE alert ADD COLUMN basis TEXT NOT NULL DEFAULT 'condition'")
      try db.execute(sql: "CREATE INDEX alert_rule ON alert (\"group\", rule, ordinal)")
      try db.execute(sql: "ALTER TABLE checkpoint ADD COLUMN is_last INTEGER NOT NULL DEFAULT 0")
      try db.execute(
        sql: """
          CREATE TABLE outbox (
            kind TEXT NOT NULL, receiver TEXT NOT NULL, part TEXT NOT NULL,
            position INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (kind, receiver, part));
          CREATE TABLE journal (
            sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL,
            scope TEXT NOT NULL, subject TEXT NOT NULL, size INTEGER NOT NULL, body TEXT NOT NULL);
          CREATE INDEX journal_time ON journal (time, size);
          """)
      try makeSampleTables(db)
    }
    return migrator
  }

  private static func makeSampleTables(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE source_column (
          source INTEGER NOT NULL, place INTEGER NOT NULL, since INTEGER NOT NULL,
          is_always INTEGER NOT NULL, labels BLOB NOT NULL,
          PRIMARY KEY (source, place, since)) WITHOUT ROWID;
        CREATE TABLE source_row (
          source INTEGER NOT NULL, time INTEGER NOT NULL, cells BLOB NOT NULL);
        CREATE INDEX source_row_time ON source_row (source, time);
        CREATE TABLE side_series (
          id INTEGER PRIMARY KEY, is_always INTEGER NOT NULL, labels BLOB NOT NULL);
        CREATE TABLE side_run (newest INTEGER NOT NULL, samples BLOB NOT NULL);
        CREATE INDEX side_run_newest ON side_run (newest);
        """)
  }
}
