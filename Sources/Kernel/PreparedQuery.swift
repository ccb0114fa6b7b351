import Engine
import Model
import PromQL
import Storage

/// A query with a copy of just the samples it can touch: it can take its time, nothing waits for
/// it.
package struct PreparedQuery: Sendable {
  private let expr: Expr
  /// The text of the query, for positions in remarks.
  private let text: String?
  private let store: Store
  private let settings: EngineSettings
  /// Remarks that are ours: selectors for which nothing is kept.
  package let warnings: [String]

  init(
    expr: Expr, text: String?, store: Store, settings: EngineSettings, warnings: [String]
  ) {
    self.expr = expr
    self.text = text
    self.store = store
    self.settings = settings
    self.warnings = warnings
  }

  /// Evaluates at one time, which must lie in the interval the query was prepared for.
  package func instant(at time: Timestamp) throws(QueryProblem) -> QueryResult {
    let plan = try Plan(expr, store: store, settings: settings, standing: false, text: text)
    return remarked(try plan.instant(at: time))
  }

  /// Evaluates at every step, all of which must lie in the interval the query was prepared for.
  package func range(
    from: Timestamp, through: Timestamp, step: PromDuration
  ) throws(QueryProblem) -> QueryResult {
    let plan = try Plan(expr, store: store, settings: settings, standing: false, text: text)
    return remarked(try plan.range(from: from, through: through, step: step))
  }

  private func remarked(_ result: QueryResult) -> QueryResult {
    var result = result
    result.warnings += warnings
    return result
  }
}

extension Kernel {
  /// Copies what a query from `from` through `through` (the same for an instant query) can touch.
  ///
  /// Cheap beside the evaluation itself: hold the kernel for this call only.
  package func prepareQuery(
    _ expr: Expr, text: String? = nil, from: Timestamp, through: Timestamp,
    step: PromDuration = .zero,
    settings: EngineSettings? = nil
  ) throws(QueryProblem) -> PreparedQuery {
    let settings = settings ?? environment.engine
    let wants = try QueryDemand.wants(
      of: expr, from: from, through: through, step: step, settings: settings)
    let copy: Store
    do throws(ExtractProblem) {
      copy = try store.extract(wants, maxSamples: settings.maxSamples)
    } catch {
      throw QueryProblem(
        .limit, "query processing would load too many samples into memory in query execution")
    }
    var warnings: [String] = []
    if store.settings.keep == .rules {
      for want in wants where store.select(want.matchers).members.isEmpty {
        let text = want.matchers.map(\.description).joined(separator: ",")
        let warning =
          "no series kept for {\(text)}: only what the rules need is kept (storage.keep: rules)"
        if !warnings.contains(warning) { warnings.append(warning) }
      }
    }
    return PreparedQuery(
      expr: expr, text: text, store: copy, settings: settings, warnings: warnings)
  }
}
