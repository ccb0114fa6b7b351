import Model

/// Which label sets a node may yield, one per slot, all different.
///
/// A shape grows at its end as series are born; anything else (series removed, labels changed)
/// rebuilds it. The two counters let a parent tell "nothing", "grown" and "rebuilt" apart without
/// comparing labels.
final class Shape {
  private(set) var labels: [LabelSet] = []
  /// Per slot: the metric name is still there but vanishes from the result (delayed name removal).
  private(set) var dropsName: [Bool] = []
  /// Changes with every change.
  private(set) var generation: UInt64 = 1
  /// Changes when slots that existed before mean something else now.
  private(set) var compaction: UInt64 = 1

  var count: Int { labels.count }

  /// A shape with one slot and no labels, as scalars have.
  static func single(_ labels: LabelSet = .empty) -> Shape {
    let shape = Shape()
    shape.append(labels, dropsName: false)
    return shape
  }

  func append(_ set: LabelSet, dropsName drops: Bool) {
    labels.append(set)
    dropsName.append(drops)
    generation += 1
  }

  func removeAll() {
    labels.removeAll(keepingCapacity: true)
    dropsName.removeAll(keepingCapacity: true)
    generation += 1
    compaction += 1
  }

  func setDropsName(_ slot: Int, _ drops: Bool) {
    if dropsName[slot] == drops { return }
    dropsName[slot] = drops
    generation += 1
    compaction += 1
  }
}

/// What a parent remembers of a child's shape.
struct ShapeCursor {
  private var generation: UInt64 = 0
  private var compaction: UInt64 = 0
  private var count = 0

  /// What happened to a shape since the last look.
  enum Change {
    case none
    /// Slots were appended; the range names them.
    case grown(Range<Int>)
    case rebuilt

    var isNone: Bool { if case .none = self { true } else { false } }

    var isRebuild: Bool { if case .rebuilt = self { true } else { false } }

    /// The slots to look at.
    func slots(of shape: Shape) -> Range<Int> {
      switch self {
      case .none: shape.count..<shape.count
      case .grown(let slots): slots
      case .rebuilt: 0..<shape.count
      }
    }
  }

  /// Looks at the shape and remembers it.
  mutating func advance(to shape: Shape) -> Change {
    if shape.generation == generation { return .none }
    let grown = shape.compaction == compaction ? count..<shape.count : nil
    generation = shape.generation
    compaction = shape.compaction
    count = shape.count
    guard let grown else { return .rebuilt }
    return grown.isEmpty ? .none : .grown(grown)
  }
}

/// A shape under construction in which every label set has one slot.
struct ShapeInterner {
  let shape = Shape()
  private var slots: [LabelSet: Int32] = [:]

  mutating func removeAll() {
    shape.removeAll()
    slots.removeAll(keepingCapacity: true)
  }

  /// The slot of a label set, made if it is new.
  mutating func slot(of labels: LabelSet, dropsName: Bool) -> (slot: Int32, isNew: Bool) {
    if let slot = slots[labels] { return (slot, false) }
    let slot = Int32(shape.count)
    slots[labels] = slot
    shape.append(labels, dropsName: dropsName)
    return (slot, true)
  }
}

/// The output slots of a node that gives each input slot new labels.
///
/// Two inputs may collide in one output; that is an error only at a step at which both are present,
/// so the projection merely says whether collisions exist and the values are scattered with a check
/// if they do.
struct SlotProjection {
  private var interner = ShapeInterner()
  private var cursor = ShapeCursor()
  /// The output slot of each input slot.
  private(set) var target: [Int32] = []
  /// Whether every input slot is its own output slot.
  private(set) var isIdentity = true

  var shape: Shape { interner.shape }

  /// Follows the input's shape; work is proportional to the slots that are new.
  mutating func update(
    from input: Shape, _ transform: (_ labels: LabelSet, _ dropsName: Bool) -> (LabelSet, Bool)
  ) {
    switch cursor.advance(to: input) {
    case .none: return
    case .grown(let slots): extend(input, slots, transform)
    case .rebuilt:
      interner.removeAll()
      target.removeAll(keepingCapacity: true)
      isIdentity = true
      extend(input, 0..<input.count, transform)
    }
  }

  private mutating func extend(
    _ input: Shape, _ slots: Range<Int>, _ transform: (LabelSet, Bool) -> (LabelSet, Bool)
  ) {
    target.reserveCapacity(slots.upperBound)
    for slot in slots {
      let (labels, drops) = transform(input.labels[slot], input.dropsName[slot])
      let out = interner.slot(of: labels, dropsName: drops).slot
      if Int(out) != slot { isIdentity = false }
      target.append(out)
    }
  }
}

/// The labels that say what a metric is; an operator that changes its meaning drops them.
enum MetadataLabels {
  static let names = [LabelName.metricName, "__type__", "__unit__"]

  /// What remains of a label set when the metric loses its meaning.
  static func drop(_ labels: LabelSet) -> LabelSet { labels.dropping(names) }

  /// The labels of a result of which the name goes away now or, if delayed, at the end.
  static func dropped(_ labels: LabelSet, delayed: Bool) -> (LabelSet, Bool) {
    delayed ? (labels, true) : (drop(labels), false)
  }
}
