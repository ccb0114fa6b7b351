import Model
import PromQL
import Storage

/// A compiled expression: made once, evaluated at as many times as one likes.
///
/// Everything a plan keeps between evaluations is a cache; a fresh plan gives the same answer. One
/// evaluation at a time; plans of their own may be evaluated side by side as long as nobody writes
/// to the store.
package final class Plan {
  /// How many steps of a range query are computed at a time.
  private static let blockSteps = 256

  enum Root {
    case node(PlanNode)
    case scalar(PlanNode)
    case string(String)
    case windows(WindowSource, TimeDomain)
  }

  private let evaluation: Evaluation
  private let sources: [SelectorSource]
  private let steps: TimeDomain
  private let constant: TimeDomain
  let root: Root
  private let type: ValueType
  private let delaysNames: Bool
  /// What is evaluated once for this plan and others.
  private let parts: [SharedPart]
  /// These, and those they consist of in turn, each once.
  private let allParts: [SharedPart]
  /// The selectors of the plan and its parts, each once.
  private let allSources: [SelectorSource]
  private var isClosed = false
  /// The number of distinct operators.
  package let nodeCount: Int

  /// Compiles an expression.
  ///
  /// A standing plan registers its selectors with the store until it is closed; any other looks
  /// series up at each query. With the text of the query, remarks carry their position in it, or
  /// what `locate` makes of it. With `sharing` it is a plan for instants that evaluates nothing
  /// other plans of the scope evaluate, too.
  package init(
    _ expr: Expr, store: Store, settings: EngineSettings = EngineSettings(), standing: Bool,
    text: String? = nil, locate: ((_ offset: Int) -> String)? = nil, sharing: SharingScope? = nil
  ) throws(QueryProblem) {
    evaluation = Evaluation(store: store, settings: settings, source: text, locate: locate)
    let steps = TimeDomain(isConstant: false)
    let compiler = PlanCompiler(
      settings: settings, isStanding: standing, sharing: sharing.map { ($0, steps) })
    type = expr.type
    delaysNames = settings.delayedNameRemoval
    switch expr.type {
    case .string:
      guard case .string(let literal) = expr.unwrapped else {
        throw QueryProblem("unexpected expression of type string")
      }
      root = .string(literal.value)
    case .matrix:
      let (windows, domain) = try compiler.windows(expr.unwrapped, in: steps)
      root = .windows(windows, domain)
    case .scalar: root = .scalar(try compiler.compile(expr, in: steps))
    case .vector, .none:
      var node = try compiler.compile(expr, in: steps)
      if delaysNames && sharing?.isPart != true {
        node = ResultNode(domain: node.domain, argument: node)
      }
      root = .node(node)
    }
    self.steps = steps
    constant = compiler.constant
    sources = compiler.sources
    parts = compiler.parts
    var allParts: [SharedPart] = []
    var allSources = compiler.sources
    for part in parts.flatMap({ [$0] + $0.plan.allParts })
    where !allParts.contains(where: { $0 === part }) {
      allParts.append(part)
      for source in part.plan.sources
      where !allSources.contains(where: { $0.matchers == source.matchers }) {
        allSources.append(source)
      }
    }
    self.allParts = allParts
    self.allSources = allSources
    nodeCount = compiler.nodeCount
    for source in sources { source.register(in: store) }
    for part in parts { part.open() }
  }

  deinit { close() }

  /// Takes the registrations back; the plan must not be evaluated afterwards.
  package func close() {
    if isClosed { return }
    isClosed = true
    for source in sources { source.unregister(from: evaluation.store) }
    for part in parts { part.close() }
  }

  // Queries

  /// Evaluates at one instant.
  package func instant(at time: Timestamp) throws(QueryProblem) -> QueryResult {
    let now = TimeModifier.bounded(time.milliseconds)
    begin(start: now, end: now, step: 0)
    setSteps(start: now, step: 1, count: 1, spansRange: false)
    let value: QueryValue
    switch root {
    case .string(let text): value = .string(time, text)
    case .scalar(let node):
      try node.evaluate(evaluation)
      value = .scalar(time, node.scalar(0))
    case .node(let node):
      try node.evaluate(evaluation)
      value = .vector(vector(node, time))
    case .windows(let windows, let domain): value = .matrix(try matrix(windows, domain))
    }
    return result(value)
  }

  /// Evaluates at `from`, `from + step`, … through `through`.
  package func range(
    from: Timestamp, through: Timestamp, step: PromDuration
  ) throws(QueryProblem) -> QueryResult {
    precondition(parts.isEmpty, "what plans share is evaluated at instants only")
    let node: PlanNode
    switch root {
    case .string, .windows:
      let name = type == .string ? "string" : "range vector"
      throw QueryProblem(
        "invalid expression type \"\(name)\" for range query, must be Scalar or instant Vector")
    case .scalar(let root), .node(let root): node = root
    }
    let start = TimeModifier.bounded(from.milliseconds)
    let end = TimeModifier.bounded(through.milliseconds)
    let step = max(1, step.milliseconds)
    begin(start: start, end: end, step: step)
    var builder = MatrixBuilder()
    let total = end < start ? 0 : Int((end - start) / step) + 1
    var done = 0
    while done < total {
      let count = min(Self.blockSteps, total - done)
      let first = start + Int64(done) * step
      setSteps(start: first, step: step, count: count, spansRange: total > 1)
      try node.evaluate(evaluation)
      try evaluation.hold(builder.append(node, start: first, step: step, count: count))
      done += count
    }
    return result(.matrix(builder.finish()))
  }

  /// Evaluates at one instant and lends the result out as it stands; valid until the next
  /// evaluation.
  package func step(at time: Timestamp) throws(QueryProblem) -> VectorView {
    let now = TimeModifier.bounded(time.milliseconds)
    begin(start: now, end: now, step: 0)
    setSteps(start: now, step: 1, count: 1, spansRange: false)
    switch root {
    case .scalar(let node), .node(let node):
      try node.evaluate(evaluation)
      return VectorView(node)
    case .string, .windows:
      throw QueryProblem("rule result is not a vector or scalar")
    }
  }

  /// The remarks of the last evaluation.
  package var warnings: [String] { evaluation.annotations.texts(.warning) }
  package var infos: [String] { evaluation.annotations.texts(.info) }
  /// The samples the last evaluation touched.
  package var samples: Int {
    allParts.reduce(evaluation.samples) { $0 + $1.plan.evaluation.samples }
  }
  /// The remarks of the last evaluation with their places in the text.
  var remarks: [(annotation: Annotation, offset: Int)] { evaluation.annotations.remarks }
  /// The series its selectors selected last, those of several selectors counted for each.
  package var series: Int { allSources.reduce(0) { $0 + $1.shape.count } }
  /// Changes whenever one of its standing selectors gains or loses a member.
  package var membershipVersion: UInt64 {
    allSources.reduce(0) { $0 &+ ($1.standing?.generation ?? 0) }
  }

  /// Adds who writes what its standing selectors select.
  package func add(feedersTo feeders: inout FeedingSources) {
    for source in allSources {
      if let selector = source.standing {
        evaluation.store.add(feedersOf: selector, to: &feeders)
      }
    }
  }

  /// How often a node's shape was made anew since the plan was made.
  package var shapeRebuilds: UInt64 {
    allParts.reduce(evaluation.rebuilds) { $0 + $1.plan.evaluation.rebuilds }
  }
  /// How many parts of the plan are other plans' too, and how often those were evaluated.
  package var sharing: (parts: Int, evaluations: UInt64) {
    (parts.count, parts.reduce(0) { $0 + $1.evaluations })
  }
  /// The operator the plan ends with.
  var node: PlanNode {
    switch root {
    case .node(let node), .scalar(let node): return node
    case .string, .windows:
      preconditionFailure("only what has values at instants is shared")
    }
  }

  private func begin(start: Int64, end: Int64, step: Int64) {
    evaluation.begin(start: start, end: end, step: step)
    constant.set(
      start: start, step: 1, count: 1, spansRange: false, tick: evaluation.nextTick())
  }

  private func setSteps(start: Int64, step: Int64, count: Int, spansRange: Bool) {
    steps.set(
      start: start, step: step, count: count, spansRange: spansRange,
      tick: evaluation.nextTick())
  }

  private func result(_ value: QueryValue) -> QueryResult {
    QueryResult(
      value: value, warnings: warnings, infos: infos, samples: samples)
  }

  /// The elements in the order an operator gave them, else by labels.
  private func vector(_ node: PlanNode, _ time: Timestamp) -> [VectorSample] {
    let order = node.order(step: 0)
    let slots =
      order ?? (0..<node.values.slots).filter { node.values.tags[$0] != CellTag.absent }
    let samples = slots.compactMap { slot in
      node.values.value(slot).map {
        VectorSample(labels: node.shape.labels(at: slot), timestamp: time, value: $0)
      }
    }
    return order == nil ? samples.sorted { $0.labels < $1.labels } : samples
  }

  private func matrix(
    _ windows: WindowSource, _ domain: TimeDomain
  ) throws(QueryProblem) -> [MatrixSeries] {
    try windows.prepare(evaluation, for: domain)
    let times = try windows.times(evaluation, for: domain)
    var out: [MatrixSeries] = []
    windows.forEachColumn(evaluation, times, steps: 1) { slot, column in
      let samples = column.samples(times, extent: windows.extent)
      if samples.isEmpty { return }
      var labels = windows.shape.labels[slot]
      if windows.shape.dropsName(slot) { labels = MetadataLabels.drop(labels) }
      out.append(MatrixSeries(labels: labels, samples: samples))
    }
    try evaluation.touch(out.reduce(0) { $0 + $1.samples.count })
    out.sort { $0.labels < $1.labels }
    for (a, b) in zip(out, out.dropFirst()) where a.labels == b.labels {
      throw .duplicateLabelSet
    }
    return out
  }
}

