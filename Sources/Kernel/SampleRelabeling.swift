import Exposition
import Model

/// How the labels of a scraped sample become those of a stored series.
struct SampleRelabeling {
  private let target: [Label]
  private let honorLabels: Bool
  private let rules: [RelabelRule]
  private let limits: LabelLimits
  private let allowsUTF8Names: Bool

  init(target: LabelSet, settings: ScrapeSettings) {
    self.target = target.labels
    honorLabels = settings.honorLabels
    rules = settings.metricRelabeling
    limits = LabelLimits(
      count: settings.labelLimit, nameLength: settings.labelNameLengthLimit,
      valueLength: settings.labelValueLengthLimit)
    allowsUTF8Names = settings.allowsUTF8Names
  }

  /// The labels to store under, or nil if relabelling drops the sample.
  func apply(to scraped: LabelSet) throws(ScrapeFailure) -> LabelSet? {
    var builder = LabelBuilder(scraped)
    addTargetLabels(to: &builder, scraped: scraped)
    if !rules.apply(to: &builder) { return nil }
    let labels = builder.labels
    if labels.isEmpty { return nil }
    guard let name = labels.metricName else {
      throw ScrapeFailure("missing metric name (__name__ label)")
    }
    if name.isEmpty { throw ScrapeFailure("missing metric name (__name__ label)") }
    if !allowsUTF8Names, !Self.isLegacy(labels) {
      throw ScrapeFailure("invalid metric name or label names: \(labels)")
    }
    if let problem = limits.check(labels) { throw ScrapeFailure(problem) }
    return labels
  }

  /// Whether all names are of the form they had before UTF-8 was let in.
  private static func isLegacy(_ labels: LabelSet) -> Bool {
    labels.labels.allSatisfy {
      ByteOrder.equal($0.name, LabelName.metricName)
        ? LabelName.isLegacyValidMetric($0.value) : LabelName.isLegacyValid($0.name)
    }
  }

  private func addTargetLabels(to builder: inout LabelBuilder, scraped: LabelSet) {
    if honorLabels {
      for label in target where builder[label.name].isEmpty { builder[label.name] = label.value }
      return
    }
    var displaced: [Label] = []
    for label in target {
      let value = builder[label.name]
      if !value.isEmpty { displaced.append(Label(name: label.name, value: value)) }
      builder[label.name] = label.value
    }
    // The shorter name first, so that `exported_a` of the target cannot take the place `a` moves
    // to.
    let order = displaced.indices.sorted {
      let counts = (displaced[$0].name.utf8.count, displaced[$1].name.utf8.count)
      return counts.0 != counts.1 ? counts.0 < counts.1 : $0 < $1
    }
    for i in order {
      var name = "exported_" + displaced[i].name
      while !builder[name].isEmpty { name = "exported_" + name }
      builder[name] = displaced[i].value
    }
  }
}

/// Why a scrape failed as a whole, in Prometheus' words.
struct ScrapeFailure: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
