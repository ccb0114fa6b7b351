import Model
import PromQL

/// When two results count as equal in a PromQL script.
package enum SampleComparison {
  private static let epsilon = 1e-6
  private static let smallestNormal = Double.leastNormalMagnitude

  /// Equal bits' meaning, or within a relative 1e-6 (Prometheus' `almost.Equal`).
  package static func close(_ a: Double, _ b: Double) -> Bool {
    if SpecialValue.isStale(a) || SpecialValue.isStale(b) {
      return SpecialValue.isStale(a) && SpecialValue.isStale(b)
    }
    if a.isNaN && b.isNaN { return true }
    if a == b { return true }
    let sum = a.magnitude + b.magnitude
    let difference = (a - b).magnitude
    if a == 0 || b == 0 || sum < smallestNormal { return difference < epsilon * smallestNormal }
    return difference / min(sum, .greatestFiniteMagnitude) < epsilon
  }

  /// Compares an expectation with a value; the reset hint counts only where the expectation wrote
  /// it.
  package static func matches(_ expected: SequenceValue, _ actual: SampleValue) -> Bool {
    switch (expected.histogram, actual) {
    case (nil, .float(let v)): close(expected.value, v)
    case (let h?, .histogram(let got)): close(h, got, hint: expected.counterResetHintGiven)
    default: false
    }
  }

  private static func close(_ a: FloatHistogram, _ b: FloatHistogram, hint: Bool) -> Bool {
    let a = a.compacted()
    let b = b.compacted()
    if hint && a.counterResetHint != b.counterResetHint { return false }
    return a.schema == b.schema && close(a.count, b.count) && close(a.sum, b.sum)
      && a.zeroThreshold == b.zeroThreshold && close(a.zeroCount, b.zeroCount)
      && sameSpans(a.positiveSpans, b.positiveSpans)
      && sameSpans(a.negativeSpans, b.negativeSpans)
      && close(a.positiveBuckets, b.positiveBuckets) && close(a.negativeBuckets, b.negativeBuckets)
      && (!a.usesCustomBuckets || a.customValues == b.customValues)
  }

  private static func close(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { close($0, $1) }
  }

  private static func sameSpans(
    _ a: [FloatHistogram.Span], _ b: [FloatHistogram.Span]
  ) -> Bool {
    solid(a) == solid(b)
  }

  /// Spans without the empty ones, whose offsets move to the next.
  private static func solid(_ spans: [FloatHistogram.Span]) -> [FloatHistogram.Span] {
    var out: [FloatHistogram.Span] = []
    var carried: Int32 = 0
    for span in spans {
      if span.length == 0 {
        carried += span.offset
        continue
      }
      out.append(FloatHistogram.Span(offset: span.offset + carried, length: span.length))
      carried = 0
    }
    return out
  }
}
