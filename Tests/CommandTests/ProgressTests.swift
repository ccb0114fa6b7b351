import Dispatch
import Glibc
import Synchronization
import Testing

@testable import tocsin

@Suite struct ProgressTests {
  /// What a progress line writes when it is finished after some milliseconds.
  private func written(isTerminal: Bool, step: Int, after delay: UInt32) -> [String] {
    final class Screen: Sendable {
      let texts = Mutex<[String]>([])
    }
    let screen = Screen()
    let place = Progress.Place(isTerminal: isTerminal, step: .milliseconds(step)) { text in
      screen.texts.withLock { $0.append(text) }
    }
    let progress = Progress("waiting", on: place)
    usleep(delay * 1000)
    progress.finish()
    let before = screen.texts.withLock(\.count)
    usleep(100_000)
    // Nothing comes behind the end.
    #expect(screen.texts.withLock(\.count) == before)
    return screen.texts.withLock { $0 }
  }

  @Test func theLineIsWrittenAnewAndTakenAway() {
    let texts = written(isTerminal: true, step: 20, after: 2000)
    #expect(texts.starts(with: ["\r\u{1b}[Kwaiting … 1 s", "\r\u{1b}[Kwaiting … 2 s"]))
    #expect(texts.last == "\r\u{1b}[K")
  }

  @Test func whatIsDoneSoonIsNotShown() {
    #expect(written(isTerminal: true, step: 60_000, after: 10) == [])
  }

  @Test func onlyATerminalHasIt() {
    #expect(written(isTerminal: false, step: 5, after: 300) == [])
  }
}
