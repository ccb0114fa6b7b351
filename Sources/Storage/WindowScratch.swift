/// Space a reader lends to the store for the windows it builds; reuse it between calls.
///
/// A copy shares the space: give each parallel reader its own.
package struct WindowScratch {
  let buffers = WindowBuffers()

  package init() {}
}

/// The growing arrays behind a `WindowScratch`.
final class WindowBuffers {
  private(set) var times: UnsafeMutablePointer<Int64>
  private(set) var values: UnsafeMutablePointer<Double>
  private(set) var starts: UnsafeMutablePointer<Int64>
  /// Room to read a seal.
  private(set) var seal: SealScratch
  private var capacity = 256
  /// The seals that hold rows of a window, for summaries.
  var seals: [SealView] = []
  /// The values before each reset of the summary made last.
  var corrections: [Double] = []

  init() {
    times = .allocate(capacity: capacity)
    values = .allocate(capacity: capacity)
    starts = .allocate(capacity: capacity)
    seal = SealScratch(capacity: 64)
  }

  deinit {
    times.deallocate()
    values.deallocate()
    starts.deallocate()
  }

  /// Makes room for `n` samples in all; keeps what is there.
  func reserve(_ n: Int) {
    guard n > capacity else { return }
    let larger = max(n, capacity * 2)
    times = Self.grown(times, capacity, larger)
    values = Self.grown(values, capacity, larger)
    starts = Self.grown(starts, capacity, larger)
    capacity = larger
  }

  /// Makes room for reading seals of `n` rows.
  func reserveSeal(_ n: Int) {
    if n > seal.capacity { seal = SealScratch(capacity: n) }
  }

  private static func grown<T: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<T>, _ count: Int, _ capacity: Int
  ) -> UnsafeMutablePointer<T> {
    let fresh = UnsafeMutablePointer<T>.allocate(capacity: capacity)
    fresh.update(from: old, count: count)
    old.deallocate()
    return fresh
  }
}
