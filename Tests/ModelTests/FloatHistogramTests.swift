import Model
import Testing

@Suite("A native histogram")
struct FloatHistogramTests {
  /// A histogram with spans of one bucket per non-nil element, counts adding up.
  private func histogram(
    schema: Int32 = 0, offset: Int32 = 0, _ counts: [Double], negative: [Double] = [],
    zero: Double = 0, width: Double = 0, sum: Double = 0
  ) -> FloatHistogram {
    var h = FloatHistogram()
    h.schema = schema
    h.zeroCount = zero
    h.zeroThreshold = width
    h.count = counts.reduce(zero, +) + negative.reduce(0, +)
    h.sum = sum
    if !counts.isEmpty { h.positiveSpans = [.init(offset: offset, length: UInt32(counts.count))] }
    if !negative.isEmpty { h.negativeSpans = [.init(offset: 0, length: UInt32(negative.count))] }
    h.positiveBuckets = counts
    h.negativeBuckets = negative
    return h
  }

  private func custom(_ bounds: [Double], _ counts: [Double]) -> FloatHistogram {
    var h = histogram(schema: FloatHistogram.customBucketsSchema, counts)
    h.customValues = bounds
    return h
  }

  @Test("has bounds by schema")
  func bounds() {
    #expect(FloatHistogram.exponentialBound(of: 0, schema: 0) == 1)
    #expect(FloatHistogram.exponentialBound(of: 3, schema: 0) == 8)
    #expect(FloatHistogram.exponentialBound(of: -1, schema: 1) == 0.7071067811865475)
    #expect(FloatHistogram.exponentialBound(of: 1, schema: -4) == 65536)
    #expect(FloatHistogram.exponentialBound(of: 1024, schema: 0) == .greatestFiniteMagnitude)
    #expect(FloatHistogram.exponentialBound(of: 1025, schema: 0) == .infinity)
    #expect(FloatHistogram.exponentialBound(of: 256, schema: 8) == 2)
    let h = custom([1, 5], [1, 2, 3])
    #expect(h.allBuckets.map(\.description) == ["[-Inf,1]:1", "(1,5]:2", "(5,+Inf]:3"])
  }