/// The result of one evaluation, read in place: labels come from the shape, nothing is built.
package struct VectorView {
  private let node: PlanNode

  init(_ node: PlanNode) { self.node = node }

  /// The number of slots, present or not.
  package var count: Int { node.values.slots }
  /// Changes when labels were added or changed.
  package var generation: UInt64 { node.shape.generation }
  /// Changes when slots that existed before mean something else now.
  package var compaction: UInt64 { node.shape.compaction }

  /// The labels of a slot.
  package func labels(_ slot: Int) -> LabelSet { node.shape.labels[slot] }
  /// Whether a slot has a value.
  package func isPresent(_ slot: Int) -> Bool { node.values.tags[slot] != CellTag.absent }
  /// The value of a slot, nil if it has none.
  package func value(_ slot: Int) -> SampleValue? { node.values.value(slot) }
  /// The value of a slot that is a float, else NaN.
  package func float(_ slot: Int) -> Double {
    node.values.tags[slot] == CellTag.float ? node.values.values[slot] : .nan
  }
}

/// The result of a range query while its blocks come in.
private struct MatrixBuilder {
  private var series: [MatrixSeries] = []
  private var index: [LabelSet: Int] = [:]
  /// Those of one series in the block at hand.
  private var samples: [Sample] = []

  /// Adds a block; answers with the number of samples in it.
  mutating func append(_ node: PlanNode, start: Int64, step: Int64, count: Int) -> Int {
    var added = 0
    let block = node.values
    for slot in 0..<block.slots {
      samples.removeAll(keepingCapacity: true)
      for i in 0..<count {
        guard let value = block.value(i * block.stride + slot) else { continue }
        samples.append(
          Sample(timestamp: Timestamp(milliseconds: start + Int64(i) * step), value: value))
      }
      if samples.isEmpty { continue }
      let place = place(of: node.shape.labels[slot])
      series[place].samples.append(contentsOf: samples)
      added += samples.count
    }
    return added
  }

