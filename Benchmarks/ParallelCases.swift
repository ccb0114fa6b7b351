import Engine
import Glibc
import Model
import PromQL
import Rules
import Storage
import Synchronization

/// Rules over 100,000 series with one thread and with two, in turns: one large group, and many.
///
/// Elapsed time of the best round each; processor time shows what working together costs.
enum ParallelCases {
  private static let rounds = 15

  static func run(_ report: Report) throws {
    let store = try MadeUpStore.filled(targets: 100, series: 1000)
    try compare("one group of 40 rules", groups: 1, rules: 40, store)
    try compare("40 groups of one rule", groups: 40, rules: 1, store)
  }

  private static func compare(_ name: String, groups: Int, rules: Int, _ store: Store) throws {
    let environment = RuleEnvironment(store: store)
    let runners = try (0..<groups).map { group in
      RuleGroupRunner(
        RuleGroupDefinition(
          file: "rules.yml", name: "group\(group)", interval: .seconds(15),
          rules: try (0..<rules).map { try rule(group * rules + $0) }),
        environment: environment)
    }
    let batch = RuleBatch()
    batch.worthwhile = 0
    var best: [Bool: (elapsed: Int64, used: Int64)] = [:]
    for round in 0..<(2 * rounds) {
      let isShared = round % 2 == 1
      batch.work = isShared ? TwoThreads() : nil
      let slot = MadeUpStore.end + .milliseconds(Int64(round + 1))
      let (elapsed, used) = (Stopwatch.elapsed(), Stopwatch.ofProcess())
      _ = batch.evaluate(runners.map { ($0, slot) })
      let cost = (Stopwatch.elapsed() - elapsed, Stopwatch.ofProcess() - used)
      // The first rounds make shapes.
      guard round >= 4 else { continue }
      let known = best[isShared] ?? (.max, .max)
      best[isShared] = (min(known.elapsed, cost.0), min(known.used, cost.1))
    }
    guard let alone = best[false], let shared = best[true] else { return }
    print(
      "parallel: \(name): elapsed", "\(alone.elapsed / 1000) µs alone,",
      "\(shared.elapsed / 1000) µs with two threads: 1 :",
      Report.tenths(Double(alone.elapsed) / Double(shared.elapsed)) + "; processor time",
      "\(alone.used / 1000) and \(shared.used / 1000) µs")
  }

  private static func rule(_ number: Int) throws -> RuleDefinition {
    // Each another one, so that they share nothing.
    .recording(
      RecordingRule(
        name: "job:x\(number):rate",
        expr: try PromQLParser.parse("sum by (job) (rate(x_total[\(200 + number)s]))")))
  }
}

/// The calling thread and one more.
private struct TwoThreads: ParallelWork {
  private final class Job: @unchecked Sendable {
    let body: (Int) -> Void
    let count: Int
    let next = Atomic<Int>(0)

    init(_ count: Int, _ body: @escaping (Int) -> Void) {
      self.count = count
      self.body = body
    }

    func work() {
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if number >= count { return }
        body(number)
      }
    }
  }

  func run(_ count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      let job = Job(count, body)
      var thread = pthread_t()
      let started = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
          return nil
        }, Unmanaged.passRetained(job).toOpaque())
      job.work()
      if started == 0 { pthread_join(thread, nil) }
    }
  }
}
