import Dispatch
import Kernel
import Synchronization

/// Writes batches on a thread of its own, all that wait in one transaction, so that a slow disk
/// never holds the kernel.
///
/// A file that turns out to be damaged is set aside, and writing goes on in a new one.
///
/// When writing fails, what is newest of alerts, outbox and journal stays in memory, and writing is
/// tried again with growing pauses. Samples are dropped: whoever hears of the recovery hands them
/// out anew.
package final class StateKeeper: Sendable {
  /// Pauses between tries while writing fails.
  package struct Pauses: Sendable {
    package var first = DispatchTimeInterval.seconds(1)
    package var longest = DispatchTimeInterval.seconds(60)

    package init() {}

    package init(first: DispatchTimeInterval, longest: DispatchTimeInterval) {
      self.first = first
      self.longest = longest
    }

    func pause(after failures: Int) -> DispatchTime {
      var pause = first
      for _ in 1..<max(2, min(failures, 20)) where failures > 1 { pause = pause.doubled }
      let next = DispatchTime.now() + pause
      return min(next, DispatchTime.now() + longest)
    }
  }

  private struct State {
    var waiting: [StateBatch] = []
    /// Who waits for what is taken so far.
    var followers: [@Sendable () -> Void] = []
    var isWriting = false
    var failures = 0
    /// Samples were dropped: others are worth something only from a full set on.
    var awaitsAllSamples = false
    /// Whether that has yet to be told.
    var tellsLoss = false
    /// Whether the last that was told is a failure.
    var isTold = false
    /// Recoveries since all samples were saved.
    var relapses = 0
  }

  /// While so many batches wait, their samples are dropped.
  private static let mostWaiting = 120
  /// While saving fails, so many entries of the journal are kept at most.
  private static let mostEntries = 10_000

  private let file: Mutex<StateFile?>
  private let reopen: (@Sendable () -> StateFile?)?
  private let setAside: (@Sendable (StateFileProblem) -> Void)?
  private let pauses: Pauses
  private let queue = DispatchQueue(label: "state")
  private let state = Mutex(State())
  private let report: @Sendable (String?) -> Void

  /// Makes a keeper.
  ///
  /// - Parameters:
  ///   - file: nil while there is none; `reopen` is then asked for it.
  ///   - setAside: moves a file that cannot be used any more, and is closed, out of the way.
  ///   - report: hears of the first failure in a row (a text) and of the recovery (nil).
  package init(
    file: StateFile?, pauses: Pauses = Pauses(), reopen: (@Sendable () -> StateFile?)? = nil,
    setAside: (@Sendable (StateFileProblem) -> Void)? = nil,
    report: @escaping @Sendable (String?) -> Void
  ) {
    self.file = Mutex(file)
    self.reopen = reopen
    self.setAside = setAside
    self.pauses = pauses
    self.report = report
    if file == nil { fail("there is no state file") }
  }

  /// Takes a batch to be written soon.
  package func save(_ batch: StateBatch) {
    let starts = state.withLock { state in
      var batch = batch
      if let samples = batch.samples, state.awaitsAllSamples {
        if samples.startsOver {
          (state.awaitsAllSamples, state.tellsLoss) = (false, false)
        } else {
          batch.samples = nil
        }
      }
      state.waiting.append(batch)
      if state.failures > 0 || state.waiting.count > Self.mostWaiting { Self.thin(&state) }
      // While saving fails, only the timer tries; the last batch tries once more.
      if state.isWriting || (state.failures > 0 && !batch.isLast) { return false }
      state.isWriting = true
      return true
    }
    if starts { queue.async { self.writeAll() } }
  }

  /// Calls `body` when everything taken so far is written, or cannot be; maybe before this returns.
  package func afterWriting(_ body: @escaping @Sendable () -> Void) {
    let waits = state.withLock { state in
      if !state.isWriting { return false }
      state.followers.append(body)
      return true
    }
    if !waits { body() }
  }

  /// Returns once everything taken so far is written, or cannot be.
  package func flush() { queue.sync {} }

  /// Makes one batch of all that wait, without samples.
  private static func thin(_ state: inout State) {
    guard var all = state.waiting.first else { return }
    for batch in state.waiting.dropFirst() {
      all.time = batch.time
      all.alerts = batch.alerts ?? all.alerts
      all.outbox = batch.outbox ?? all.outbox
      all.journal += batch.journal
      all.isLast = batch.isLast
    }
    if all.journal.count > mostEntries {
      all.journal.removeFirst(all.journal.count - mostEntries)
    }
    all.samples = nil
    if state.waiting.contains(where: { $0.samples != nil }) {
      (state.awaitsAllSamples, state.tellsLoss) = (true, true)
    }
    state.waiting = [all]
  }

  private func writeAll() {
    while let (batches, followers) = take() {
      let problem = write(batches)
      for follower in followers { follower() }
      if let problem {
        state.withLock { state in
          state.waiting = batches + state.waiting
          Self.thin(&state)
        }
        return fail(problem)
      }
      recover(hasAllSamples: batches.contains { $0.samples?.startsOver ?? false })
    }
  }

  /// Notes a success; after failures it is told when it has lasted for a while, which grows with
  /// every relapse: a disk may have room for alerts and none for samples.
  private func recover(hasAllSamples: Bool) {
    let (isLoss, relapses) = state.withLock { state in
      let isLoss = state.tellsLoss && !state.isTold
      state.tellsLoss = false
      if hasAllSamples { state.relapses = 0 }
      if state.failures > 0 { state.relapses += 1 }
      defer { state.failures = 0 }
      return (isLoss, state.failures > 0 ? state.relapses : nil)
    }
    if isLoss { report(nil) }
    guard let relapses else { return }
    queue.asyncAfter(deadline: pauses.pause(after: relapses)) { [weak self] in
      let tells = self?.state.withLock { state in
        guard state.failures == 0, state.isTold else { return false }
        state.isTold = false
        return true
      }
      if tells ?? false { self?.report(nil) }
    }
  }

  private func take() -> (batches: [StateBatch], followers: [@Sendable () -> Void])? {
    state.withLock { state in
      if state.waiting.isEmpty && state.followers.isEmpty {
        state.isWriting = false
        return nil
      }
      defer {
        state.waiting = []
        state.followers = []
      }
      return (state.waiting, state.followers)
    }
  }

  private func write(_ batches: [StateBatch]) -> String? {
    let known = file.withLock { $0 }
    guard let file = known ?? reopen?() else { return "there is no state file" }
    if known == nil { self.file.withLock { $0 = file } }
    do throws(StateFileProblem) {
      try file.write(batches)
      return nil
    } catch {
      if error.isTheFile, let setAside {
        file.close()
        self.file.withLock { $0 = nil }
        setAside(error)
      }
      return error.description
    }
  }

  /// The stored entries that a filter lets through, by ascending number; none without a file.
  package func entries(matching filter: HistoryFilter) async throws -> [JournalEntry] {
    let file = file.withLock { $0 }
    return try await file?.entries(matching: filter) ?? []
  }

  /// Notes a failure and tries again later.
  private func fail(_ problem: String) {
    let (failures, isNews, followers) = state.withLock { state in
      state.failures += 1
      state.isWriting = false
      state.awaitsAllSamples = true
      let isNews = !state.isTold
      state.isTold = true
      defer { state.followers = [] }
      return (state.failures, isNews, state.followers)
    }
    for follower in followers { follower() }
    if isNews { report(problem) }
    queue.asyncAfter(deadline: pauses.pause(after: failures)) { [weak self] in self?.tryAgain() }
  }

  private func tryAgain() {
    let starts = state.withLock { state in
      if state.isWriting || state.failures == 0 { return false }
      state.isWriting = true
      return true
    }
    if !starts { return }
    if state.withLock({ $0.waiting.isEmpty }) {
      // Nothing to write: whether writing works shows with the next batch.
      state.withLock { $0.isWriting = false }
      queue.asyncAfter(deadline: pauses.pause(after: 1)) { [weak self] in self?.tryAgain() }
      return
    }
    writeAll()
  }
}

extension DispatchTimeInterval {
  fileprivate var doubled: DispatchTimeInterval {
    switch self {
    case .seconds(let n): .seconds(n * 2)
    case .milliseconds(let n): .milliseconds(n * 2)
    case .microseconds(let n): .microseconds(n * 2)
    case .nanoseconds(let n): .nanoseconds(n * 2)
    default: self
    }
  }
}
