import Diagnostics
import Model
import PromQL
import Rules

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
    /// What promtool has no words for; with it the rules run as in the daemon.
    package var own: OwnKeys?

    /// How long the rules are evaluated.
    package var lastEvaluation: PromDuration {
      let own =
        (self.own?.stateTests.map(\.time) ?? []) + (self.own?.notificationTests.map(\.time) ?? [])
      return (alertTests.map(\.time) + exprTests.map(\.time) + own).max() ?? .zero
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
    package var place: SourcePosition
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
    package var place: SourcePosition
  }

  /// One expected sample; a histogram is compared by its printed form.
  package struct ExpectedSample: Sendable {
    package var labels: LabelSet
    package var value: Double
    package var histogram: FloatHistogram?
  }

  /// The `tocsin` block of a test.
  package struct OwnKeys: Sendable {
    /// A tocsin.yml whose receivers and policies count, relative to the test file's folder.
    package var configFile: String?
    package var failures: [ScrapeFailure] = []
    package var restarts: [Restart] = []
    package var stateTests: [StateTest] = []
    package var notificationTests: [NotificationTest] = []
  }

  /// Scrapes that fail: the samples of some series between two times are missing.
  package struct ScrapeFailure: Sendable {
    package var from: PromDuration
    package var through: PromDuration
    package var matchers: [Matcher]
  }

  /// The daemon is stopped and comes back with what it has saved.
  package struct Restart: Sendable {
    package var time: PromDuration
    package var downtime: PromDuration
  }

  /// The alerts of one name at a time, in whatever state.
  package struct StateTest: Sendable {
    package var time: PromDuration
    package var alertName: String
    package var expected: [ExpectedState]
    package var place: SourcePosition
  }

  /// An alert in a state; what is nil is not compared.
  ///
  /// Times are distances from the test's start.
  package struct ExpectedState: Sendable {
    /// `inactive` stands for resolved.
    package var state: AlertState
    package var labels: LabelSet
    package var annotations: LabelSet?
    package var activeAt: PromDuration?
    package var startsAt: PromDuration?
    package var resolvedAt: PromDuration?
    package var value: Double?
  }

  /// What receivers have been told in a span of time, repetitions left out.
  package struct NotificationTest: Sendable {
    package var from: PromDuration
    package var time: PromDuration
    /// Nil: all.
    package var receiver: String?
    /// Nil: all.
    package var alertName: String?
    package var expected: [ExpectedNotification]
    package var place: SourcePosition
  }

  /// One alert in a message; what is nil is not compared.
  ///
  /// Times are distances from the test's start.
  package struct ExpectedNotification: Sendable {
    package var isFiring: Bool
    package var labels: LabelSet
    package var annotations: LabelSet?
    package var receiver: String?
    package var at: PromDuration?
    package var startsAt: PromDuration?
    package var endsAt: PromDuration?
  }
}
