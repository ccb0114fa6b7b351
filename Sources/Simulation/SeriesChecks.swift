import Engine
import Kernel
import Model
import PromQL
import Rules

/// `ALERTS` and `ALERTS_FOR_STATE` against the model.
extension Checks {
  /// Whether the series of a rule say what its alerts are.
  func checkSeries(_ sighting: RuleSighting, _ kernel: Kernel) {
    guard let rule = model.groups[sighting.group.key]?.rules[sighting.evaluation.index],
      case .alert(let definition) = rule.definition
    else { return }
    // Rules of one name share their series; those of a rule that is gone, or of an earlier process,
    // linger.
    let isAlone =
      model.rules.count { ByteOrder.equal($0.rule.definition.name, definition.name) } == 1
    let isQuiet = now - reloadedAt > .minutes(3) && now - startedAt > .minutes(6)
    guard isAlone, isQuiet else { return }
    let time = sighting.slot - sighting.offset
    let configured = LabelSet(
      labels: definition.labels.map { Label(name: $0.name, value: $0.text) })
    var states: Set<LabelSet> = []
    var times: [LabelSet: Double] = [:]
    for (labels, alert) in rule.alerts where alert.state != .inactive {
      let base = configured.merging(labels).setting("alertname", to: definition.name)
      states.insert(
        base.setting("__name__", to: "ALERTS").setting("alertstate", to: alert.state.rawValue))
      times[base.setting("__name__", to: "ALERTS_FOR_STATE")] =
        Double(alert.activeAt.milliseconds.flooredDivision(by: 1000).quotient)
    }
    let name = GoText.quote(definition.name)
    let shown = values("ALERTS{alertname=\(name)}", at: time, kernel)
    if Set(shown.keys) != states || shown.values.contains(where: { $0 != 1 }) {
      let difference = states.symmetricDifference(shown.keys).sorted()
      report("alerts/series", "\(definition.name) at \(time): ALERTS differs in \(difference)")
    }
    let since = values("ALERTS_FOR_STATE{alertname=\(name)}", at: time, kernel)
    if since != times {
      report("alerts/series", "\(definition.name) at \(time): ALERTS_FOR_STATE is \(since)")
    }
  }

  func values(_ text: String, at time: Timestamp, _ kernel: Kernel) -> [LabelSet: Double] {
    var out: [LabelSet: Double] = [:]
    do {
      let query = try kernel.prepareQuery(RuleWriter.expr(text), from: time, through: time)
      guard case .vector(let samples) = try query.instant(at: time).value else { return [:] }
      for sample in samples {
        if case .float(let value) = sample.value { out[sample.labels] = value }
      }
    } catch {
      report("alerts/series", "\(text) cannot be asked: \(error.message)")
    }
    return out
  }
}
