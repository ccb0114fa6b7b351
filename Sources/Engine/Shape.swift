import Model
import Storage

/// Which label sets a node may yield, one per slot, all different.
///
/// A shape grows at its end as series are born; anything else (series removed, labels changed)
/// rebuilds it. The two counters let a parent tell "nothing", "grown" and "rebuilt" apart without
/// comparing labels.
///
/// A shape that is a standing selector's membership, or differs from another shape only by its
/// metric names, keeps no labels of its own: they are made when somebody asks.
final class Shape {
  private var stored: [LabelSet] = []
  /// Per slot whether the name is to vanish; empty while that holds for none.
  private var dropFlags: [Bool] = []
  /// Where labels come from that are not kept here.
  private enum Origin {
    case shape(Shape)
    case selector(Selector)
  }

  /// The shape whose labels these are without their metric names, or the selector whose members'.
  private var origin: Origin?
  /// The names of a derived shape vanish at the end of the query only.
  private var delaysNames = false
  private(set) var count = 0
  /// Changes with every change.
  private(set) var generation: UInt64 = 1
  /// Changes when slots that existed before mean something else now.
  private(set) var compaction: UInt64 = 1

  /// The labels of all slots.
  var labels: ShapeLabels { ShapeLabels(shape: self) }

  /// A shape with one slot and no labels, as scalars have.
  static func single(_ labels: LabelSet = .empty) -> Shape {
    let shape = Shape()
    shape.append(labels, dropsName: false)
    return shape
  }

  /// The labels of a slot.
  func labels(at slot: Int) -> LabelSet {
    precondition(slot < count, "a shape has labels for its own slots only")
    switch origin {
    case nil: return stored[slot]
    case .selector(let selector):
      // Members leave between evaluations; then nobody has a use for what this says.
      return slot < selector.series.count ? selector.members[slot].labels : .empty
    case .shape(let origin):
      let labels = origin.labels(at: slot)
      return delaysNames ? labels : MetadataLabels.drop(labels)
    }
  }

  /// Whether the metric name is still there but vanishes from the result (delayed name removal).
  func dropsName(_ slot: Int) -> Bool {
    if origin != nil { return delaysNames }
    return dropFlags.isEmpty ? false : dropFlags[slot]
  }

  func append(_ set: LabelSet, dropsName drops: Bool) {
    precondition(origin == nil, "a derived shape grows with its origin")
    stored.append(set)
    if drops || !dropFlags.isEmpty {
      if dropFlags.isEmpty { dropFlags = [Bool](repeating: false, count: count) }
      dropFlags.append(drops)
    }
    count += 1
    generation += 1
  }

  /// Forgets all slots; the shape keeps its own labels from now on.
  func removeAll() {
    stored.removeAll(keepingCapacity: true)
    dropFlags = []
    origin = nil
    count = 0
    generation += 1
    compaction += 1
  }

  /// Forgets all slots; from now on slot `i` is that of `origin` without its metric name.
  func derive(from origin: Shape, delaysNames: Bool) {
    removeAll()
    stored = []
    self.origin = .shape(origin)
    self.delaysNames = delaysNames
  }

  /// Forgets all slots; from now on slot `i` is member `i` of a selector.
  func derive(from selector: Selector) {
    removeAll()
    stored = []
    origin = .selector(selector)
    delaysNames = false
  }

  /// A derived shape takes in slots that its origin has got.
  func grow(to count: Int) {
    precondition(origin != nil, "only a derived shape grows with its origin")
    self.count = count
    generation += 1
  }

  func setDropsName(_ slot: Int, _ drops: Bool) {
    if dropsName(slot) == drops { return }
    if dropFlags.isEmpty { dropFlags = [Bool](repeating: false, count: count) }
    dropFlags[slot] = drops
    generation += 1
    compaction += 1
  }
}

/// The labels of a shape's slots, in order.
struct ShapeLabels: RandomAccessCollection {
  let shape: Shape

  var startIndex: Int { 0 }
  var endIndex: Int { shape.count }
  subscript(slot: Int) -> LabelSet { shape.labels(at: slot) }
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
  let shape: Shape
  private var slots: [LabelSet: Int32] = [:]

  init(_ shape: Shape = Shape()) { self.shape = shape }

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
      let (labels, drops) = transform(input.labels(at: slot), input.dropsName(slot))
      let out = interner.slot(of: labels, dropsName: drops).slot
      if Int(out) != slot { isIdentity = false }
      target.append(out)
    }
  }
}
