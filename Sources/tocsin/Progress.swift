import Dispatch
import Glibc
import Synchronization

/// What the program is busy with, on standard error: only on a terminal, and only once a second has
/// passed.
final class Progress: Sendable {
  private struct State {
    var seconds = 0
    var isShown = false
    var isOver = false
  }

  private let text: String
  private let state = Mutex(State())

  init(_ text: String) {
    self.text = text
    if ColorChoice.isTerminal(2) { wait() }
  }

  private func wait() {
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [weak self] in self?.tick() }
  }

  private func tick() {
    let goesOn = state.withLock { state in
      if state.isOver { return false }
      state.seconds += 1
      state.isShown = true
      Terminal.write("\r\u{1b}[K\(text) … \(state.seconds) s", to: 2)
      return true
    }
    if goesOn { wait() }
  }

  /// Takes the line away; nothing is shown any more.
  func finish() {
    state.withLock { state in
      if state.isShown { Terminal.write("\r\u{1b}[K", to: 2) }
      state.isShown = false
      state.isOver = true
    }
  }
}
