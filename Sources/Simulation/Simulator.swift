/// Runs worlds and makes failing ones smaller.
package enum Simulator {
  /// Lives one world.
  ///
  /// - Parameters:
  ///   - digests: whether the verdict shall have a digest of all effects.
  ///   - write: takes a line per event.
  package static func run(
    _ plan: WorldPlan, digests: Bool = false, write: ((String) -> Void)? = nil
  ) -> Verdict {
    World(plan, timeline: Timeline(write: write), digests: digests).live()
  }

  /// Takes incidents away from a failing world as long as the same checker complains.
  ///
  /// - Returns: the plan with the fewest incidents that was found, and its verdict.
  package static func shrink(
    _ plan: WorldPlan, _ verdict: Verdict, tries: Int = 60
  ) -> (plan: WorldPlan, verdict: Verdict) {
    guard let check = verdict.problems.first?.check else { return (plan, verdict) }
    var best = (plan: plan, verdict: verdict)
    var size = max(1, plan.incidents.count / 2)
    var left = tries
    while left > 0 {
      var start = 0
      var found = false
      while start < best.plan.incidents.count, left > 0 {
        var smaller = best.plan
        smaller.incidents.removeSubrange(start..<min(start + size, smaller.incidents.count))
        left -= 1
        let verdict = run(smaller)
        if verdict.problems.first?.check == check {
          best = (smaller, verdict)
          found = true
        } else {
          start += size
        }
      }
      if size == 1 && !found { break }
      size = max(1, size / 2)
    }
    return best
  }
}

extension WorldPlan {
  /// The incidents, one line each.
  package var summary: [String] {
    incidents.map { "\($0.at) \($0.incident.summary)" }
  }

  /// The plan of a world whose kernel is distorted on purpose.
  package init(seed: UInt64, tampering: Tampering) {
    self.init(seed: seed)
    self.tampering = tampering
  }
}
