import Model

/// Gathers the parts of classic histograms of a text exposition into native ones with custom
/// bounds.
struct ClassicConversion {
  /// The parts of one histogram.
  struct Parts {
    var labels: LabelSet
    var isGauge: Bool
    var buckets: [(bound: Double, count: Double)] = []
    var count: Double?
    var sum = 0.0

    /// The histogram; nil where the parts contradict each other.
    var histogram: FloatHistogram? {
      let ordered = buckets.sorted { $0.bound < $1.bound }
      return try? CustomBuckets.histogram(ordered, count: count, sum: sum, isGauge: isGauge)
    }
  }

  private(set) var parts: [Parts] = []
  private var index: [LabelSet: Int] = [:]

  /// Takes a series of a family of histograms; false for one that is no part of a histogram.
  mutating func take(_ labels: LabelSet, _ value: Double, isGauge: Bool) -> Bool {
    guard let name = labels.metricName else { return false }
    var bound: Double?
    let ending: String
    if name.hasSuffix("_bucket"), let text = labels[LabelName.bucketBound] {
      guard let number = try? Array(text.utf8).withUnsafeBufferPointer(GoNumber.parse) else {
        return false
      }
      bound = number
      ending = "_bucket"
    } else if name.hasSuffix("_count") {
      ending = "_count"
    } else if name.hasSuffix("_sum") {
      ending = "_sum"
    } else {
      return false
    }
    let base = labels.dropping([LabelName.bucketBound])
      .setting(LabelName.metricName, to: String(name.dropLast(ending.count)))
    let place = index[base] ?? parts.count
    if place == parts.count {
      index[base] = place
      parts.append(Parts(labels: base, isGauge: isGauge))
    }
    if let bound {
      parts[place].buckets.append((bound, value))
    } else if ending == "_count" {
      parts[place].count = value
    } else {
      parts[place].sum = value
    }
    return true
  }

  /// The text under which a histogram is known: as a target would write it.
  static func key(of labels: LabelSet) -> [UInt8] {
    var text: [UInt8] = []
    let name = labels.metricName ?? ""
    let isPlain = LabelName.isLegacyValidMetric(name)
    var pairs = labels.labels.filter { !ByteOrder.equal($0.name, LabelName.metricName) }
      .map { label -> [UInt8] in
        let name =
          LabelName.isLegacyValid(label.name) ? Array(label.name.utf8) : quoted(label.name)
        return name + [Byte.equal] + quoted(label.value)
      }
    if isPlain { text += name.utf8 } else { pairs.insert(quoted(name), at: 0) }
    if pairs.isEmpty { return text }
    return text + [Byte.braceOpen] + Array(pairs.joined(separator: [Byte.comma]))
      + [Byte.braceClose]
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var out = [Byte.quote]
    for c in text.utf8 {
      switch c {
      case Byte.newline: out += [Byte.backslash, UInt8(ascii: "n")]
      case Byte.quote, Byte.backslash: out += [Byte.backslash, c]
      default: out.append(c)
      }
    }
    return out + [Byte.quote]
  }
}

extension ScrapeCache {
  /// Replaces the classic histograms among the delivered samples, or adds native ones beside them.
  ///
  /// - Returns: how many native histograms there are.
  func convertClassic(
    _ delivered: inout Int, keepsClassic: Bool, _ summary: inout ScanSummary
  ) throws(ExpositionProblem) -> Int {
    var conversion = ClassicConversion()
    var kept = 0
    for i in 0..<delivered {
      let entry = buffers.entries[i]
      let type = table.lines[Int(entry)].type
      var isPart = false
      if type == .histogram || type == .gaugeHistogram {
        isPart = conversion.take(
          try labels(of: entry), buffers.values[i], isGauge: type == .gaugeHistogram)
      }
      if isPart && !keepsClassic { continue }
      buffers.entries[kept] = entry
      buffers.values[kept] = buffers.values[i]
      kept += 1
    }
    summary.samples -= delivered - kept
    delivered = kept
    var lines = 0
    for parts in conversion.parts {
      guard let histogram = parts.histogram else { continue }
      summary.samples += 1
      lines += 1
      let entry = try self.entry(for: ClassicConversion.key(of: parts.labels), &summary)
      histograms.append(HistogramSample(entry: entry, value: histogram, timestamp: nil))
    }
    return lines
  }

  /// The entry of a series that no line of its own stands for.
  private func entry(
    for key: [UInt8], _ summary: inout ScanSummary
  ) throws(ExpositionProblem) -> UInt32 {
    let seen = lastGood &- 1
    let found = key.withUnsafeBufferPointer { bytes -> Int? in
      guard let text = bytes.baseAddress else { return nil }
      let hash = table.hasher.hash(text, bytes.count)
      let known = table.find(length: bytes.count, hash: hash)
      if known != 0 { return table.keepText(of: known, text) ? known : nil }
      return table.insert(
        text, bytes.count, hash: hash, kind: .keptSeries, type: .unknown, seen: seen,
        payload: Self.unresolved)
    }
    guard let found else { throw ExpositionProblem("too many lines in one exposition") }
    if table.lines[found].seen != lastGood {
      table.payloads[found] = Self.unresolved
      summary.newEntries += 1
    }
    table.lines[found].seen = current
    return UInt32(truncatingIfNeeded: found)
  }
}
