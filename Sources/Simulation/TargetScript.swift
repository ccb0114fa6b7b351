import Model

/// What one scripted target exposes: a function of the time since the world began.
///
/// Series come and go, counters start over, values jump, one carries timestamps of its own. Two of
/// them, `pair_a` and `pair_b`, are always equal: a rule that sees them differ has seen half a
/// scrape.
struct TargetScript: Sendable {
  let index: Int
  private let chance: Chance
  /// How long a gauge stays as it is.
  private let beat: Int64

  init(index: Int, chance: Chance) {
    self.index = index
    self.chance = chance.of(index)
    beat = 15_000 + Int64(chance.of(index).roll(75_000, 1))
  }

  /// The page at `time` milliseconds into the world, the target's own clock showing `wall`.
  func page(at time: Int64, wall: Timestamp) -> String {
    var text = "# TYPE requests_total counter\npair_a \(time)\n"
    for zone in 0..<3 {
      let place = (time + Int64(zone) * 7_000) / beat
      if chance.happens(12, place, Int64(100 + zone)) { continue }
      let heat = chance.bits(place, Int64(zone))
      let value = heat % 100 < 35 ? 60 + heat % 40 : heat % 50
      text += "temperature{zone=\"z\(zone)\"} \(value)\n"
    }
    counters(at: time, to: &text)
    text += "queue_depth \(time % 90_000 / 1_000)\n"
    let shift = time / (beat * 3)
    text += "task_running{task=\"t\(shift)\"} 1\ntask_running{task=\"t\(shift + 1)\"} 0\n"
    if chance.happens(30, time / (beat * 2), 5) { text += "maintenance 1\n" }
    if !chance.happens(25, time / beat, 6) { text += "heartbeat 1\n" }
    let odd = ["NaN", "+Inf", "0.1", "1e300", "0"]
    text += "ratio \(chance.pick(odd, time / beat, 7))\n"
    text += "lagging \(time / 1_000) \((wall - .seconds(20)).milliseconds)\n"
    return text + "pair_b \(time)\n"
  }

  /// Counters that start over every few minutes, as their process does.
  private func counters(at time: Int64, to text: inout String) {
    let life = beat * 5
    let age = time % life
    for (i, code) in ["200", "500"].enumerated() {
      let isBusy = chance.happens(40, time / life, Int64(20 + i))
      let rate: Int64 = isBusy ? 12 : 2
      text += "requests_total{code=\"\(code)\"} \(age * rate / 1_000)\n"
    }
  }
}
