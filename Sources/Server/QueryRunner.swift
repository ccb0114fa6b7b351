import Dispatch
import Engine
import Kernel
import Model
import PromQL

/// Runs ad-hoc queries beside the kernel, so that a slow one never delays an alert.
///
/// The kernel is visited just to copy the samples a query can reach; the evaluation runs over the
/// copy on a thread of its own, at most `concurrency` of them at a time.
package struct QueryRunner: Sendable {
  /// When a query is evaluated.
  enum Times: Sendable {
    case instant(Timestamp)
    case range(from: Timestamp, through: Timestamp, step: PromDuration)

    var first: Timestamp {
      switch self {
      case .instant(let t): t
      case .range(let from, _, _): from
      }
    }

    var last: Timestamp {
      switch self {
      case .instant(let t): t
      case .range(_, let through, _): through
      }
    }

    /// Zero for an instant query.
    var step: PromDuration {
      switch self {
      case .instant: .zero
      case .range(_, _, let step): step
      }
    }
  }

  private let gate: KernelGate
  private let queue: DispatchQueue
  private let places: DispatchSemaphore
  private let settings: QuerySettings
  private let metrics = QueryMetrics()

  /// What of PromQL is understood.
  var parser: ParserOptions { settings.parser }

  package init(gate: KernelGate, settings: QuerySettings) {
    self.gate = gate
    self.settings = settings
    queue = DispatchQueue(label: "queries", attributes: .concurrent)
    places = DispatchSemaphore(value: settings.maxConcurrency)
  }

  func parse(_ text: String) throws(APIFailure) -> Expr {
    do {
      return try PromQLParser.parse(text, options: settings.parser)
    } catch {
      throw .invalidParameter("query", error.text(in: text))
    }
  }

  /// The lines of `prometheus_engine_*`.
  func writeMetrics(to out: inout MetricsText) {
    metrics.write(maxConcurrency: settings.maxConcurrency, to: &out)
  }

  /// Evaluates on a thread that may wait and compute as long as it takes.
  func run(
    _ expr: Expr, text: String, times: Times, timeout: PromDuration?, lookback: PromDuration?
  ) async throws(APIFailure) -> QueryRun {
    let asked = Self.seconds()
    metrics.begin()
    let result: Result<QueryRun, APIFailure> = await withCheckedContinuation { continuation in
      queue.async {
        places.wait()
        defer { places.signal() }
        var timings = QueryTimings()
        timings.queued = Self.seconds() - asked
        let result = evaluate(
          expr, text: text, times: times, timeout: timeout, lookback: lookback, &timings)
        switch result {
        case .success(let result):
          metrics.finish(timings, samples: result.samples, failure: nil)
        case .failure(let failure): metrics.finish(timings, samples: 0, failure: failure.kind)
        }
        let timed = timings
        continuation.resume(returning: result.map { QueryRun(result: $0, timings: timed) })
      }
    }
    return try result.get()
  }

  /// Seconds on a clock that only moves forward.
  private static func seconds() -> Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  private func evaluate(
    _ expr: Expr, text: String, times: Times, timeout: PromDuration?, lookback: PromDuration?,
    _ timings: inout QueryTimings
  ) -> Result<QueryResult, APIFailure> {
    var engine = EngineSettings()
    engine.lookback = lookback ?? settings.lookback
    engine.maxSamples = settings.maxSamples
    engine.delayedNameRemoval = settings.delayedNameRemoval
    engine.startTimestamps = settings.startTimestamps
    let allowed = min(timeout ?? settings.timeout, settings.timeout)
    let deadline = DispatchTime.now() + .milliseconds(Int(allowed.milliseconds))
    engine.isCancelled = { DispatchTime.now() > deadline }
    let started = Self.seconds()
    var prepared = started
    defer {
      timings.prepared = prepared - started
      timings.evaluated = Self.seconds() - prepared
    }
    do throws(QueryProblem) {
      let query = try gate.visit { kernel in
        Result { () throws(QueryProblem) in
          try kernel.prepareQuery(
            expr, text: text, from: times.first, through: times.last, step: times.step,
            settings: engine)
        }
      }.get()
      prepared = Self.seconds()
      switch times {
      case .instant(let t): return .success(try query.instant(at: t))
      case .range(let from, let through, let step):
        return .success(try query.range(from: from, through: through, step: step))
      }
    } catch {
      return .failure(failure(error, timedOut: DispatchTime.now() > deadline))
    }
  }

  private func failure(_ problem: QueryProblem, timedOut: Bool) -> APIFailure {
    switch problem.kind {
    case .canceled where timedOut:
      APIFailure(.timeout, "query timed out in expression evaluation")
    case .canceled: APIFailure(.canceled, problem.message)
    case .timeout: APIFailure(.timeout, problem.message)
    case .execution, .limit: APIFailure(.execution, problem.message)
    }
  }
}

/// A result and what it cost.
struct QueryRun: Sendable {
  var result: QueryResult
  var timings: QueryTimings
}

/// The limits of ad-hoc queries.
package struct QuerySettings: Sendable {
  package var lookback = PromDuration.minutes(5)
  package var timeout = PromDuration.minutes(2)
  package var maxSamples = 50_000_000
  package var maxConcurrency = 20
  package var delayedNameRemoval = false
  package var startTimestamps = false
  package var parser = ParserOptions.release

  package init() {}
}
