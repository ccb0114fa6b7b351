import Model
import Rules

extension Kernel {
  /// What Prometheus tells per group only: each rule by its group, name and place.
  func writePerRuleMetrics(_ groups: [RuleGroupReport], to out: inout MetricsText) {
    if groups.isEmpty { return }
    let prefix = "tocsin_rule_"
    out.family(
      "prometheus_rule_group_last_rule_duration_sum_seconds", .gauge,
      "The sum of time in seconds it took to evaluate each rule in the group.")
    for group in groups {
      out.sample(
        group.rules.reduce(0) { $0 + $1.evaluationTime },
        [("rule_group", group.file + ";" + group.name)])
    }
    let rules = groups.flatMap { group in
      group.rules.enumerated().map { (index, rule) -> PerRule in
        let labels = [
          ("rule_group", group.file + ";" + group.name), ("rule", rule.name),
          ("index", "\(index)"),
        ]
        return PerRule(rule: rule, labels: labels)
      }
    }
    let evaluated = rules.filter { $0.rule.lastEvaluation != nil }
    out.family(
      prefix + "healthy", .gauge,
      "Whether the last evaluation of the rule succeeded; absent before the first.")
    for one in rules where one.rule.health != .unknown {
      out.sample(one.rule.health == .ok ? 1 : 0, one.labels)
    }
    out.family(prefix + "evaluations_total", .counter, "Evaluations per rule.")
    for one in rules { out.sample(one.rule.evaluations, one.labels) }
    out.family(prefix + "evaluation_failures_total", .counter, "Failed evaluations per rule.")
    for one in rules { out.sample(one.rule.failures, one.labels) }
    out.family(
      prefix + "last_evaluation_samples", .gauge, "Samples written by the last evaluation.")
    for one in rules { out.sample(one.rule.samples, one.labels) }
    out.family(
      prefix + "last_duration_seconds", .gauge, "Seconds that the last evaluation took.")
    for one in evaluated { out.sample(one.rule.evaluationTime, one.labels) }
    out.family(
      prefix + "last_evaluation_timestamp_seconds", .gauge, "Time of the last evaluation.")
    for one in evaluated { out.sample(one.rule.lastEvaluation?.seconds ?? 0, one.labels) }
    out.family(
      prefix + "evaluation_nanoseconds_total", .counter,
      "Nanoseconds that all evaluations of the rule took.")
    for one in rules { out.sample((one.rule.totalTime * 1e9).rounded(), one.labels) }
    out.family(
      prefix + "last_evaluation_series_touched", .gauge,
      "Series that the selectors of the rule selected at the last evaluation.")
    for one in evaluated { out.sample(one.rule.cost.series, one.labels) }
    out.family(
      prefix + "last_evaluation_samples_touched", .gauge,
      "Samples that the last evaluation read and values it computed.")
    for one in evaluated { out.sample(one.rule.cost.samples, one.labels) }
    out.family(
      prefix + "shape_rebuilds_total", .counter,
      "How often label sets of the rule's plan were made anew instead of being reused.")
    for one in rules { out.sample(one.rule.cost.shapeRebuilds, one.labels) }
    out.family("tocsin_alerts", .gauge, "Alerts per rule and state.")
    for one in rules where one.rule.kind == .alerting {
      for state in [AlertState.pending, .firing] {
        let count = one.rule.alerts.count { $0.state == state }
        out.sample(count, one.labels + [("state", state.rawValue)])
      }
    }
  }

  private struct PerRule {
    let rule: RuleReport
    let labels: [(name: String, value: String)]

    init(rule: RuleReport, labels: [(String, String)]) {
      self.rule = rule
      self.labels = labels.map { (name: $0.0, value: $0.1) }
    }
  }
}