  @Test("lists its buckets in ascending order")
  func buckets() {
    let h = histogram([1, 0, 2], negative: [3], zero: 4, width: 0.6, sum: 9)
    #expect(
      h.allBuckets.map(\.description)
        == ["[-1,-0.6):3", "[-0.6,0.6]:4", "(0.6,1]:1", "(1,2]:0", "(2,4]:2"])
    #expect(h.description == "{count:10, sum:9, [-1,-0.5):3, [-0.6,0.6]:4, (0.5,1]:1, (2,4]:2}")
    #expect(
      h.testExpression
        == "{{count:10 sum:9 z_bucket:4 z_bucket_w:0.6 buckets:[1 0 2] n_buckets:[3]}}")
  }

  @Test("adds and subtracts, in the coarser schema and with the wider zero bucket")
  func arithmetic() {
    let fine = histogram(schema: 1, offset: 1, [1, 2, 3, 4])
    let coarse = histogram(offset: 0, [10, 20, 30])
    let sum = fine.adding(coarse)?.histogram
    #expect(sum?.testExpression == "{{count:70 buckets:[10 23 37]}}")
    #expect(coarse.adding(fine)?.histogram.testExpression == sum?.testExpression)
    #expect(
      coarse.subtracting(fine)?.histogram.testExpression == "{{count:50 buckets:[10 17 23]}}")

    let narrow = histogram(offset: -3, [1, 2, 3, 4], zero: 1, width: 0.01)
    let wide = histogram([5], zero: 7, width: 0.2)
    let widened = narrow.adding(wide)?.histogram
    #expect(widened?.zeroThreshold == 0.25)
    #expect(widened?.zeroCount == 11)
    #expect(
      widened?.testExpression == "{{count:23 z_bucket:11 z_bucket_w:0.25 offset:-1 buckets:[3 9]}}")
  }

  @Test("brings different custom bounds together")
  func customBounds() {
    let a = custom([1, 2, 4], [1, 2, 3, 4])
    let b = custom([1, 4, 8], [10, 20, 30, 40])
    let sum = a.adding(b)
    #expect(sum?.boundsReconciled == true)
    #expect(
      sum?.histogram.testExpression
        == "{{schema:-53 count:110 custom_values:[1 4] buckets:[11 25 74]}}")
    #expect(a.adding(a)?.boundsReconciled == false)
    #expect(a.adding(histogram([1])) == nil)
  }

  @Test("keeps account of counter resets")
  func hints() {
    var reset = histogram([1])
    reset.counterResetHint = .reset
    var notReset = histogram([1])
    notReset.counterResetHint = .notReset
    let sum = reset.adding(notReset)
    #expect(sum?.resetsCollide == true)
    #expect(sum?.histogram.counterResetHint == .unknown)
    #expect(histogram([1]).multiplied(by: -1).counterResetHint == .gauge)
    #expect(histogram([1]).divided(by: 0).testExpression == "{{count:+Inf sum:NaN z_bucket:NaN}}")
  }

  @Test("compacts")
  func compacting() {
    let h = histogram([0, 1, 0, 0, 2, 0])
    let tight = h.compacted()
    #expect(tight.positiveBuckets == [1, 2])
    #expect(tight.positiveSpans == [.init(offset: 1, length: 1), .init(offset: 2, length: 1)])
    #expect(h.compacted(maxEmpty: 2).positiveBuckets == [1, 0, 0, 2])
    #expect(h.compacted(maxEmpty: 1) == tight)
    #expect(histogram([0, 0]).compacted().positiveSpans.isEmpty)
    #expect(tight.compacted(maxEmpty: .max).positiveSpans == [.init(offset: 1, length: 4)])
  }

  @Test("detects resets")
  func resets() {
    let before = histogram([1, 2, 3])
    #expect(!histogram([1, 2, 3]).detectReset(since: before))
    #expect(!histogram([1, 2, 4]).detectReset(since: before))
    #expect(histogram([1, 1, 5]).detectReset(since: before))
    #expect(histogram(offset: 1, [3, 9]).detectReset(since: before))
    #expect(!histogram([1, 2, 9]).detectReset(since: histogram(schema: 1, [1, 1, 1])))
    #expect(histogram(schema: 1, [9, 9, 9]).detectReset(since: before))
    #expect(
      histogram([9, 9], zero: 9, width: 0).detectReset(since: histogram([1], zero: 1, width: 0.1)))
    var hinted = histogram([0, 0, 0])
    hinted.counterResetHint = .notReset
    #expect(!hinted.detectReset(since: before))
    #expect(!custom([1, 4], [1, 5, 3]).detectReset(since: custom([1, 2, 4], [1, 2, 3, 3])))
    #expect(custom([1, 4], [1, 4, 9]).detectReset(since: custom([1, 2, 4], [1, 2, 3, 3])))
  }

  @Test("is cut at a bound")
  func trimming() {
    let h = histogram([1, 2, 1], sum: 5)
    #expect(h.trimmed(at: 4, keepsBelow: true) == h)
    let below = h.trimmed(at: 2, keepsBelow: true)
    #expect(below.positiveBuckets == [1, 2])
    #expect(below.count == 3)
    let above = h.trimmed(at: 2.0.squareRoot(), keepsBelow: false)
    #expect((above.positiveBuckets.first ?? 0) > 0.99 && (above.positiveBuckets.first ?? 9) < 1.01)
    let linear = custom([0, 10], [0, 10, 2]).trimmed(at: 5, keepsBelow: true)
    #expect(linear.count == 5)
    #expect(linear.sum == 12.5)
  }

  @Test("is compared by layout and bits")
  func equality() {
    var split = histogram([1, 2])
    split.positiveSpans = [
      .init(offset: 0, length: 1), .init(offset: 0, length: 0), .init(offset: 0, length: 1),
    ]
    #expect(split.equals(histogram([1, 2])))
    #expect(!histogram(offset: 1, [1, 2]).equals(histogram([1, 2])))
    #expect(histogram([1], sum: .nan).equals(histogram([1], sum: .nan)))
    #expect(!histogram([1], sum: 0).equals(histogram([1], sum: -0.0)))
  }

  @Test("is checked")
  func validation() throws {
    try histogram([1, 2], negative: [1], zero: 1).validate()
    try custom([1, 2], [1, 2, 3]).validate()
    var short = histogram([1, 2])
    short.positiveBuckets = [1]
    for (bad, message) in [
      (short, "positive side: spans need 2 buckets, have 1 buckets"),
      (histogram([-1]), "observation count is  -1: histogram's observation count is negative"),
      (histogram(schema: 9, [1]), "histogram has an invalid schema"),
      (custom([2, 1], [1]), "custom buckets: previous bound is 2.000000 and current is 1.000000"),
      (custom([1], [1, 2, 3]), "custom buckets: only 1 custom bounds defined"),
    ] {
      let fault = #expect(throws: HistogramFault.self) { try bad.validate() }
      #expect(fault?.description.hasPrefix(message) == true)
    }
  }
}
