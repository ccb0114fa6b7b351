import Rules
import Simulation
import TestSupport
import Testing

/// Computes the last rule of a wave first: whoever should have waited reads too little.
private struct Backwards: ParallelWork {
  func run(_ count: Int, _ body: (Int) -> Void) { ConcurrentWork.backwards(count, body) }
}

private struct Threads: ParallelWork {
  func run(_ count: Int, _ body: (Int) -> Void) { ConcurrentWork.onThreads(count, body) }
}

@Suite("A simulated world with parallel evaluation")
struct ParallelSimulationTests {
  @Test("is the one without", arguments: 0..<6 as Range<UInt64>)
  func nothingShows(seed: UInt64) {
    let plan = WorldPlan(seed: seed)
    let expected = Simulator.run(plan)
    for work in [Backwards(), Threads()] as [any ParallelWork] {
      var parallel = plan
      parallel.parallelWork = work
      let verdict = Simulator.run(parallel)
      #expect(verdict.digest == expected.digest, "seed \(seed), \(type(of: work))")
      #expect(verdict.problems == expected.problems, "seed \(seed), \(type(of: work))")
    }
  }
}
