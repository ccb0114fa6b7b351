import Testing

@testable import tocsin

@Suite struct SteadinessTests {
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
