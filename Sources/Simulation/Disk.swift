import Kernel
import Model
import Storage

/// The disk of a world, and who writes to it: batches take time, may be refused, and only what has
/// been written comes back after a crash.
///
/// Works as the daemon's keeper does: one write at a time with all that waits; what cannot be
/// written stays in memory without its samples and is tried again; requests to receivers wait for
/// the batches before them.
struct Disk {
  /// What has to be true of a process that starts from a batch.
  struct Memory: Sendable {
    var model: AlertModel
    var outstanding: [String: String]
  }

  /// A batch, and what the checkers knew when the kernel handed it out.
  struct Write: Sendable {
    var batch: StateBatch
    var memory: Memory
  }

  /// What became of a write.
  enum Outcome {
    case written
    /// A write after failures: the kernel is told.
    case recovered
    /// The first failure in a row: the kernel is told.
    case failed
    case failedAgain
  }

  private(set) var fault: (fault: DiskFault, until: Int64)?
  /// What a new process gets; nil while nothing is durable.
  private(set) var state: RestoredState?
  /// The alerts' model that goes with it, and the time of the alerts.
  private(set) var model: (model: AlertModel, time: Timestamp)?
  private(set) var outstanding: [String: String] = [:]
  private var waiting: [Write] = []
  private var writing: [Write] = []
  private var failures = 0
  private var awaitsAllSamples = false
  private(set) var isWriting = false
  private let chance: Chance

  init(chance: Chance) { self.chance = chance }

  mutating func fail(_ fault: DiskFault, until: Int64) { self.fault = (fault, until) }

  mutating func heal() { fault = nil }

  /// Takes a batch; whether a write begins.
  mutating func take(_ write: Write) -> Bool {
    var write = write
    if let samples = write.batch.samples, awaitsAllSamples {
      if samples.startsOver { awaitsAllSamples = false } else { write.batch.samples = nil }
    }
    waiting.append(write)
    if failures > 0 { thin() }
    return !isWriting && (failures == 0 || write.batch.isLast)
  }

  /// Begins to write all that waits; when that is over.
  mutating func begin(at time: Int64) -> Int64 {
    isWriting = true
    writing = waiting
    waiting = []
    guard let fault, fault.until > time, fault.fault == .slow else {
      return time + 1 + Int64(chance.roll(8, time, 1))
    }
    return time + 200 + Int64(chance.roll(4_000, time, 2))
  }

  /// Ends a write.
  mutating func finish(at time: Int64) -> Outcome {
    isWriting = false
    if isRefused(at: time) {
      failures += 1
      waiting = writing + waiting
      writing = []
      thin()
      return failures == 1 ? .failed : .failedAgain
    }
    for write in writing { keep(write) }
    writing = []
    let isNews = failures > 0 || awaitsAllSamples
    failures = 0
    return isNews ? .recovered : .written
  }

  var hasWork: Bool { !waiting.isEmpty }

  /// Whether the last write was refused, and nothing has been saved since.
  var isFailing: Bool { failures > 0 }

  /// Milliseconds until writing is tried again.
  var pause: Int64 { Int64(1_000) << Int64(min(5, max(0, failures - 1))) }

  private func isRefused(at time: Int64) -> Bool {
    guard let fault, fault.until > time else { return false }
    return fault.fault == .refused || fault.fault == .flaky && chance.happens(50, time, 3)
  }

  private mutating func keep(_ write: Write) {
    var state = self.state ?? RestoredState()
    // One owner: what is added is not to cost a copy of what is there.
    self.state = nil
    let batch = write.batch
    if let alerts = batch.alerts {
      state.alerts = alerts
      model = (write.memory.model, alerts.time)
    }
    if let outbox = batch.outbox {
      state.outbox = outbox
      outstanding = write.memory.outstanding
    }
    if let samples = batch.samples {
      var all = state.samples ?? StoreChanges()
      state.samples = nil
      all.merge(samples)
      state.samples = all
    }
    state.lastSequence = batch.journal.last?.sequence ?? state.lastSequence
    state.isClean = batch.isLast
    self.state = state
  }

  /// Makes one batch of all that wait, without samples.
  private mutating func thin() {
    guard var all = waiting.first else { return }
    for write in waiting.dropFirst() {
      let batch = write.batch
      all.batch.time = batch.time
      if batch.alerts != nil { all.memory.model = write.memory.model }
      if batch.outbox != nil { all.memory.outstanding = write.memory.outstanding }
      all.batch.alerts = batch.alerts ?? all.batch.alerts
      all.batch.outbox = batch.outbox ?? all.batch.outbox
      all.batch.journal += batch.journal
      all.batch.isLast = batch.isLast
    }
    all.batch.samples = nil
    awaitsAllSamples = true
    waiting = [all]
  }

  /// The process is dead: what was not written is lost.
  mutating func crash() {
    waiting = []
    writing = []
    failures = 0
    awaitsAllSamples = false
    isWriting = false
  }
}
