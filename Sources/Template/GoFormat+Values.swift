import Model

extension GoFormat {
  /// Prints one operand.
  mutating func printArgument(_ value: TemplateValue, _ verb: Unicode.Scalar) {
    if verb == "T" {
      formatText(Array(value.typeName.utf8), "s", of: value)
      return
    }
    printValue(value, verb, depth: 0)
  }

  /// Prints a value; `depth` counts the maps, slices and structs around it.
  private mutating func printValue(_ value: TemplateValue, _ verb: Unicode.Scalar, depth: Int) {
    if let text = value.stringerText, !flags.sharpV, "vsxXq".unicodeScalars.contains(verb) {
      formatText(Array(text.utf8), verb, of: value)
      return
    }
    switch value {
    case .none:
      if verb == "v" { pad("<nil>") } else { badVerb(verb, value) }
    case .bool(let flag):
      if verb == "t" || verb == "v" { pad(flag ? "true" : "false") } else { badVerb(verb, value) }
    case .int(let n, _): formatInteger(n.magnitude, negative: n < 0, verb, of: value)
    case .duration(let n, _): formatInteger(n.magnitude, negative: n < 0, verb, of: value)
    case .month(let n), .weekday(let n):
      formatInteger(UInt64(n), negative: false, verb, of: value)
    case .uint(let n, _): formatInteger(n, negative: false, verb, of: value)
    case .float(let v): formatFloat(v, verb, of: value)
    case .complex(let real, let imaginary): formatComplex(real, imaginary, verb, of: value)
    case .string(let text), .html(let text): formatText(text, verb, of: value)
    default: printCompound(value, verb, depth: depth)
    }
  }

  private mutating func printCompound(
    _ value: TemplateValue, _ verb: Unicode.Scalar, depth: Int
  ) {
    switch value {
    case .labels(let labels):
      printMap(
        value, labels.labels.map { (.text($0.name), .text($0.value)) }, verb, depth: depth)
    case .map(let entries):
      printMap(value, entries.map { (.string($0.key), $0.value) }, verb, depth: depth)
    case .list(let values, _): printList(value, values, verb, depth: depth)
    case .samples(let samples):
      printList(value, samples.map { .sample($0) }, verb, depth: depth)
    case .sample(let sample, let isPointer):
      guard let sample else {
        pad("<nil>")
        return
      }
      if isPointer { out.append(UInt8(ascii: "&")) }
      printStruct("template.sample", Self.fields(of: sample), verb, depth: depth + 1)
    case .alert(let input):
      printStruct(value.typeName, Self.fields(of: input), verb, depth: depth)
    default: formatText(Array((value.stringerText ?? "").utf8), "s", of: value)
    }
  }

  private static func fields(of sample: TemplateSample) -> [(String, TemplateValue)] {
    [("Labels", .labels(sample.labels)), ("Value", .sampleValue(sample.value))]
  }

  private static func fields(of input: TemplateInput) -> [(String, TemplateValue)] {
    [
      ("Labels", .labels(input.labels)), ("ExternalLabels", .labels(input.externalLabels)),
      ("ExternalURL", .text(input.externalURL)), ("Value", .sampleValue(input.value)),
    ]
  }

  private mutating func printMap(
    _ value: TemplateValue, _ pairs: [(TemplateValue, TemplateValue)], _ verb: Unicode.Scalar,
    depth: Int
  ) {
    append(flags.sharpV ? value.typeName + "{" : "map[")
    for (i, (key, element)) in pairs.enumerated() {
      if i > 0 { append(flags.sharpV ? ", " : " ") }
      printValue(key, verb, depth: depth + 1)
      append(":")
      printValue(element, verb, depth: depth + 1)
    }
    append(flags.sharpV ? "}" : "]")
  }

  private mutating func printList(
    _ value: TemplateValue, _ elements: [TemplateValue], _ verb: Unicode.Scalar, depth: Int
  ) {
    append(flags.sharpV ? value.typeName + "{" : "[")
    for (i, element) in elements.enumerated() {
      if i > 0 { append(flags.sharpV ? ", " : " ") }
      printValue(element, verb, depth: depth + 1)
    }
    append(flags.sharpV ? "}" : "]")
  }

  private mutating func printStruct(
    _ type: String, _ fields: [(String, TemplateValue)], _ verb: Unicode.Scalar, depth: Int
  ) {
    append(flags.sharpV ? type + "{" : "{")
    for (i, (name, field)) in fields.enumerated() {
      if i > 0 { append(flags.sharpV ? ", " : " ") }
      if flags.plusV || flags.sharpV { append(name + ":") }
      printValue(field, verb, depth: depth + 1)
    }
    append("}")
  }

  /// `%!d(string=hi)`; the value is printed with the flags of the wrong verb.
  mutating func badVerb(_ verb: Unicode.Scalar, _ value: TemplateValue) {
    append("%!\(verb)(")
    if value.isNone {
      append("<nil>")
    } else {
      append(value.typeName + "=")
      printValue(value, "v", depth: 0)
    }
    append(")")
  }
}

extension TemplateValue {
  /// What the Go type's `String` method says, for those that have one.
  var stringerText: String? {
    switch self {
    case .time(let time, _): time.description
    case .duration(let nanoseconds, _): GoDuration.text(nanoseconds)
    case .month(let n):
      GoCalendar.months.indices.contains(n - 1) ? GoCalendar.months[n - 1] : "%!Month(\(n))"
    case .weekday(let n):
      GoCalendar.days.indices.contains(n) ? GoCalendar.days[n] : "%!Weekday(\(n))"
    case .location: "UTC"
    case .histogram(let histogram): histogram.description
    default: nil
    }
  }
}
