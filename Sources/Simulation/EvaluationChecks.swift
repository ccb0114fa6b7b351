import Kernel
import Model
import Rules

/// Slots, the state machine, and what the API and the ALERTS series make of it.
extension Checks {
  /// Checks one evaluation of one rule and moves the model by it.
  func check(_ sighting: RuleSighting, _ kernel: Kernel, _ settings: Settings) {
    let evaluation = sighting.evaluation
    if evaluation.index == 0 { checkSlot(sighting) }
    let place = "\(sighting.group.key) \(evaluation.rule)"
    if ByteOrder.equal(sighting.group.name, RuleWriter.policyGroup) {
      return checkPolicy(sighting, kernel)
    }
    guard let group = model.groups[sighting.group.key],
      group.rules.indices.contains(evaluation.index)
    else { return report("quarantine/runs", "\(place) runs, though it cannot") }
    guard case .alert = group.rules[evaluation.index].definition else { return }
    if ByteOrder.equal(evaluation.rule, RuleWriter.tornRule), !evaluation.transitions.isEmpty {
      report(
        "scrape/whole", "half a scrape was seen at \(sighting.slot): \(evaluation.transitions)")
    }
    guard evaluation.observed != nil else {
      model.fail(sighting)
      if evaluation.problem == nil {
        report("alerts/step", "\(place) yielded nothing, unexplained")
      }
      return
    }
    let expected = model.step(sighting, circumstances(of: sighting, kernel, settings))
    if (expected == nil) != (evaluation.problem != nil) {
      report(
        "alerts/step",
        "\(place) at \(sighting.slot): \(evaluation.problem?.description ?? "worked"), "
          + "but the model \(expected == nil ? "refuses" : "works")")
      return
    }
    let actual = evaluation.transitions.map {
      ModelTransition(labels: $0.labels, from: $0.from, to: $0.to)
    }
    compare(actual, expected ?? [], place, at: sighting.slot)
    for transition in evaluation.transitions where transition.to == .firing {
      if let told = model.told(transition.labels) {
        everFired.insert(EpisodeName(labels: told, startsAt: sighting.slot))
      }
    }
    let isSampled = chance.happens(10, sighting.slot.milliseconds, Int64(evaluation.index))
    if evaluation.problem == nil, evaluation.appendProblem == nil, isSampled {
      sampled.append(sighting)
    }
  }

  /// What the model has to be told.
  private func circumstances(
    of sighting: RuleSighting, _ kernel: Kernel, _ settings: Settings
  ) -> ModelRule.Circumstances {
    let index = sighting.evaluation.index
    let key = sighting.group.key
    var given = ModelRule.Circumstances(
      limit: sighting.group.limit, forgetsOnBreach: !settings.global.holdsStateOnLimit,
      mayGiveUp: true, mustGiveUp: sighting.slot > patience, givenUp: [],
      kernelFailed: sighting.evaluation.problem != nil)
    guard model.groups[key]?.rules[index].hasWaiting == true else { return given }
    if !unheard.isEmpty {
      let silent = kernel.targetsReport.active.filter { $0.health == .unknown }.map(\.url)
      unheard.formIntersection(silent)
    }
    // Some scrapes are never answered.
    given.mayGiveUp = unheard.isEmpty || sighting.slot >= leastPatience
    // An alert that waits stands still; taken back because `for` has grown, it did not wait.
    given.givenUp = Set(
      sighting.evaluation.transitions.filter { $0.to == .inactive || $0.from == .firing }
        .map(\.labels))
    let group = kernel.rulesReport.first { ByteOrder.equal($0.file + ";" + $0.name, key) }
    for alert in group.map(running)?[index].alerts ?? [] where alert.keepFiringSince != nil {
      given.givenUp.insert(alert.labels)
    }
    return given
  }

  private func compare(
    _ actual: [ModelTransition], _ expected: [ModelTransition], _ place: String, at slot: Timestamp
  ) {
    let order: (ModelTransition, ModelTransition) -> Bool = {
      $0.labels == $1.labels ? $0.from.rank < $1.from.rank : $0.labels < $1.labels
    }
    if actual.sorted(by: order) == expected.sorted(by: order) { return }
    let extra = Set(actual).subtracting(expected).sorted(by: order)
    let missing = Set(expected).subtracting(actual).sorted(by: order)
    report(
      "alerts/transition",
      "\(place) at \(slot): "
        + (extra.map { "did \($0.labels) \($0.from)→\($0.to)" }
        + missing.map { "did not \($0.labels) \($0.from)→\($0.to)" })
        .joined(separator: "; "))
  }

  // MARK: slots

