import CLinux
import Glibc
import Synchronization

/// A queue with one reader that can wait for mail, or for a time to come.
final class Mailbox<Letter: Sendable>: Sendable {
  private let letters = Mutex<[Letter]>([])
  private let wake: Int32

  init() {
    wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    precondition(wake >= 0, "no file descriptor for the mailbox")
  }

  deinit { close(wake) }

  /// Puts a letter in and wakes the reader.
  func post(_ letter: Letter) {
    letters.withLock { box in
      box.append(letter)
      // Inside the lock: the descriptor is readable exactly while there are letters. Written
      // outside, it could be left readable by a letter that is gone, and the reader would spin.
      if box.count > 1 { return }
      var one: UInt64 = 1
      _ = Glibc.write(wake, &one, 8)
    }
  }

  /// All letters there are; waits at most `milliseconds` for the first.
  func take(waiting milliseconds: Int32) -> [Letter] {
    let there = drain()
    if !there.isEmpty || milliseconds <= 0 { return there }
    var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
    _ = poll(&descriptor, 1, milliseconds)
    return drain()
  }

  private func drain() -> [Letter] {
    letters.withLock { box in
      if box.isEmpty { return [] }
      var count: UInt64 = 0
      _ = Glibc.read(wake, &count, 8)
      let all = box
      box = []
      return all
    }
  }
}
