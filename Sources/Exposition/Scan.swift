import Glibc
import Model

/// One pass over a body.
struct Scan {
  private let base: UnsafePointer<UInt8>
  /// Bytes of the body.
  private let count: Int
  /// Bytes that may be read; the last is a line feed.
  private let readable: Int
  private let isOpenMetrics: Bool
  private let honorsTimestamps: Bool
  private let current: UInt32
  private let expected: UInt32
  private let limits: ScrapeLimits
  private let decimals = DecimalReader.shared

  private(set) var summary = ScanSummary()
  /// Samples without a timestamp put into the buffers.
  private(set) var delivered = 0
  /// Distinct lines of the table that were seen.
  private(set) var lines = 0
  private var position = 0
  private var previous = 0
  private var type = MetricType.unknown
  private var isAtEnd = false

  init(
    _ base: UnsafePointer<UInt8>, count: Int, readable: Int, openMetrics: Bool,
    honorTimestamps: Bool, current: UInt32, expected: UInt32, limits: ScrapeLimits
  ) {
    self.base = base
    self.count = count
    self.readable = readable
    self.isOpenMetrics = openMetrics
    self.honorsTimestamps = honorTimestamps
    self.current = current
    self.expected = expected
    self.limits = limits
  }

  mutating func run(
    _ table: inout LineTable, _ buffers: ScanBuffers, _ timed: inout [TimedSample]
  ) throws(ExpositionProblem) {
    while !isAtEnd {
      if position < readable { readKnownLines(&table, buffers, &timed) }
      if position >= readable && !isOpenMetrics { return }
      try readUnknownLines(&table, buffers, &timed)
    }
  }

  /// Reads on while lines are known and plain; stops in front of the first that is not.
  private mutating func readKnownLines(
    _ table: inout LineTable, _ buffers: ScanBuffers, _ timed: inout [TimedSample]
  ) {
    let known = table.lines
    let hasher = table.hasher
    let payloads = table.payloads
    var entries = buffers.entries
    var values = buffers.values
    var room = buffers.capacity
    var (n, at, previous) = (delivered, position, previous)
    let (base, readable, decimals) = (base, readable, decimals)
    while at < readable {
      var e = Int(known[previous].next)
      let start = base + at
      var length = known[e].length
      if e == 0 || length > readable - at || hasher.hash(start, length) != known[e].hash
        || (!known[e].isMetadata && !isSeparator(start[length]))
      {
        e = lookUp(start, readable - at, table)
        if e == 0 { break }
        length = known[e].length
      }
      if known[e].isMetadata {
        // OpenMetrics reads over NULs behind metadata.
        if isOpenMetrics && at + length < readable && start[length] == 0 { break }
        takeMetadata(known + e)
        at += length
      } else {
        var p = start + length + 1
        if !isOpenMetrics { while Byte.isBlank(p[0]) { p += 1 } }
        guard let value = decimals.read(&p) ?? special(&p) else { break }
        var timestamp: Int64?
        if p[0] != Byte.newline {
          guard let time = plainTimestamp(&p) else { break }
          if honorsTimestamps && time != .min { timestamp = time }
        }
        let isFirst = mark(known + e, payloads + e, at: at)
        at = p - base + 1
        summary.samples += 1
        if let timestamp {
          timed.append(TimedSample(e, value, timestamp))
        } else if !isFirst {
          summary.duplicates += 1
        } else {
          if n == room {
            buffers.grow(keeping: n)
            (entries, values, room) = (buffers.entries, buffers.values, buffers.capacity)
          }
          entries[n] = UInt32(truncatingIfNeeded: e)
          values[n] = value
          n += 1
        }
      }
      if Int(known[previous].next) != e { known[previous].next = UInt32(truncatingIfNeeded: e) }
      previous = e
    }
    (delivered, position, self.previous) = (n, at, previous)
  }

  @inline(__always)
  private mutating func takeMetadata(_ line: UnsafeMutablePointer<KnownLine>) {
    if line.pointee.kind == .type { type = line.pointee.type }
    summary.metadataLines += 1
    if line.pointee.seen != current { lines += 1 }
    line.pointee.seen = current
  }

  /// Notes that a series was seen, and where; false when this scan has seen it before.
  @inline(__always)
  private mutating func mark(
    _ line: UnsafeMutablePointer<KnownLine>, _ payload: UnsafeMutablePointer<UInt64>,
    at offset: Int
  ) -> Bool {
    let seen = line.pointee.seen
    if seen == current { return false }
    lines += 1
    if seen != expected {
      payload.pointee = ScrapeCache.unresolved
      summary.newEntries += 1
    }
    line.pointee.seen = current
    if !line.pointee.hasText { line.pointee.offset = UInt32(truncatingIfNeeded: offset) }
    return true
  }

  @inline(__always)
  private func isSeparator(_ c: UInt8) -> Bool {
    c == Byte.space || (c == Byte.tab && !isOpenMetrics)
  }

