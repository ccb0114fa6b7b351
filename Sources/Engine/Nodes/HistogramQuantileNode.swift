import Model

/// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, over classic and native
/// histograms.
///
/// Classic buckets are grouped by their labels without `le` and sorted by bound when the shape
/// changes; a step only gathers counts.
final class HistogramQuantileNode: PlanNode {
  enum Function {
    case quantile, fraction
    /// One result per quantile, told apart by a label.
    case quantiles(label: String)
  }

  /// The places of the arguments that remarks name; remarks on native histograms name the first
  /// argument.
  struct Places {
    var vector: Int
    /// The first quantile.
    var quantile: Int
  }

  private let function: Function
  private let places: Places
  private let delaysNames: Bool
  private var cursor = ShapeCursor()
  private var interner = ShapeInterner()
  /// The texts of the quantile label; one empty text where there is none.
  private var texts: [String] = [""]
  private var groups: [Group] = []
  private var groupIDs: [LabelSet: Int] = [:]
  /// Per input slot its bound; NaN if it has no proper one.
  private var bounds: [Double] = []
  private var groupOf: [Int32] = []
  /// Per input slot its first output slot as a native histogram, −1 as long as it never was one.
  private var nativeOutput: [Int32] = []
  /// Output slots in rows of one per text.
  private var slotTable: [Int32] = []
  private var buckets: [ClassicBucket] = []
  /// What is to be computed per histogram at the step at hand.
  private var results: [Result] = []
  private var forced: [String: ForcedMonotonicity] = [:]
  private var newlyForced: Set<String> = []
  private var forcedQuery: UInt64 = 0

  private struct Group {
    /// Output slots by text.
    var output: Int32
    /// Input slots by ascending bound.
    var members: [Int32] = []
    let signature: LabelSet
  }

  init(
    domain: TimeDomain, function: Function, argument: PlanNode, parameters: [PlanNode],
    places: Places, delaysNames: Bool
  ) {
    self.function = function
    self.places = places
    self.delaysNames = delaysNames
    super.init(domain: domain, children: [argument] + parameters)
  }

  override var shape: Shape { interner.shape }

  override var title: String {
    switch function {
    case .quantile: "histogram_quantile"
    case .fraction: "histogram_fraction"
    case .quantiles: "histogram_quantiles"
    }
  }

