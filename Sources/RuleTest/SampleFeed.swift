import Model
import PromQL
import Storage

/// Hands the input series of a test to a store as time goes by, with the scrapes that fail.
struct SampleFeed {
  private struct Line {
    var series: UnitTestFile.InputSeries
    /// The position of the next value.
    var next = 0
    var isLive = false
  }

  private let start: Timestamp
  private let interval: PromDuration
  private let failures: [UnitTestFile.ScrapeFailure]
  private var lines: [Line]

  init(test: UnitTestFile.TestGroup, failures: [UnitTestFile.ScrapeFailure]) {
    start = test.start
    interval = test.interval
    self.failures = failures
    lines = test.series.map { Line(series: $0) }
    let length = test.series.map(\.values.count).max() ?? 0
    for labels in Self.targets(of: test.series, failures: failures) {
      lines.append(Line(series: Self.health(labels, failures, length, test)))
    }
  }

  /// The `up` series of targets whose scrapes fail, unless the test brings its own.
  private static func targets(
    of series: [UnitTestFile.InputSeries], failures: [UnitTestFile.ScrapeFailure]
  ) -> [LabelSet] {
    var out: [LabelSet] = []
    for one in series where failures.contains(where: { $0.matches(one.labels) }) {
      let labels = one.labels.keeping([LabelName.job, LabelName.instance])
        .setting(LabelName.metricName, to: "up")
      let isGiven = series.contains { $0.labels == labels }
      if !isGiven && !out.contains(labels) { out.append(labels) }
    }
    return out
  }

  private static func health(
    _ labels: LabelSet, _ failures: [UnitTestFile.ScrapeFailure], _ length: Int,
    _ test: UnitTestFile.TestGroup
  ) -> UnitTestFile.InputSeries {
    let target = labels.keeping([LabelName.job, LabelName.instance])
    let hit = failures.filter { failure in
      test.series.contains {
        failure.matches($0.labels)
          && $0.labels.keeping([LabelName.job, LabelName.instance]) == target
      }
    }
    let values = (0..<length).map { i in
      let elapsed = test.interval * Int64(i)
      let fails = hit.contains { $0.from <= elapsed && elapsed <= $0.through }
      return SequenceValue.float(fails ? 0 : 1)
    }
    return UnitTestFile.InputSeries(labels: labels, values: values)
  }

  /// Appends what is dated up to a time; answers what the store refused.
  mutating func append(through time: Timestamp, to store: Store) -> String? {
    for i in lines.indices {
      while lines[i].next < lines[i].series.values.count {
        let elapsed = interval * Int64(lines[i].next)
        if start + elapsed > time { break }
        let value = lines[i].series.values[lines[i].next]
        lines[i].next += 1
        if let problem = put(value, at: elapsed, line: i, into: store) { return problem }
      }
    }
    return nil
  }

  private mutating func put(
    _ value: SequenceValue, at elapsed: PromDuration, line i: Int, into store: Store
  ) -> String? {
    let labels = lines[i].series.labels
    let isHealth = labels.metricName == "up"
    let fails =
      !isHealth
      && failures.contains {
        $0.from <= elapsed && elapsed <= $0.through && $0.matches(labels)
      }
    var sample = value.histogram.map { SampleValue.histogram($0) } ?? .float(value.value)
    if fails {
      if !lines[i].isLive { return nil }
      sample = .float(SpecialValue.stale)
    } else if value.isOmitted {
      return nil
    }
    lines[i].isLive = !fails
    do {
      _ = try store.append(labels, at: start + elapsed, sample, startTimestamp: nil)
      return nil
    } catch {
      return "    series: \(labels), time: \(elapsed), err: \(error)"
    }
  }

  /// Lets samples up to a time pass: nobody scrapes.
  mutating func skip(through time: Timestamp) {
    for i in lines.indices {
      while start + interval * Int64(lines[i].next) <= time { lines[i].next += 1 }
    }
  }
}

extension UnitTestFile.ScrapeFailure {
  func matches(_ labels: LabelSet) -> Bool { matchers.allSatisfy { $0.matches(labels) } }
}
