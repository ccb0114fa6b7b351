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
///
/// Every expression that evaluates is carried through a life of the series it is about, with gaps,
/// stale markers and samples that come late, and compared with a fresh plan at every tick: values
/// to the last bit, and remarks. `CONFORMANCE_STRIDE=n` takes one expression in `n`.
@Suite("Over the conformance cases")
struct ConformancePlanTests {
  static let directory = ProcessInfo.processInfo.environment["CONFORMANCE_DIR"]
  static let stride = ProcessInfo.processInfo.environment["CONFORMANCE_STRIDE"].flatMap(Int.init)
  static let ticks = 40

  /// Expressions about the same samples.
  private struct Scene {
    let name: String
    var loads: [PromQLScript.Load]
    var queries: [String] = []
  }

  @Test(
    "a plan fed sample by sample equals a fresh one at every tick", .enabled(if: directory != nil))
  func carriedQueries() throws {
    let path = try #require(Self.directory) + "/differential/query.jsonl"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var scenes: [Scene] = []
    var places: [String: Int] = [:]
    for (i, line) in text.split(separator: "\n").enumerated() where i % (Self.stride ?? 1) == 0 {
      let json = try JSONValue(parsing: line.utf8)
      guard let query = json["expr"]?.string, let load = json["load"]?.string else { continue }
      if places[load] == nil {
        places[load] = scenes.count
        let script = try PromQLScriptParser.parse(load, name: "load")
        scenes.append(Scene(name: "load \(scenes.count)", loads: Self.loads(of: script)))
      }
      if let place = places[load] { scenes[place].queries.append(query) }
    }
    var compared = 0
    for scene in scenes { compared += try Self.play(scene) }
    #expect(compared > 0)
  }

  @Test("scripts, too", .enabled(if: directory != nil))
  func carriedScripts() throws {
    let folder = URL(fileURLWithPath: try #require(Self.directory) + "/prometheus/promql")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    var compared = 0
    for file in files.sorted(by: { $0.path < $1.path }) where file.pathExtension == "test" {
      let text = try String(contentsOf: file, encoding: .utf8)
      let script = try PromQLScriptParser.parse(text, name: file.lastPathComponent)
      for scene in Self.scenes(of: script) { compared += try Self.play(scene) }
    }
    #expect(compared > 0)
  }

  /// What stands between two `clear`s.
  private static func scenes(of script: PromQLScript) -> [Scene] {
    var scenes: [Scene] = []
    var current = Scene(name: script.name, loads: [])
    for command in script.commands {
      switch command {
      case .clear:
        scenes.append(current)
        current = Scene(name: script.name, loads: [])
      case .load(let load): current.loads.append(load)
      case .eval(let eval): current.queries.append(eval.query)
      }
    }
    return scenes + [current]
  }

  private static func loads(of script: PromQLScript) -> [PromQLScript.Load] {
    script.commands.compactMap { if case .load(let load) = $0 { load } else { nil } }
  }

  // The play

  /// Feeds the samples and carries a plan per query; answers with the number of comparisons.
  private static func play(_ scene: Scene) throws -> Int {
    let full = Store(StoreSettings.everything)
    for load in scene.loads {
      // A script may load the same series twice; then the first load is all there is.
      try? ScriptLoad.append(load, to: full, script: scene.name)
    }
    var random = SeededGenerator(seed: 1)
    let samples = try samples(of: full, &random)
    guard let last = samples.last?.time else { return 0 }
    let store = Store(StoreSettings.everything)
    let carried = scene.queries.compactMap { query -> (text: String, expr: Expr, plan: Plan)? in
      guard let expr = try? PromQLParser.parse(query), expr.type == .vector else { return nil }
      // Refused for good: a fresh one is as well.
      guard let plan = try? Plan(expr, store: store, standing: true, text: query) else {
        return nil
      }
      return (query, expr, plan)
    }
    let distance = max(1, min(60_000, last.milliseconds / Int64(ticks - 4)))
    var next = 0
    for tick in 1...ticks {
      let t = Timestamp(milliseconds: Int64(tick) * distance)
      while next < samples.count, samples[next].arrival <= t {
        try store.append(samples[next].labels, at: samples[next].time, samples[next].value)
        next += 1
      }
      for (text, expr, plan) in carried {
        let fresh = try Plan(expr, store: store, standing: false, text: text)
        let got = outcome(plan, t)
        #expect(got == outcome(fresh, t), "\(scene.name): \(text) at tick \(tick)")
      }
    }
    return carried.count * ticks
  }

  private typealias Timed = (
    arrival: Timestamp, time: Timestamp, labels: LabelSet, value: SampleValue
  )

  /// All samples of a store in the order of their arrival: most at once, some late, some never, and
  /// now and then a stale marker in their place.
  private static func samples(
    of store: Store, _ random: inout SeededGenerator
  ) throws -> [Timed] {
    let expr = try PromQLParser.parse("{__name__=~\".*\",__name__!=\"\"}[100y]")
    let plan = try Plan(expr, store: store, standing: false)
    guard case .matrix(let series) = try plan.instant(at: Timestamp(seconds: 1_000_000_000)).value
    else { return [] }
    var all: [Timed] = []
    for one in series {
      var arrival = Timestamp.zero
      for sample in one.samples {
        var value = sample.value
        switch Int.random(in: 0..<30, using: &random) {
        case 0, 1: continue
        case 2: value = .float(SpecialValue.stale)
        case 3: arrival = max(arrival, sample.timestamp + .minutes(4))
        default: break
        }
        arrival = max(arrival, sample.timestamp)
        all.append((arrival, sample.timestamp, one.labels, value))
      }
    }
    return all.enumerated().sorted {
      ($0.element.arrival.milliseconds, $0.offset) < ($1.element.arrival.milliseconds, $1.offset)
    }.map(\.element)
  }

  private static func outcome(_ plan: Plan, _ t: Timestamp) -> [String] {
    do {
      let result = try plan.instant(at: t)
      guard case .vector(let samples) = result.value else { return ["no vector"] }
      return samples.map { "\($0.labels) \(bits($0.value))" } + result.warnings + result.infos
    } catch {
      return [error.message]
    }
  }

  private static func bits(_ value: SampleValue) -> String {
    switch value {
    case .float(let number): String(number.bitPattern, radix: 16)
    case .histogram(let histogram): histogram.testExpression
    }
  }
}
