import Model
import Storage

/// The steps a node is evaluated at.
///
/// The query's own steps are one domain, each subquery opens another for its inner steps, and what
/// does not depend on time (numbers, selectors pinned by `@`) lives in a domain of one step that
/// all others may read.
final class TimeDomain {
  let isConstant: Bool
  private(set) var start: Int64 = 0
  private(set) var step: Int64 = 1
  private(set) var count = 1
  /// Whether the whole evaluation covers more than one instant (a block of it may not).
  private(set) var spansRange = false
  /// Names the contents of the domain: values computed under the same tick are still right.
  private(set) var tick: UInt64 = 0
  /// Of an inner domain: the outer domain's tick it was laid out for.
  var outerTick: UInt64 = 0

  init(isConstant: Bool) { self.isConstant = isConstant }

  func set(start: Int64, step: Int64, count: Int, spansRange: Bool, tick: UInt64) {
    self.start = start
    self.step = step
    self.count = count
    self.spansRange = spansRange
    self.tick = tick
  }

  @inline(__always)
  func time(_ index: Int) -> Int64 { start + Int64(index) * step }
}

/// What a running query carries along: its times, its limits and its remarks.
final class Evaluation {
  let store: Store
  let settings: EngineSettings
  let lookback: Int64
  /// The query's first and last instant and its step (zero for an instant query), in milliseconds.
  private(set) var start: Int64 = 0
  private(set) var end: Int64 = 0
  private(set) var step: Int64 = 0
  var annotations: AnnotationSink
  /// Changes with every query.
  private(set) var query: UInt64 = 0
  /// Samples touched by this query.
  private(set) var samples = 0
  /// Shapes made anew since the plan was made: slots that existed before mean something else.
  var rebuilds: UInt64 = 0
  private var ticks: UInt64 = 0
  private var held = 0

  init(
    store: Store, settings: EngineSettings, source: String?, locate: ((Int) -> String)? = nil
  ) {
    self.store = store
    self.settings = settings
    lookback = settings.lookback.milliseconds
    annotations = AnnotationSink(source: source, locate: locate)
  }

  func begin(start: Int64, end: Int64, step: Int64) {
    self.start = start
    self.end = end
    self.step = step
    query += 1
    samples = 0
    held = 0
    annotations.removeAll()
  }

  func nextTick() -> UInt64 {
    ticks += 1
    return ticks
  }

  /// Counts samples touched against the limit of the query.
  func touch(_ n: Int) throws(QueryProblem) {
    samples += n
    if held + n > settings.maxSamples { throw .tooManySamples }
  }

  /// Counts samples that stay in memory until the query ends (its result).
  func hold(_ n: Int) throws(QueryProblem) {
    held += n
    if held > settings.maxSamples { throw .tooManySamples }
  }

  func checkCancelled() throws(QueryProblem) {
    if let isCancelled = settings.isCancelled, isCancelled() { throw .canceled }
  }
}
