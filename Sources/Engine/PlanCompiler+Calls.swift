import Model
import PromQL

extension PlanCompiler {
  /// Compiles a call; each family of functions has a place of its own below.
  func compile(_ call: CallExpr, in domain: TimeDomain) throws(QueryProblem) -> PlanNode {
    let outer = (readsStatistics, needsBuckets)
    defer { (readsStatistics, needsBuckets) = outer }
    switch call.function.name {
    case "histogram_count", "histogram_sum", "histogram_avg": readsStatistics = true
    case "histogram_quantile", "histogram_fraction": needsBuckets = true
    default: break
    }
    let context = CallContext(
      name: call.function.name, arguments: call.arguments.map(\.unwrapped),
      sites: sites(of: call), domain: domain)
    if let function = RangeFunction(rawValue: context.name) {
      return try compile(function, context)
    }
    if let function = MathFunction(rawValue: context.name) {
      return try compile(function, context)
    }
    if let function = NativeHistogram.Function(rawValue: context.name) {
      let argument = try compile(context.arguments[0], in: domain)
      let own = self.domain(of: [argument], within: domain)
      return node(context.name, [argument], in: own, sites: context.sites) {
        HistogramFunctionNode(
          domain: own, function: function, argument: argument, delaysNames: delaysNames)
      }
    }
    if let node = scalarSource(context) { return node }
    switch context.name {
    case "absent", "absent_over_time": return try compileAbsence(context)
    case "scalar", "vector", "min_of", "max_of": return try compileConversion(context)
    case "timestamp", "start_timestamp": return try compileTimestamp(context)
    case "label_replace", "label_join": return try compileLabels(context)
    case "sort", "sort_desc", "sort_by_label", "sort_by_label_desc":
      return try compileSort(context)
    case "histogram_quantile", "histogram_fraction", "histogram_quantiles":
      return try compileQuantile(context)
    case "info": return try compileInfo(context)
    default: throw QueryProblem("unknown function with name \(GoText.quote(context.name))")
    }
  }

  /// A call with its arguments out of their parentheses.
  private struct CallContext {
    let name: String
    let arguments: [Expr]
    let sites: [Int]
    let domain: TimeDomain
  }

  /// The places remarks name: the call and its arguments.
  ///
  /// Prometheus knows none for a subquery, which it has replaced by its result.
  private func sites(of call: CallExpr) -> [Int] {
    [call.range.start]
      + call.arguments.map { argument in
        let argument = argument.unwrapped
        if case .subquery = argument { return -1 }
        return argument.range.start
      }
  }

  private func text(_ expr: Expr) throws(QueryProblem) -> String {
    guard case .string(let literal) = expr.unwrapped else {
      throw QueryProblem("expected a string argument")
    }
    return literal.value
  }

  private func compile(
    _ function: RangeFunction, _ call: CallContext
  ) throws(QueryProblem) -> PlanNode {
    guard let place = call.arguments.firstIndex(where: { $0.type == .matrix }) else {
      throw QueryProblem("\(call.name) needs a range vector")
    }
    let (source, sourceDomain) = try windows(call.arguments[place], in: call.domain)
    try check(function, source.extent)
    var parameters: [PlanNode] = []
    for (i, argument) in call.arguments.enumerated() where i != place {
      parameters.append(try compile(argument, in: call.domain))
    }
    // predict_linear looks from the evaluation time, wherever its samples come from.
    let isTimeless = sourceDomain.isConstant && function != .predictLinear
    let own =
      isTimeless ? domain(of: parameters, within: call.domain) : call.domain
    return node("\(call.name) \(key(source))", parameters, in: own, sites: call.sites) {
      RangeFunctionNode(
        domain: own, function: function, source: source, parameters: parameters,
        delaysNames: delaysNames)
    }
  }

  private func check(
    _ function: RangeFunction, _ extent: ExtendedRange.Mode
  ) throws(QueryProblem) {
    let allowed: [String]
    switch extent {
    case .none: return
    case .anchored: allowed = ExtendedRange.anchoredFunctions
    case .smoothed: allowed = ExtendedRange.smoothedFunctions
    }
    if allowed.contains(function.rawValue) { return }
    throw QueryProblem(
      "\(extent.rawValue) modifier can only be used with: "
        + "\(allowed.joined(separator: ", ")) - not with \(function.rawValue)")
  }

