import Engine
import Foundation
import JSON
import Model
import PromQL
import RuleTest
import Storage
import Testing

/// Plans over the queries of the folder named by `CONFORMANCE_DIR`; without it there is nothing to
/// do.
@Suite("Over the conformance cases")
struct ConformancePlanTests {
  static let directory = ProcessInfo.processInfo.environment["CONFORMANCE_DIR"]

  /// Every so many cases are taken: all of them take minutes.
  static let stride = 23

  private struct Case {
    let expr: Expr
    let text: String
    let load: String
  }

  @Test(
    "a plan fed sample by sample equals a fresh one at every tick", .enabled(if: directory != nil))
  func carriedPlans() throws {
    let folder = try #require(Self.directory)
    let path = folder + "/differential/query.jsonl"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    let lines = text.split(separator: "\n")
    var ran = 0
    for i in Swift.stride(from: 0, to: lines.count, by: Self.stride) {
      guard let one = try Self.read(lines[i]) else { continue }
      try check(one)
      ran += 1
    }
    #expect(ran > 0)
  }

  private static func read(_ line: Substring) throws -> Case? {
    let json = try JSONValue(parsing: line.utf8)
    guard let text = json["expr"]?.string, let load = json["load"]?.string,
      let expr = try? PromQLParser.parse(text), expr.type == .vector
    else { return nil }
    return Case(expr: expr, text: text, load: load)
  }

  private func check(_ one: Case) throws {
    let full = Store(StoreSettings.everything)
    let script = try PromQLScriptParser.parse(one.load, name: "load")
    for case .load(let load) in script.commands {
      try ScriptLoad.append(load, to: full, script: "load")
    }
    let samples = try Self.samples(of: full)
    let store = Store(StoreSettings.everything)
    var carried: Plan?
    do {
      carried = try Plan(one.expr, store: store, standing: true)
    } catch {
      // Refused for good, as a fresh one would be.
      return
    }
    var next = 0
    for tick in 0..<40 {
      let t = Timestamp(milliseconds: Int64(tick) * 60_000 + 1)
      while next < samples.count, samples[next].time <= t {
        try store.append(samples[next].labels, at: samples[next].time, samples[next].value)
        next += 1
      }
      let fresh = try Plan(one.expr, store: store, standing: false)
      let got = carried.map { Self.outcome($0, t) }
      #expect(got == Self.outcome(fresh, t), "\(one.text) at tick \(tick)")
    }
    carried?.close()
  }

  private typealias Timed = (time: Timestamp, labels: LabelSet, value: SampleValue)

  /// All samples of a store in the order of their times.
  private static func samples(of store: Store) throws -> [Timed] {
    let expr = try PromQLParser.parse("{__name__=~\".*\",__name__!=\"\"}[10y]")
    let plan = try Plan(expr, store: store, standing: false)
    guard case .matrix(let series) = try plan.instant(at: Timestamp(seconds: 100_000_000)).value
    else { return [] }
    let all = series.flatMap { one in
      one.samples.map { (time: $0.timestamp, labels: one.labels, value: $0.value) }
    }
    return all.enumerated().sorted {
      ($0.element.time.milliseconds, $0.offset) < ($1.element.time.milliseconds, $1.offset)
    }.map(\.element)
  }

  private static func outcome(_ plan: Plan, _ t: Timestamp) -> [String] {
    do {
      guard case .vector(let samples) = try plan.instant(at: t).value else { return ["no vector"] }
      return samples.map { "\($0.labels) \(bits($0.value))" }
    } catch {
      return [error.message]
    }
  }

  private static func bits(_ value: SampleValue) -> String {
    switch value {
    case .float(let number): number.isNaN ? "NaN" : String(number.bitPattern, radix: 16)
    case .histogram(let histogram): histogram.testExpression
    }
  }
}
