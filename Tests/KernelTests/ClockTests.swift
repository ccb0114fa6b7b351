import Model
import Rules
import Testing

@testable import Kernel

@Suite struct ClockTests {
  private func world() throws -> World {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.groups = [Sample.group(rules: [try Sample.record("r", "x")])]
    let world = World(settings)
    world.scrape = { _, _ in world.text("x 7\n") }
    return world
  }

  private func iterations(_ world: World) -> (done: UInt64, missed: UInt64) {
    let group = world.kernel.scheduler.groups[0]
    return (group.iterations - group.missed, group.missed)
  }

  @Test(arguments: [PromDuration.seconds(7), .minutes(5), .hours(2)])
  func aClockSetBackStallsNothing(back: PromDuration) throws {
    let world = try world()
    world.run(for: .minutes(10))
    let before = iterations(world).done
    let scrapes = world.scrapes.count
    world.sleep(for: .zero - back)
    world.send(.tick)
    world.run(for: .minutes(10))
    // Nine tenths of the pace until the clock has caught up.
    #expect((35...41).contains(iterations(world).done - before))
    #expect((35...41).contains(world.scrapes.count - scrapes))
    #expect(iterations(world).missed == 0)
  }

  @Test func timeGoesOnFromWhereItWas() throws {
    let world = try world()
    world.run(for: .minutes(10))
    let last = try #require(world.kernel.rulesReport[0].lastEvaluation)
    world.sleep(for: .zero - .minutes(5))
    world.send(.tick)
    world.run(for: .seconds(40))
    let next = try #require(world.kernel.rulesReport[0].lastEvaluation)
    #expect((15...45).contains((next - last).seconds))
    #expect(world.kernel.rulesReport[0].rules[0].warnings.isEmpty)
    #expect(!world.messages("rules").contains("Rule results dropped"))
    world.run(for: .hours(1))
    let caughtUp = try #require(world.kernel.rulesReport[0].lastEvaluation)
    #expect(caughtUp <= world.now && world.now - caughtUp < .seconds(15))
  }

  @Test func aClockSetForwardMissesSlotsOnce() throws {
    let world = try world()
    world.run(for: .minutes(10))
    let before = iterations(world)
    world.sleep(for: .hours(1))
    world.send(.tick)
    let after = iterations(world)
    #expect(after.done == before.done + 1)
    #expect((239...240).contains(after.missed - before.missed))
    world.run(for: .minutes(1))
    #expect(iterations(world).done == after.done + 4)
    #expect(iterations(world).missed == after.missed)
  }

  @Test(arguments: 0..<20) func neverRunsBackwards(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var time = KernelTime()
    var clock = World.epoch
    var last = time.advance(to: clock)
    for _ in 0..<2_000 {
      let step = Int64.random(in: -3_000...30_000, using: &random)
      clock = clock + .milliseconds(step)
      let now = time.advance(to: clock)
      #expect(now >= last)
      #expect(now >= clock)
      last = now
      var copy = time
      let deadline = now + .milliseconds(Int64.random(in: 1...60_000, using: &random))
      let reading = time.reading(at: deadline)
      #expect(copy.advance(to: reading) >= deadline)
      var early = time
      #expect(early.advance(to: reading - .milliseconds(3)) < deadline)
    }
  }
}
