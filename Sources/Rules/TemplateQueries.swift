import Engine
import Model
import PromQL
import Storage
import Template

/// The `query` function of templates, answered from the store.
///
/// Each distinct query text becomes a standing plan, so that the series it asks for are kept; texts
/// that appear literally in a template are known before the first alert. The number of plans is
/// bounded: the one unused for longest goes first.
final class TemplateQueries {
  private struct Entry {
    let plan: Plan
    var lastUse: UInt64
  }

  private static let capacity = 64
  private let environment: RuleEnvironment
  private var plans: [String: Entry] = [:]
  private var uses: UInt64 = 0

  init(environment: RuleEnvironment) { self.environment = environment }

  /// Compiles the queries that stand literally in a template (`query "up == 0"`).
  func prepare(_ template: Template) {
    for query in template.references.queries { _ = try? plan(for: query.text) }
  }

  /// Runs an instant query.
  func answer(_ text: String, at time: Timestamp) throws -> [TemplateSample] {
    let result = try plan(for: text).instant(at: time)
    switch result.value {
    case .vector(let samples):
      return samples.map { TemplateSample(labels: $0.labels, value: $0.value) }
    case .scalar(_, let value): return [TemplateSample(labels: .empty, value: .float(value))]
    case .string, .matrix: throw RuleProblem.notAVector
    }
  }

  func close() {
    // In any order: what is unregistered together leaves no trace of who went first.
    for entry in plans.values { entry.plan.close() }
    plans = [:]
  }

  private func plan(for text: String) throws -> Plan {
    uses += 1
    let key = text
    if let entry = plans[key] {
      plans[key]?.lastUse = uses
      return entry.plan
    }
    let expr = try parse(text)
    let plan = try Plan(
      expr, store: environment.store, settings: environment.engine, standing: true)
    if plans.count >= Self.capacity,
      let oldest = plans.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      oldest.value.plan.close()
      plans[oldest.key] = nil
    }
    plans[key] = Entry(plan: plan, lastUse: uses)
    return plan
  }

  private func parse(_ text: String) throws -> Expr {
    do {
      return try PromQLParser.parse(text)
    } catch {
      throw RuleProblem.query(error.text(in: text))
    }
  }
}
