import Model

/// The time of a world, and the clock that the simulated process sees.
///
/// World time only moves forward. The process reads a wall clock that somebody may set, through the
/// same `SteadyTime` as the daemon.
struct VirtualClock {
  /// A round time: a multiple of every usual interval.
  static let epoch = Timestamp(seconds: 1_700_006_400)

  /// Milliseconds since the world began.
  private(set) var time: Int64 = 0
  private var skew: Int64 = 0
  private var steady = SteadyTime()
  /// The process' time as last read.
  private(set) var now: Timestamp

  init() {
    now = Self.epoch
    read()
  }

  /// The time on an honest clock.
  var wall: Timestamp { Self.epoch + .milliseconds(time) }

  mutating func advance(to time: Int64) {
    self.time = max(self.time, time)
    read()
  }

  mutating func step(by step: PromDuration) {
    skew += step.milliseconds
    read()
  }

  /// A new process starts with what the wall clock says, be it behind the one before.
  mutating func restart() {
    steady = SteadyTime()
    read()
  }

  /// The process has found the state of a later time.
  mutating func goOn(from time: Timestamp) {
    steady.goOn(from: time)
    read()
  }

  private mutating func read() {
    now = steady.advance(
      wall: Double(wall.milliseconds + skew), monotonic: Double(time))
  }
}
