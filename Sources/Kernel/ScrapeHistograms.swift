import Exposition
import Glibc
import Model

/// The limits of a scrape configuration on native histograms.
enum HistogramLimits {
  /// The finest schema whose buckets grow by at least this factor each.
  static func schema(forFactor factor: Double) -> Int32 {
    let least = factor <= 1 ? 1.00271 : factor
    let floor = Glibc.floor(-log2(log2(least)))
    return floor >= 8 ? 8 : floor <= -4 ? -4 : Int32(floor)
  }

  /// The histogram at a resolution that keeps within the limits; nil where there is none.
  static func apply(_ settings: ScrapeSettings, to histogram: FloatHistogram) -> FloatHistogram? {
    var histogram = histogram
    if settings.nativeHistogramMinBucketFactor > 0, !histogram.usesCustomBuckets {
      let most = schema(forFactor: settings.nativeHistogramMinBucketFactor)
      if histogram.schema > most { histogram = reduced(histogram, to: most) }
    }
    let limit = settings.nativeHistogramBucketLimit
    if limit == 0 { return histogram }
    while histogram.positiveBuckets.count + histogram.negativeBuckets.count > limit {
      if histogram.usesCustomBuckets || histogram.schema <= -4 { return nil }
      histogram = reduced(histogram, to: histogram.schema - 1)
    }
    return histogram
  }

  /// Coarser buckets say nothing new about resets.
  private static func reduced(_ histogram: FloatHistogram, to schema: Int32) -> FloatHistogram {
    var out = histogram.copied(toSchema: schema)
    out.counterResetHint = histogram.counterResetHint
    return out
  }
}
