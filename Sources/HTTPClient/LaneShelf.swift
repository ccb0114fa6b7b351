import CLinux
import Glibc
import Synchronization

/// The lanes that are free, for any thread to take: a request leaves at once, without waking the
/// loop, which hears of the answer.
///
/// Who takes a lane off the shelf under the lock owns it until its request is out; from then on it
/// is the loop's, which puts it back.
final class LaneShelf: Sendable {
  private struct State {
    var free: [String: Lane] = [:]
    /// The loop is woken by then; `max`: it need not be.
    var deadline = Int64.max
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Wakes the loop when a request may be over its deadline.
  let timer: Int32

  init() {
    timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
  }

  deinit { if timer >= 0 { _ = Glibc.close(timer) } }

  /// Takes the lane made for a request off the shelf and readies it for the answer.
  func take(for transfer: Transfer, now: Int64) -> Lane? {
    state.withLock { state in
      guard !state.isClosed, let lane = state.free[transfer.request.url],
        lane.fits(transfer.request)
      else { return nil }
      state.free[transfer.request.url] = nil
      transfer.begin(now: now)
      lane.prepare(transfer, now: now)
      if let deadline = transfer.deadline, deadline < state.deadline {
        state.deadline = deadline
        arm(deadline)
      }
      return lane
    }
  }

  /// Puts a lane back.
  func put(_ lane: Lane) {
    state.withLock { if !$0.isClosed { $0.free[lane.request.url] = lane } }
  }

  /// Takes a lane off the shelf for good; false if it is not there.
  @discardableResult
  func remove(_ lane: Lane) -> Bool {
    state.withLock { state in
      guard state.free[lane.request.url] === lane else { return false }
      state.free[lane.request.url] = nil
      return true
    }
  }

  /// Takes the lanes off that nobody has used since a time.
  func removeUnused(since time: Int64) -> [Lane] {
    state.withLock { state in
      let old = state.free.values.filter { $0.lastUsed < time }
      for lane in old { state.free[lane.request.url] = nil }
      return old
    }
  }

  /// Those of some lanes that have a request under way; the loop is woken again for the earliest
  /// of their deadlines after a time.
  func busy(among lanes: [Lane], wakingAfter time: Int64 = .min) -> [Lane] {
    state.withLock { state in
      let busy = lanes.filter { $0.transfer != nil }
      let deadlines = busy.compactMap { $0.transfer?.deadline }
      state.deadline = deadlines.filter { $0 > time }.min() ?? .max
      if state.deadline != .max { arm(state.deadline) }
      return busy
    }
  }

  /// No lane can be taken from now on.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.free = [:]
    }
  }

  private func arm(_ deadline: Int64) {
    var time = itimerspec()
    time.it_value.tv_sec = Int(deadline / 1_000_000_000)
    time.it_value.tv_nsec = Int(deadline % 1_000_000_000) + 1
    timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &time, nil)
  }
}
