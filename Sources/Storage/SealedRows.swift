/// Some consecutive rows of a source, column by column in one stretch of bytes.
final class SealedRows {
  let firstRow: Int
  let rowCount: Int
  /// Columns that the source had when the rows were sealed.
  let columnCount: Int
  /// Where each column's run begins; zero for a column without samples.
  private let offsets: UnsafeMutablePointer<UInt32>
  private let bytes: UnsafeMutablePointer<UInt8>
  let byteCount: Int
  /// Samples and stale markers held, those of forgotten columns included.
  let samples: Int
  /// Bytes of runs that were forgotten.
  private(set) var forgottenBytes = 0

  /// Takes the runs over from the writer: run `c` lies at `offsets[c]`, and a zero stands for none.
  init(
    firstRow: Int, rowCount: Int, columnCount: Int, offsets: UnsafeMutablePointer<UInt32>,
    bytes: UnsafePointer<UInt8>, byteCount: Int, samples: Int
  ) {
    self.firstRow = firstRow
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.offsets = offsets
    self.byteCount = byteCount
    self.samples = samples
    // Packed values are read eight bytes at a time.
    self.bytes = .allocate(capacity: byteCount + 8)
    self.bytes.update(from: bytes, count: byteCount)
    (self.bytes + byteCount).update(repeating: 0, count: 8)
  }

  deinit {
    offsets.deallocate()
    bytes.deallocate()
  }

  var endRow: Int { firstRow + rowCount }

  /// Bytes held, the table of columns included.
  var heldBytes: Int { byteCount + 8 + columnCount * 4 }

  /// The run of a column, or nil if it has nothing here.
  func run(_ column: Int) -> UnsafeRawPointer? {
    guard column < columnCount, offsets[column] != 0 else { return nil }
    return UnsafeRawPointer(bytes + Int(offsets[column]))
  }

  /// Where the runs are; valid as long as the rows.
  var view: SealView {
    SealView(
      firstRow: firstRow, rowCount: rowCount, columnCount: columnCount,
      offsets: UnsafePointer(offsets), bytes: UnsafePointer(bytes))
  }

  /// Makes a column read as absent.
  func forget(_ column: Int) {
    guard run(column) != nil else { return }
    var next = byteCount
    // Runs stand in the order of columns.
    for c in (column + 1)..<max(columnCount, column + 1) where offsets[c] != 0 {
      next = Int(offsets[c])
      break
    }
    forgottenBytes += next - Int(offsets[column])
    offsets[column] = 0
  }

  /// The rows of consecutive seals in one, with columns at new places and without what was
  /// forgotten.
  ///
  /// - Parameter places: for each column the old one, or −1.
  convenience init(joining parts: [SealedRows], columns places: [Int32], scratch: SealScratch) {
    let rowCount = parts.reduce(0) { $0 + $1.rowCount }
    let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, places.count))
    var writer = ByteWriter(capacity: parts.reduce(0) { $0 + $1.byteCount })
    writer.reserve(1)
    writer.put(UInt8(0))
    var samples = 0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rowCount) { cells in
      guard let cells = cells.baseAddress else { return }
      for (c, old) in places.enumerated() {
        offsets[c] = 0
        var to = cells
        for part in parts {
          if old >= 0, let run = part.run(Int(old)) {
            SealedRun.decode(run, part.rowCount, packed: scratch.packed, into: to)
          } else {
            to.update(repeating: Double(bitPattern: Cell.absent), count: part.rowCount)
          }
          to += part.rowCount
        }
        let start = writer.count
        guard SealedRun.encode(cells, rowCount, scratch: scratch, into: &writer) != nil else {
          continue
        }
        for i in 0..<rowCount where cells[i].bitPattern != Cell.absent { samples += 1 }
        offsets[c] = UInt32(start)
      }
    }
    self.init(
      firstRow: parts.first?.firstRow ?? 0, rowCount: rowCount, columnCount: places.count,
      offsets: offsets, bytes: writer.base, byteCount: writer.count, samples: samples)
    writer.deallocate()
  }
}
