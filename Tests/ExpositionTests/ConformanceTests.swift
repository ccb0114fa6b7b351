import Foundation
import Model
import Testing

@testable import Exposition

/// Runs the exposition cases of the folder named by `CONFORMANCE_DIR`; without it there is nothing
/// to run.
@Suite struct ConformanceTests {
  static let directory = ProcessInfo.processInfo.environment["CONFORMANCE_DIR"]

  @Test(
    .enabled(if: directory != nil),
    arguments: ["cases/exposition_cases", "differential/exposition"])
  func jsonCases(_ file: String) throws {
    let directory = try #require(Self.directory)
    let text = try String(contentsOfFile: "\(directory)/\(file).jsonl", encoding: .utf8)
    var failures: [String] = []
    var count = 0
    for line in text.split(separator: "\n") {
      count += 1
      let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
      let object = try #require(parsed as? [String: Any])
      if let difference = try Self.difference(object) {
        failures.append("\(object["id"] ?? object["func"] ?? ""): \(difference)")
      }
    }
    #expect(count > 0)
    #expect(
      failures.isEmpty,
      "\(count - failures.count)/\(count)\n\(failures.prefix(20).joined(separator: "\n"))")
  }

  private static func difference(_ object: [String: Any]) throws -> String? {
    let type = object["content_type"] as? String ?? ""
    let body = Data(base64Encoded: object["text_b64"] as? String ?? "") ?? Data()
    let format = try ExpositionFormat.from(contentType: type, fallback: nil).format
    let (entries, problem) = ExpositionParser.parse(Array(body), format: format)
    let wanted = (object["entries"] as? [[String: Any]] ?? []).map(Self.text)
    let got = entries.map(Self.text)
    let wantedError = object["error"] as? String ?? ""
    if let problem, problem.message != wantedError {
      return "got error \(problem.message)\n   wanted \(wantedError)"
    }
    if problem == nil, object["ok"] as? Bool != true { return "accepted, wanted \(wantedError)" }
    for i in 0..<max(got.count, wanted.count) {
      let (a, b) = (i < got.count ? got[i] : "-", i < wanted.count ? wanted[i] : "-")
      if !ByteOrder.equal(a, b) { return "entry \(i)\n   got    \(a)\n   wanted \(b)" }
    }
    return scanDifference(Array(body), format, entries, problem)
  }

  /// The scrape face must tell the same story, the first time and from its cache.
  private static func scanDifference(
    _ body: [UInt8], _ format: ExpositionFormat, _ entries: [ExpositionEntry],
    _ problem: ExpositionProblem?
  ) -> String? {
    let cache = ScrapeCache()
    let samples = entries.compactMap { entry -> ExpositionSample? in
      if case .series(let sample) = entry { sample } else { nil }
    }
    for round in 1...3 {
      do throws(ExpositionProblem) {
        let summary = try cache.scan(body, format: format)
        if let problem { return "scan \(round) accepted, wanted \(problem.message)" }
        if summary.samples != samples.count { return "scan \(round): \(summary.samples) samples" }
        if let text = Self.delivery(cache, summary, samples) { return "scan \(round): \(text)" }
      } catch {
        if error != problem { return "scan \(round) says \(error) at \(error.line)" }
      }
    }
    return nil
  }

  /// Compares what a scan delivered with the samples the parser saw.
  private static func delivery(
    _ cache: ScrapeCache, _ summary: ScanSummary, _ samples: [ExpositionSample]
  ) -> String? {
    let plain = samples.filter { $0.timestamp == nil }
    let timed = samples.filter { $0.timestamp != nil }
    if cache.timed.count != timed.count { return "\(cache.timed.count) timed samples" }
    for (got, wanted) in zip(cache.timed, timed) {
      if got.timestamp != wanted.timestamp || !same(got.value, wanted.value) {
        return "timed \(got), wanted \(wanted)"
      }
    }
    if cache.sampleEntries.count + summary.duplicates != plain.count {
      return "\(cache.sampleEntries.count) samples, wanted \(plain.count)"
    }
    if summary.duplicates > 0 { return nil }
    for (i, wanted) in plain.enumerated() {
      let value = cache.sampleValues[i]
      if !same(value, wanted.value) { return "value \(value), wanted \(wanted.value)" }
      guard let labels = try? cache.labels(of: cache.sampleEntries[i]) else { continue }
      if labels != wanted.labels { return "labels \(labels), wanted \(wanted.labels)" }
    }
    return nil
  }

  private static func same(_ a: Double, _ b: Double) -> Bool { a.bitPattern == b.bitPattern }

  private static func text(_ entry: ExpositionEntry) -> String {
    switch entry {
    case .series(let s):
      var labels: [String: String] = [:]
      for pair in s.pairs { labels[pair.name] = pair.value }
      let time = s.timestamp.map { "\($0.milliseconds)" } ?? ""
      return "series \(sorted(labels)) \(NumberText.general(s.value)) \(time)"
    case .type(let name, let type): return "type \(name) \(type.name)"
    case .help(let name, let help): return "help \(name) \(help)"
    case .unit(let name, let unit): return "unit \(name) \(unit)"
    case .comment(let comment): return "comment \(comment)"
    }
  }

  private static func text(_ entry: [String: Any]) -> String {
    func string(_ key: String) -> String { entry[key] as? String ?? "" }
    switch string("kind") {
    case "series":
      let time = (entry["t"] as? Int64).map { "\($0)" } ?? ""
      let labels = entry["labels"] as? [String: String] ?? [:]
      return "series \(sorted(labels)) \(string("value")) \(time)"
    case "type": return "type \(string("name")) \(string("type"))"
    case "help": return "help \(string("name")) \(string("help"))"
    case "unit": return "unit \(string("name")) \(string("unit"))"
    default: return "comment \(string("text"))"
    }
  }

  private static func sorted(_ labels: [String: String]) -> String {
    labels.sorted { ByteOrder.less($0.key, $1.key) }.map { "\($0.key)=\($0.value)" }
      .joined(separator: ",")
  }

  @Test(.enabled(if: directory != nil)) func corpus() throws {
    let directory = try #require(Self.directory)
    let table = try String(
      contentsOfFile: "\(directory)/corpus/expositions-verdicts.tsv", encoding: .utf8)
    var failures: [String] = []
    for line in table.split(whereSeparator: \.isNewline).dropFirst() {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let body = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/corpus/\(columns[0])"))
      let format = try ExpositionFormat.from(contentType: columns[1], fallback: nil).format
      let (entries, problem) = ExpositionParser.parse(Array(body), format: format)
      var wantedError = columns.count > 4 ? columns[4] : ""
      if wantedError.hasPrefix("\"") {
        wantedError = String(wantedError.dropFirst().dropLast())
          .replacingOccurrences(of: "\"\"", with: "\"")
      }
      let count = entries.count { if case .series = $0 { true } else { false } }
      if (problem == nil) != (columns[2] == "ok") || (problem?.message ?? "") != wantedError {
        failures.append("\(columns[0]): \(problem?.message ?? "ok") / \(wantedError)")
      } else if problem == nil, "\(count)" != columns[3] {
        failures.append("\(columns[0]): \(count) samples, wanted \(columns[3])")
      } else if let difference = Self.scanDifference(Array(body), format, entries, problem) {
        failures.append("\(columns[0]): \(difference)")
      }
    }
    #expect(failures.isEmpty, "\(failures.count)\n\(failures.prefix(20).joined(separator: "\n"))")
  }

  @Test(.enabled(if: directory != nil)) func referenceDocuments() throws {
    let directory = try #require(Self.directory) + "/prometheus/textparse"
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
      let body = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
      let format = name.hasSuffix(".om.txt") ? ExpositionFormat.openMetrics : .text
      let (entries, problem) = ExpositionParser.parse(Array(body), format: format)
      #expect(problem == nil, "\(name)")
      #expect(Self.scanDifference(Array(body), format, entries, problem) == nil, "\(name)")
    }
  }
}
