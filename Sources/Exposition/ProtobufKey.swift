import Model

/// The bytes under which a series of a protobuf exposition is known: what it is, the family's name,
/// the label pairs as they came, and the bound of a bucket or quantile.
struct ProtobufKey {
  enum Kind: UInt8 {
    case value, count, sum, bucket, quantile, native

    /// Whether the key ends with eight bytes of a bound.
    var hasBound: Bool { self == .bucket || self == .quantile }

    /// What the series' name ends with beyond the family's.
    var suffix: String {
      switch self {
      case .value, .quantile, .native: ""
      case .count: "_count"
      case .sum: "_sum"
      case .bucket: "_bucket"
      }
    }
  }

  private(set) var bytes: [UInt8] = []
  private var familyEnd = 0
  private var metricEnd = 0

  /// Begins a family.
  mutating func begin(family name: UnsafeBufferPointer<UInt8>) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(0)
    LabelSet.encode(name, into: &bytes)
    familyEnd = bytes.count
    metricEnd = familyEnd
  }

  /// Begins a metric of the family.
  mutating func beginMetric() {
    bytes.removeLast(bytes.count - familyEnd)
    metricEnd = familyEnd
  }

  /// Takes a label pair as it came.
  mutating func append(label: UnsafeBufferPointer<UInt8>) {
    LabelSet.encode(label, into: &bytes)
    metricEnd = bytes.count
  }

  /// Turns the key of the metric into that of one of its series.
  mutating func select(_ kind: Kind, bound: Double = 0) {
    bytes.removeLast(bytes.count - metricEnd)
    bytes[0] = kind.rawValue
    guard kind.hasBound else { return }
    withUnsafeBytes(of: bound.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// The labels behind a key, unsorted and unchecked; nil where they are not well-formed.
  static func pairs(
    _ key: UnsafeBufferPointer<UInt8>
  ) throws(WireProblem) -> [(name: [UInt8], value: [UInt8])] {
    guard let kind = key.first.flatMap(Kind.init(rawValue:)) else { throw .truncated }
    var fields = WireReader(UnsafeBufferPointer(rebasing: key.dropFirst()))
    var pairs: [(name: [UInt8], value: [UInt8])] = []
    let name = Array(try fields.bytes()) + Array(kind.suffix.utf8)
    pairs.append((Array(LabelName.metricName.utf8), name))
    while fields.rest > (kind.hasBound ? 8 : 0) {
      var label = try fields.message()
      pairs.append(try pair(&label))
    }
    if kind.hasBound {
      let name = kind == .bucket ? LabelName.bucketBound : LabelName.quantile
      let bound = SeriesLabels.openMetricsText(of: try fields.double())
      pairs.append((Array(name.utf8), Array(bound.utf8)))
    }
    return pairs
  }

  private static func pair(
    _ label: inout WireReader
  ) throws(WireProblem) -> (name: [UInt8], value: [UInt8]) {
    var name: [UInt8] = []
    var value: [UInt8] = []
    while let tag = try label.tag() {
      switch tag.field {
      case 1:
        try WireReader.expect(tag, .bytes)
        name = Array(try label.bytes())
      case 2:
        try WireReader.expect(tag, .bytes)
        value = Array(try label.bytes())
      default: try label.skip(tag.kind)
      }
    }
    if name.isEmpty || !QuotedBytes.isValidUTF8(name) {
      throw WireProblem("invalid label name: \(String(decoding: name, as: UTF8.self))")
    }
    if !QuotedBytes.isValidUTF8(value) {
      throw WireProblem("invalid label value: \(String(decoding: value, as: UTF8.self))")
    }
    return (name, value)
  }
}
