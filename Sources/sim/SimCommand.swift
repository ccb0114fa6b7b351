import ArgumentParser
import Dispatch
import Glibc
import Simulation
import Synchronization

/// Lives worlds: the whole kernel in virtual time, among faults that a seed decides.
@main
struct SimCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sim",
    abstract: "Runs the whole kernel in virtual time among faults that a seed decides.",
    discussion: """
      A world that breaks a promise is run again with fewer incidents, and printed with the line \
      that repeats it.

      Exit status: 0 all promises were kept, 1 one was broken.
      """)

  @Argument(help: "The seed of the first world.")
  var seed: UInt64 = 1

  @Option(help: "How many worlds, with seeds in a row.")
  var count: UInt64 = 1

  @Option(help: "How many worlds at a time.")
  var jobs = 0

  @Flag(name: .shortAndLong, help: "A line per event.")
  var verbose = false

  @Flag(help: "Print nothing but the digest of all effects of each world.")
  var digest = false

  @Flag(help: "Take incidents away from a failing world as long as it fails.")
  var shrink = false

  func run() throws {
    if digest {
      for number in seed..<seed + count {
        print(number, Simulator.run(WorldPlan(seed: number), digests: true).digest)
      }
      return
    }
    if verbose { show(WorldPlan(seed: seed)) }
    let began = Self.seconds()
    let verdicts = runAll()
    let bad = verdicts.filter { !$0.isGood }
    let time = Int(Self.seconds() - began)
    print(
      "\(verdicts.count) worlds, \(verdicts.reduce(0) { $0 + $1.events }) events, "
        + "\(verdicts.reduce(0) { $0 + $1.evaluations }) evaluations, "
        + "\(verdicts.reduce(0) { $0 + $1.deliveries }) deliveries, "
        + "\(verdicts.reduce(0) { $0 + $1.crashes }) crashes, "
        + "\(verdicts.reduce(0) { $0 + $1.reloads }) reloads in \(time) s: \(bad.count) failed")
    if !bad.isEmpty { throw ExitCode(1) }
  }

  private func show(_ plan: WorldPlan) {
    for line in plan.summary { print("plan", line) }
    _ = Simulator.run(plan) { print($0) }
  }

  private func runAll() -> [Verdict] {
    let results = Mutex<[Verdict]>([])
    let next = Atomic<UInt64>(seed)
    let end = seed + count
    let width = jobs > 0 ? jobs : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    DispatchQueue.concurrentPerform(iterations: max(1, width)) { _ in
      while true {
        let number = next.add(1, ordering: .relaxed).oldValue
        if number >= end { return }
        let verdict = Simulator.run(WorldPlan(seed: number))
        results.withLock {
          $0.append(verdict)
          if !verdict.isGood { describe(verdict) }
        }
      }
    }
    return results.withLock { $0 }.sorted { $0.seed < $1.seed }
  }

  private func describe(_ verdict: Verdict) {
    print("FAILED: make sim SEED=\(verdict.seed)")
    var shown = verdict
    if shrink {
      let (plan, smaller) = Simulator.shrink(WorldPlan(seed: verdict.seed), verdict)
      shown = smaller
      print("  with these incidents alone:")
      for line in plan.summary { print("    \(line)") }
    }
    for problem in shown.problems.prefix(3) { print("  [\(problem.check)] \(problem.text)") }
    fflush(nil)
  }

  private static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
