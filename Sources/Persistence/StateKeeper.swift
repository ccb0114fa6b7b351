import Dispatch
import Kernel
import Synchronization

/// Writes checkpoints on a thread of its own; only the newest waits, so a slow disk never holds the
/// kernel.
package final class StateKeeper: Sendable {
  private struct State {
    var waiting: AlertCheckpoint?
    var isWriting = false
    var lastProblem: String?
  }

  private let file: StateFile
  private let queue = DispatchQueue(label: "state")
  private let state = Mutex(State())
  private let report: @Sendable (String?) -> Void

  /// `report` hears of the first failure in a row (a text) and of the recovery (nil).
  package init(file: StateFile, report: @escaping @Sendable (String?) -> Void) {
    self.file = file
    self.report = report
  }

  /// Takes a checkpoint to be written soon.
  package func save(_ checkpoint: AlertCheckpoint) {
    let starts = state.withLock { state in
      state.waiting = checkpoint
      if state.isWriting { return false }
      state.isWriting = true
      return true
    }
    if starts { queue.async { self.writeAll() } }
  }

  /// Returns once everything taken so far is written.
  package func flush() { queue.sync {} }

  private func writeAll() {
    while let checkpoint = next() {
      var problem: String?
      do throws(StateFileProblem) {
        try file.save(checkpoint)
      } catch {
        problem = error.description
      }
      let changed = state.withLock { state in
        defer { state.lastProblem = problem }
        return (state.lastProblem == nil) != (problem == nil)
      }
      if changed { report(problem) }
    }
  }

  private func next() -> AlertCheckpoint? {
    state.withLock { state in
      defer { state.waiting = nil }
      if state.waiting == nil { state.isWriting = false }
      return state.waiting
    }
  }
}
