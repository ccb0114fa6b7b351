import Model

/// The code of one column's cells over the rows of a seal.
///
/// Layout: two flag bytes; counts where cells are missing; the summary, without what follows from
/// the flags; a bitmap of the cells present and one of stale markers, where needed; the values.
/// Values that repeat their forerunner are a bit in a bitmap when that pays; the others are
/// integers after scaling by a power of ten (kept only if every value comes back bit for bit), as
/// packed offsets or packed steps, or else packed XORs of neighbours.
enum SealedRun {
  private static let hasAbsent: UInt8 = 1
  private static let hasStale: UInt8 = 2
  private static let isConstant: UInt8 = 4
  private static let hasRepeats: UInt8 = 8
  private static let isMonotone: UInt8 = 16
  private static let sumIsProduct: UInt8 = 32
  private static let isCompensated: UInt8 = 64
  private static let isEmpty: UInt8 = 128

  /// How the distinct values are written.
  private enum Kind: UInt8 {
    case offsets, steps, xors
  }

  /// The largest power of ten tried.
  private static let maxExponent = 12
  /// Powers of ten from 10⁰, exact.
  private static nonisolated(unsafe) let powers: UnsafePointer<Double> = {
    let powers = UnsafeMutablePointer<Double>.allocate(capacity: maxExponent + 1)
    var power = 1.0
    for i in 0...maxExponent {
      powers[i] = power
      power *= 10
    }
    return UnsafePointer(powers)
  }()

  /// The bytes a run of `n` cells may need at most, packed readers' overrun included.
  static func bound(_ n: Int) -> Int { 160 + n * 8 + 3 * ((n + 7) / 8) }

  // MARK: Writing

  /// Appends the code of `n` cells; returns their summary, or nil (and nothing appended) if there
  /// is neither a value nor a stale marker.
  static func encode(
    _ cells: UnsafePointer<Double>, _ n: Int, scratch: SealScratch, into out: inout ByteWriter
  ) -> SealSummary? {
    let values = scratch.values
    var summary = SealSummary()
    var stales = 0
    for i in 0..<n {
      let bits = cells[i].bitPattern
      if Cell.isSpecial(bits) {
        if bits == Cell.stale { stales += 1 } else { summary.hasAbsent = true }
      } else {
        values[summary.count] = cells[i]
        summary.add(cells[i], at: i)
      }
    }
    summary.hasStale = stales > 0
    if summary.count == 0 && stales == 0 { return nil }
    out.reserve(bound(n))
    let m = summary.count
    let distinct = markRepeats(scratch, m)
    var flags: UInt8 = 0
    if summary.hasAbsent { flags |= hasAbsent }
    if summary.hasStale { flags |= hasStale }
    if m == 0 { flags |= isEmpty }
    if m > 0 && distinct == 1 { flags |= isConstant }
    let repeats = m > 0 && distinct > 1 && distinct + 8 < m
    if repeats { flags |= hasRepeats }
    if m > 0 && summary.resets == 0 && summary.min.bitPattern == summary.first.bitPattern
      && summary.max.bitPattern == summary.last.bitPattern
    {
      flags |= isMonotone
    }
    let product = summary.first * Double(m)
    if distinct == 1 && summary.sum.bitPattern == product.bitPattern { flags |= sumIsProduct }
    if summary.compensation.bitPattern != 0 { flags |= isCompensated }
    out.put(flags)
    putSummary(summary, flags, &out)
    putBitmaps(cells, n, flags, &out)
    guard m > 0 && flags & isConstant == 0 else { return summary }
    if repeats {
      putBitmap(m, &out) { scratch.isNew[$0] }
      var k = 0
      for i in 0..<m where scratch.isNew[i] {
        values[k] = values[i]
        k += 1
      }
      out.put(UInt16(truncatingIfNeeded: k))
      putValues(k, scratch, &out)
    } else {
      putValues(m, scratch, &out)
    }
    return summary
  }

