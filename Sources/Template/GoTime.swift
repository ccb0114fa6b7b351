import Model

/// A moment in UTC with nanoseconds: Go's `time.Time` as templates see it.
package struct GoTime: Hashable, Comparable, Sendable {
  /// Seconds since the Unix epoch.
  package var seconds: Int64
  /// 0…999 999 999.
  package var nanoseconds: Int64

  init(seconds: Int64, nanoseconds: Int64) {
    let (carry, rest) = nanoseconds.flooredDivision(by: 1_000_000_000)
    self.seconds = seconds &+ carry
    self.nanoseconds = rest
  }

  init(_ timestamp: Timestamp) {
    let (seconds, rest) = timestamp.milliseconds.flooredDivision(by: 1000)
    self.init(seconds: seconds, nanoseconds: rest * 1_000_000)
  }

  package static func < (a: GoTime, b: GoTime) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }

  /// The moment some nanoseconds later.
  func adding(_ duration: Int64) -> GoTime {
    let (seconds, rest) = duration.flooredDivision(by: 1_000_000_000)
    return GoTime(seconds: self.seconds &+ seconds, nanoseconds: nanoseconds + rest)
  }

  /// The nanoseconds from another moment to this, held within 64 bits.
  func since(_ other: GoTime) -> Int64 {
    let (difference, o1) = seconds.subtractingReportingOverflow(other.seconds)
    let (scaled, o2) = difference.multipliedReportingOverflow(by: 1_000_000_000)
    let (total, o3) = scaled.addingReportingOverflow(nanoseconds - other.nanoseconds)
    return o1 || o2 || o3 ? (self < other ? .min : .max) : total
  }

  /// The fields of the calendar; seconds far outside the calendar's range are held at its ends.
  var civil: CivilTime {
    let limit = Int64.max / 2000
    return CivilTime(Timestamp(milliseconds: min(max(seconds, -limit), limit) * 1000))
  }

  /// 0 for Sunday.
  var weekday: Int {
    Int((seconds.flooredDivision(by: 86_400).quotient + 4).flooredDivision(by: 7).remainder)
  }

  var yearDay: Int {
    let c = civil
    return Int(
      CivilTime.days(year: c.year, month: c.month, day: c.day)
        - CivilTime.days(year: c.year, month: 1, day: 1)) + 1
  }

  /// A date with fields out of range carried over, as Go's `AddDate` does.
  func addingDate(years: Int64, months: Int64, days: Int64) -> GoTime {
    let c = civil
    let (carry, month) = (Int64(c.month) - 1 &+ months).flooredDivision(by: 12)
    let year = c.year &+ years &+ carry
    let limit: UInt64 = 1_000_000_000
    guard year.magnitude < limit, days.magnitude < limit * 365 else { return self }
    let date =
      CivilTime.days(year: year, month: Int(month) + 1, day: 1) + Int64(c.day) - 1 + days
    let ofDay = seconds.flooredDivision(by: 86_400).remainder
    return GoTime(seconds: date * 86_400 + ofDay, nanoseconds: nanoseconds)
  }
}

/// Names of Go's `time` package.
enum GoCalendar {
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  static let days = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]
}

extension GoTime: CustomStringConvertible {
  /// Go's `String`: `2015-06-23 13:19:44.128 +0000 UTC`.
  package var description: String { formatted("2006-01-02 15:04:05.999999999 -0700 MST") }

  /// Go's `Format`: the layout shows how 2006-01-02 15:04:05 would be written.
  package func formatted(_ layout: String) -> String {
    let civil = civil
    var out: [UInt8] = []
    var rest = Array(layout.utf8)[...]
    while !rest.isEmpty {
      if let (chunk, width) = GoTimeChunk.first(in: rest) {
        out += chunk.text(of: self, civil).utf8
        rest.removeFirst(width)
      } else {
        out.append(rest.removeFirst())
      }
    }
    return out.text
  }
}

/// One element of a time layout.
private enum GoTimeChunk {
  case named(String)
  /// `.000` or `.999`, `,` likewise: separator, digits, whether trailing zeros are cut.
  case fraction(UInt8, Int, trims: Bool)

  private static let names = [
    "January", "Jan", "Monday", "Mon", "MST", "2006", "002", "01", "02", "03", "04", "05", "06",
    "15", "_2006", "__2", "_2", "1", "2", "3", "4", "5", "PM", "pm", "-070000", "-07:00:00",
    "-0700",
    "-07:00", "-07", "Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07",
  ].map { Array($0.utf8) }.sorted { $0.count > $1.count }

