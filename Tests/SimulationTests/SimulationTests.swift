import Simulation
import Testing

@Suite("A simulated world")
struct SimulationTests {
  @Test("keeps every promise", arguments: 0..<200 as Range<UInt64>)
  func everyPromiseIsKept(seed: UInt64) {
    let verdict = Simulator.run(WorldPlan(seed: seed))
    let problem = verdict.problems.first
    #expect(
      verdict.isGood, "make sim SEED=\(seed): [\(problem?.check ?? "")] \(problem?.text ?? "")")
  }

  @Test("is the same when its seed is")
  func oneSeedIsOneWorld() {
    let digests = (0..<2).map { _ in Simulator.run(WorldPlan(seed: 4711), digests: true).digest }
    #expect(digests[0] == digests[1] && digests[0].count == 16)
  }

  @Test("has much happening in it")
  func worldsAreBusy() {
    let verdicts = (0..<20 as Range<UInt64>).map { Simulator.run(WorldPlan(seed: $0)) }
    #expect(verdicts.reduce(0) { $0 + $1.crashes } > 5)
    #expect(verdicts.reduce(0) { $0 + $1.reloads } > 10)
    #expect(verdicts.reduce(0) { $0 + $1.evaluations } > 3_000)
    #expect(verdicts.reduce(0) { $0 + $1.deliveries } > 300)
  }

  @Test("shows an event a line")
  func timeline() {
    var lines: [String] = []
    _ = Simulator.run(WorldPlan(seed: 3)) { lines.append($0) }
    #expect(lines.contains { $0.contains("START") })
    #expect(lines.contains { $0.contains("scrape") })
    #expect(lines.contains { $0.contains("PEACE") })
  }
}

@Suite("The checkers")
struct CheckerTests {
  /// What each distortion of the kernel must be caught as.
  static let catches: [(Tampering, prefix: String)] = [
    (.dropsNotifications, "delivery/lost"), (.resolvesEarly, "delivery/false-resolve"),
    (.restartsFor, "alerts/state"), (.forgetsFiring, "alerts/state"),
    (.changesKeys, "delivery/key"), (.shiftsStarts, "delivery/"),
    (.losesData, "policy/no-data"), (.hidesErrors, "policy/error"),
    (.neverFreezes, "policy/freeze"), (.removesBroken, "quarantine/"),
    (.keepsJournal, "growth/journal"), (.losesEntries, "journal/gap"),
  ]

  @Test("notice a kernel that is distorted on purpose", arguments: catches)
  func noticesDistortion(_ tampering: Tampering, prefix: String) {
    for seed in 0..<60 as Range<UInt64> {
      let verdict = Simulator.run(WorldPlan(seed: seed, tampering: tampering))
      if verdict.problems.contains(where: { $0.check.hasPrefix(prefix) }) { return }
    }
    Issue.record("no world of 60 showed \(tampering) as \(prefix)")
  }

  @Test("find a failure again with fewer incidents")
  func shrinking() throws {
    for seed in 0..<20 as Range<UInt64> {
      let plan = WorldPlan(seed: seed, tampering: .resolvesEarly)
      let verdict = Simulator.run(plan)
      guard let check = verdict.problems.first?.check else { continue }
      let (smaller, again) = Simulator.shrink(plan, verdict, tries: 12)
      #expect(again.problems.first?.check == check)
      #expect(smaller.summary.count < plan.summary.count)
      return
    }
    Issue.record("no world failed")
  }
}
