import Engine
import Model
import PromQL
import Storage
import Template

/// What would become of the alerts of a rule if it were evaluated once, with nothing changed.
package struct RuleTrial {
  /// The alerts afterwards.
  package private(set) var alerts: AlertTable
  /// Why the evaluation failed; the alerts are then as before.
  package private(set) var problem: RuleProblem?

  /// Evaluates a rule at `now`, starting from given alerts.
  package init(
    _ rule: AlertRule, from alerts: AlertTable, limit: Int, offset: PromDuration,
    environment: RuleEnvironment, at now: Timestamp
  ) {
    self.alerts = alerts
    let trial = Trial(environment: environment, now: now)
    do throws(RuleProblem) {
      let observed = try trial.observe(rule, at: now - offset)
      _ = try AlertMachine(
        holdDuration: rule.holdDuration, keepFiringFor: rule.keepFiringFor, limit: limit
      ).step(&self.alerts, observed: observed, at: now)
    } catch {
      self.alerts = alerts
      problem = error
    }
  }

  /// The selectors of an expression that select no series now; what nobody wanted was not kept.
  package static func emptySelectors(of expr: Expr, in store: Store) -> [[Matcher]] {
    var empty: [[Matcher]] = []
    expr.walk { part, _ in
      guard case .selector(let selector) = part, !empty.contains(selector.matchers) else { return }
      if store.select(selector.matchers).members.isEmpty { empty.append(selector.matchers) }
    }
    return empty
  }
}

/// Looks things up without leaving a trace in the store.
private struct Trial {
  let environment: RuleEnvironment
  let now: Timestamp

  func observe(_ rule: AlertRule, at time: Timestamp) throws(RuleProblem) -> [AlertCandidate] {
    let expander = FieldExpander(
      externalLabels: environment.externalLabels, externalURL: environment.externalURL,
      context: TemplateContext(time: now, externalURL: environment.externalURL) {
        try elements(of: try PromQLParser.parse($0), at: $1)
          .map { TemplateSample(labels: $0.labels, value: $0.value) }
      })
    var fields = AlertFields(rule)
    return try elements(of: rule.expr, at: time).enumerated().map { slot, element in
      fields.candidate(
        slot: slot, labels: element.labels, value: element.value, expander: expander)
    }
  }

  private func elements(
    of expr: Expr, at time: Timestamp
  ) throws(RuleProblem) -> [(labels: LabelSet, value: SampleValue)] {
    let result: QueryResult
    do throws(QueryProblem) {
      let plan = try Plan(
        expr, store: environment.store, settings: environment.engine, standing: false)
      result = try plan.instant(at: time)
    } catch {
      throw .query(error.message)
    }
    switch result.value {
    case .vector(let samples): return samples.map { ($0.labels, $0.value) }
    case .scalar(_, let value): return [(.empty, .float(value))]
    case .string, .matrix: throw .notAVector
    }
  }
}
