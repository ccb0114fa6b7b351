import Model

/// What is known of the world that the rules will run in.
///
/// Filled from a prometheus.yml, from a server, or left as it is: then nothing is known, and checks
/// that need more than the text stay silent.
package struct LintContext: Sendable {
  /// The type a metric's exporter declares.
  package enum MetricType: String, Sendable {
    case counter, gauge, histogram, summary, gaugehistogram, info, stateset, unknown
  }

  /// What a server has of one metric.
  package struct Metric: Sendable {
    /// Types by metadata; several where targets disagree.
    package var types: [MetricType] = []
    /// Names of labels within the span looked at; nil = not asked, empty = no series.
    package var labels: [String]?
    /// Values by label, for the labels asked for.
    package var values: [String: [String]] = [:]
    /// Whether there is a series right now.
    package var isPresent = true
    /// When there was one, if it is gone; nil = unknown.
    package var lastSeen: Timestamp?

    package init() {}
  }

  /// What a server answered about an expression.
  package struct Answer: Sendable, Hashable {
    /// How many series it returned; nil = the server refused it.
    package var series: Int?
    /// For an alert: how often it would have fired over the span.
    package var alerts: Int?
    package var samples: Int?

    package init(series: Int?, alerts: Int? = nil, samples: Int? = nil) {
      self.series = series
      self.alerts = alerts
      self.samples = samples
    }
  }

  /// The span a server was asked about, for messages: `7d`.
  package var span = "7d"
  /// The server's URL; nil = offline.
  package var server: String?
  /// Metrics by name; only those that were asked for.
  package var metrics: [String: Metric] = [:]
  /// Expressions by their canonical text.
  package var answers: [String: Answer] = [:]
  /// All metric names of the server, for "did you mean".
  package var metricNames: [String] = []
  /// Scrape intervals by job.
  package var scrapeIntervals: [(job: String, interval: PromDuration)] = []
  /// The interval of groups that name none; nil = unknown.
  package var evaluationInterval: PromDuration?
  package var lookback = PromDuration.minutes(5)
  /// Nil = unknown.
  package var externalLabels: LabelSet?
  /// How far back the server's storage reaches; nil = unknown.
  package var retention: PromDuration?
  /// Whether the files checked are all the rules there are.
  package var isWholeSet = false

  package init() {}

  /// The scrape intervals of the jobs a selector can reach.
  func intervals(of matchers: [Matcher]) -> [PromDuration] {
    let conditions = matchers.filter { $0.name == LabelName.job }
    return scrapeIntervals.filter { entry in conditions.allSatisfy { $0.matches(entry.job) } }
      .map(\.interval)
  }
}
