import Model
import PromQL
import Rules

/// The history of one alert in a test: a character per evaluation, and why it changed.
package struct AlertTimeline: Sendable {
  /// What an evaluation made of the alert.
  package struct Step: Hashable, Sendable {
    package var elapsed: PromDuration
    /// `.`, `p` or `f`.
    package var state: Character
    package var why: String
  }

  /// Without the alert's name.
  package var labels: LabelSet
  package var steps: [Step]

  /// How many evaluations and how many changes are shown: the last.
  private static let widest = 100
  private static let mostChanges = 12

  /// The lines for people.
  package var text: [String] {
    guard let first = steps.first, let last = steps.last else { return [] }
    let shown = steps.suffix(Self.widest)
    let strip = (shown.count < steps.count ? "…" : "") + String(shown.map(\.state))
    var out = ["\(labels)  \(strip)  \(first.elapsed) to \(last.elapsed)"]
    var changes: [Step] = []
    for step in steps
    where changes.last.map({ $0.state != step.state || $0.why != step.why }) ?? true {
      changes.append(step)
    }
    if changes.count > Self.mostChanges {
      out.append("  … \(changes.count - Self.mostChanges) earlier changes")
      changes = Array(changes.suffix(Self.mostChanges))
    }
    let width = changes.map(\.elapsed.description.count).max() ?? 0
    for step in changes {
      let pad = String(repeating: " ", count: width - step.elapsed.description.count)
      out.append("  \(pad)\(step.elapsed)  \(step.state)  \(step.why)")
    }
    return out
  }
}

/// Lives a test once more and writes down what becomes of the alerts of one rule.
struct TimelineRecorder {
  let rule: AlertRule
  let world: any TestWorld
  let start: Timestamp
  /// The most instances that are shown.
  private static let limit = 5

  /// The alerts at each evaluation, and what the condition saw.
  private struct Moment {
    var time: Timestamp
    var alerts: [AlertInstance]
  }

  /// The histories up to a time; evaluations come at multiples of an interval.
  func record(through end: PromDuration, every interval: PromDuration) -> [AlertTimeline] {
    var moments: [Moment] = []
    var elapsed = PromDuration.zero
    while elapsed <= end {
      if !world.advance(to: start + elapsed).isEmpty { break }
      moments.append(
        Moment(time: start + elapsed, alerts: world.alerts(named: rule.name)))
      elapsed = elapsed + interval
    }
    let condition = AlertCondition(rule.expr)
    let seen = moments.map { condition?.look(in: world, at: $0.time) ?? [] }
    var sets: [LabelSet] = []
    for alert in moments.flatMap(\.alerts) where !sets.contains(alert.labels) {
      sets.append(alert.labels)
    }
    if sets.isEmpty {
      for sighting in seen.joined() where !sets.contains(sighting.labels) {
        sets.append(sighting.labels)
      }
    }
    if sets.isEmpty { sets = [.empty] }
    return sets.sorted().prefix(Self.limit).map { labels in
      AlertTimeline(
        labels: labels.dropping([LabelName.alertName]),
        steps: zip(moments, seen).map { moment, seen in
          step(labels, moment, seen, condition)
        })
    }
  }

  private func step(
    _ labels: LabelSet, _ moment: Moment, _ seen: [AlertCondition.Sighting],
    _ condition: AlertCondition?
  ) -> AlertTimeline.Step {
    let alert = moment.alerts.first { $0.labels == labels }
    let sighting = seen.first { isAbout($0.labels, labels) }
    let elapsed = moment.time - start
    guard let alert, alert.isActive else {
      return AlertTimeline.Step(
        elapsed: elapsed, state: ".", why: absence(sighting, condition))
    }
    var why = "value \(NumberText.plain(alert.value))"
    if let condition, let sighting { why = condition.text(of: sighting) }
    if alert.keepFiringSince != nil {
      why = "kept by keep_firing_for" + (sighting == nil ? "; no data" : ": \(why)")
    }
    if alert.state == .firing, alert.firedAt == moment.time, rule.holdDuration > .zero {
      why += ", held for \(rule.holdDuration)"
    }
    return AlertTimeline.Step(
      elapsed: elapsed, state: alert.state == .firing ? "f" : "p", why: why)
  }