  private static func putSummary(_ s: SealSummary, _ flags: UInt8, _ out: inout ByteWriter) {
    if flags & (hasAbsent | hasStale) != 0 {
      out.put(UInt16(truncatingIfNeeded: s.count))
      out.put(UInt16(truncatingIfNeeded: s.firstIndex))
      out.put(UInt16(truncatingIfNeeded: s.lastIndex))
    }
    if flags & isEmpty != 0 { return }
    out.put(s.first)
    if flags & sumIsProduct == 0 { out.put(s.sum) }
    if flags & isCompensated != 0 { out.put(s.compensation) }
    if flags & isConstant != 0 { return }
    out.put(s.last)
    out.put(UInt16(truncatingIfNeeded: s.changes))
    if flags & isMonotone != 0 { return }
    out.put(s.min)
    out.put(s.max)
    out.put(s.correction)
    out.put(UInt16(truncatingIfNeeded: s.resets))
  }

  private static func putBitmaps(
    _ cells: UnsafePointer<Double>, _ n: Int, _ flags: UInt8, _ out: inout ByteWriter
  ) {
    if flags & hasAbsent != 0 {
      putBitmap(n, &out) {
        let bits = cells[$0].bitPattern
        return bits != Cell.absent && bits != Cell.elsewhere
      }
    }
    if flags & hasStale != 0 { putBitmap(n, &out) { cells[$0].bitPattern == Cell.stale } }
  }

  private static func putBitmap(_ n: Int, _ out: inout ByteWriter, _ bit: (Int) -> Bool) {
    var i = 0
    while i < n {
      var byte: UInt8 = 0
      for k in 0..<min(8, n - i) where bit(i + k) { byte |= 1 << UInt8(k) }
      out.put(byte)
      i += 8
    }
  }

  /// Notes which values differ from their forerunner; returns how many.
  private static func markRepeats(_ scratch: SealScratch, _ m: Int) -> Int {
    guard m > 0 else { return 0 }
    scratch.isNew[0] = true
    var distinct = 1
    for i in 1..<max(m, 1) {
      let new = scratch.values[i].bitPattern != scratch.values[i - 1].bitPattern
      scratch.isNew[i] = new
      if new { distinct += 1 }
    }
    return distinct
  }

  /// Writes `k` values in the cheapest of the three ways.
  private static func putValues(_ k: Int, _ scratch: SealScratch, _ out: inout ByteWriter) {
    let values = scratch.values
    let packed = scratch.packed
    var all: UInt64 = 0
    for i in 1..<max(k, 1) { all |= values[i].bitPattern ^ values[i - 1].bitPattern }
    let trailing = all == 0 ? 0 : all.trailingZeroBitCount
    var xorWidth = all == 0 ? 0 : 64 - all.leadingZeroBitCount - trailing
    if xorWidth > 56 { xorWidth = 64 }
    if let exponent = scaleToIntegers(scratch, k) {
      let whole = scratch.integers
      var low = whole[0]
      var high = low
      var lowStep = Int64.max
      var highStep = Int64.min
      var all: Int64 = 0
      for i in 1..<max(k, 1) {
        low = min(low, whole[i])
        high = max(high, whole[i])
        let step = whole[i] &- whole[i - 1]
        lowStep = min(lowStep, step)
        highStep = max(highStep, step)
        all |= step
      }
      if k == 1 {
        lowStep = 0
        highStep = 0
      }
      // Bytes in pages and the like: what all differences share at the bottom is left out.
      let shift = all == 0 ? 0 : all.trailingZeroBitCount
      let offsetWidth = width(of: high &- low, shift)
      let stepWidth = width(of: highStep &- lowStep, shift)
      if min(offsetWidth, stepWidth) < xorWidth && min(offsetWidth, stepWidth) <= 56 {
        if offsetWidth <= stepWidth {
          for i in 0..<k { packed[i] = UInt64(bitPattern: whole[i] &- low) &>> UInt64(shift) }
          out.put(Kind.offsets.rawValue | UInt8(exponent) << 2)
          out.put(UInt8(offsetWidth))
          out.put(UInt8(shift))
          out.put(low)
          out.putPacked(packed, k, width: offsetWidth)
        } else {
          for i in 1..<k {
            let extra = UInt64(bitPattern: whole[i] &- whole[i - 1] &- lowStep)
            packed[i - 1] = extra &>> UInt64(shift)
          }
          out.put(Kind.steps.rawValue | UInt8(exponent) << 2)
          out.put(UInt8(stepWidth))
          out.put(UInt8(shift))
          out.put(whole[0])
          out.put(lowStep)
          out.putPacked(packed, k - 1, width: stepWidth)
        }
        return
      }
    }
    let shift = xorWidth == 64 ? 0 : trailing
    for i in 1..<max(k, 1) {
      packed[i - 1] = (values[i].bitPattern ^ values[i - 1].bitPattern) &>> UInt64(shift)
    }
    out.put(Kind.xors.rawValue)
    out.put(UInt8(xorWidth))
    out.put(UInt8(shift))
    out.put(values[0])
    out.putPacked(packed, k - 1, width: xorWidth)
  }

