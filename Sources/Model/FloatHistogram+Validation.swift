/// What is wrong with a histogram's fields; the wording is Prometheus'.
package struct HistogramFault: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  fileprivate init(_ description: String) { self.description = description }

  fileprivate func within(_ place: String) -> HistogramFault {
    HistogramFault("\(place): \(description)")
  }
}

extension FloatHistogram {
  /// Checks that spans and buckets fit together, that no count is negative, and that no field is
  /// used that the schema has no use for.
  ///
  /// - Note: The total count is not compared with the buckets': rounding can make it smaller.
  package func validate() throws(HistogramFault) {
    if usesCustomBuckets {
      try checkCustom()
    } else if Self.isExponential(schema) {
      try Self.checkSpans(positiveSpans, positiveBuckets.count, "positive side")
      try Self.checkSpans(negativeSpans, negativeBuckets.count, "negative side")
      try Self.checkCounts(negativeBuckets, "negative side")
      if zeroCount < 0 {
        throw HistogramFault(
          "zero bucket has observation count of \(NumberText.general(zeroCount)): "
            + "histogram has a bucket whose observation count is negative")
      }
      if !customValues.isEmpty {
        throw HistogramFault("histogram with exponential schema must not have custom bounds")
      }
    } else {
      throw HistogramFault(
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, "
          + "or -53 for custom buckets, got schema \(schema)")
    }
    if count < 0 {
      throw HistogramFault(
        "observation count is  \(NumberText.general(count)): "
          + "histogram's observation count is negative")
    }
    try Self.checkCounts(positiveBuckets, "positive side")
  }

  private func checkCustom() throws(HistogramFault) {
    do {
      try checkCustomBounds()
    } catch {
      throw error.within("custom buckets")
    }
    if zeroCount != 0 { throw HistogramFault("custom buckets: must have zero count of 0") }
    if zeroThreshold != 0 { throw HistogramFault("custom buckets: must have zero threshold of 0") }
    if !negativeSpans.isEmpty {
      throw HistogramFault("custom buckets: must not have negative spans")
    }
    if !negativeBuckets.isEmpty {
      throw HistogramFault("custom buckets: must not have negative buckets")
    }
  }

  private func checkCustomBounds() throws(HistogramFault) {
    var previous = -Double.infinity
    for (i, bound) in customValues.enumerated() {
      if bound.isNaN { throw HistogramFault("histogram custom bounds must not be NaN") }
      if i > 0 && bound <= previous {
        throw HistogramFault(
          "previous bound is \(NumberText.fixed(previous)) and current is "
            + "\(NumberText.fixed(bound)): histogram custom bounds must be in strictly increasing "
            + "order")
      }
      previous = bound
    }
    if previous == .infinity {
      throw HistogramFault(
        "last +Inf bound must not be explicitly defined: histogram custom bounds must be finite")
    }
    var covered = 0
    for (i, span) in positiveSpans.enumerated() {
      if span.offset < 0 { throw Self.negativeOffset(i, span) }
      covered += Int(span.offset) + Int(span.length)
    }
    try Self.checkLength(positiveSpans, positiveBuckets.count)
    if customValues.count + 1 < covered {
      throw HistogramFault(
        "only \(customValues.count) custom bounds defined which is insufficient to cover total "
          + "span length of \(covered): histogram custom bounds are too few")
    }
  }

  private static func checkSpans(
    _ spans: [Span], _ count: Int, _ place: String
  ) throws(HistogramFault) {
    for (i, span) in spans.enumerated() where i > 0 && span.offset < 0 {
      throw negativeOffset(i, span).within(place)
    }
    do {
      try checkLength(spans, count)
    } catch {
      throw error.within(place)
    }
  }

  private static func negativeOffset(_ i: Int, _ span: Span) -> HistogramFault {
    HistogramFault(
      "span number \(i + 1) with offset \(span.offset): histogram has a span whose offset is "
        + "negative")
  }

  private static func checkLength(_ spans: [Span], _ count: Int) throws(HistogramFault) {
    let needed = spans.reduce(0) { $0 + Int($1.length) }
    if needed != count {
      throw HistogramFault(
        "spans need \(needed) buckets, have \(count) buckets: histogram spans specify different "
          + "number of buckets than provided")
    }
  }

  private static func checkCounts(_ counts: [Double], _ place: String) throws(HistogramFault) {
    for (i, count) in counts.enumerated() where count < 0 {
      throw HistogramFault(
        "\(place): bucket number \(i + 1) has observation count of \(NumberText.general(count)): "
          + "histogram has a bucket whose observation count is negative")
    }
  }
}