  /// Finds a line that came out of turn; 0 where it is unknown.
  @inline(never)
  private func lookUp(
    _ start: UnsafePointer<UInt8>, _ rest: Int, _ table: borrowing LineTable
  ) -> Int {
    var end = 0
    if start[0] == Byte.hash {
      guard let newline = memchr(start, Int32(Byte.newline), rest) else { return 0 }
      end = UnsafePointer(newline.assumingMemoryBound(to: UInt8.self)) - start + 1
      return table.find(length: end, hash: table.hasher.hash(start, end))
    }
    while Byte.isNamePart(start[end]) { end += 1 }
    if start[end] == Byte.braceOpen {
      var isQuoted = false
      end += 1
      while end < rest {
        let c = start[end]
        end += 1
        if c == Byte.quote { isQuoted.toggle() }
        if c == Byte.backslash && isQuoted { end += 1 }
        if c == Byte.braceClose && !isQuoted { break }
      }
    }
    guard end < rest, isSeparator(start[end]) else { return 0 }
    return table.find(length: end, hash: table.hasher.hash(start, end))
  }

  /// Numbers the decimal reader leaves: infinities, NaN, very long or very large ones.
  @inline(never)
  private func special(_ p: inout UnsafePointer<UInt8>) -> Double? {
    var end = p
    while !Byte.isBlank(end[0]) && end[0] != Byte.newline && end[0] != 0
      && (end[0] != Byte.braceOpen || isOpenMetrics)
    {
      end += 1
    }
    let text = UnsafeBufferPointer(start: p, count: end - p)
    guard let value = try? GoNumber.value(text) else { return nil }
    p = end
    return value
  }

  /// Blanks, perhaps digits, perhaps blanks, a line feed: the time, `.min` where there is none, nil
  /// for anything else.
  private func plainTimestamp(_ p: inout UnsafePointer<UInt8>) -> Int64? {
    guard !isOpenMetrics else { return nil }
    var q = p
    while Byte.isBlank(q[0]) { q += 1 }
    guard q > p else { return nil }
    let first = q
    var time: Int64 = 0
    while Byte.isDigit(q[0]), q - first < 19 {
      time = time &* 10 &+ Int64(q[0] &- 0x30)
      q += 1
    }
    if q - first > 18 { return nil }
    if q == first { time = .min }
    while Byte.isBlank(q[0]) { q += 1 }
    guard q[0] == Byte.newline else { return nil }
    p = q
    return time
  }

  // MARK: Unknown lines

  /// Reads entries in full, checks them and makes them known, up to one that was known already.
  @inline(never)
  private mutating func readUnknownLines(
    _ table: inout LineTable, _ buffers: ScanBuffers, _ timed: inout [TimedSample]
  ) throws(ExpositionProblem) {
    var grammar = Grammar(
      Lexer(base, count: count, openMetrics: isOpenMetrics, at: min(position, count)),
      skipsLabels: true)
    var knownLines = 0
    repeat {
      knownLines = table.count
      guard let entry = try grammar.next() else {
        isAtEnd = true
        return
      }
      position = grammar.lexer.position
      if entry.end - entry.start > limits.lineLength {
        throw grammar.problem("line longer than \(limits.lineLength) bytes")
      }
      switch entry.kind {
      case .comment: break
      case .series: try take(entry, grammar, &table, buffers, &timed)
      case .help, .type, .unit:
        summary.metadataLines += 1
        if entry.kind == .type { type = entry.type }
        // A line the reference completes by a line feed of its own is not worth knowing.
        if entry.end > count { break }
        let e = try line(
          entry.start..<entry.end, entry.kind == .type ? .type : .metadata, grammar, &table)
        if table.lines[e].seen != current { lines += 1 }
        table.lines[e].seen = current
        link(e, table)
      }
      // OpenMetrics lets some lines end early; what follows is read in the state they left.
    } while grammar.lexer.state != .initial || table.count > knownLines
  }

  private mutating func take(
    _ entry: RawEntry, _ grammar: Grammar, _ table: inout LineTable, _ buffers: ScanBuffers,
    _ timed: inout [TimedSample]
  ) throws(ExpositionProblem) {
    summary.samples += 1
    let e = try line(entry.start..<entry.keyEnd, .series, grammar, &table)
    let isFirst = mark(table.lines + e, table.payloads + e, at: entry.start)
    link(e, table)
    if honorsTimestamps, let time = entry.timestamp {
      timed.append(TimedSample(e, entry.value, time))
    } else if !isFirst {
      summary.duplicates += 1
    } else {
      if delivered == buffers.capacity { buffers.grow(keeping: delivered) }
      buffers.entries[delivered] = UInt32(e)
      buffers.values[delivered] = entry.value
      delivered += 1
    }
  }

  private mutating func link(_ e: Int, _ table: borrowing LineTable) {
    table.lines[previous].next = UInt32(e)
    previous = e
  }

  /// The line with these bytes, made known if need be.
  private func line(
    _ range: Range<Int>, _ kind: KnownLine.Kind, _ grammar: Grammar, _ table: inout LineTable
  ) throws(ExpositionProblem) -> Int {
    let text = base + range.lowerBound
    let hash = table.hasher.hash(text, range.count)
    let known = table.find(length: range.count, hash: hash)
    if known != 0 { return known }
    guard table.count <= limits.lines,
      let added = table.insert(
        text, range.count, hash: hash, kind: kind, type: type, seen: expected &- 1,
        payload: ScrapeCache.unresolved)
    else { throw grammar.problem("more than \(limits.lines) lines in one exposition") }
    return added
  }
}
