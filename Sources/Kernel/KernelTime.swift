import Model

/// The time the kernel goes by: it never runs backwards, whatever its caller's clock does.
///
/// When the clock is set back, the kernel stays ahead of it and goes at nine tenths of its pace
/// until the clock has caught up. Nothing is evaluated twice, no group waits for a time it has seen
/// before, and samples keep their order. A clock set forward is believed at once: slots that were
/// jumped over are counted as missed.
struct KernelTime {
  private var wall: Timestamp?
  /// How far ahead of the clock the kernel is.
  private(set) var lead = PromDuration.zero
  /// Milliseconds of the clock that have not reduced the lead yet.
  private var credit: Int64 = 0

  /// The kernel's time at the next reading of the clock.
  mutating func advance(to wall: Timestamp) -> Timestamp {
    let step = wall - (self.wall ?? wall)
    self.wall = wall
    if step < .zero {
      lead = lead - step
      credit = 0
    } else if lead > .zero {
      credit += step.milliseconds
      lead = max(.zero, lead - .milliseconds(credit / 10))
      credit %= 10
    }
    return wall + lead
  }

  /// When the clock will show what makes the kernel's time `deadline`.
  func reading(at deadline: Timestamp) -> Timestamp {
    guard let wall, lead > .zero else { return deadline }
    let missing = (deadline - (wall + lead)).milliseconds
    if missing <= 0 { return wall }
    // Either the lead is gone by then, or a tenth of the way is lost.
    let slow = missing + (missing + credit) / 9 + 1
    return wall + .milliseconds(min(slow, missing + lead.milliseconds))
  }
}
