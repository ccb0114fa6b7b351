import Testing

@testable import tocsin

@Suite struct SteadinessTests {
  @Test func timeFollowsTheWall() {
    var time = SteadyTime()
    #expect(
      time.advance(wall: 1_700_000_000_000.9, monotonic: 50).milliseconds == 1_700_000_000_000)
    #expect(time.advance(wall: 1_700_000_000_010, monotonic: 60).milliseconds == 1_700_000_000_010)
    #expect(time.advance(wall: 1_700_000_900_000, monotonic: 61).milliseconds == 1_700_000_900_000)
  }

  @Test func aClockSetBackSlowsTimeAndDoesNotStopIt() {
    var time = SteadyTime()
    _ = time.advance(wall: 100_000, monotonic: 0)
    // An hour back would be longer; ten seconds show the same.
    #expect(time.advance(wall: 90_000, monotonic: 0).milliseconds == 100_000)
    #expect(time.advance(wall: 100_000, monotonic: 10_000).milliseconds == 109_000)
    #expect(time.advance(wall: 190_000, monotonic: 100_000).milliseconds == 190_000)
    #expect(time.advance(wall: 200_000, monotonic: 110_000).milliseconds == 200_000)
  }

  @Test func everyLetterArrivesInOrder() {
    let mailbox = Mailbox<Int>()
    let count = 20_000
    // Threads, not tasks: the reader blocks.
    for sender in 0..<2 {
      SystemThread.start("sender") { for i in 0..<count { mailbox.post(i * 2 + sender) } }
    }
    var all: [Int] = []
    while all.count < 2 * count {
      let letters = mailbox.take(waiting: 5000)
      if letters.isEmpty { break }
      all += letters
    }
    #expect(all.count == 2 * count)
    for sender in 0..<2 {
      #expect(all.filter { $0 % 2 == sender } == (0..<count).map { $0 * 2 + sender })
    }
    // An empty box makes the reader wait: no wake-up is left over from a letter that is gone.
    let clock = ContinuousClock()
    let waited = clock.measure { _ = mailbox.take(waiting: 60) }
    #expect(waited >= .milliseconds(50))
  }
}
