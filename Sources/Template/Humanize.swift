import Model

/// Prometheus' number texts for people: four significant digits and a prefix.
enum Humanize {
  private static let large = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
  private static let small = ["m", "u", "n", "p", "f", "a", "z", "y"]
  private static let binary = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]

  /// Four significant digits: `%.4g`.
  private static func short(_ v: Double) -> String {
    GoFloat.text(v, UInt8(ascii: "g"), precision: 4)
  }

  /// Decimal prefixes: `1.235M` or `120m`.
  static func decimal(_ v: Double) -> String {
    if v == 0 || !v.isFinite { return short(v) }
    if v.magnitude >= 1 { return scaled(v, by: 1000, large) }
    return magnified(v)
  }

  /// Binary prefixes: `1.177Mi`.
  static func binary(_ v: Double) -> String {
    if v.magnitude <= 1 || !v.isFinite { return short(v) }
    return scaled(v, by: 1024, binary)
  }

  private static func scaled(_ v: Double, by unit: Double, _ prefixes: [String]) -> String {
    var v = v
    var prefix = ""
    for next in prefixes {
      if v.magnitude < unit { break }
      prefix = next
      v /= unit
    }
    return short(v) + prefix
  }

  private static func magnified(_ v: Double) -> String {
    var v = v
    var prefix = ""
    for next in small {
      if v.magnitude >= 1 { break }
      prefix = next
      v *= 1000
    }
    return short(v) + prefix
  }

  /// A length of time: `-2d 3h 4m 5s`, `1.234s` or `100ms`.
  static func duration(_ v: Double) -> String {
    if !v.isFinite { return short(v) }
    if v == 0 { return short(v) + "s" }
    if v.magnitude < 1 { return magnified(v) + "s" }
    let sign = v < 0 ? "-" : ""
    let total = v.magnitude
    // Out of range, the conversion yields the smallest integer, as on the reference's processors.
    let whole = total < 0x1p63 ? Int64(total) : Int64.min
    let (days, hours) = (whole / 86_400, whole / 3600 % 24)
    let (minutes, seconds) = (whole / 60 % 60, whole % 60)
    if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
    if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
    if minutes != 0 { return "\(sign)\(minutes)m \(seconds)s" }
    return sign + short(total) + "s"
  }

  /// A share of one: `12.35%`.
  static func percentage(_ v: Double) -> String { short(v * 100) + "%" }

  /// A moment as Go prints it: `2015-06-23 13:19:44.128 +0000 UTC`.
  static func timestamp(_ v: Double) throws(TemplateFunctionProblem) -> String {
    if !v.isFinite { return short(v) }
    return try time(v).description
  }

  /// A moment from seconds since the epoch, cut to milliseconds.
  static func time(_ v: Double) throws(TemplateFunctionProblem) -> GoTime {
    if !v.isFinite { throw TemplateFunctionProblem("value is NaN or Inf") }
    return GoTime(Timestamp(milliseconds: try nanoseconds(v, "timestamp") / 1_000_000))
  }

  /// Nanoseconds from seconds, for times and durations alike.
  static func nanoseconds(
    _ v: Double, _ what: String
  ) throws(TemplateFunctionProblem) -> Int64 {
    if !v.isFinite { throw TemplateFunctionProblem("value is NaN or Inf") }
    let scaled = v * 1e9
    if scaled > 0x1p63 || scaled < -0x1p63 {
      throw TemplateFunctionProblem(
        "\(NumberText.general(v)) cannot be represented as a nanoseconds \(what) "
          + "since it overflows int64")
    }
    return scaled >= 0x1p63 ? .min : Int64(scaled)
  }
}
