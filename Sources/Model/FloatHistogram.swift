/// A native histogram with float counts, as PromQL computes with it.
///
/// Buckets are kept as spans over absolute counts, exactly as Prometheus'
/// `histogram.FloatHistogram`.
package struct FloatHistogram: Hashable, Sendable {
  /// A run of consecutive buckets: `offset` from the end of the run before (or the absolute first
  /// index).
  package struct Span: Hashable, Sendable {
    package var offset: Int32
    package var length: UInt32

    package init(offset: Int32, length: UInt32) {
      self.offset = offset
      self.length = length
    }
  }

  /// What is known about a counter reset right before this histogram.
  package enum CounterResetHint: UInt8, Hashable, Sendable {
    case unknown, reset, notReset, gauge
  }

  /// The schema of histograms with custom bucket bounds.
  package static let customBucketsSchema: Int32 = -53

  package var counterResetHint: CounterResetHint = .unknown
  /// Exponential resolution −4…8, or −53 for custom bounds.
  package var schema: Int32 = 0
  /// Width of the zero bucket.
  package var zeroThreshold: Double = 0
  package var zeroCount: Double = 0
  package var count: Double = 0
  package var sum: Double = 0
  package var positiveSpans: [Span] = []
  package var negativeSpans: [Span] = []
  /// Absolute counts of the buckets named by `positiveSpans`.
  package var positiveBuckets: [Double] = []
  package var negativeBuckets: [Double] = []
  /// Upper bounds for the custom-buckets schema, ascending, without +Inf.
  package var customValues: [Double] = []

  package init() {}

  package var usesCustomBuckets: Bool { schema == Self.customBucketsSchema }
}
