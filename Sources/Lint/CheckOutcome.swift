import Diagnostics
import Model
import PromQL

/// What a check prints and how the process ends.
package struct CheckOutcome: Sendable {
  /// 0: in order; 1: problems; 2: could not run.
  package var exitCode: Int32 = 0
  package var standardOutput = ""
  package var standardError = ""

  package init(exitCode: Int32 = 0, standardOutput: String = "", standardError: String = "") {
    self.exitCode = exitCode
    self.standardOutput = standardOutput
    self.standardError = standardError
  }
}

/// How a check is asked to run and to print.
package struct CheckOptions: Sendable {
  /// The forms of output.
  package enum Format: String, Sendable, CaseIterable {
    case human, json, github, sarif, junit, checkstyle
  }

  package var format = Format.human
  package var decoration = Decoration.plain
  /// The mildest severity that makes the check fail.
  package var failOn = Severity.error
  /// Milder findings are not told.
  package var minimum = Severity.info
  /// Whether only what Prometheus refuses is looked for.
  package var isSyntaxOnly = false
  package var ignoresUnknownFields = false
  package var parser = ParserOptions.release
  /// Whether certain fixes are applied in place.
  package var appliesFixes = false
  /// What is known of the world.
  package var context = LintContext()
  /// Nil: `tocsin.yml` of the folder the check runs in, if there.
  package var tocsinFile: String?
  package var now = Timestamp(seconds: 0)
  /// The program's version, for formats that name it.
  package var version = ""
  /// Takes output as it grows; what it was not given stands in the outcome.
  package var emit: (@Sendable (String) -> Void)?
  /// A prefix taken off absolute paths where a format wants them relative.
  package var workspace = ""

  package init() {}

  /// Whether warnings make the check fail.
  package var failsOnWarnings: Bool {
    get { failOn <= .warning }
    set { failOn = newValue ? .warning : .error }
  }
}
