import Model

/// What a cell of a block holds.
enum CellTag {
  static let absent: UInt8 = 0
  static let float: UInt8 = 1
  static let histogram: UInt8 = 2
}

/// The values of a node for a block of steps: step-major rows of one cell per slot.
///
/// A cell is a double and a tag byte (absent, float, histogram). Presence is a byte rather than a
/// bit: passes over it vectorise like the doubles do, and the kind of value comes with it.
/// Histograms are kept aside; the cell of one holds its index. Buffers keep their capacity from
/// tick to tick.
final class ValueBlock {
  private(set) var values: UnsafeMutablePointer<Double>
  private(set) var tags: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var slots = 0
  private(set) var steps = 0
  /// Distance between rows: the number of slots, or zero for a value that is the same at every
  /// step.
  private(set) var stride = 0
  private(set) var histograms: [FloatHistogram] = []

  init() {
    capacity = 16
    values = .allocate(capacity: capacity)
    tags = .allocate(capacity: capacity)
  }

  deinit {
    values.deallocate()
    tags.deallocate()
  }

  var hasHistograms: Bool { !histograms.isEmpty }

  /// Starts a new block; every cell is absent.
  func reset(slots: Int, steps: Int, isConstant: Bool) {
    let cells = slots * steps
    if cells > capacity {
      values.deallocate()
      tags.deallocate()
      capacity = max(cells, capacity * 2)
      values = .allocate(capacity: capacity)
      tags = .allocate(capacity: capacity)
    }
    self.slots = slots
    self.steps = steps
    stride = isConstant ? 0 : slots
    if !histograms.isEmpty { histograms.removeAll(keepingCapacity: true) }
    tags.update(repeating: CellTag.absent, count: cells)
  }

  @inline(__always)
  func set(_ cell: Int, _ value: Double) {
    values[cell] = value
    tags[cell] = CellTag.float
  }

  func set(_ cell: Int, _ histogram: FloatHistogram) {
    values[cell] = Double(bitPattern: UInt64(histograms.count))
    tags[cell] = CellTag.histogram
    histograms.append(histogram)
  }

  func set(_ cell: Int, _ value: SampleValue) {
    switch value {
    case .float(let number): set(cell, number)
    case .histogram(let histogram): set(cell, histogram)
    }
  }

  /// The histogram of a cell whose tag says so.
  func histogram(_ cell: Int) -> FloatHistogram {
    histograms[Int(truncatingIfNeeded: values[cell].bitPattern)]
  }

  /// The value of a cell, nil if it is absent.
  func value(_ cell: Int) -> SampleValue? {
    switch tags[cell] {
    case CellTag.absent: nil
    case CellTag.float: .float(values[cell])
    default: .histogram(histogram(cell))
    }
  }

  /// Copies one cell of another block, whatever it holds.
  func copy(_ cell: Int, from other: ValueBlock, _ source: Int) {
    if other.tags[source] == CellTag.histogram {
      set(cell, other.histogram(source))
    } else {
      values[cell] = other.values[source]
      tags[cell] = other.tags[source]
    }
  }

  /// Takes over all cells of a block of the same slots and steps.
  func copyAll(from other: ValueBlock) {
    precondition(
      slots == other.slots && steps == other.steps, "blocks must have the same extent")
    values.update(from: other.values, count: slots * steps)
    tags.update(from: other.tags, count: slots * steps)
    histograms = other.histograms
  }
}