  /// The bits that a difference needs without its last `shift` ones.
  private static func width(of difference: Int64, _ shift: Int) -> Int {
    max(0, 64 - UInt64(bitPattern: difference).leadingZeroBitCount - shift)
  }

  /// Finds the smallest power of ten that makes integers of all values, exactly; fills
  /// `scratch.integers`.
  private static func scaleToIntegers(_ scratch: SealScratch, _ k: Int) -> Int? {
    var exponent = 0
    var i = 0
    while i < k {
      let v = scratch.values[i]
      let power = powers[exponent]
      let scaled = (v * power).rounded()
      if abs(scaled) < 9_007_199_254_740_992,
        (scaled / power).bitPattern == v.bitPattern,
        !(scaled == 0 && v.sign == .minus)
      {
        scratch.integers[i] = Int64(scaled)
        i += 1
      } else if v.isFinite && exponent < maxExponent && abs(v) < 1e15 {
        exponent += 1
        i = 0
      } else {
        return nil
      }
    }
    return exponent
  }

  // MARK: Reading

  /// The summary of a run of `n` rows.
  static func summary(_ at: UnsafeRawPointer, _ n: Int) -> SealSummary {
    var reader = ByteReader(at)
    return takeSummary(&reader, n).summary
  }

  /// The summary of a run of `n` rows, and whether all its values are whole numbers that it keeps
  /// as such.
  @inline(__always)
  static func summary(
    _ at: UnsafeRawPointer, _ n: Int
  ) -> (summary: SealSummary, isIntegral: Bool) {
    var reader = ByteReader(at)
    let (summary, flags) = takeSummary(&reader, n)
    if flags & (isConstant | isEmpty) != 0 {
      return (summary, summary.first == summary.first.rounded(.towardZero))
    }
    let bitmap = (n + 7) / 8
    if flags & hasAbsent != 0 { _ = reader.skip(bitmap) }
    if flags & hasStale != 0 { _ = reader.skip(bitmap) }
    if flags & hasRepeats != 0 { _ = reader.skip((summary.count + 7) / 8 + 2) }
    let head = reader.take(UInt8.self)
    return (summary, head >> 2 == 0 && head & 3 != Kind.xors.rawValue)
  }

  @inline(__always)
  private static func takeSummary(
    _ reader: inout ByteReader, _ n: Int
  ) -> (summary: SealSummary, flags: UInt8) {
    let flags = reader.take(UInt8.self)
    var s = SealSummary()
    s.hasAbsent = flags & hasAbsent != 0
    s.hasStale = flags & hasStale != 0
    s.count = n
    s.lastIndex = n - 1
    if flags & (hasAbsent | hasStale) != 0 {
      s.count = Int(reader.take(UInt16.self))
      s.firstIndex = Int(reader.take(UInt16.self))
      s.lastIndex = Int(reader.take(UInt16.self))
    }
    if flags & isEmpty != 0 { return (s, flags) }
    s.first = reader.take(Double.self)
    s.sum = flags & sumIsProduct != 0 ? s.first * Double(s.count) : reader.take(Double.self)
    if flags & isCompensated != 0 { s.compensation = reader.take(Double.self) }
    s.last = s.first
    s.min = s.first
    s.max = s.first
    if flags & isConstant != 0 { return (s, flags) }
    s.last = reader.take(Double.self)
    s.max = s.last
    s.changes = Int(reader.take(UInt16.self))
    if flags & isMonotone != 0 { return (s, flags) }
    s.min = reader.take(Double.self)
    s.max = reader.take(Double.self)
    s.correction = reader.take(Double.self)
    s.resets = Int(reader.take(UInt16.self))
    return (s, flags)
  }

