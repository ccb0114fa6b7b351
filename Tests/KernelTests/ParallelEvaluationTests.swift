import Model
import Rules
import TestSupport
import Testing

@testable import Kernel

private struct Backwards: ParallelWork {
  func run(_ count: Int, _ body: (Int) -> Void) { ConcurrentWork.backwards(count, body) }
}

private struct Threads: ParallelWork {
  func run(_ count: Int, _ body: (Int) -> Void) { ConcurrentWork.onThreads(count, body) }
}

/// Groups of rules that read what others write, in their own group and across groups.
private struct Rulebook {
  private static let measures = [
    "sum by (zone) (heat)", "heat * 2", "rate(work_total[1m])", "max(heat)",
    "avg_over_time(heat[1m])", "max_over_time(sum(heat)[2m:15s])", "count_values(\"v\", heat)",
    "topk(2, heat)", "histogram_quantile(0.9, buckets)",
    "label_replace(heat, \"a\", \"b\", \"\", \"\")",
    "absent(missing)", "heat / on (zone) group_left () sum by (zone) (heat)",
    "sum(ALERTS) / count(ALERTS)", "max(heat) - min(heat)", "rate(heat[1m]) / max(heat)",
  ]

  var random: SeededGenerator
  private var names: [String] = []

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func groups() throws -> [RuleGroupDefinition] {
    try (0..<4).map { number in
      // Groups of one interval still have slots of their own; a sleeping kernel finds them due
      // together.
      let rules = try (0..<Int.random(in: 3...9, using: &random)).map { try rule(number, $0) }
      return Sample.group("g\(number)", interval: .seconds(15), rules: rules)
    }
  }

  private mutating func rule(_ group: Int, _ number: Int) throws -> RuleDefinition {
    let name = "r\(group)_\(number)"
    let expr = expression()
    if Int.random(in: 0..<3, using: &random) == 0 {
      return try Sample.alert(
        "A" + name, "(\(expr)) > 3", for: .seconds(Int64.random(in: 0..<2, using: &random) * 20),
        labels: ["severity": "page"],
        annotations: ["text": "{{ $value }} of {{ query \"count(ALERTS)\" | len }}"])
    }
    names.append(name)
    return try Sample.record(name, expr)
  }

  private mutating func expression() -> String {
    let measure = Self.measures.randomElement(using: &random) ?? "heat"
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: return names.randomElement(using: &random).map { "\($0) + 1" } ?? measure
    case 4: return "count(ALERTS)"
    case 5: return "count({__name__=~\"r0_.*\"})"
    case 6: return "sum(ALERTS{alertname=~\"Ar1.*\"}) or vector(1)"
    default: return measure
    }
  }
}

@Suite struct ParallelEvaluationTests {
  /// Everything a kernel did in a few minutes with a target that comes and goes.
  private static func story(
    _ seed: UInt64, _ work: (any ParallelWork)?, shares: Bool = true
  ) throws -> [String] {
    var book = Rulebook(seed: seed)
    var settings = Settings()
    settings.scrapes = [Sample.scrape(targets: ["a:80", "b:80"], interval: .seconds(10))]
    settings.groups = try book.groups()
    settings.webhooks = [Sample.webhook()]
    let world = World(settings)
    world.kernel.parallelWork = work
    world.kernel.sharesExpressions = shares
    world.kernel.evaluationsWorthHelp = 0
    var count = 0
    world.scrape = { _, _ in
      count += 1
      if count % 7 == 0 { return .failure("connection refused") }
      var lines = "work_total \(count * 3)\n"
      for i in 0..<5 where (count + i) % 4 != 0 {
        lines += "heat{zone=\"z\(i % 2)\",i=\"\(i)\"} \((count * 7 + i * 3) % 11)\n"
      }
      for (place, le) in ["1", "5", "+Inf"].enumerated() {
        lines += "buckets{le=\"\(le)\"} \(place * count)\n"
      }
      return world.text(lines)
    }
    for round in 0..<8 {
      world.run(for: .seconds(45))
      // All groups are late and due at once.
      world.sleep(for: .seconds(round % 2 == 0 ? 21 : 0))
      world.send(.tick)
    }
    var told = world.logs.map { "\($0)" }
    told += world.deliveries.map { "\($0.at) " + String(decoding: $0.request.body, as: UTF8.self) }
    told += world.batches.map { batch in
      // A dictionary: its text has no order.
      var batch = batch
      batch.samples?.obsolete = nil
      return "\(batch)"
    }
    told += world.kernel.rulesReport.map { "\($0)" }
    told += try world.values("{__name__=~\".+\"}").map { "\($0.labels) \($0.value.bitPattern)" }
    return told
  }

  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func nothingShowsThatRulesWereComputedTogether(seed: UInt64) throws {
    let expected = try Self.story(seed, nil, shares: false)
    #expect(expected.count > 100)
    let sequential = try Self.story(seed, nil)
    for (a, b) in zip(expected, sequential) where a != b {
      Issue.record("seed \(seed) shared: \(a.prefix(800))\n\(b.prefix(800))")
      return
    }
    let backwards = try Self.story(seed, Backwards())
    for (a, b) in zip(expected, backwards) where a != b {
      Issue.record("seed \(seed) backwards: \(a.prefix(800))\n\(b.prefix(800))")
      return
    }
    let threads = try Self.story(seed, Threads())
    #expect(expected == backwards && expected == threads, "seed \(seed)")
  }
}
