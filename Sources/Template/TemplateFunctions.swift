import Model

/// What templates can call: Go's built-in functions and Prometheus' own.
struct TemplateFunctions {
  private static let pure: [String: PureFunction] = {
    let all = goFunctions + textFunctions + sampleFunctions + numberFunctions + stringFunctions
    return Dictionary(all.map { ($0.name, $0) }) { _, last in last }
  }()

  private let context: TemplateContext
  private let include: TemplateHTMLRunner?

  init(_ context: TemplateContext, include: TemplateHTMLRunner? = nil) {
    self.context = context
    self.include = include
  }

  /// The names a parser shall know.
  static func names(isHTML: Bool) -> Set<String> { isHTML ? htmlNames : plainNames }

  private static let plainNames = Set(pure.keys)
    .union(["and", "or", "call", "query", "now", "externalURL", "pathPrefix"])
  private static let htmlNames = plainNames.union(["tmpl"])

  subscript(name: String) -> Callable? {
    switch name {
    case "query": query
    case "now": GoMethods.constant(name, .float(context.time.seconds))
    case "externalURL": GoMethods.constant(name, .text(context.externalURL))
    case "pathPrefix":
      GoMethods.constant(name, .text(GoEscape.path(ofURL: context.externalURL)))
    case "tmpl": tmpl
    default: Self.pure[name]?.callable
    }
  }

  private var query: Callable {
    Callable("query", [.string]) { values throws(TemplateFunctionProblem) in
      do {
        return .samples(try context.query(values[0].bytes.text, context.time))
      } catch {
        throw TemplateFunctionProblem(String(describing: error))
      }
    }
  }

  /// A template by computed name, in HTML mode only.
  private var tmpl: Callable? {
    include.map { run in
      Callable("tmpl", [.string, .any]) { values throws(TemplateFunctionProblem) in
        .html(try run(values[0].bytes, values[1]))
      }
    }
  }
}

/// Executes a template by name and returns what it wrote.
typealias TemplateHTMLRunner =
  (_ name: [UInt8], _ data: TemplateValue) throws(TemplateFunctionProblem) -> [UInt8]

extension TemplateValue {
  /// The bytes of a text; what is no text has none.
  var bytes: [UInt8] {
    switch self {
    case .string(let text), .html(let text): text
    default: []
    }
  }
}

// MARK: - Go's

extension TemplateFunctions {
  private static let goFunctions: [PureFunction] = [
    PureFunction("not", [.value]) { .bool(!$0[0].isTrue) },
    PureFunction("len", [.value]) { values throws(TemplateFunctionProblem) in
      try GoIndexing.length(values[0])
    },
    PureFunction("index", [.value], rest: .value) { values throws(TemplateFunctionProblem) in
      try GoIndexing.index(values)
    },
    PureFunction("slice", [.value], rest: .value) { values throws(TemplateFunctionProblem) in
      try GoIndexing.slice(values)
    },
    PureFunction("eq", [.value], rest: .value) { values throws(TemplateFunctionProblem) in
      .bool(try GoComparison.equal(values))
    },
    comparison("ne") { (a, b) throws(TemplateFunctionProblem) in try !GoComparison.equal(a, b) },
    comparison("lt") { (a, b) throws(TemplateFunctionProblem) in try GoComparison.less(a, b) },
    comparison("le") { (a, b) throws(TemplateFunctionProblem) in
      try GoComparison.lessOrEqual(a, b)
    },
    comparison("gt") { (a, b) throws(TemplateFunctionProblem) in
      try !GoComparison.lessOrEqual(a, b)
    },
    comparison("ge") { (a, b) throws(TemplateFunctionProblem) in try !GoComparison.less(a, b) },
  ]

  private static func comparison(
    _ name: String,
    _ body:
      @escaping @Sendable (TemplateValue, TemplateValue) throws(TemplateFunctionProblem) -> Bool
  ) -> PureFunction {
    PureFunction(name, [.value, .value]) { values throws(TemplateFunctionProblem) in
      .bool(try body(values[0], values[1]))
    }
  }

  private static let textFunctions: [PureFunction] = [
    PureFunction("print", [], rest: .any) { .string(GoFormat.print($0)) },
    PureFunction("println", [], rest: .any) { .string(GoFormat.printLine($0)) },
    PureFunction("printf", [.string], rest: .any) { values in
      .string(GoFormat.printf(values[0].bytes, Array(values.dropFirst())))
    },
    PureFunction("html", [], rest: .any) { .string(GoEscape.html(joined($0))) },
    PureFunction("js", [], rest: .any) { .string(GoEscape.javaScript(joined($0))) },
    PureFunction("urlquery", [], rest: .any) { .string(GoEscape.query(joined($0))) },
  ]

  private static func joined(_ values: [TemplateValue]) -> [UInt8] {
    if values.count == 1, case .string(let text) = values[0] { return text }
    return GoFormat.print(values.map(\.printable))
  }
}

// MARK: - Prometheus'

