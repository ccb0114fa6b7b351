import Model

extension ProtobufScan {
  /// What a metric family says of itself, read before its metrics.
  struct Family {
    private(set) var name = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private(set) var type = MetricType.counter
    private var typeNumber: UInt64 = 0
    private var help: UnsafeBufferPointer<UInt8>?
    private var unit = ""

    init() {}

    /// Reads the family's own fields; its metrics are passed over.
    init(_ message: WireReader) throws(WireProblem) {
      var fields = message
      while let tag = try fields.tag() {
        switch tag.field {
        case 1:
          try WireReader.expect(tag, .bytes)
          name = try fields.bytes()
        case 2:
          try WireReader.expect(tag, .bytes)
          help = try fields.bytes()
        case 3:
          try WireReader.expect(tag, .varint)
          typeNumber = try fields.varint()
        case 5:
          try WireReader.expect(tag, .bytes)
          unit = String(decoding: try fields.bytes(), as: UTF8.self)
        default: try fields.skip(tag.kind)
        }
      }
    }

    /// How many pieces of metadata there are: type, help, unit.
    var metadata: Int { 1 + (help == nil ? 0 : 1) + (unit.isEmpty ? 0 : 1) }

    /// The number of the field of a metric that holds its value.
    var valueField: UInt32 {
      switch type {
      case .gauge: 2
      case .counter: 3
      case .summary: 4
      case .histogram, .gaugeHistogram: 7
      default: 5
      }
    }

    /// Refuses what Prometheus refuses, in its words.
    mutating func check() throws(WireProblem) {
      let text = String(decoding: name, as: UTF8.self)
      if name.isEmpty || !QuotedBytes.isValidUTF8(name) {
        throw WireProblem("invalid metric name: \(text)")
      }
      if let help, !QuotedBytes.isValidUTF8(help) {
        throw WireProblem("invalid help for metric \(GoText.quote(text))")
      }
      let types: [MetricType] = [
        .counter, .gauge, .summary, .unknown, .histogram, .gaugeHistogram,
      ]
      guard typeNumber < UInt64(types.count) else {
        throw WireProblem("unknown metric type for metric \(GoText.quote(text)): \(typeNumber)")
      }
      type = types[Int(typeNumber)]
      if unit.isEmpty { return }
      let isTotal = type == .counter && text.hasSuffix("_total")
      let stem = isTotal ? String(text.dropLast("_total".count)) : text
      if !stem.hasSuffix("_" + unit) {
        throw WireProblem(
          "unit \(GoText.quote(unit)) not a suffix of \(isTotal ? "counter" : "metric") "
            + GoText.quote(text))
      }
    }
  }
}
