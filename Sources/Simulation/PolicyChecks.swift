import Kernel
import Model
import Rules

/// What policies promise, asked of the store after each evaluation.
extension Checks {
  /// Checks one evaluation of a rule that has a policy.
  func checkPolicy(_ sighting: RuleSighting, _ kernel: Kernel) {
    let rule = sighting.evaluation.rule
    if ByteOrder.equal(rule, RuleWriter.frozenRule) {
      checkFreeze(sighting, kernel)
    } else if ByteOrder.equal(rule, RuleWriter.failingRule) {
      checkError(sighting, kernel)
    } else {
      checkNoData(sighting, kernel)
    }
  }

  /// With `hold` and `fire` an alert ends only because there are data that end it, or because its
  /// target is no target any more.
  private func checkNoData(_ sighting: RuleSighting, _ kernel: Kernel) {
    let time = sighting.slot - sighting.offset
    for transition in sighting.evaluation.transitions where transition.to == .inactive {
      let instance = GoText.quote(transition.labels.value(of: "instance"))
      let zone = GoText.quote(transition.labels.value(of: "zone"))
      let isTarget = !values("up{instance=\(instance)}", at: time, kernel).isEmpty
      let data = values("temperature{instance=\(instance),zone=\(zone)}", at: time, kernel)
      if isTarget && data.isEmpty {
        report(
          "policy/no-data",
          "\(sighting.evaluation.rule) at \(sighting.slot): \(transition.labels) ended for lack of "
            + "data")
      }
    }
  }

  /// With `on_error: fire` a rule that fails has an active alert.
  private func checkError(_ sighting: RuleSighting, _ kernel: Kernel) {
    guard sighting.evaluation.observed == nil else { return }
    let group = kernel.rulesReport.first { ByteOrder.equal($0.name, RuleWriter.policyGroup) }
    if group?.rules[sighting.evaluation.index].alerts.isEmpty != false {
      report("policy/error", "\(sighting.evaluation.rule) failed at \(sighting.slot) in silence")
    }
  }

  /// With `freeze` the time for which a target is down does not count towards `for`, and a pending
  /// alert does not end for it.
  private func checkFreeze(_ sighting: RuleSighting, _ kernel: Kernel) {
    let up = values("up", at: sighting.slot - sighting.offset, kernel)
    let down = Set(up.filter { $0.value == 0 }.map { $0.key.value(of: "instance") })
    for labels in waited.keys.sorted() {
      guard let known = waited[labels] else { continue }
      let counts = !down.contains(labels.value(of: "instance"))
      waited[labels] = (known.time + (counts ? sighting.slot - known.until : .zero), sighting.slot)
    }
    for transition in sighting.evaluation.transitions {
      if transition.from == .inactive {
        waited[transition.labels] = (.zero, sighting.slot)
        continue
      }
      let known = waited.removeValue(forKey: transition.labels)
      let isDown = down.contains(transition.labels.value(of: "instance"))
      if transition.from == .pending, transition.to == .inactive, isDown, known != nil {
        report(
          "policy/freeze", "\(transition.labels) ended at \(sighting.slot), its target is down")
      }
      if transition.to == .firing, let known, known.time < RuleWriter.frozenFor {
        report(
          "policy/freeze",
          "\(transition.labels) fired at \(sighting.slot) after \(known.time) of a `for` of "
            + "\(RuleWriter.frozenFor)")
      }
    }
  }
}