  private func absence(
    _ sighting: AlertCondition.Sighting?, _ condition: AlertCondition?
  ) -> String {
    guard let condition else { return "the expression yields nothing" }
    guard let sighting else { return "no data: nothing from \(condition.subject.description)" }
    return condition.holds(sighting)
      ? "\(condition.text(of: sighting)), but the rest of the expression does not hold"
      : condition.text(of: sighting)
  }

  /// Whether a result element became the alert: its labels are there unless the rule has its own.
  private func isAbout(_ element: LabelSet, _ alert: LabelSet) -> Bool {
    element.labels.allSatisfy { label in
      ByteOrder.equal(alert.value(of: label.name), label.value)
        || rule.labels.contains { ByteOrder.equal($0.name, label.name) }
        || ByteOrder.equal(label.name, LabelName.alertName)
    }
  }
}

/// The comparison an alert expression turns on: `subject op threshold`.
struct AlertCondition {
  /// An element of the subject, whether it passes or not.
  struct Sighting {
    /// Without the metric's name.
    var labels: LabelSet
    var value: Double
    /// Nil where the other side has nothing for it.
    var threshold: Double?
  }

  let subject: Expr
  let op: BinaryOperator
  let threshold: Expr

  /// Finds the comparison at the root, under `and` and `unless` that of the left side.
  init?(_ expr: Expr) {
    guard case .binary(let binary) = expr.unwrapped else { return nil }
    if binary.op == .and || binary.op == .unless {
      guard let inner = AlertCondition(binary.lhs) else { return nil }
      self = inner
      return
    }
    guard binary.op.isComparison, !binary.returnsBool else { return nil }
    if binary.lhs.type == .vector {
      (subject, op, threshold) = (binary.lhs, binary.op, binary.rhs)
    } else {
      (subject, op, threshold) = (binary.rhs, Self.flipped(binary.op), binary.lhs)
    }
  }

  private static func flipped(_ op: BinaryOperator) -> BinaryOperator {
    switch op {
    case .greater: .less
    case .less: .greater
    case .greaterOrEqual: .lessOrEqual
    case .lessOrEqual: .greaterOrEqual
    default: op
    }
  }

  /// All elements of the subject at a time.
  func look(in world: any TestWorld, at time: Timestamp) -> [Sighting] {
    let elements = (try? world.evaluate(subject, at: time)) ?? []
    let others = (try? world.evaluate(threshold, at: time)) ?? []
    return elements.compactMap { element in
      guard case .float(let value) = element.value else { return nil }
      let labels = element.labels.withoutMetricName
      let other =
        threshold.type == .scalar
        ? others.first
        : others.first { $0.labels.withoutMetricName == labels }
          ?? (others.count == 1 ? others.first : nil)
      var bound: Double?
      if case .float(let v)? = other?.value { bound = v }
      return Sighting(labels: labels, value: value, threshold: bound)
    }
    .sorted { $0.labels < $1.labels }
  }

  func holds(_ sighting: Sighting) -> Bool {
    guard let bound = sighting.threshold else { return false }
    return switch op {
    case .greater: sighting.value > bound
    case .less: sighting.value < bound
    case .greaterOrEqual: sighting.value >= bound
    case .lessOrEqual: sighting.value <= bound
    case .equal: sighting.value == bound
    default: sighting.value != bound
    }
  }

  /// `95 > 90`, or `40, needs > 90`.
  func text(of sighting: Sighting) -> String {
    let value = NumberText.plain(sighting.value)
    guard let bound = sighting.threshold else {
      return "\(value), and nothing to compare it with from \(threshold.description)"
    }
    let wanted = "\(op.rawValue) \(NumberText.plain(bound))"
    return holds(sighting) ? "\(value) \(wanted)" : "\(value), needs \(wanted)"
  }
}