  private func checkSlot(_ sighting: RuleSighting) {
    let key = sighting.group.key
    let slot = sighting.slot
    guard var known = slots[key] else {
      return report("slots/group", "\(key) was evaluated and is not configured")
    }
    let interval = known.interval.milliseconds
    let phase = slot.milliseconds.flooredDivision(by: interval).remainder
    let name = "\(key) \(interval)"
    if let before = phases[name], before != phase {
      report("slots/phase", "\(key): slots at phase \(before), now at \(phase)")
    }
    phases[name] = phase
    if slot > now || now - slot >= known.interval {
      report("slots/time", "\(key) was evaluated for \(slot) at \(now)")
    }
    if let last = known.last, slot <= last {
      report("slots/order", "\(key) was evaluated for \(slot) after \(last)")
    }
    let floor = max(known.floor, known.last ?? known.floor)
    let first =
      (floor.milliseconds - phase).flooredDivision(by: interval).quotient * interval + phase
      + interval
    let missed = Int((slot.milliseconds - first) / interval)
    known.missed += missed
    known.iterations += missed + 1
    known.last = slot
    slots[key] = known
  }

  /// The kernel's own counts of iterations against those of the model.
  func checkIterations(_ kernel: Kernel) {
    let name = Array("prometheus_rule_group_iterations".utf8)
    for bytes in kernel.metricsText().bytes.split(separator: UInt8(ascii: "\n"))
    where bytes.starts(with: name) {
      let line = String(decoding: bytes, as: UTF8.self)
      let isMissed = line.hasPrefix("prometheus_rule_group_iterations_missed_total{")
      guard isMissed || line.hasPrefix("prometheus_rule_group_iterations_total{"),
        let key = slots.keys.sorted().first(where: { line.contains("rule_group=\"\($0)\"") }),
        let known = slots[key], known.iterations > 0, !known.isBlind,
        let shown = line.split(separator: " ").last.flatMap({ Double($0) })
      else { continue }
      let expected = isMissed ? known.missed : known.iterations
      if Int(shown) != expected {
        report("slots/missed", "\(line), but it must be \(expected)")
      }
    }
  }

  // MARK: reports

  /// The API's alerts against the model's, exactly; right after a restart without what every
  /// evaluation renews.
  func compareReports(_ kernel: Kernel, isRestored: Bool, groups: Set<String>?) {
    for group in kernel.rulesReport {
      let key = group.file + ";" + group.name
      if let groups, !groups.contains(key) { continue }
      if ByteOrder.equal(group.name, RuleWriter.policyGroup) { continue }
      checkQuarantine(group, key)
      for (index, rule) in running(group).enumerated() where rule.kind == .alerting {
        guard let expected = model.groups[key]?.rules[index] else {
          report("alerts/report", "\(key) shows rule \(rule.name), which it does not have")
          continue
        }
        compare(rule.alerts, expected, "\(key) \(rule.name)", isRestored: isRestored)
      }
    }
  }

  /// The rules of a group that run.
  private func running(_ group: RuleGroupReport) -> [RuleReport] {
    let places = model.groups[group.file + ";" + group.name]?.places ?? []
    return zip(group.rules, places).filter { $1.index != nil }.map(\.0)
  }

  /// Each rule that cannot be loaded is shown in its place, with what is wrong with it.
  private func checkQuarantine(_ group: RuleGroupReport, _ key: String) {
    let problems = model.groups[key]?.places.map { $0.problem ?? "" } ?? []
    let shown = group.rules.map { $0.quarantine ?? "" }
    if !shown.elementsEqual(problems, by: ByteOrder.equal) {
      report("quarantine/report", "\(key) shows \(shown), must be \(problems)")
    }
    for rule in group.rules where rule.quarantine != nil && rule.health != .err {
      report("quarantine/health", "\(key) \(rule.name) is broken and shown as \(rule.health)")
    }
  }

  private func compare(
    _ shown: [AlertReport], _ expected: ModelRule, _ place: String, isRestored: Bool
  ) {
    let active = expected.alerts.filter { $0.value.state != .inactive }
    for report in shown {
      guard let alert = active[report.labels] else {
        self.report("alerts/state", "\(place) at \(now): shows \(report.labels) \(report.state)")
        continue
      }
      var complaint: String?
      if report.state != alert.state {
        complaint = "state \(report.state), must be \(alert.state)"
      } else if report.activeAt != alert.activeAt {
        complaint = "active at \(report.activeAt), must be \(alert.activeAt)"
      } else if report.firedAt != alert.firedAt {
        complaint = "fired at \(Self.text(report.firedAt)), must be \(Self.text(alert.firedAt))"
      } else if report.keepFiringSince != alert.keptSince {
        complaint =
          "kept since \(Self.text(report.keepFiringSince)), must be \(Self.text(alert.keptSince))"
      } else if !isRestored && alert.waits == nil {
        if report.value.bitPattern != alert.value.bitPattern {
          complaint = "value \(report.value), must be \(alert.value)"
        } else if report.annotations != alert.annotations {
          complaint = "annotations \(report.annotations), must be \(alert.annotations)"
        }
      }
      if let complaint { self.report("alerts/state", "\(place) \(report.labels): \(complaint)") }
    }
    if shown.count != active.count {
      let missing = Set(active.keys).subtracting(shown.map(\.labels)).sorted()
      report("alerts/state", "\(place) at \(now): does not show \(missing)")
    }
  }

  static func text(_ time: Timestamp?) -> String { time?.rfc3339 ?? "never" }
}