  private func compile(
    _ function: MathFunction, _ call: CallContext
  ) throws(QueryProblem) -> PlanNode {
    var arguments: [PlanNode] = []
    for argument in call.arguments { arguments.append(try compile(argument, in: call.domain)) }
    if arguments.isEmpty {
      // A date function without argument tells of the evaluation time, as a vector without name to
      // drop.
      let time = node("time", [], in: call.domain, sites: call.sites) {
        ScalarSourceNode(domain: call.domain, source: .time)
      }
      arguments = [time]
    }
    let own = domain(of: arguments, within: call.domain)
    return node(call.name, arguments, in: own, sites: call.sites) {
      MathFunctionNode(
        domain: own, function: function, argument: arguments[0],
        parameters: Array(arguments.dropFirst()), delaysNames: delaysNames)
    }
  }

  private func scalarSource(_ call: CallContext) -> PlanNode? {
    let source: ScalarSourceNode.Source
    switch call.name {
    case "time": source = .time
    case "start": source = .queryStart
    case "end": source = .queryEnd
    case "range": source = .queryRange
    case "step": source = .queryStep
    case "pi": return number(Double.pi, at: call.sites[0])
    default: return nil
    }
    let own = call.name == "time" ? call.domain : constant
    return node(call.name, [], in: own, sites: call.sites) {
      ScalarSourceNode(domain: own, source: source)
    }
  }

  private func compileConversion(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    var arguments: [PlanNode] = []
    for argument in call.arguments { arguments.append(try compile(argument, in: call.domain)) }
    let own = domain(of: arguments, within: call.domain)
    return node(call.name, arguments, in: own, sites: call.sites) {
      switch call.name {
      case "scalar": ScalarOfVectorNode(domain: own, argument: arguments[0])
      case "vector": VectorOfScalarNode(domain: own, argument: arguments[0])
      default:
        ScalarBinaryNode(
          domain: own, operation: call.name == "min_of" ? .minOf : .maxOf, left: arguments[0],
          right: arguments[1])
      }
    }
  }

  private func compileAbsence(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    let labels = Self.labelsOfAbsence(call.arguments[0])
    if call.name == "absent" {
      let argument = try compile(call.arguments[0], in: call.domain)
      let own = domain(of: [argument], within: call.domain)
      return node("absent \(labels)", [argument], in: own, sites: call.sites) {
        AbsentNode(domain: own, argument: argument, labels: labels)
      }
    }
    let (source, sourceDomain) = try windows(call.arguments[0], in: call.domain)
    if source.extent != .none {
      let allowed =
        source.extent == .anchored
        ? ExtendedRange.anchoredFunctions : ExtendedRange.smoothedFunctions
      throw QueryProblem(
        "\(source.extent.rawValue) modifier can only be used with: "
          + "\(allowed.joined(separator: ", ")) - not with \(call.name)")
    }
    return node(
      "absent_over_time \(labels) \(key(source))", [], in: sourceDomain, sites: call.sites
    ) {
      AbsentOverTimeNode(
        domain: sourceDomain, source: source, labels: labels, delaysNames: delaysNames)
    }
  }

  /// What is missing, as far as it can be told: the labels with exactly one matcher, an equality.
  private static func labelsOfAbsence(_ expr: Expr) -> LabelSet {
    let matchers: [Matcher]
    switch expr {
    case .selector(let selector): matchers = selector.matchers
    case .matrix(let matrix): matchers = matrix.selector.matchers
    default: return .empty
    }
    let named = matchers.filter { !ByteOrder.equal($0.name, LabelName.metricName) }
    let labels = named.filter { matcher in
      matcher.kind == .equal
        && named.filter { ByteOrder.equal($0.name, matcher.name) }.count == 1
    }.map { Label(name: $0.name, value: $0.value) }
    return LabelSet(labels: labels)
  }

  private func compileTimestamp(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    let isStart = call.name == "start_timestamp"
    if case .selector(let selector) = call.arguments[0] {
      return compile(selector, reading: isStart ? .startTimestamp : .timestamp, in: call.domain)
    }
    let argument = try compile(call.arguments[0], in: call.domain)
    return node(call.name, [argument], in: call.domain, sites: call.sites) {
      isStart
        ? EmptyNode(domain: call.domain, argument: argument)
        : EvaluationTimeNode(domain: call.domain, argument: argument, delaysNames: delaysNames)
    }
  }

