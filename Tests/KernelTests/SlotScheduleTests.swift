import Model
import TestSupport
import Testing

@testable import Kernel

@Suite struct SlotScheduleTests {
  @Test func slotsAreMultiplesPlusAnOffset() {
    let schedule = SlotSchedule(interval: .seconds(15), hash: 7_000)
    #expect(schedule.offset == .seconds(7))
    #expect(schedule.slot(atOrBefore: Timestamp(seconds: 22)) == Timestamp(seconds: 22))
    #expect(schedule.slot(atOrBefore: Timestamp(seconds: 21.999)) == Timestamp(seconds: 7))
    #expect(schedule.slot(after: Timestamp(seconds: 22)) == Timestamp(seconds: 37))
    #expect(schedule.slot(atOrBefore: Timestamp(seconds: -1)) == Timestamp(seconds: -8))
    #expect(
      schedule.slots(from: Timestamp(seconds: 7), to: Timestamp(seconds: 52)) == 3)
  }

  @Test func hashIsTheSameInEveryProcess() {
    #expect(StableHash.hex(StableHash.of("group", "rules.yml", "web")) == "1b772ccffcfda901")
    #expect(StableHash.of("ab", "c") != StableHash.of("a", "bc"))
  }

  @Test func offsetsSpreadEvenly() {
    var buckets = [Int](repeating: 0, count: 10)
    for i in 0..<2_000 {
      let schedule = SlotSchedule(
        interval: .seconds(60), hash: StableHash.of("target", "http://10.0.0.\(i):9100/metrics"))
      buckets[Int(schedule.offset.milliseconds / 6_000)] += 1
    }
    #expect(buckets.allSatisfy { (140...260).contains($0) })
  }
}

@Suite struct DeadlineQueueTests {
  @Test(arguments: 0..<20) func agreesWithASortedList(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = DeadlineQueue<Int>()
    var model: [Int: (time: Timestamp, order: Int)] = [:]
    for order in 0..<600 {
      let key = Int.random(in: 0..<40, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let time = Timestamp(milliseconds: Int64.random(in: 0..<50, using: &random))
        queue.set(key, at: time)
        model[key] = (time, order)
      case 2:
        queue.remove(key)
        model[key] = nil
      default:
        let now = Timestamp(milliseconds: Int64.random(in: 0..<50, using: &random))
        let expected = model.min {
          ($0.value.time, $0.value.order) < ($1.value.time, $1.value.order)
        }
        #expect(queue.first == expected?.value.time)
        let taken = queue.take(dueAt: now)
        if let expected, expected.value.time <= now {
          #expect(taken?.key == expected.key)
          model[expected.key] = nil
        } else {
          #expect(taken == nil)
        }
      }
    }
  }
}

@Suite struct BackoffTests {
  @Test func doublesWithJitterUpToABound() {
    var random = SeededGenerator(seed: 1)
    for failures in 1...12 {
      let pause = Backoff.pause(afterFailures: failures, using: &random)
      let step = min(1_000 << Int64(failures - 1), 60_000)
      #expect(pause.milliseconds >= step / 2 && pause.milliseconds <= step)
    }
  }
}