  // Shape

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    let input = children[0].shape
    var change = cursor.advance(to: input)
    if case .quantiles = function {
      let current = quantileTexts()
      if current != texts || !change.isNone {
        texts = current
        change = .rebuilt
      }
    }
    if change.isRebuild {
      interner.removeAll()
      groups.removeAll(keepingCapacity: true)
      groupIDs.removeAll(keepingCapacity: true)
      bounds.removeAll(keepingCapacity: true)
      groupOf.removeAll(keepingCapacity: true)
      nativeOutput.removeAll(keepingCapacity: true)
      slotTable.removeAll(keepingCapacity: true)
    }
    for slot in change.slots(of: input) { add(slot, input) }
    addLateNatives(input)
  }

  private func add(_ slot: Int, _ input: Shape) {
    let labels = input.labels[slot]
    guard let text = labels[LabelName.bucketBound], let bound = GoNumber.parse(text) else {
      // Without a bound it can only be a native histogram.
      bounds.append(.nan)
      groupOf.append(-1)
      nativeOutput.append(outputs(for: labels))
      return
    }
    let signature = labels.dropping([LabelName.bucketBound])
    let id: Int
    if let known = groupIDs[signature] {
      id = known
    } else {
      id = groups.count
      groupIDs[signature] = id
      groups.append(Group(output: outputs(for: signature), signature: signature))
    }
    bounds.append(bound)
    groupOf.append(Int32(id))
    nativeOutput.append(-1)
    let members = groups[id].members
    let place = members.firstIndex { bounds[Int($0)] > bound } ?? members.count
    groups[id].members.insert(Int32(slot), at: place)
  }

  /// Series with an `le` label are native histograms now and then; they get their output when they
  /// are.
  private func addLateNatives(_ input: Shape) {
    let block = children[0].values
    if !block.hasHistograms { return }
    for step in 0..<domain.count {
      let row = step * block.stride
      for slot in 0..<block.slots
      where block.tags[row + slot] == CellTag.histogram && nativeOutput[slot] < 0 {
        nativeOutput[slot] = outputs(for: input.labels[slot])
      }
    }
  }

  /// The output slots of a histogram, one per text; the first is returned and the others follow in
  /// `slotTable`.
  private func outputs(for labels: LabelSet) -> Int32 {
    let (base, drops) = MetadataLabels.dropped(labels, delayed: delaysNames)
    let first = Int32(slotTable.count)
    for text in texts {
      var labels = base
      if case .quantiles(let name) = function { labels = base.setting(name, to: text) }
      slotTable.append(interner.slot(of: labels, dropsName: drops).slot)
    }
    return first
  }

  private func quantileTexts() -> [String] {
    var out: [String] = []
    for parameter in children.dropFirst() {
      for step in 0..<domain.count {
        let text = GoNumber.openMetrics(parameter.scalar(step))
        if !out.contains(text) { out.append(text) }
      }
    }
    return out
  }

  // Values

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    if forcedQuery != evaluation.query {
      forced.removeAll(keepingCapacity: true)
      forcedQuery = evaluation.query
    }
    for step in 0..<domain.count {
      annotateParameters(step, evaluation)
      annotateBadBounds(step, evaluation)
      listResults(step)
      let conflicts = try computeNatives(step, evaluation)
      try computeClassics(step, conflicts, evaluation)
      endStep()
    }
    for entry in forced.values {
      annotate(evaluation, .forcedMonotonicity(entry), at: places.vector)
    }
  }

  private func annotateParameters(_ step: Int, _ evaluation: Evaluation) {
    if case .fraction = function { return }
    for (i, parameter) in children.dropFirst().enumerated() {
      let q = parameter.scalar(step)
      if !Quantile.isValid(q) { annotate(evaluation, .invalidQuantile(q), at: places.quantile + i) }
    }
  }

  private func annotateBadBounds(_ step: Int, _ evaluation: Evaluation) {
    let input = children[0]
    let row = step * input.values.stride
    for slot in 0..<input.values.slots
    where groupOf[slot] < 0 && input.values.tags[row + slot] == CellTag.float {
      let labels = input.shape.labels[slot]
      annotate(
        evaluation,
        .badBucketLabel(
          labels.value(of: LabelName.bucketBound), metric: labels.metricName ?? ""),
        at: places.vector)
    }
  }

  /// Computes the native histograms; returns the groups that a native one of the same labels
  /// spoils.
  private func computeNatives(
    _ step: Int, _ evaluation: Evaluation
  ) throws(QueryProblem) -> Set<Int> {
    let input = children[0]
    guard input.values.hasHistograms else { return [] }
    var conflicts: Set<Int> = []
    let row = step * input.values.stride
    for slot in 0..<input.values.slots where input.values.tags[row + slot] == CellTag.histogram {
      let labels = input.shape.labels[slot]
      if let group = groupIDs[labels], hasBuckets(group, row) {
        conflicts.insert(group)
        annotate(
          evaluation, .mixedClassicNative(metric: labels.metricName ?? ""), at: places.vector)
        continue
      }
      let histogram = input.values.histogram(row + slot)
      // Without delay the name is gone by the time Prometheus words the remark.
      let metric = delaysNames ? labels.metricName ?? "" : ""
      for result in results {
        let (value, annotation) = result.apply(histogram, metric: metric)
        if let annotation { annotate(evaluation, annotation, at: 1) }
        try put(step, nativeOutput[slot], result, value)
      }
    }
    return conflicts
  }

  private func hasBuckets(_ group: Int, _ row: Int) -> Bool {
    let tags = children[0].values.tags
    return groups[group].members.contains { tags[row + Int($0)] == CellTag.float }
  }

  private func computeClassics(
    _ step: Int, _ conflicts: Set<Int>, _ evaluation: Evaluation
  ) throws(QueryProblem) {
    let input = children[0].values
    let row = step * input.stride
    for (id, group) in groups.enumerated() {
      if !conflicts.isEmpty && conflicts.contains(id) { continue }
      buckets.removeAll(keepingCapacity: true)
      for slot in group.members where input.tags[row + Int(slot)] == CellTag.float {
        buckets.append(
          ClassicBucket(upper: bounds[Int(slot)], count: input.values[row + Int(slot)]))
      }
      if buckets.isEmpty { continue }
      // What the first quantile has corrected stays so for the others.
      for result in results {
        let (value, fix) = result.apply(&buckets)
        if let fix { note(fix, group, step) }
        try put(step, group.output, result, value)
      }
    }
  }

  private func put(
    _ step: Int, _ output: Int32, _ result: Result, _ value: Double
  ) throws(QueryProblem) {
    let cell = step * values.slots + Int(slotTable[Int(output) + result.textIndex])
    if values.tags[cell] != CellTag.absent { throw .duplicateLabelSet }
    values.set(cell, value)
  }

  /// One number to compute per histogram at a step.
  private struct Result {
    var textIndex: Int
    var p0: Double
    /// The upper bound of a fraction; nil for a quantile.
    var p1: Double?

    func apply(_ buckets: inout [ClassicBucket]) -> (Double, MonotonicityFix?) {
      if let p1 { return (ClassicBuckets.fraction(p0, p1, &buckets), nil) }
      return ClassicBuckets.quantile(p0, &buckets)
    }

    func apply(_ histogram: FloatHistogram, metric: String) -> (Double, Annotation?) {
      if let p1 { return NativeHistogram.fraction(p0, p1, histogram, metric: metric) }
      return NativeHistogram.quantile(p0, histogram, metric: metric)
    }
  }

  private func listResults(_ step: Int) {
    results.removeAll(keepingCapacity: true)
    switch function {
    case .quantile: results.append(Result(textIndex: 0, p0: children[1].scalar(step)))
    case .fraction:
      results.append(
        Result(textIndex: 0, p0: children[1].scalar(step), p1: children[2].scalar(step)))
    case .quantiles:
      for parameter in children.dropFirst() {
        let q = parameter.scalar(step)
        let text = GoNumber.openMetrics(q)
        results.append(Result(textIndex: texts.firstIndex(of: text) ?? 0, p0: q))
      }
    }
  }

  // Forced monotonicity

  private func note(_ fix: MonotonicityFix, _ group: Group, _ step: Int) {
    let metric = delaysNames ? group.signature.metricName ?? "" : ""
    let time = Timestamp(milliseconds: domain.time(step))
    if forced[metric] == nil {
      forced[metric] = ForcedMonotonicity(metric: metric, fix, at: time)
      newlyForced.insert(metric)
    } else {
      forced[metric]?.add(fix, at: time)
    }
  }

  private func endStep() {
    if forced.isEmpty { return }
    for metric in forced.keys {
      forced[metric]?.endStep(isFirst: newlyForced.contains(metric))
    }
    newlyForced.removeAll(keepingCapacity: true)
  }
}
