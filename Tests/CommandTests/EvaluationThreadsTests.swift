import Synchronization
import Testing

@testable import tocsin

@Suite struct EvaluationThreadsTests {
  @Test(arguments: [2, 3, 8])
  func everyNumberComesOnce(threads: Int) throws {
    let work = try #require(EvaluationThreads(threads: threads))
    for round in 0..<400 {
      let count = round % 67
      let calls = (0..<count).map { _ in Counter() }
      work.run(count) { calls[$0].increase() }
      #expect(calls.allSatisfy { $0.value == 1 }, "\(count) numbers on \(threads) threads")
    }
  }

  @Test func oneThreadNeedsNoHelp() { #expect(EvaluationThreads(threads: 1) == nil) }

  private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increase() { count.add(1, ordering: .sequentiallyConsistent) }
  }
}
