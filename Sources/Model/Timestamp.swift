/// A point in time: milliseconds since the Unix epoch, the resolution of Prometheus.
///
/// Time is an argument everywhere in the pure modules: nothing below the executable reads a clock.
package struct Timestamp: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z; may be negative.
  package var milliseconds: Int64

  /// Makes a timestamp from milliseconds since the Unix epoch.
  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// Makes a timestamp from seconds since the Unix epoch, rounded to the nearest millisecond.
  package init(seconds: Double) {
    self.milliseconds = Int64((seconds * 1000).rounded())
  }

  /// The Unix epoch.
  package static let zero = Timestamp(milliseconds: 0)

  /// Before every sample; the zero of "never happened".
  package static let distantPast = Timestamp(milliseconds: .min / 4)

  /// After every sample.
  package static let distantFuture = Timestamp(milliseconds: .max / 4)

  /// Seconds since the Unix epoch.
  package var seconds: Double { Double(milliseconds) / 1000 }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

  package static func + (t: Timestamp, d: PromDuration) -> Timestamp {
    Timestamp(milliseconds: t.milliseconds &+ d.milliseconds)
  }

  package static func - (t: Timestamp, d: PromDuration) -> Timestamp {
    Timestamp(milliseconds: t.milliseconds &- d.milliseconds)
  }

  package static func - (a: Timestamp, b: Timestamp) -> PromDuration {
    PromDuration(milliseconds: a.milliseconds &- b.milliseconds)
  }
}

/// A moment split into civil (proleptic Gregorian, UTC) fields.
package struct CivilTime: Hashable, Sendable {
  package var year: Int64
  package var month: Int  // 1...12
  package var day: Int  // 1...31
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var millisecond: Int

  /// Splits a timestamp into UTC fields (Howard Hinnant's days-from-civil, inverted).
  package init(_ t: Timestamp) {
    let (days, ms) = t.milliseconds.flooredDivision(by: 86_400_000)
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let doe = z - era * 146_097
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
    let mp = (5 * doy + 2) / 153
    day = Int(doy - (153 * mp + 2) / 5 + 1)
    month = Int(mp < 10 ? mp + 3 : mp - 9)
    year = yoe + era * 400 + (month <= 2 ? 1 : 0)
    millisecond = Int(ms % 1000)
    second = Int(ms / 1000 % 60)
    minute = Int(ms / 60_000 % 60)
    hour = Int(ms / 3_600_000)
  }

  /// Days since the epoch of a civil date.
  package static func days(year: Int64, month: Int, day: Int) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yoe = y - era * 400
    let mp = Int64(month > 2 ? month - 3 : month + 9)
    let doy = (153 * mp + 2) / 5 + Int64(day) - 1
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy
    return era * 146_097 + doe - 719_468
  }
}

extension Int64 {
  /// Quotient rounded toward minus infinity, and the remainder that goes with it (never negative
  /// for a positive divisor).
  package func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    var (q, r) = quotientAndRemainder(dividingBy: divisor)
    if r != 0 && (r < 0) != (divisor < 0) {
      q -= 1
      r += divisor
    }
    return (q, r)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with up to three decimals, as Go's `time.RFC3339Nano` prints it.
  package var description: String { rfc3339 }

  /// RFC 3339 in UTC; trailing zeros of the fraction are left out, as in Prometheus' JSON.
  package var rfc3339: String {
    let c = CivilTime(self)
    var text = "\(pad(c.year, 4))-\(pad(c.month, 2))-\(pad(c.day, 2))"
    text += "T\(pad(c.hour, 2)):\(pad(c.minute, 2)):\(pad(c.second, 2))"
    if c.millisecond != 0 {
      var fraction = pad(c.millisecond, 3)
      while fraction.hasSuffix("0") { fraction.removeLast() }
      text += "." + fraction
    }
    return text + "Z"
  }

  private func pad(_ value: some BinaryInteger, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Timestamp {
  /// Reads RFC 3339 (`2026-01-31T12:00:00.5Z`, `…+02:00`); decimals past milliseconds are cut.
  package init?(rfc3339 text: String) {
    var scanner = FieldScanner(bytes: Array(text.utf8))
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
      scanner.take("-"), let day = scanner.number(2), scanner.take("T"),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
      scanner.take(":"), let second = scanner.number(2)
    else { return nil }
    let fraction = scanner.fraction()
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60,
      let offset = scanner.zone(), scanner.isAtEnd
    else { return nil }
    let days = CivilTime.days(year: Int64(year), month: month, day: day)
    let seconds = Int64(hour * 3600 + minute * 60 + second - offset * 60)
    self.init(milliseconds: days * 86_400_000 + seconds * 1000 + Int64(fraction))
  }
}

/// Reads fixed-width fields from bytes.
private struct FieldScanner {
  let bytes: [UInt8]
  var i = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { i == bytes.count }

  mutating func number(_ width: Int) -> Int? {
    guard i + width <= bytes.count else { return nil }
    var n = 0
    for b in bytes[i..<(i + width)] {
      guard b >= 0x30, b <= 0x39 else { return nil }
      n = n * 10 + Int(b - 0x30)
    }
    i += width
    return n
  }

  mutating func take(_ text: Unicode.Scalar) -> Bool {
    guard i < bytes.count, bytes[i] == UInt8(ascii: text) else { return false }
    i += 1
    return true
  }

  /// Milliseconds of an optional fraction.
  mutating func fraction() -> Int {
    guard take(".") else { return 0 }
    var ms = 0
    var scale = 100
    while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 {
      ms += Int(bytes[i] - 0x30) * scale
      scale /= 10
      i += 1
    }
    return ms
  }

  /// Minutes east of UTC.
  mutating func zone() -> Int? {
    if take("Z") { return 0 }
    let sign = take("+") ? 1 : take("-") ? -1 : 0
    guard sign != 0, let hours = number(2), take(":"), let minutes = number(2) else { return nil }
    return sign * (hours * 60 + minutes)
  }
}
