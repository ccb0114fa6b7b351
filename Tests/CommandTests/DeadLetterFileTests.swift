import Foundation
import Kernel
import Model
import Synchronization
import TestSupport
import Testing

@testable import tocsin

private func letter(_ number: Int) -> DeadLetter {
  let time = Timestamp(seconds: 1_700_000_000)
  return DeadLetter(
    time: time, receiver: "ops", group: "{}:{}", key: "key-\(number)", reason: "no \"answer\"",
    created: time, tries: 3, alerts: 2, body: Array("{\"text\":\"池\"}\n".utf8))
}

@Suite struct DeadLetterFileTests {
  /// What the file said in the log.
  private final class Log: Sendable {
    let messages = Mutex<[String]>([])
  }

  private func file(_ folder: String, limit: Int, _ log: Log) -> DeadLetterFile {
    DeadLetterFile(folder: folder, limit: limit) { record in
      log.messages.withLock { $0.append(record.message) }
    }
  }

  private func letters(_ path: String) throws -> [DeadLetter] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap {
      DeadLetter(json: Array($0.utf8))
    }
  }

  @Test func everyLineIsALetter() throws {
    let folder = try TemporaryFolder([:])
    let log = Log()
    let file = file(folder.path, limit: 1 << 20, log)
    for number in 0..<3 { #expect(file.append(letter(number))) }
    #expect(try letters(file.path) == (0..<3).map(letter))
    let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions]
    #expect(mode as? Int == 0o600)
    #expect(log.messages.withLock(\.count) == 3)
  }

  @Test func neverGrowsBeyondItsBound() throws {
    let folder = try TemporaryFolder([:])
    let log = Log()
    let size = letter(0).json.count + 1
    let file = file(folder.path, limit: size * 4, log)
    for number in 0..<10 { #expect(file.append(letter(number))) }
    #expect(try letters(file.path).map(\.key) == ["key-8", "key-9"])
    #expect(try letters(file.path + ".1").map(\.key) == (4..<8).map { "key-\($0)" })
    #expect(log.messages.withLock { $0.count { $0.contains("older half is gone") } } == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
  }

  @Test func aFolderThatIsNotThereIsALineInTheLog() throws {
    let folder = try TemporaryFolder([:])
    let log = Log()
    #expect(!file(folder.path + "/nowhere", limit: 100, log).append(letter(0)))
    #expect(log.messages.withLock { $0 } == ["A dead letter cannot be written"])
  }
}
