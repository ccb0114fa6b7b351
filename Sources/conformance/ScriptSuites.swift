import RuleTest

extension Suites {
  /// `prometheus/promql/*.test`: one kind per script.
  static func scripts(in folder: CaseFolder) -> [Suite] {
    folder.names(in: "prometheus/promql").filter { $0.hasSuffix(".test") }.map { name in
      Suite(kind: "promql/\(name)") {
        var result = KindResult("promql/\(name)")
        let script: PromQLScript
        do {
          script = try PromQLScriptParser.parse(
            folder.text("prometheus/promql/\(name)"), name: name)
        } catch let problem as ScriptProblem {
          result.record(name, problem.description)
          return result
        }
        let report = PromQLScriptRunner.run(script)
        result.cases = report.cases
        result.passed = report.passed
        result.failures = report.failures.map(\.description)
        return result
      }
    }
  }
}
