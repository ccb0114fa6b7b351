import GRDB
import Glibc
import Kernel
import Model
import Rules
import TestSupport
import Testing

@testable import Persistence

@Suite struct StateFolderTests {
  private let start = Timestamp(seconds: 1_700_000_000)

  private func alert(_ value: Double, _ labels: [(String, String)]) -> AlertInstance {
    AlertInstance(
      labels: LabelSet(labels), state: .firing,
      annotations: [
        Label(name: "description_zh", value: "连接池使用率已达 95%,\n\"请\"处理"),
        Label(name: "empty", value: ""),
      ], value: value, activeAt: start, firedAt: start + .seconds(1), resolvedAt: nil,
      lastSentAt: start + .milliseconds(1), validUntil: start + .minutes(4),
      keepFiringSince: start + .minutes(2))
  }

  private func checkpoint(_ alerts: [AlertInstance], at time: Timestamp? = nil) -> AlertCheckpoint {
    AlertCheckpoint(
      time: time ?? start,
      rules: [RuleCheckpoint(group: "a.yml;g", rule: "alert A", ordinal: 0, alerts: alerts)])
  }

  private func text(_ checkpoint: AlertCheckpoint?) -> String {
    // NaN differs from itself: compare what is printed.
    checkpoint.map { "\($0)" } ?? "nothing"
  }

  private func batch(_ checkpoint: AlertCheckpoint) -> StateBatch {
    StateBatch(time: checkpoint.time, alerts: checkpoint)
  }

  @Test func everythingComesBack() throws {
    let folder = try TemporaryFolder()
    let saved = AlertCheckpoint(
      time: start + .milliseconds(7),
      rules: [
        RuleCheckpoint(
          group: "rules/数据库.yml;g", rule: "alert 甲", ordinal: 0,
          alerts: [
            alert(.nan, [("alertname", "甲"), ("主机", "数据库一号")]),
            alert(.infinity, [("alertname", "甲"), ("instance", "a\"b\\c\n\u{0}d")]),
            alert(-.infinity, [("alertname", "甲")]),
          ]),
        RuleCheckpoint(
          group: "rules/数据库.yml;g", rule: "alert 甲", ordinal: 1,
          alerts: [
            alert(0.1 + 0.2, [("alertname", "e\u{301}")]), alert(-0.0, [("alertname", "\u{e9}")]),
            alert(5e-324, [("alertname", "tiny")]), alert(1.7976931348623157e308, [("a", "huge")]),
          ]),
      ])
    do {
      let opened = StateFolder(path: folder.path + "/new/deep", suffix: "1")
      let file = try #require(opened.file)
      #expect(opened.saved == nil)
      #expect(opened.problem == nil)
      try file.write([batch(saved)])
      #expect(text(file.load().state?.alerts) == text(saved))
    }
    let again = StateFolder(path: folder.path + "/new/deep", suffix: "2")
    #expect(text(again.saved?.alerts) == text(saved))
    #expect(
      again.saved?.alerts?.rules[1].alerts.map(\.value.bitPattern)
        == saved.rules[1].alerts.map(\.value.bitPattern))
    #expect(again.setAside == nil)
  }

  @Test func theNewestWins() throws {
    let folder = try TemporaryFolder()
    let opened = StateFolder(path: folder.path, suffix: "1")
    let keeper = StateKeeper(file: try #require(opened.file)) { problem in
      Issue.record("unexpected: \(problem ?? "recovery")")
    }
    for i in 1...200 {
      keeper.save(
        batch(checkpoint([alert(Double(i), [("i", "\(i)")])], at: start + .seconds(Int64(i)))))
    }
    keeper.flush()
    #expect(opened.file?.load().state?.alerts?.time == start + .seconds(200))
    #expect(opened.file?.load().state?.alerts?.rules.first?.alerts.map(\.value) == [200])
    keeper.save(batch(AlertCheckpoint(time: start, rules: [])))
    keeper.flush()
    #expect(opened.file?.load().state?.alerts?.rules.isEmpty == true)
  }

  @Test(arguments: [
    "not a database at all, but long enough to have a header\n", "SQLite format 3\u{0}garbage",
  ])
  func aDamagedFileIsSetAside(_ content: String) throws {
    let folder = try TemporaryFolder([
      "tocsin.db": content + String(repeating: "x", count: 5000), "tocsin.db-wal": "old log",
    ])
    let opened = StateFolder(path: folder.path, suffix: "20260131T120000Z")
    let place = folder.path + "/tocsin.db.damaged-20260131T120000Z"
    #expect(opened.setAside == place)
    #expect(opened.problem?.isTheFile == true)
    #expect(opened.saved == nil)
    #expect(access(place, F_OK) == 0)
    try #require(opened.file).write([batch(checkpoint([alert(1, [])]))])
    #expect(opened.file?.load().state?.alerts?.alertCount == 1)
  }

  @Test func aTruncatedFileIsSetAside() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try #require(StateFolder(path: folder.path, suffix: "1").file)
      try file.write([batch(checkpoint((0..<500).map { alert(Double($0), [("i", "\($0)")]) }))])
    }
    truncate(folder.path + "/tocsin.db", 9000)
    let opened = StateFolder(path: folder.path, suffix: "2")
    #expect(opened.file != nil)
    #expect(opened.setAside != nil)
  }

  @Test func aForeignFileIsSetAside() throws {
    let folder = try TemporaryFolder()
    let name = folder.path + "/tocsin.db"
    do {
      let other = try DatabaseQueue(path: name)
      try other.write { try $0.execute(sql: "CREATE TABLE alert (name TEXT)") }
    }
    let opened = StateFolder(path: folder.path, suffix: "1")
    #expect(opened.problem?.description == "it is the database of another program")
    #expect(opened.file != nil)
    #expect(opened.setAside != nil)
  }

  @Test func oneProcessAtATime() throws {
    let folder = try TemporaryFolder()
    let first = StateFolder(path: folder.path, suffix: "1")
    let second = StateFolder(path: folder.path, suffix: "2")
    #expect(first.file != nil)
    #expect(second.file == nil)
    #expect(second.setAside == nil)
    #expect(second.problem?.description == "another process has it open")
  }

  @Test func aFolderThatCannotBeMade() throws {
    let folder = try TemporaryFolder(["file": "in the way"])
    let opened = StateFolder(path: folder.path + "/file/data", suffix: "1")
    #expect(opened.file == nil)
    #expect(opened.problem?.description.contains("Not a directory") == true)
    let itself = StateFolder(path: folder.path + "/file", suffix: "1")
    #expect(itself.file == nil)
  }
}
