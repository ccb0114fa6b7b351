import Model

extension TemplateValue {
  /// A field of a struct.
  func structField(_ name: String) -> TemplateValue? {
    switch self {
    case .sample(let sample?, _):
      switch name {
      case "Labels": .labels(sample.labels)
      case "Value": .sampleValue(sample.value)
      default: nil
      }
    case .alert(let input):
      switch name {
      case "Labels": .labels(input.labels)
      case "ExternalLabels": .labels(input.externalLabels)
      case "ExternalURL": .text(input.externalURL)
      case "Value": .sampleValue(input.value)
      default: nil
      }
    case .histogram(let histogram): Self.field(name, of: histogram)
    default: nil
    }
  }

  /// Whether the Go field holds an interface: such a field's own type is what errors name.
  func hasInterfaceField(_ name: String) -> Bool {
    switch self {
    case .sample, .alert: name == "Value"
    case .map: true
    default: false
    }
  }

  private static func field(_ name: String, of histogram: FloatHistogram) -> TemplateValue? {
    func floats(_ values: [Double]) -> TemplateValue {
      .list(values.map { .float($0) }, type: "[]float64")
    }
    return switch name {
    case "Schema": .int(Int64(histogram.schema), .int32)
    case "ZeroThreshold": .float(histogram.zeroThreshold)
    case "ZeroCount": .float(histogram.zeroCount)
    case "Count": .float(histogram.count)
    case "Sum": .float(histogram.sum)
    case "PositiveBuckets": floats(histogram.positiveBuckets)
    case "NegativeBuckets": floats(histogram.negativeBuckets)
    case "CustomValues": floats(histogram.customValues)
    default: nil
    }
  }

  /// A method with this value as its receiver.
  func method(_ name: String) -> Callable? {
    switch self {
    case .time(let time, _): GoMethods.method(name, of: time)
    case .duration(let nanoseconds, _): GoMethods.method(name, ofDuration: nanoseconds)
    case .month, .weekday, .location, .histogram:
      name == "String" ? GoMethods.constant(name, .text(stringerText ?? "")) : nil
    default: nil
    }
  }
}

/// The methods of Go's `time` package that templates can call.
enum GoMethods {
  /// A method without parameters.
  static func constant(_ name: String, _ value: TemplateValue) -> Callable {
    Callable(name, []) { _ in value }
  }

  static func method(_ name: String, of time: GoTime) -> Callable? {
    if let value = property(name, of: time) { return constant(name, value) }
    switch name {
    case "Format":
      return Callable(name, [.string]) { values in
        .text(time.formatted(Self.text(values[0])))
      }
    case "Add":
      return Callable(name, [.duration]) { .time(time.adding(Self.nanoseconds($0[0]))) }
    case "AddDate":
      return Callable(name, [.int, .int, .int]) { values in
        .time(
          time.addingDate(
            years: Self.integer(values[0]), months: Self.integer(values[1]),
            days: Self.integer(values[2])))
      }
    case "Sub": return comparison(name, time) { .duration($0.since($1)) }
    case "After": return comparison(name, time) { .bool($0 > $1) }
    case "Before": return comparison(name, time) { .bool($0 < $1) }
    case "Equal": return comparison(name, time) { .bool($0 == $1) }
    case "Compare": return comparison(name, time) { .int($0 < $1 ? -1 : $0 == $1 ? 0 : 1) }
    case "In": return Callable(name, [.location]) { _ in .time(time) }
    case "Truncate", "Round":
      return Callable(name, [.duration]) { values in
        .time(Self.rounded(time, to: Self.nanoseconds(values[0]), cuts: name == "Truncate"))
      }
    case "ISOWeek", "Zone": return refusal(name, "second return value should be error; is int")
    case "Date", "Clock":
      return Callable(name, []) { _ throws(TemplateFunctionProblem) in
        throw TemplateFunctionProblem("function called with 3 args; should be 1 or 2")
      }
    default: return nil
    }
  }

