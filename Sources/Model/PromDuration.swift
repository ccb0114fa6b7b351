/// A length of time in milliseconds, written the Prometheus way (`1h30m`, `5m`, `0s`).
package struct PromDuration: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Makes a duration from seconds, rounded to the nearest millisecond.
  package init(seconds: Double) { self.milliseconds = Int64((seconds * 1000).rounded()) }

  package static let zero = PromDuration(milliseconds: 0)
  package static func milliseconds(_ n: Int64) -> PromDuration { PromDuration(milliseconds: n) }
  package static func seconds(_ n: Int64) -> PromDuration { PromDuration(milliseconds: n * 1000) }
  package static func minutes(_ n: Int64) -> PromDuration { PromDuration(milliseconds: n * 60_000) }
  package static func hours(_ n: Int64) -> PromDuration {
    PromDuration(milliseconds: n * 3_600_000)
  }
  package static func days(_ n: Int64) -> PromDuration {
    PromDuration(milliseconds: n * 86_400_000)
  }

  package var seconds: Double { Double(milliseconds) / 1000 }

  package static func < (a: PromDuration, b: PromDuration) -> Bool {
    a.milliseconds < b.milliseconds
  }
  package static func + (a: PromDuration, b: PromDuration) -> PromDuration {
    PromDuration(milliseconds: a.milliseconds &+ b.milliseconds)
  }
  package static func - (a: PromDuration, b: PromDuration) -> PromDuration {
    PromDuration(milliseconds: a.milliseconds &- b.milliseconds)
  }
  package static func * (a: PromDuration, n: Int64) -> PromDuration {
    PromDuration(milliseconds: a.milliseconds &* n)
  }
}

/// Why a duration text was refused; the wording is Prometheus' own (`model.ParseDuration`).
package enum DurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case empty
  case malformed(String)
  case unknownUnit(String, in: String)
  case outOfRange

  package var description: String {
    switch self {
    case .empty: "empty duration string"
    case .malformed(let text): "not a valid duration string: \(GoText.quote(text))"
    case .unknownUnit(let unit, let text):
      "unknown unit \(GoText.quote(unit)) in duration \(GoText.quote(text))"
    case .outOfRange: "duration out of range"
    }
  }
}

extension PromDuration {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000),
    ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// Parses `1h30m`, `0`, …: every unit at most once, in descending order, no sign, no blanks.
  ///
  /// - Note: Prometheus keeps durations in 64-bit nanoseconds, which bounds the range to about 292
  /// years.
  package init(parsing text: String) throws(DurationProblem) {
    let bytes = Array(text.utf8)
    if bytes.isEmpty { throw .empty }
    var i = 0
    var nextUnit = 0
    var total: UInt64 = 0
    while i < bytes.count, bytes != [UInt8(ascii: "0")] {
      let digits = i
      while i < bytes.count, Self.isDigit(bytes[i]) { i += 1 }
      guard i > digits,
        let n = UInt64(String(decoding: bytes[digits..<i], as: UTF8.self))
      else { throw .malformed(text) }
      let letters = i
      while i < bytes.count, !Self.isDigit(bytes[i]) { i += 1 }
      if i == letters { throw .malformed(text) }
      let suffix = String(decoding: bytes[letters..<i], as: UTF8.self)
      guard let unit = Self.units.firstIndex(where: { $0.suffix == suffix }) else {
        throw .unknownUnit(suffix, in: text)
      }
      guard unit >= nextUnit else { throw .malformed(text) }
      nextUnit = unit + 1
      let milliseconds = UInt64(Self.units[unit].milliseconds)
      if n > (1 << 63) / (milliseconds * 1_000_000) { throw .outOfRange }
      total += n * milliseconds
      if total > UInt64(Int64.max) / 1_000_000 { throw .outOfRange }
    }
    self.init(milliseconds: Int64(total))
  }

  /// Parses a duration that may begin with a minus sign.
  package init(parsingSigned text: String) throws(DurationProblem) {
    guard text.utf8.first == UInt8(ascii: "-") else {
      try self.init(parsing: text)
      return
    }
    let magnitude = try PromDuration(parsing: String(text.dropFirst()))
    self.init(milliseconds: -magnitude.milliseconds)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

extension PromDuration: CustomStringConvertible {
  /// The canonical text: `1d12h`, `90m` prints as `1h30m`, weeks and years only when exact, `0s`
  /// for zero.
  package var description: String {
    var ms = milliseconds.magnitude
    if ms == 0 { return "0s" }
    var text = milliseconds < 0 ? "-" : ""
    for (suffix, unit) in Self.units {
      let size = UInt64(unit)
      // Years and weeks are printed only when nothing is left over, days downward always.
      let exactOnly = suffix == "y" || suffix == "w"
      if exactOnly && ms % size != 0 { continue }
      let n = ms / size
      if n > 0 {
        text += "\(n)\(suffix)"
        ms -= n * size
      }
    }
    return text
  }
}
