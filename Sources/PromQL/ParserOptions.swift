/// What of the language is accepted beyond Prometheus' stable core.
package struct ParserOptions: Hashable, Sendable {
  /// Functions and aggregations that Prometheus calls experimental.
  package var experimentalFunctions: Bool
  /// Arithmetic, `step()` and `range()` in `[…]` and `offset`; on by default since Prometheus 3.14.
  package var durationExpressions: Bool
  /// `anchored` and `smoothed`.
  package var extendedRangeSelectors: Bool
  /// `fill(…)`, `fill_left(…)` and `fill_right(…)`.
  package var fillModifiers: Bool

  package init(
    experimentalFunctions: Bool = false, durationExpressions: Bool = true,
    extendedRangeSelectors: Bool = false, fillModifiers: Bool = false
  ) {
    self.experimentalFunctions = experimentalFunctions
    self.durationExpressions = durationExpressions
    self.extendedRangeSelectors = extendedRangeSelectors
    self.fillModifiers = fillModifiers
  }

  /// Everything.
  package static let all = ParserOptions(
    experimentalFunctions: true, extendedRangeSelectors: true, fillModifiers: true)

  /// What a Prometheus without feature flags accepts.
  package static let release = ParserOptions()
}
