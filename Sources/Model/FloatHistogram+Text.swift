extension FloatHistogram.Bucket: CustomStringConvertible {
  /// `(1,2]:3`: brackets tell which bounds belong to the bucket.
  package var description: String {
    let bounds = "\(NumberText.general(lower)),\(NumberText.general(upper))"
    return (lowerInclusive ? "[" : "(") + bounds + (upperInclusive ? "]" : ")")
      + ":\(NumberText.general(count))"
  }
}

extension FloatHistogram: CustomStringConvertible {
  /// `{count:3, sum:10, [-0.001,0.001]:1, (1,2]:2}`: the populated buckets in ascending order.
  package var description: String {
    var parts = ["count:\(NumberText.general(count))", "sum:\(NumberText.general(sum))"]
    let negative = buckets(positive: false).filter { $0.count != 0 }
    parts += negative.reversed().map(\.description)
    if zeroCount != 0 { parts.append(zeroBucket.description) }
    parts += buckets(positive: true).filter { $0.count != 0 }.map(\.description)
    return "{" + parts.joined(separator: ", ") + "}"
  }

  /// `{{schema:1 count:3 buckets:[1 2]}}`: the literal of series notation that stands for the
  /// histogram.
  package var testExpression: String {
    // The notation has one run of buckets a side; only absurd gaps are not filled.
    let compact = compacted(maxEmpty: 1_000_000)
    var parts: [String] = []
    func add(_ key: String, _ value: Double) {
      if value != 0 { parts.append("\(key):\(NumberText.general(value))") }
    }
    func list(_ values: [Double]) -> String {
      "[" + values.map(NumberText.general).joined(separator: " ") + "]"
    }
    if schema != 0 { parts.append("schema:\(schema)") }
    add("count", count)
    add("sum", sum)
    add("z_bucket", zeroCount)
    add("z_bucket_w", zeroThreshold)
    if usesCustomBuckets { parts.append("custom_values:\(list(customValues))") }
    switch counterResetHint {
    case .unknown: break
    case .reset: parts.append("counter_reset_hint:reset")
    case .notReset: parts.append("counter_reset_hint:not_reset")
    case .gauge: parts.append("counter_reset_hint:gauge")
    }
    for (side, prefix) in [(compact.positiveSide, ""), (compact.negativeSide, "n_")] {
      if let offset = side.spans.first?.offset, offset != 0 {
        parts.append("\(prefix)offset:\(offset)")
      }
      if !side.counts.isEmpty { parts.append("\(prefix)buckets:\(list(side.counts))") }
    }
    return "{{" + parts.joined(separator: " ") + "}}"
  }
}
