import Model

/// What an evaluation is allowed to do and how it reads the store.
package struct EngineSettings: Sendable {
  /// How far back an instant selector looks for the newest sample.
  package var lookback: PromDuration = .minutes(5)
  /// The most samples a query may hold at once; more is an error in Prometheus' words.
  package var maxSamples = 50_000_000
  /// The step of a subquery that names none.
  package var defaultSubqueryStep: PromDuration = .minutes(1)
  /// Keeps `__name__` through the operators and drops it from the result only.
  package var delayedNameRemoval = false
  /// Whether the rate family takes start timestamps into account.
  package var startTimestamps = false
  /// Judges "might not be a counter" by the `__type__` label instead of the name.
  package var typeAndUnitLabels = false
  /// The deepest nesting of a compiled expression.
  package var maxDepth = 1500
  /// Asked now and then; true ends the evaluation with a "canceled" problem.
  package var isCancelled: (@Sendable () -> Bool)?

  package init() {}
}

/// Why a query has no answer; `message` is Prometheus' own wording.
package struct QueryProblem: Error, Sendable, CustomStringConvertible {
  /// The classes of failure the HTTP interface tells apart.
  package enum Kind: Hashable, Sendable {
    case execution, timeout, canceled, limit
  }

  package var kind: Kind
  package var message: String
  /// The bytes of the query text the problem is about, where known.
  package var range: Range<Int>?

  package init(_ kind: Kind = .execution, _ message: String, range: Range<Int>? = nil) {
    self.kind = kind
    self.message = message
    self.range = range
  }

  package var description: String { message }

  static let tooManySamples = QueryProblem(
    .limit, "query processing would load too many samples into memory in query execution")
  static let canceled = QueryProblem(.canceled, "query was canceled in expression evaluation")
  static let duplicateLabelSet = QueryProblem(
    "vector cannot contain metrics with the same labelset")

  init(_ message: String) { self.init(.execution, message) }
}