  private func compileLabels(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    var texts: [String] = []
    for argument in call.arguments.dropFirst() { texts.append(try text(argument)) }
    let change: LabelFunctionNode.Change
    if call.name == "label_replace" {
      guard let regexp = try? Regexp(wrapped: texts[3]) else {
        throw QueryProblem("invalid regular expression in label_replace(): \(texts[3])")
      }
      change = .replace(
        destination: texts[0], source: texts[2], regexp, RegexpReplacement(texts[1].utf8))
    } else {
      for name in texts.dropFirst(2) where !Self.isLabelName(name) {
        throw QueryProblem("invalid source label name in label_join(): \(name)")
      }
      change = .join(
        destination: texts[0], separator: texts[1], sources: Array(texts.dropFirst(2)))
    }
    if !Self.isLabelName(texts[0]) {
      throw QueryProblem("invalid destination label name in \(call.name)(): \(texts[0])")
    }
    let argument = try compile(call.arguments[0], in: call.domain)
    let own = domain(of: [argument], within: call.domain)
    return node("\(call.name) \(texts)", [argument], in: own, sites: call.sites) {
      LabelFunctionNode(domain: own, change: change, argument: argument)
    }
  }

  /// Whether a text may be a label name: any but the empty one, and those that were not UTF-8 when
  /// they were read.
  static func isLabelName(_ name: String) -> Bool {
    !name.isEmpty && !name.unicodeScalars.contains("\u{fffd}")
  }

  private func compileSort(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    var names: [String] = []
    for argument in call.arguments.dropFirst() { names.append(try text(argument)) }
    let argument = try compile(call.arguments[0], in: call.domain)
    let own = domain(of: [argument], within: call.domain)
    let key: SortNode.Key = call.name.hasPrefix("sort_by") ? .labels(names) : .value
    return node("\(call.name) \(names)", [argument], in: own, sites: call.sites) {
      SortNode(
        domain: own, key: key, isDescending: call.name.hasSuffix("_desc"), argument: argument)
    }
  }

  private func compileQuantile(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    guard let place = call.arguments.firstIndex(where: { $0.type == .vector }) else {
      throw QueryProblem("\(call.name) needs a vector")
    }
    let argument = try compile(call.arguments[place], in: call.domain)
    var parameters: [PlanNode] = []
    for expr in call.arguments where expr.type == .scalar {
      parameters.append(try compile(expr, in: call.domain))
    }
    let function: HistogramQuantileNode.Function
    var places = HistogramQuantileNode.Places(
      vector: place + 1, quantile: 1)
    switch call.name {
    case "histogram_quantile": function = .quantile
    case "histogram_fraction": function = .fraction
    default:
      function = .quantiles(label: try text(call.arguments[1]))
      places.quantile = 3
    }
    let own = domain(of: [argument] + parameters, within: call.domain)
    return node("\(call.name) \(function)", [argument] + parameters, in: own, sites: call.sites) {
      HistogramQuantileNode(
        domain: own, function: function, argument: argument, parameters: parameters, places: places,
        delaysNames: delaysNames)
    }
  }

  private func compileInfo(_ call: CallContext) throws(QueryProblem) -> PlanNode {
    let argument = try compile(call.arguments[0], in: call.domain)
    var matchers: [Matcher] = []
    if call.arguments.count > 1, case .selector(let selector) = call.arguments[1] {
      matchers = selector.matchers
    }
    let names = try infoNames(matchers.filter { $0.name == LabelName.metricName })
    let data = matchers.filter { $0.name != LabelName.metricName }
    let kind = "info \(matchers.map(\.description))"
    return node(kind, [argument], in: call.domain, sites: call.sites) {
      InfoNode(domain: call.domain, argument: argument, names: names, data: data)
    }
  }

  /// The conditions on the names of info series: `target_info` by default, and names of the usual
  /// form where they only exclude some.
  private func infoNames(_ matchers: [Matcher]) throws(QueryProblem) -> [Matcher] {
    if matchers.isEmpty { return [Matcher(LabelName.metricName, equals: "target_info")] }
    if matchers.contains(where: { $0.kind == .equal || $0.kind == .regexp }) { return matchers }
    do {
      return matchers + [try Matcher(LabelName.metricName, .regexp, ".+_info")]
    } catch {
      throw QueryProblem(error.description)
    }
  }
}
