import Model
import Storage

/// What the `up` series say about the targets at one time.
///
/// Rules know nothing of scraping; every scrape leaves its `up` in the store.
struct TargetStates {
  /// The labels of the targets whose last scrape failed.
  private(set) var down: [LabelSet] = []
  /// The labels of the targets that are scraped, with whatever success.
  private(set) var scraped: [LabelSet] = []
  /// The labels of the targets that were scraped lately and are not any more.
  private(set) var gone: [LabelSet] = []

  init(_ store: Store, at time: Timestamp, lookback: PromDuration) {
    let selector = store.select([Matcher(LabelName.metricName, equals: "up")])
    var latest = LatestColumns()
    store.latest(of: selector, at: time, lookback: lookback, into: &latest)
    for (i, member) in selector.members.enumerated() {
      let labels = member.labels.withoutMetricName
      guard latest.presence[i] == .float else {
        gone.append(labels)
        continue
      }
      scraped.append(labels)
      if latest.values[i] == 0 { down.append(labels) }
    }
  }

  /// Whether a target's labels and those of an alert may be about one thing: they agree wherever
  /// both have a label; names in `ignored` do not count.
  static func agree(_ target: LabelSet, _ alert: LabelSet, ignoring ignored: [String]) -> Bool {
    target.labels.allSatisfy { label in
      guard let value = alert[label.name] else { return true }
      return ByteOrder.equal(value, label.value)
        || ignored.contains { ByteOrder.equal($0, label.name) }
    }
  }

  /// Whether the one target an alert is about has left the configuration or its discovery.
  ///
  /// Only an alert with `job` and `instance` is about one target.
  func hasLeft(_ alert: LabelSet, ignoring ignored: [String]) -> Bool {
    guard alert[LabelName.job] != nil, alert[LabelName.instance] != nil else { return false }
    let isAbout = { (target: LabelSet) in Self.agree(target, alert, ignoring: ignored) }
    return gone.contains(where: isAbout) && !scraped.contains(where: isAbout)
  }
}
