import Diagnostics

/// What a check prints and how the process ends.
package struct CheckOutcome: Sendable {
  /// 0: in order; 1: problems; 2: could not run.
  package var exitCode: Int32 = 0
  package var standardOutput = ""
  package var standardError = ""
}

/// How a check is asked to print.
package struct CheckOptions: Sendable {
  /// The two forms of output.
  package enum Format: String, Sendable, CaseIterable { case human, json }

  package var format = Format.human
  package var decoration = Decoration.plain
  /// Whether warnings make the check fail.
  package var failsOnWarnings = false

  package init() {}
}