  private static func refusal(_ name: String, _ reason: String) -> Callable {
    Callable(name, []) { _ throws(TemplateFunctionProblem) in
      throw TemplateFunctionProblem("invalid function signature for \(name): \(reason)")
    }
  }

  private static func property(_ name: String, of time: GoTime) -> TemplateValue? {
    let c = time.civil
    return switch name {
    case "String": .text(time.description)
    case "Unix": .int(time.seconds, .int64)
    case "UnixMilli": .int(time.seconds &* 1000 &+ time.nanoseconds / 1_000_000, .int64)
    case "UnixMicro": .int(time.seconds &* 1_000_000 &+ time.nanoseconds / 1000, .int64)
    case "UnixNano": .int(time.seconds &* 1_000_000_000 &+ time.nanoseconds, .int64)
    case "Year": .int(c.year)
    case "Month": .month(c.month)
    case "Day": .int(Int64(c.day))
    case "Hour": .int(Int64(c.hour))
    case "Minute": .int(Int64(c.minute))
    case "Second": .int(Int64(c.second))
    case "Nanosecond": .int(time.nanoseconds)
    case "Weekday": .weekday(time.weekday)
    case "YearDay": .int(Int64(time.yearDay))
    case "UTC", "Local": .time(time)
    case "Location": .location
    case "IsZero": .bool(time == GoTime(seconds: -62_135_596_800, nanoseconds: 0))
    case "IsDST": .bool(false)
    default: nil
    }
  }

  private static func comparison(
    _ name: String, _ time: GoTime, _ body: @escaping (GoTime, GoTime) -> TemplateValue
  ) -> Callable {
    Callable(name, [.time]) { values in
      guard case .time(let other, _) = values[0] else { return .none }
      return body(time, other)
    }
  }

  /// Multiples count from the year 1, as in Go.
  private static func rounded(_ time: GoTime, to unit: Int64, cuts: Bool) -> GoTime {
    if unit <= 0 { return time }
    let zero = GoTime(seconds: -62_135_596_800, nanoseconds: 0)
    let seconds = UInt64(bitPattern: time.seconds &- zero.seconds)
    let (high, low) = seconds.multipliedFullWidth(by: 1_000_000_000)
    let (sum, carry) = low.addingReportingOverflow(UInt64(time.nanoseconds))
    let divisor = UInt64(unit)
    // Only the rest matters, so the high word may be reduced first.
    let reduced = (high &+ (carry ? 1 : 0)) % divisor
    let rest = Int64(divisor.dividingFullWidth((reduced, sum)).remainder)
    if cuts || rest < unit - rest { return time.adding(-rest) }
    return time.adding(unit - rest)
  }

  static func method(_ name: String, ofDuration n: Int64) -> Callable? {
    let value: TemplateValue
    switch name {
    case "String": value = .text(GoDuration.text(n))
    case "Nanoseconds": value = .int(n, .int64)
    case "Microseconds": value = .int(n / 1000, .int64)
    case "Milliseconds": value = .int(n / 1_000_000, .int64)
    case "Seconds": value = .float(whole(n, 1_000_000_000))
    case "Minutes": value = .float(whole(n, 60_000_000_000))
    case "Hours": value = .float(whole(n, 3_600_000_000_000))
    case "Abs": value = .duration(n == .min ? .max : abs(n))
    case "Round", "Truncate":
      return Callable(name, [.duration]) { values in
        .duration(
          GoDuration.rounded(n, to: nanoseconds(values[0]), cuts: name == "Truncate"))
      }
    default: return nil
    }
    return constant(name, value)
  }

  /// Whole units and the fraction are added as floats, as Go does.
  private static func whole(_ n: Int64, _ unit: Int64) -> Double {
    Double(n / unit) + Double(n % unit) / Double(unit)
  }

  private static func text(_ value: TemplateValue) -> String {
    if case .string(let text) = value { text.text } else { "" }
  }

  private static func integer(_ value: TemplateValue) -> Int64 {
    if case .int(let n, _) = value { n } else { 0 }
  }

  private static func nanoseconds(_ value: TemplateValue) -> Int64 {
    if case .duration(let n, _) = value { n } else { 0 }
  }
}
