import Simulation
import Testing

/// Worlds that once broke a promise, by what was wrong with the kernel.
@Suite("A world that once failed")
struct FoundBySeedTests {
  /// Killed between saving the outbox and saving the alerts a second later, the process came back
  /// with an alert firing that its receivers had been told was resolved.
  @Test func anAlertIsSavedWithTheNotificationThatSpeaksOfIt() { check(21) }

  /// Told to stop after a suspension, before anything due was evaluated, the process told receivers
  /// that alerts were resolved whose word had merely expired meanwhile.
  @Test(arguments: [159, 187] as [UInt64]) func whatIsDueComesBeforeTheEnd(seed: UInt64) {
    check(seed)
  }

  /// With a slow Alertmanager firing alerts expired in the queue, were sent all the same, and were
  /// taken for resolved.
  @Test func aWordThatExpiredInTheQueueIsNotSent() { check(275) }

  /// An alert that fired for two minutes behind a notification that could not be delivered was
  /// never told of.
  @Test func whatCameAndWentBehindAnotherNotificationIsTold() { check(752) }

  /// A group was evaluated less often after a reload: before its next evaluation receivers took for
  /// resolved what they had been told for four of the old intervals.
  @Test func aLongerIntervalLetsNoWordExpire() { check(WorldPlan(seed: 1947)) }

  private func check(_ seed: UInt64) { check(WorldPlan(firstOf: seed)) }

  private func check(_ plan: WorldPlan) {
    let verdict = Simulator.run(plan)
    #expect(verdict.isGood, "seed \(plan.seed): \(verdict.problems.first?.text ?? "")")
  }
}