extension TemplateFunctions {
  private static let sampleFunctions: [PureFunction] = [
    PureFunction("first", [.samples]) { values throws(TemplateFunctionProblem) in
      guard case .samples(let samples) = values[0], let first = samples.first else {
        throw TemplateFunctionProblem("first() called on vector with no elements")
      }
      return .sample(first)
    },
    PureFunction("label", [.string, .sample]) { values throws(TemplateFunctionProblem) in
      .text(try sample(values[1]).labels.value(of: values[0].bytes.text))
    },
    PureFunction("value", [.sample]) { values throws(TemplateFunctionProblem) in
      .sampleValue(try sample(values[0]).value)
    },
    PureFunction("strvalue", [.sample]) { values throws(TemplateFunctionProblem) in
      .text(try sample(values[0]).labels.value(of: "__value__"))
    },
    PureFunction("sortByLabel", [.string, .samples]) { values in
      guard case .samples(let samples) = values[1] else { return values[1] }
      let name = values[0].bytes.text
      let keys = samples.map { $0.labels.value(of: name) }
      // By place where the labels are equal: the order is stable.
      let order = samples.indices.sorted { a, b in
        ByteOrder.less(keys[a], keys[b]) || ByteOrder.equal(keys[a], keys[b]) && a < b
      }
      return .samples(order.map { samples[$0] })
    },
    PureFunction("args", [], rest: .any) { values in
      let entries = values.enumerated().map { i, value in
        TemplateEntry(key: Array("arg\(i)".utf8), value: value)
      }
      return .map(entries.sorted { $0.key.lexicographicallyPrecedes($1.key) })
    },
  ]

  private static func sample(
    _ value: TemplateValue
  ) throws(TemplateFunctionProblem) -> TemplateSample {
    if case .sample(let sample?, _) = value { return sample }
    throw TemplateFunctionProblem(
      "runtime error: invalid memory address or nil pointer dereference")
  }

  private static let numberFunctions: [PureFunction] = [
    number("humanize") { .text(Humanize.decimal($0)) },
    number("humanize1024") { .text(Humanize.binary($0)) },
    number("humanizeDuration") { .text(Humanize.duration($0)) },
    number("humanizePercentage") { .text(Humanize.percentage($0)) },
    number("humanizeTimestamp") { (v) throws(TemplateFunctionProblem) in
      .text(try Humanize.timestamp(v))
    },
    number("toTime") { (v) throws(TemplateFunctionProblem) in
      .time(try Humanize.time(v), isPointer: true)
    },
    number("toDuration") { v in
      let scaled = v * 1e9
      // Out of range, the conversion yields the smallest integer, as on the reference's processors.
      let isInRange = scaled < 0x1p63 && scaled >= -0x1p63
      return .duration(isInRange ? Int64(scaled) : .min, isPointer: true)
    },
    PureFunction("parseDuration", [.string]) { values throws(TemplateFunctionProblem) in
      do throws(DurationProblem) {
        return .float(try PromDuration(parsingSigned: values[0].bytes.text).seconds)
      } catch {
        throw TemplateFunctionProblem(error.description)
      }
    },
  ]

  /// A function of one number, which may come as a text.
  private static func number(
    _ name: String,
    _ body: @escaping @Sendable (Double) throws(TemplateFunctionProblem) -> TemplateValue
  ) -> PureFunction {
    PureFunction(name, [.any]) { values throws(TemplateFunctionProblem) in
      try body(float(values[0]))
    }
  }

  private static func float(_ value: TemplateValue) throws(TemplateFunctionProblem) -> Double {
    switch value {
    case .float(let v): return v
    case .int(let n, .int), .int(let n, .int64): return Double(n)
    case .uint(let n, .uint), .uint(let n, .uint64): return Double(n)
    case .duration(let n, isPointer: false):
      return Double(n / 1_000_000_000) + Double(n % 1_000_000_000) / 1e9
    case .string(let text):
      let parsed = GoNumber.parseFloat(text.text)
      guard let v = parsed.value else { throw TemplateFunctionProblem(parsed.problem) }
      return v
    default:
      throw TemplateFunctionProblem("can't convert \(value.typeName) to float")
    }
  }

  private static let stringFunctions: [PureFunction] = [
    string("title") { .text(TitleCase.apply($0)) },
    string("toUpper") { .text(GoText.uppercased($0)) },
    string("toLower") { .text(GoText.lowercased($0)) },
    string("stripPort") { .text(HostPort($0)?.host ?? $0) },
    string("stripDomain") { .text(HostPort.strippingDomain($0)) },
    string("urlQueryEscape") { .string(GoEscape.query(Array($0.utf8))) },
    string("graphLink") { .text(link($0, tab: 0)) },
    string("tableLink") { .text(link($0, tab: 1)) },
    string("safeHtml") { .html(Array($0.utf8)) },
    PureFunction("match", [.string, .string]) { values throws(TemplateFunctionProblem) in
      do throws(RegexpProblem) {
        return .bool(try Regexp(values[0].bytes.text).matches(values[1].bytes.text))
      } catch {
        throw TemplateFunctionProblem(error.description)
      }
    },
    PureFunction("reReplaceAll", [.string, .string, .string]) {
      values throws(TemplateFunctionProblem) in
      let pattern = values[0].bytes.text
      do throws(RegexpProblem) {
        let regexp = try Regexp(pattern)
        let replacement = RegexpReplacement(values[1].bytes)
        return .string(
          regexp.replacingAll(in: values[2].bytes, with: replacement, limit: GoFormat.sizeLimit))
      } catch {
        let quoted =
          GoFormat.canBackquote(pattern) ? "`\(pattern)`" : GoText.quote(pattern)
        throw TemplateFunctionProblem("regexp: Compile(\(quoted)): \(error.description)")
      }
    },
  ]

  private static func string(
    _ name: String, _ body: @escaping @Sendable (String) -> TemplateValue
  ) -> PureFunction {
    PureFunction(name, [.string]) { body($0[0].bytes.text) }
  }

  private static func link(_ expr: String, tab: Int) -> String {
    "/graph?g0.expr=\(GoEscape.query(Array(expr.utf8)).text)&g0.tab=\(tab)"
  }
}
