import Model

/// The output slots of a node whose results have no metric name.
///
/// As long as all input slots carry the same name no two can collide: then output slot `i` is input
/// slot `i`, and neither labels nor a table are kept. Otherwise the labels are made and interned,
/// and values are scattered with a check.
struct NameRemoval {
  private let delaysNames: Bool
  /// The output slots.
  let shape = Shape()
  private var cursor = ShapeCursor()
  private var interner: ShapeInterner?
  /// The output slot of each input slot, while names differ.
  private var targets: [Int32] = []
  /// Whether every input slot is its own output slot.
  private(set) var isIdentity = true
  /// What all slots lose, once there is a slot.
  private var common: [UInt8]?
  private var scratch: [UInt8] = []

  /// - Parameter delaysNames: names stay until the end of the query, so that nothing can collide.
  init(delaysNames: Bool) { self.delaysNames = delaysNames }

  /// The output slot of an input slot.
  @inline(__always)
  func target(_ slot: Int) -> Int { isIdentity ? slot : Int(targets[slot]) }

  /// Follows the input's shape; work is proportional to the slots that are new.
  mutating func update(from input: Shape) {
    switch cursor.advance(to: input) {
    case .none: return
    case .grown(let slots):
      if interner == nil { derive(input, slots) } else { intern(input, slots) }
    case .rebuilt:
      shape.derive(from: input, delaysNames: delaysNames)
      interner = nil
      targets = []
      common = nil
      isIdentity = true
      derive(input, 0..<input.count)
    }
  }

  private mutating func derive(_ input: Shape, _ slots: Range<Int>) {
    if !delaysNames {
      for slot in slots where !sharesName(input.labels(at: slot)) {
        interner = ShapeInterner(shape)
        shape.removeAll()
        intern(input, 0..<input.count)
        return
      }
    }
    shape.grow(to: slots.upperBound)
  }

  /// Whether a label set loses what the others lose.
  private mutating func sharesName(_ labels: LabelSet) -> Bool {
    scratch.removeAll(keepingCapacity: true)
    MetadataLabels.appendRemoved(labels, to: &scratch)
    if let common { return common == scratch }
    common = scratch
    return true
  }

  private mutating func intern(_ input: Shape, _ slots: Range<Int>) {
    guard var interner else { return }
    self.interner = nil
    for slot in slots {
      let (labels, drops) = MetadataLabels.dropped(input.labels(at: slot), delayed: delaysNames)
      let out = interner.slot(of: labels, dropsName: drops).slot
      if Int(out) != slot { isIdentity = false }
      targets.append(out)
    }
    self.interner = interner
  }
}

/// The labels that say what a metric is; an operator that changes its meaning drops them.
enum MetadataLabels {
  static let names = [LabelName.metricName, "__type__", "__unit__"]

  /// What remains of a label set when the metric loses its meaning.
  static func drop(_ labels: LabelSet) -> LabelSet { labels.filter { !isMetadata($0) } }

  /// The labels of a result of which the name goes away now or, if delayed, at the end.
  static func dropped(_ labels: LabelSet, delayed: Bool) -> (LabelSet, Bool) {
    delayed ? (labels, true) : (drop(labels), false)
  }

  /// Appends the labels that `drop` takes away.
  static func appendRemoved(_ labels: LabelSet, to bytes: inout [UInt8]) {
    labels.forEachRaw { name, value in
      guard isMetadata(name) else { return }
      LabelSet.encode(name, into: &bytes)
      LabelSet.encode(value, into: &bytes)
    }
  }

  @inline(__always)
  private static func isMetadata(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    // All three are eight bytes long and begin and end with two underscores.
    guard name.count == 8, let base = name.baseAddress else { return false }
    let word = UInt64(
      littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
    return word == 0x5f5f_656d_616e_5f5f || word == 0x5f5f_6570_7974_5f5f
      || word == 0x5f5f_7469_6e75_5f5f
  }
}
