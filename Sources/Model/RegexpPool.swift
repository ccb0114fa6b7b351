import Synchronization

/// Compiled patterns in use, so that equal patterns of many matchers share one engine.
///
/// Rule files repeat a few patterns hundreds of times. The pool keeps nothing alive: an engine goes
/// with the last matcher that has it.
enum RegexpPool {
  private struct Entry {
    weak var regexp: Regexp?
  }

  private struct State {
    var entries: [[UInt8]: Entry] = [:]
    /// The number of entries at which those of dead engines are swept out.
    var sweepsAt = 256
  }

  private static let state = Mutex(State())

  /// The engine of an anchored pattern, made if nobody has it.
  static func anchored(_ pattern: String) throws(RegexpProblem) -> Regexp {
    let key = Array(pattern.utf8)
    if let known = state.withLock({ $0.entries[key]?.regexp }) { return known }
    let made = try Regexp(anchored: pattern)
    state.withLock { state in
      if state.entries.count >= state.sweepsAt {
        state.entries = state.entries.filter { $0.value.regexp != nil }
        state.sweepsAt = max(256, 2 * state.entries.count)
      }
      state.entries[key] = Entry(regexp: made)
    }
    return made
  }
}
