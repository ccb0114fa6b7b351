import Dispatch
import JSON
import Kernel
import Model
import Synchronization

/// How long the parts of a query took, in seconds.
struct QueryTimings: Sendable {
  var queued = 0.0
  var prepared = 0.0
  var evaluated = 0.0

  /// `stats` of an answer, in Prometheus' words.
  func write(samples: Int, to json: inout JSONWriter) {
    json.object { json in
      json.key("timings")
      json.object { json in
        json.field("evalTotalTime", raw: NumberText.json(prepared + evaluated))
        json.field("resultSortTime", raw: "0")
        json.field("queryPreparationTime", raw: NumberText.json(prepared))
        json.field("innerEvalTime", raw: NumberText.json(evaluated))
        json.field("execQueueTime", raw: NumberText.json(queued))
        json.field("execTotalTime", raw: NumberText.json(queued + prepared + evaluated))
      }
      json.key("samples")
      json.object { json in
        json.field("totalQueryableSamples", int: samples)
        json.field("peakSamples", int: samples)
      }
    }
  }
}

/// What all queries have cost so far: `prometheus_engine_*`.
final class QueryMetrics: Sendable {
  private struct State {
    var active = 0
    var samples: UInt64 = 0
    var failed: [String: UInt64] = [:]
    var queued = DurationSummary()
    var prepared = DurationSummary()
    var evaluated = DurationSummary()
  }

  private let state = Mutex(State())

  func begin() { state.withLock { $0.active += 1 } }

  /// Notes a query that came to its end, well or not.
  func finish(_ timings: QueryTimings, samples: Int, failure: APIFailure.Kind?) {
    state.withLock { state in
      state.active -= 1
      state.samples += UInt64(max(0, samples))
      if let failure { state.failed[failure.rawValue, default: 0] += 1 }
      state.queued.observe(timings.queued)
      state.prepared.observe(timings.prepared)
      state.evaluated.observe(timings.evaluated)
    }
  }

  func write(maxConcurrency: Int, to out: inout MetricsText) {
    let state = state.withLock { $0 }
    let prefix = "prometheus_engine_"
    out.single(
      prefix + "queries", .gauge,
      "The current number of queries being executed or waiting.", Double(state.active))
    out.single(
      prefix + "queries_concurrent_max", .gauge, "The max number of concurrent queries.",
      Double(maxConcurrency))
    out.single(
      prefix + "query_samples_total", .counter,
      "The total number of samples loaded by all queries.", Double(state.samples))
    out.family(prefix + "query_duration_seconds", .summary, "Query timings.")
    for (slice, summary) in [
      ("inner_eval", state.evaluated), ("prepare_time", state.prepared),
      ("queue_time", state.queued),
    ] {
      out.summary(summary, [("slice", slice)])
    }
    out.family("tocsin_query_failures_total", .counter, "Queries that failed, by kind of error.")
    for kind in ["canceled", "execution", "timeout"] {
      out.sample(state.failed[kind] ?? 0, [("reason", kind)])
    }
  }
}