  private mutating func place(of labels: LabelSet) -> Int {
    if let known = index[labels] { return known }
    index[labels] = series.count
    series.append(MatrixSeries(labels: labels, samples: []))
    return series.count - 1
  }

  func finish() -> [MatrixSeries] { series.sorted { $0.labels < $1.labels } }
}

extension SampleColumn {
  /// The samples of a bare range selector.
  fileprivate func samples(_ times: WindowTimes, extent: ExtendedRange.Mode) -> [Sample] {
    var out: [Sample] = []
    if let sampleTimes = self.times, let sampleValues = values {
      if extent != .none {
        let window = FloatWindow(
          times: sampleTimes, values: sampleValues, count: count, start: times.first - times.range,
          end: times.first, now: times.first, seconds: times.seconds, p0: 0, p1: 0)
        out = ExtendedRange.samples(window, isSmoothed: extent == .smoothed).map {
          Sample(timestamp: Timestamp(milliseconds: $0.0), value: .float($0.1))
        }
      } else {
        out = (0..<count).map {
          Sample(
            timestamp: Timestamp(milliseconds: sampleTimes[$0]), value: .float(sampleValues[$0]))
        }
      }
    }
    if histograms.isEmpty { return out }
    out += histograms.map {
      Sample(timestamp: Timestamp(milliseconds: $0.timestamp), value: .histogram($0.value))
    }
    return out.sorted { $0.timestamp < $1.timestamp }
  }
}
