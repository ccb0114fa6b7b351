import Diagnostics
import Model
import PromQL

/// A rule unit test file in promtool's format, read.
package struct UnitTestFile: Sendable {
  package var path: String
  /// Globs of rule files, relative to the test file's folder.
  package var ruleFiles: [String] = []
  package var evaluationInterval = PromDuration.minutes(1)
  package var groupOrder: [String] = []
  /// Values may differ in the last bit of the mantissa.
  package var isFuzzy = false
  package var tests: [TestGroup] = []

  /// One entry of `tests`: series in, alerts and samples out.
  package struct TestGroup: Sendable {
    package var name = ""
    package var interval = PromDuration.minutes(1)
    package var start = Timestamp.zero
    package var series: [InputSeries] = []
    package var alertTests: [AlertTest] = []
    package var exprTests: [ExprTest] = []
    package var externalLabels = LabelSet.empty
    package var externalURL = ""

    /// How long the rules are evaluated.
    package var lastEvaluation: PromDuration {
      (alertTests.map(\.time) + exprTests.map(\.time)).max() ?? .zero
    }
  }

  /// A series with its values at multiples of the interval.
  package struct InputSeries: Sendable {
    package var labels: LabelSet
    package var values: [SequenceValue]
  }

  /// The alerts of one name that fire at a time.
  package struct AlertTest: Sendable {
    package var time: PromDuration
    package var alertName: String
    package var expected: [ExpectedAlert]
    package var line: Int
  }

  /// Labels and annotations of an expected alert.
  package struct ExpectedAlert: Hashable, Sendable {
    package var labels: LabelSet
    package var annotations: LabelSet
  }

  /// The result of an expression at a time.
  package struct ExprTest: Sendable {
    package var time: PromDuration
    package var expr: String
    package var expected: [ExpectedSample]
    package var line: Int
  }

  /// One expected sample; a histogram is compared by its printed form.
  package struct ExpectedSample: Sendable {
    package var labels: LabelSet
    package var value: Double
    package var histogram: FloatHistogram?
  }
}
