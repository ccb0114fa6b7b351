import Model
import PromQL

/// Builds native histograms with custom buckets out of loaded classic ones, as `load_with_nhcb`
/// asks.
struct CustomHistogramLoad {
  private struct Classic {
    var bounds: [(le: Double, count: Double)] = []
    var count: Double?
    var sum: Double = 0
  }

  private var byLabels: [LabelSet: [Int64: Classic]] = [:]

  /// The histograms of a load, by labels and ascending time.
  static func histograms(
    of load: PromQLScript.Load
  ) -> [(labels: LabelSet, samples: [(Timestamp, FloatHistogram)])] {
    var builder = CustomHistogramLoad()
    for series in load.series { builder.add(series, step: load.step) }
    return builder.byLabels.keys.sorted().map { labels in
      let perTime = builder.byLabels[labels] ?? [:]
      return (
        labels,
        perTime.keys.sorted().compactMap { t in
          perTime[t].flatMap { convert($0) }.map { (Timestamp(milliseconds: t), $0) }
        }
      )
    }
  }

  private mutating func add(_ series: PromQLScript.LoadedSeries, step: PromDuration) {
    guard let name = series.labels.metricName else { return }
    let suffixes = ["_bucket", "_count", "_sum"]
    guard let suffix = suffixes.first(where: { name.hasSuffix($0) }) else { return }
    let base = series.labels.dropping([LabelName.bucketBound])
      .setting(LabelName.metricName, to: String(name.dropLast(suffix.count)))
    var bound = 0.0
    if suffix == "_bucket" {
      guard let le = Self.bound(series.labels.value(of: LabelName.bucketBound)) else { return }
      bound = le
    }
    for (i, value) in series.values.enumerated() {
      guard !value.isOmitted, value.histogram == nil else { continue }
      let t = step.milliseconds * Int64(i)
      var classic = byLabels[base, default: [:]][t] ?? Classic()
      switch suffix {
      case "_bucket":
        if !classic.bounds.contains(where: { $0.le == bound }) {
          classic.bounds.append((bound, value.value))
        }
      case "_count": classic.count = value.value
      default: classic.sum = value.value
      }
      byLabels[base, default: [:]][t] = classic
    }
  }

  private static func bound(_ text: String) -> Double? {
    if text == "+Inf" || text == "Inf" { return .infinity }
    guard let le = Double(text), !le.isNaN else { return nil }
    return le
  }

  private static func convert(_ classic: Classic) -> FloatHistogram? {
    var bounds = classic.bounds.sorted { $0.le < $1.le }
    let count = classic.count ?? bounds.last?.count ?? 0
    if bounds.last?.le != .infinity { bounds.append((.infinity, count)) }
    var histogram = FloatHistogram()
    histogram.schema = FloatHistogram.customBucketsSchema
    histogram.count = count
    histogram.sum = classic.sum
    histogram.customValues = bounds.dropLast().map(\.le)
    histogram.positiveSpans = [.init(offset: 0, length: UInt32(bounds.count))]
    var previous = 0.0
    for bound in bounds {
      if bound.count < previous { return nil }
      histogram.positiveBuckets.append(bound.count - previous)
      previous = bound.count
    }
    return histogram.compacted()
  }
}