  static func first(in text: ArraySlice<UInt8>) -> (GoTimeChunk, Int)? {
    if let name = names.first(where: { text.starts(with: $0) }) {
      // `_2006` is an underscore and a year; `Janus` is no month.
      if name == Array("_2006".utf8) { return nil }
      if name == Array("Jan".utf8) || name == Array("Mon".utf8),
        let next = text.dropFirst(3).first, next >= 0x61 && next <= 0x7a
      {
        return nil
      }
      return (.named(String(decoding: name, as: UTF8.self)), name.count)
    }
    guard let mark = text.first, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ","),
      let digit = text.dropFirst().first, digit == 0x30 || digit == 0x39
    else { return nil }
    let run = text.dropFirst().prefix { $0 == digit }.count
    // Digits behind it make it something else.
    if let next = text.dropFirst(1 + run).first, next >= 0x30 && next <= 0x39 { return nil }
    return (.fraction(mark, run, trims: digit == 0x39), 1 + run)
  }

  func text(of time: GoTime, _ c: CivilTime) -> String {
    switch self {
    case .fraction(let mark, let digits, let trims):
      var text = Self.pad(time.nanoseconds, 9)
      text =
        digits <= 9 ? String(text.prefix(digits)) : text + String(repeating: "0", count: digits - 9)
      if trims { while text.hasSuffix("0") { text.removeLast() } }
      return text.isEmpty ? "" : String(UnicodeScalar(mark)) + text
    case .named(let name): return Self.text(name, time, c)
    }
  }

  private static func text(_ name: String, _ time: GoTime, _ c: CivilTime) -> String {
    let hour12 = c.hour % 12 == 0 ? 12 : c.hour % 12
    switch name {
    case "January": return GoCalendar.months[c.month - 1]
    case "Jan": return String(GoCalendar.months[c.month - 1].prefix(3))
    case "Monday": return GoCalendar.days[time.weekday]
    case "Mon": return String(GoCalendar.days[time.weekday].prefix(3))
    case "MST": return "UTC"
    case "2006": return c.year < 0 ? "-" + pad(-c.year, 4) : pad(c.year, 4)
    case "06": return pad(c.year.flooredDivision(by: 100).remainder, 2)
    case "002": return pad(time.yearDay, 3)
    case "__2": return blank(time.yearDay, 3)
    case "01": return pad(c.month, 2)
    case "1": return String(c.month)
    case "02": return pad(c.day, 2)
    case "_2": return blank(c.day, 2)
    case "2": return String(c.day)
    case "15": return pad(c.hour, 2)
    case "03": return pad(hour12, 2)
    case "3": return String(hour12)
    case "04": return pad(c.minute, 2)
    case "4": return String(c.minute)
    case "05": return pad(c.second, 2)
    case "5": return String(c.second)
    case "PM": return c.hour >= 12 ? "PM" : "AM"
    case "pm": return c.hour >= 12 ? "pm" : "am"
    case "-0700": return "+0000"
    case "-07:00": return "+00:00"
    case "-07": return "+00"
    case "-070000": return "+000000"
    case "-07:00:00": return "+00:00:00"
    default: return "Z"
    }
  }

  private static func pad(_ n: some BinaryInteger, _ width: Int) -> String {
    let digits = String(n)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func blank(_ n: Int, _ width: Int) -> String {
    let digits = String(n)
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }
}

/// Go's `time.Duration`.
enum GoDuration {
  /// `1h30m0s`, `1.5s`, `250ms`, `0s`.
  static func text(_ nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let n = nanoseconds.magnitude
    if n == 0 { return "0s" }
    if n < 1000 { return "\(sign)\(n)ns" }
    if n < 1_000_000 { return sign + decimal(n, 1000) + "µs" }
    if n < 1_000_000_000 { return sign + decimal(n, 1_000_000) + "ms" }
    let second: UInt64 = 1_000_000_000
    let seconds = decimal(n % (60 * second), second) + "s"
    let minutes = n / (60 * second)
    if minutes == 0 { return sign + seconds }
    if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
    return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func decimal(_ n: UInt64, _ unit: UInt64) -> String {
    var fraction = String(n % unit)
    fraction = String(repeating: "0", count: String(unit).count - 1 - fraction.count) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return fraction.isEmpty ? String(n / unit) : "\(n / unit).\(fraction)"
  }

  /// Rounds half away from zero to a multiple, or cuts down to it.
  static func rounded(_ n: Int64, to unit: Int64, cuts: Bool) -> Int64 {
    if unit <= 0 { return n }
    let rest = n % unit
    if cuts || rest.magnitude < unit.magnitude - rest.magnitude { return n - rest }
    let (up, overflow) = (n - rest).addingReportingOverflow(n < 0 ? -unit : unit)
    return overflow ? (n < 0 ? .min : .max) : up
  }
}
