/// A growing byte buffer for codecs; numbers are little-endian and unaligned.
struct ByteWriter {
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  /// Frees the buffer; the writer must not be used again.
  func deallocate() { base.deallocate() }

  /// Makes room for `extra` more bytes.
  mutating func reserve(_ extra: Int) {
    guard count + extra > capacity else { return }
    capacity = max(capacity * 2, count + extra)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  /// Appends a number's bytes; room must have been reserved.
  @inline(__always)
  mutating func put<T: BitwiseCopyable>(_ value: T) {
    UnsafeMutableRawPointer(base + count).storeBytes(of: value, as: T.self)
    count &+= MemoryLayout<T>.size
  }

  /// Appends the low `width` bits of each value, packed; room must have been reserved.
  mutating func putPacked(_ values: UnsafePointer<UInt64>, _ n: Int, width: Int) {
    if width == 0 { return }
    if width == 64 {
      for i in 0..<n { put(values[i]) }
      return
    }
    var pending: UInt64 = 0
    var used = 0
    for i in 0..<n {
      let v = values[i]
      pending |= v &<< UInt64(used)
      used &+= width
      if used >= 64 {
        put(pending)
        used &-= 64
        let kept = width &- used
        pending = used == 0 ? 0 : v &>> UInt64(kept)
      }
    }
    while used > 0 {
      put(UInt8(truncatingIfNeeded: pending))
      pending &>>= 8
      used &-= 8
    }
  }
}

/// Reads what a `ByteWriter` wrote.
struct ByteReader {
  private(set) var at: UnsafeRawPointer

  init(_ at: UnsafeRawPointer) { self.at = at }

  @inline(__always)
  mutating func take<T: BitwiseCopyable>(_ type: T.Type) -> T {
    let value = at.loadUnaligned(as: T.self)
    at += MemoryLayout<T>.size
    return value
  }

  /// Skips `n` bytes and returns where they begin.
  @inline(__always)
  mutating func skip(_ n: Int) -> UnsafeRawPointer {
    let start = at
    at += n
    return start
  }

  /// Reads `n` packed values; up to eight bytes behind the last one are touched.
  func packed(_ n: Int, width: Int, into out: UnsafeMutablePointer<UInt64>) {
    if width == 0 {
      for i in 0..<n { out[i] = 0 }
      return
    }
    if width == 64 {
      for i in 0..<n { out[i] = at.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self) }
      return
    }
    let mask: UInt64 = (1 &<< UInt64(width)) &- 1
    var bit = 0
    for i in 0..<n {
      let word = at.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
      out[i] = (word &>> UInt64(bit & 7)) & mask
      bit &+= width
    }
  }
}
