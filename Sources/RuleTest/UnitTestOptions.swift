import Model

/// How unit test files are read and run.
package struct UnitTestOptions: Sendable {
  package var ignoresUnknownFields = false
  /// `metricsql_expr_test` and `groupname`, which promtool refuses.
  package var acceptsVMAlertNames = true
  /// `tocsin` in a test, which promtool refuses.
  package var acceptsOwnKeys = true
  /// Only tests whose name one of these matches somewhere; empty: all.
  package var names: [Regexp] = []
  /// Whether a failure comes with the history of the alerts.
  package var explainsFailures = true
  /// Whether every test comes with all its samples.
  package var dumpsSamples = false
  package var measuresCoverage = false

  package init() {}

  /// As promtool reads and runs them.
  package static var promtool: UnitTestOptions {
    var options = UnitTestOptions()
    options.acceptsVMAlertNames = false
    options.acceptsOwnKeys = false
    options.explainsFailures = false
    return options
  }

  func selects(_ name: String) -> Bool {
    names.isEmpty || names.contains { $0.matches(name) }
  }
}
