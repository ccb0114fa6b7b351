import Engine
import Model
import PromQL
import Storage

/// How a script went: every evaluation counts once, whatever number of re-runs it had.
package struct ScriptReport: Sendable {
  package var script: String
  package var passed = 0
  package var failures: [ScriptProblem] = []

  package var cases: Int { passed + failures.count }
}

/// Runs PromQL scripts against the engine and the store.
///
/// Each instant evaluation is run again as the middle step of a range query, and with `@` pinned on
/// every selector at five other evaluation times, as Prometheus' own runner does.
package struct PromQLScriptRunner {
  private var store = Store(StoreSettings.everything)
  private let script: PromQLScript
  private let settings: EngineSettings
  private let reruns: Bool

  /// Runs all commands of a script; an evaluation that fails does not stop the others.
  package static func run(_ script: PromQLScript, reruns: Bool = true) -> ScriptReport {
    var runner = PromQLScriptRunner(script: script, reruns: reruns)
    return runner.run()
  }

  private init(script: PromQLScript, reruns: Bool) {
    self.script = script
    self.reruns = reruns
    var settings = EngineSettings()
    settings.delayedNameRemoval = true
    settings.startTimestamps = true
    self.settings = settings
  }

  private mutating func run() -> ScriptReport {
    var report = ScriptReport(script: script.name)
    for command in script.commands {
      switch command {
      case .clear: store = Store(StoreSettings.everything)
      case .load(let load):
        do {
          try ScriptLoad.append(load, to: store, script: script.name)
        } catch {
          report.failures.append(error)
        }
      case .eval(let eval):
        if let message = failure(of: eval) {
          report.failures.append(
            ScriptProblem(
              script: script.name, line: eval.line, message: "\(eval.query): \(message)"))
        } else {
          report.passed += 1
        }
      }
    }
    return report
  }

  private func failure(of eval: PromQLScript.Eval) -> String? {
    do {
      let expr = try PromQLParser.parse(eval.query, options: .all)
      switch eval.times {
      case .range(let from, let through, let step):
        return ScriptExpectation(eval).checkRange(
          outcome { plan throws(QueryProblem) in
            try plan.range(from: from, through: through, step: step)
          }(expr), from: from, step: step)
      case .instant(let at):
        if let message = instant(eval, expr, at: at) { return message }
        return reruns ? pinned(eval, expr, at: at) : nil
      }
    } catch {
      return error.text(in: eval.query)
    }
  }

  /// One instant evaluation and its re-run as a range query.
  private func instant(_ eval: PromQLScript.Eval, _ expr: Expr, at t: Timestamp) -> String? {
    let expectation = ScriptExpectation(eval)
    let result = outcome { plan throws(QueryProblem) in try plan.instant(at: t) }(expr)
    if let message = expectation.checkInstant(result, at: t) { return message }
    guard reruns, eval.failure == nil, !eval.isOrdered, eval.rangeVector == nil,
      eval.string == nil, !Self.dependsOnRange(expr)
    else { return nil }
    let minute = PromDuration.minutes(1)
    let range = outcome { plan throws(QueryProblem) in
      try plan.range(from: t - minute, through: t + minute, step: minute)
    }(expr)
    return expectation.checkMiddle(range, at: t).map { "as a range query: \($0)" }
  }

  private func pinned(_ eval: PromQLScript.Eval, _ expr: Expr, at t: Timestamp) -> String? {
    if AtPinning.dependsOnEvaluationTime(expr) { return nil }
    let text = AtPinning.pin(expr, at: t).description
    let pinned: Expr
    do {
      pinned = try PromQLParser.parse(text, options: .all)
    } catch {
      return "printed as \(text), which does not parse: \(error.text(in: text))"
    }
    let ms = t.milliseconds
    let times = ms == 0 ? [-1000, 0, 1000] : [-10 * ms, 0, ms / 5, ms, 10 * ms]
    for other in times {
      if let message = instant(eval, pinned, at: Timestamp(milliseconds: other)) {
        return "as \(text) at \(Double(other) / 1000)s: \(message)"
      }
    }
    return nil
  }

  private func outcome(
    _ body: @escaping (Plan) throws(QueryProblem) -> QueryResult
  ) -> (Expr) -> Result<QueryResult, QueryProblem> {
    { expr in
      do throws(QueryProblem) {
        let plan = try Plan(expr, store: store, settings: settings, standing: false)
        defer { plan.close() }
        return .success(try body(plan))
      } catch {
        return .failure(error)
      }
    }
  }

  private static func dependsOnRange(_ expr: Expr) -> Bool {
    AtPinning.anyNode(of: expr) { node in
      switch node {
      case .call(let call): ["start", "end", "range", "step"].contains(call.function.name)
      case .selector(let s): s.at == .start || s.at == .end || s.offset.expr != nil
      case .matrix(let m):
        m.selector.at == .start || m.selector.at == .end || m.window.expr != nil
          || m.selector.offset.expr != nil
      case .subquery(let s):
        s.at == .start || s.at == .end || s.window.expr != nil || s.step?.expr != nil
          || s.offset.expr != nil
      default: false
      }
    }
  }
}

/// Puts a load's samples into a store.
package enum ScriptLoad {
  /// Appends every sample of the load, and the native histograms it asks for.
  package static func append(
    _ load: PromQLScript.Load, to store: Store, script: String
  ) throws(ScriptProblem) {
    do {
      for series in load.series {
        for (i, value) in series.values.enumerated() where !value.isOmitted {
          let t = Timestamp(milliseconds: load.step.milliseconds * Int64(i))
          let sample = value.histogram.map { SampleValue.histogram($0) } ?? .float(value.value)
          let start = series.startOffsets.isEmpty ? nil : series.startOffsets[i].map { t + $0 }
          try store.append(series.labels, at: t, sample, startTimestamp: start)
        }
      }
      guard load.buildsCustomHistograms else { return }
      for (labels, samples) in CustomHistogramLoad.histograms(of: load) {
        for (t, histogram) in samples {
          try store.append(labels, at: t, .histogram(histogram), startTimestamp: nil)
        }
      }
    } catch {
      throw ScriptProblem(script: script, line: load.line, message: "load: \(error)")
    }
  }
}