  /// Writes the `n` cells of a run to `out`, bit for bit; `packed` lends room for `n` numbers.
  static func decode(
    _ at: UnsafeRawPointer, _ n: Int, packed: UnsafeMutablePointer<UInt64>,
    into out: UnsafeMutablePointer<Double>
  ) {
    var reader = ByteReader(at)
    let (summary, flags) = takeSummary(&reader, n)
    let bitmap = (n + 7) / 8
    let present = flags & hasAbsent != 0 ? reader.skip(bitmap) : nil
    let stale = flags & hasStale != 0 ? reader.skip(bitmap) : nil
    let m = summary.count
    if flags & isConstant != 0 {
      for i in 0..<m { out[i] = summary.first }
    } else if m > 0 {
      takeValues(&reader, m, flags & hasRepeats != 0, packed, out)
    }
    if present == nil && stale == nil { return }
    var from = m
    for i in stride(from: n - 1, through: 0, by: -1) {
      if let present, !bit(present, i) {
        out[i] = Double(bitPattern: Cell.absent)
      } else if let stale, bit(stale, i) {
        out[i] = Double(bitPattern: Cell.stale)
      } else {
        from -= 1
        out[i] = out[from]
      }
    }
  }

  @inline(__always)
  private static func bit(_ map: UnsafeRawPointer, _ i: Int) -> Bool {
    map.load(fromByteOffset: i >> 3, as: UInt8.self) & (1 << UInt8(i & 7)) != 0
  }

  private static func takeValues(
    _ reader: inout ByteReader, _ m: Int, _ repeats: Bool, _ packed: UnsafeMutablePointer<UInt64>,
    _ out: UnsafeMutablePointer<Double>
  ) {
    guard repeats else {
      takeDistinct(&reader, m, packed, out)
      return
    }
    let new = reader.skip((m + 7) / 8)
    let k = Int(reader.take(UInt16.self))
    takeDistinct(&reader, k, packed, out)
    var from = k - 1
    for i in stride(from: m - 1, through: 0, by: -1) {
      out[i] = out[from]
      if bit(new, i) { from -= 1 }
    }
  }

  private static func takeDistinct(
    _ reader: inout ByteReader, _ k: Int, _ packed: UnsafeMutablePointer<UInt64>,
    _ out: UnsafeMutablePointer<Double>
  ) {
    let head = reader.take(UInt8.self)
    let width = Int(reader.take(UInt8.self))
    let shift = UInt64(reader.take(UInt8.self))
    let power = powers[Int(head >> 2)]
    switch Kind(rawValue: head & 3) {
    case .offsets:
      let low = reader.take(Int64.self)
      reader.packed(k, width: width, into: packed)
      for i in 0..<k { out[i] = Double(low &+ Int64(bitPattern: packed[i] &<< shift)) / power }
    case .steps:
      var whole = reader.take(Int64.self)
      let lowStep = reader.take(Int64.self)
      reader.packed(k - 1, width: width, into: packed)
      out[0] = Double(whole) / power
      for i in 1..<max(k, 1) {
        whole = whole &+ lowStep &+ Int64(bitPattern: packed[i - 1] &<< shift)
        out[i] = Double(whole) / power
      }
    case .xors:
      var bits = reader.take(UInt64.self)
      reader.packed(k - 1, width: width, into: packed)
      out[0] = Double(bitPattern: bits)
      for i in 1..<max(k, 1) {
        bits ^= packed[i - 1] &<< shift
        out[i] = Double(bitPattern: bits)
      }
    case nil:
      preconditionFailure("a sealed run names a kind of code that does not exist")
    }
  }
}

/// Room for sealing and reading runs of up to `capacity` rows.
final class SealScratch {
  let capacity: Int
  let values: UnsafeMutablePointer<Double>
  let integers: UnsafeMutablePointer<Int64>
  let packed: UnsafeMutablePointer<UInt64>
  let isNew: UnsafeMutablePointer<Bool>

  init(capacity: Int) {
    self.capacity = capacity
    values = .allocate(capacity: capacity)
    integers = .allocate(capacity: capacity)
    packed = .allocate(capacity: capacity)
    isNew = .allocate(capacity: capacity)
  }

  deinit {
    values.deallocate()
    integers.deallocate()
    packed.deallocate()
    isNew.deallocate()
  }
}
