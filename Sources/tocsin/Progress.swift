import Dispatch
import Glibc
import Synchronization

/// What the program is busy with, on standard error: only on a terminal, and only once a second has
/// passed.
final class Progress: Sendable {
  /// Where the line is shown, and how often it changes.
  struct Place: Sendable {
    var isTerminal: Bool
    var step: DispatchTimeInterval
    var write: @Sendable (String) -> Void

    static var standardError: Place {
      Place(isTerminal: ColorChoice.isTerminal(2), step: .seconds(1)) { Terminal.write($0, to: 2) }
    }
  }

  private struct State {
    var seconds = 0
    var isShown = false
    var isOver = false
  }

  private let text: String
  private let place: Place
  private let state = Mutex(State())

  init(_ text: String, on place: Place = .standardError) {
    self.text = text
    self.place = place
    if place.isTerminal { wait() }
  }

  private func wait() {
    DispatchQueue.global().asyncAfter(deadline: .now() + place.step) { [weak self] in self?.tick() }
  }

  private func tick() {
    let goesOn = state.withLock { state in
      if state.isOver { return false }
      state.seconds += 1
      state.isShown = true
      place.write("\r\u{1b}[K\(text) … \(state.seconds) s")
      return true
    }
    if goesOn { wait() }
  }

  /// Takes the line away; nothing is shown any more.
  func finish() {
    state.withLock { state in
      if state.isShown { place.write("\r\u{1b}[K") }
      state.isShown = false
      state.isOver = true
    }
  }
}
