import Model

/// How the questions to a server about series are meant in one rule, by its comments.
struct SeriesSettings: Sendable {
  /// A setting for one metric, or for all of them.
  private struct Setting<Value: Sendable>: Sendable {
    var metric: String?
    var value: Value

    func isAbout(_ name: String) -> Bool {
      guard let metric else { return true }
      return ByteOrder.equal(String(metric.prefix { $0 != "{" }), name)
    }
  }

  private var ages: [Setting<PromDuration>] = []
  private var labels: [Setting<String>] = []

  /// How long a metric has to be gone before that is told, where nobody says.
  private static let usualAge = PromDuration.hours(2)

  init() {}

  /// The words behind `rule/set`; nil where they are not understood.
  init?(_ words: [String]) {
    // A selector in parentheses may hold blanks.
    let text = words.joined(separator: " ")
    let name = text.prefix { $0 != "(" && $0 != " " }
    guard ["promql/series", "live/metric-vanished", "live/value"].contains(String(name)) else {
      return nil
    }
    var rest = text[name.endIndex...]
    var metric: String?
    if rest.first == "(" {
      guard let end = rest.lastIndex(of: ")") else { return nil }
      metric = String(rest[rest.index(after: rest.startIndex)..<end])
      rest = rest[rest.index(after: end)...]
    }
    let parts = rest.split(separator: " ")
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "min-age":
      guard let age = try? PromDuration(parsing: String(parts[1])) else { return nil }
      ages.append(Setting(metric: metric, value: age))
    case "ignore/label-value":
      labels.append(Setting(metric: metric, value: String(parts[1])))
    default: return nil
    }
  }

  /// Lays the settings of another comment over these.
  mutating func add(_ other: SeriesSettings) {
    ages += other.ages
    labels += other.labels
  }

  /// How long a metric has to be gone before that is told.
  func age(of metric: String) -> PromDuration {
    ages.last { $0.isAbout(metric) }?.value ?? Self.usualAge
  }

  /// Whether values of a label are left alone.
  func ignores(_ label: String, of metric: String) -> Bool {
    labels.contains { $0.isAbout(metric) && ByteOrder.equal($0.value, label) }
  }
}
