import Dispatch

/// Calls a body with each number below a count: in reverse, or on several threads.
package enum ConcurrentWork {
  /// One call after the other, the last number first.
  package static func backwards(_ count: Int, _ body: (Int) -> Void) {
    for i in (0..<count).reversed() { body(i) }
  }

  /// On as many threads as the machine likes.
  package static func onThreads(_ count: Int, _ body: (Int) -> Void) {
    // The iterations end before the call does.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: count) { body($0) }
  }
}
