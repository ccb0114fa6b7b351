import Model
import Storage

/// A function over a range of samples: `rate(x[5m])`, `max_over_time(y[1h:5m])`.
///
/// A series' samples for all windows of the block are fetched once; a window slides over them.
/// Series of plain floats take the kernel loops below; one histogram or start timestamp sends a
/// series down the careful path.
final class RangeFunctionNode: PlanNode {
  let function: RangeFunction
  let source: WindowSource
  private var projection: NameRemoval
  private let sortScratch = SortScratch()
  private var counterNotes = CounterNotes()
  /// Reasons to refuse the scalar arguments, per step; empty if all are fine.
  private var refusals: [QueryProblem?] = []
  private var problem: QueryProblem?
  private var touched = 0
  private var lost: [Double] = []
  private var sliding: SlidingWindows?

  init(
    domain: TimeDomain, function: RangeFunction, source: WindowSource, parameters: [PlanNode],
    delaysNames: Bool
  ) {
    self.function = function
    self.source = source
    projection = NameRemoval(delaysNames: delaysNames)
    if source.extent == .none { sliding = SlidingForm(function).map { SlidingWindows($0) } }
    super.init(domain: domain, children: parameters)
  }

  override var shape: Shape { function.keepsName ? source.shape : projection.shape }

  override var title: String { function.rawValue }
  override var windows: WindowSource? { source }

  override var readsOnlyThePast: Bool { super.readsOnlyThePast && source.readsOnlyThePast }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    try source.prepare(evaluation, for: domain)
    if function.isCounterFunction {
      counterNotes.update(source.shape, usesTypeLabel: evaluation.settings.typeAndUnitLabels)
    }
    if !function.keepsName { projection.update(from: source.shape) }
  }

  override func close(_ evaluation: Evaluation) { source.close(evaluation) }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    let times = try source.times(evaluation, for: domain)
    problem = nil
    touched = 0
    counterNotes.begin()
    checkParameters()
    switch source.extent {
    case .none: runPlain(evaluation, times)
    case .anchored, .smoothed: runExtended(evaluation, times)
    }
    if let problem { throw problem }
    try evaluation.touch(touched)
    annotateParameters(evaluation)
  }

  private func runPlain(_ evaluation: Evaluation, _ times: WindowTimes) {
    switch function {
    case .rate: run(RateKernel(isCounter: true, isRate: true), evaluation, times)
    case .increase: run(RateKernel(isCounter: true, isRate: false), evaluation, times)
    case .delta: run(RateKernel(isCounter: false, isRate: false), evaluation, times)
    case .irate: run(InstantRateKernel(isRate: true), evaluation, times)
    case .idelta: run(InstantRateKernel(isRate: false), evaluation, times)
    case .changes: run(TransitionKernel(countsResets: false, isAnchored: false), evaluation, times)
    case .resets: run(TransitionKernel(countsResets: true, isAnchored: false), evaluation, times)
    case .deriv: run(RegressionKernel(predicts: false), evaluation, times)
    case .predictLinear: run(RegressionKernel(predicts: true), evaluation, times)
    case .doubleExponentialSmoothing: run(SmoothingKernel(), evaluation, times)
    case .avg: run(MeanKernel(), evaluation, times)
    case .sum: run(SumKernel(), evaluation, times)
    case .count: run(EdgeKernel(what: .count), evaluation, times)
    case .min: run(ExtremeKernel(isMax: false), evaluation, times)
    case .max: run(ExtremeKernel(isMax: true), evaluation, times)
    case .first: run(EdgeKernel(what: .first), evaluation, times)
    case .last: run(EdgeKernel(what: .last), evaluation, times)
    case .present: run(EdgeKernel(what: .present), evaluation, times)
    case .stddev: run(VarianceKernel(takesRoot: true), evaluation, times)
    case .stdvar: run(VarianceKernel(takesRoot: false), evaluation, times)
    case .quantile:
      run(QuantileKernel(isMedianDeviation: false, scratch: sortScratch), evaluation, times)
    case .mad: run(QuantileKernel(isMedianDeviation: true, scratch: sortScratch), evaluation, times)
    case .timeOfFirst: run(EdgeKernel(what: .timeOfFirst), evaluation, times)
    case .timeOfLast: run(EdgeKernel(what: .timeOfLast), evaluation, times)
    case .timeOfMin: run(TimeOfExtremeKernel(isMax: false), evaluation, times)
    case .timeOfMax: run(TimeOfExtremeKernel(isMax: true), evaluation, times)
    }
  }

  private func runExtended(_ evaluation: Evaluation, _ times: WindowTimes) {
    let isSmoothed = source.extent == .smoothed
    switch function {
    case .changes: run(TransitionKernel(countsResets: false, isAnchored: true), evaluation, times)
    case .resets: run(TransitionKernel(countsResets: true, isAnchored: true), evaluation, times)
    default:
      let kernel = ExtendedRateKernel(
        isCounter: function.isCounterFunction, isRate: function == .rate, isSmoothed: isSmoothed)
      run(kernel, evaluation, times)
    }
  }

  private func run<Kernel: RangeKernel>(
    _ kernel: Kernel, _ evaluation: Evaluation, _ times: WindowTimes
  ) {
    // A function: as a value it would be allocated.
    func body(_ slot: Int, _ column: SampleColumn) {
      if problem != nil { return }
      touched += column.count
      if column.histograms.isEmpty && column.starts == nil {
        apply(kernel, evaluation, times, slot, column)
      } else {
        applyCarefully(kernel, evaluation, times, slot, column)
      }
    }
    if domain.count == 1, source.extent == .none, function.keepsName || projection.isIdentity,
      let stored = source as? StoredWindows, let bulk = BulkKernel(function)
    {
      stored.forEachRun(
        evaluation, times, needs: bulk.hasSummaryForm ? bulk.needs : nil,
        run: { apply(bulk, evaluation, times, $0) },
        summary: { apply(bulk, evaluation, times, $0, $1, $2) }, body)
    } else {
      source.forEachColumn(evaluation, times, steps: domain.count, body)
    }
  }

  /// Takes the result over a long window from its summary; false if the samples are needed.
  private func apply(
    _ kernel: BulkKernel, _ evaluation: Evaluation, _ times: WindowTimes, _ slot: Int,
    _ summary: WindowSummary, _ corrections: UnsafeBufferPointer<Double>
  ) -> Bool {
    if summary.count == 0 { return true }
    guard let value = kernel.apply(summary, corrections: corrections, times) else { return false }
    touched += summary.count
    if SpecialValue.isAbsent(value) { return true }
    values.set(slot, value)
    noteCounter(evaluation, slot)
    return true
  }

  /// Runs a kernel over neighbouring series; their slots are neighbours too.
  private func apply(
    _ bulk: BulkKernel, _ evaluation: Evaluation, _ times: WindowTimes, _ run: RowRun
  ) {
    touched += run.count * run.rowCount
    let first = run.firstMember
    guard bulk.apply(run, times, into: values.values + first, scratch: &lost) else { return }
    (values.tags + first).update(repeating: CellTag.float, count: run.count)
    if function.isCounterFunction && counterNotes.hasNotes {
      for slot in first..<(first + run.count) { noteCounter(evaluation, slot) }
    }
  }

  /// Runs a kernel over the windows of one series of floats.
  @inline(__always)
  private func apply<Kernel: RangeKernel>(
    _ kernel: Kernel, _ evaluation: Evaluation, _ times: WindowTimes, _ slot: Int,
    _ column: SampleColumn
  ) {
    guard let sampleTimes = column.times, let sampleValues = column.values else { return }
    if domain.count > 1 && applySliding(evaluation, times, slot, column) { return }
    let out = function.keepsName ? slot : projection.target(slot)
    let checksCollisions = !function.keepsName && !projection.isIdentity
    let seconds = times.seconds
    var window = SlidingRange()
    var hasResult = false
    for step in 0..<domain.count {
      let end = times.end(step)
      let start = end - times.range
      window.move(
        sampleTimes, column.count, after: start - times.before, through: end + times.ahead)
      let count = window.high - window.low
      if count == 0 { continue }
      if !refusals.isEmpty, let refusal = refusals[step] {
        problem = refusal
        return
      }
      let value = kernel.apply(
        FloatWindow(
          times: sampleTimes + window.low, values: sampleValues + window.low, count: count,
          start: start, end: end, now: domain.time(step), seconds: seconds,
          p0: parameter(0, step), p1: parameter(1, step)))
      if SpecialValue.isAbsent(value) { continue }
      let cell = step * values.slots + out
      if checksCollisions && values.tags[cell] != CellTag.absent {
        problem = .duplicateLabelSet
        return
      }
      values.set(cell, value)
      hasResult = true
    }
    if hasResult { noteCounter(evaluation, slot) }
  }

  /// As `apply`, for functions that need not read each window from its beginning; false for others.
  private func applySliding(
    _ evaluation: Evaluation, _ times: WindowTimes, _ slot: Int, _ column: SampleColumn
  ) -> Bool {
    guard var windows = sliding, let sampleTimes = column.times, let sampleValues = column.values
    else { return false }
    // Its buffers have one owner while they change.
    sliding = nil
    defer { sliding = windows }
    guard windows.begin(sampleTimes, sampleValues, count: column.count) else { return false }
    let out = projection.target(slot)
    let checksCollisions = !projection.isIdentity
    let seconds = times.seconds
    var window = SlidingRange()
    var hasResult = false
    for step in 0..<domain.count {
      let end = times.end(step)
      let start = end - times.range
      window.move(sampleTimes, column.count, after: start, through: end)
      if window.low == window.high { continue }
      let value = windows.result(
        window.low, window.high, start: start, end: end, seconds: seconds)
      if SpecialValue.isAbsent(value) { continue }
      let cell = step * values.slots + out
      if checksCollisions && values.tags[cell] != CellTag.absent {
        problem = .duplicateLabelSet
        return true
      }
      values.set(cell, value)
      hasResult = true
    }
    if hasResult { noteCounter(evaluation, slot) }
    return true
  }

  @inline(__always)
  private func parameter(_ index: Int, _ step: Int) -> Double {
    index < children.count ? children[index].scalar(step) : 0
  }

  /// As `apply`, for a series with histograms or start timestamps: windows without them still take
  /// the kernel.
  private func applyCarefully<Kernel: RangeKernel>(
    _ kernel: Kernel, _ evaluation: Evaluation, _ times: WindowTimes, _ slot: Int,
    _ column: SampleColumn
  ) {
    let out = function.keepsName ? slot : projection.target(slot)
    let metric = source.shape.labels[slot].metricName ?? ""
    var floats = SlidingRange()
    var histograms = SlidingRange()
    var hasFloat = false
    for step in 0..<domain.count {
      let end = times.end(step)
      let start = end - times.range
      if let sampleTimes = column.times {
        floats.move(
          sampleTimes, column.count, after: start - times.before, through: end + times.ahead)
      }
      histograms.move(
        column.histograms, after: start - times.before, through: end + times.ahead)
      if floats.low == floats.high && histograms.low == histograms.high { continue }
      if !refusals.isEmpty, let refusal = refusals[step] {
        problem = refusal
        return
      }
      var window = MixedWindow(
        column: column, floats: floats.low..<floats.high,
        histograms: histograms.low..<histograms.high, start: start, end: end,
        now: domain.time(step), seconds: times.seconds, p0: parameter(0, step),
        p1: parameter(1, step), metric: metric, extent: source.extent)
      let result: SampleValue?
      if histograms.low == histograms.high && column.starts == nil {
        let value = kernel.apply(window.floatWindow)
        result = SpecialValue.isAbsent(value) ? nil : .float(value)
      } else {
        result = window.evaluate(function) { kernel.apply($0) }
        for annotation in window.annotations { annotate(evaluation, annotation, at: 1) }
      }
      guard let result else { continue }
      let cell = step * values.slots + out
      if values.tags[cell] != CellTag.absent {
        problem = .duplicateLabelSet
        return
      }
      values.set(cell, result)
      if case .float = result { hasFloat = true }
    }
    if hasFloat { noteCounter(evaluation, slot) }
  }

  // Remarks and refusals

  private func noteCounter(_ evaluation: Evaluation, _ slot: Int) {
    guard function.isCounterFunction, let note = counterNotes.takeNote(slot) else { return }
    annotate(evaluation, note, at: 1)
  }

  private func checkParameters() {
    refusals.removeAll(keepingCapacity: true)
    guard function == .doubleExponentialSmoothing else { return }
    for step in 0..<domain.count {
      let smoothing = parameter(0, step)
      let trend = parameter(1, step)
      if smoothing <= 0 || smoothing >= 1 {
        refusals.append(Self.refusal("smoothing factor", "sf", smoothing))
      } else if trend <= 0 || trend >= 1 {
        refusals.append(Self.refusal("trend factor", "tf", trend))
      } else {
        refusals.append(nil)
      }
    }
  }

  private static func refusal(_ name: String, _ symbol: String, _ value: Double) -> QueryProblem {
    QueryProblem(
      "invalid \(name). Expected: 0 < \(symbol) < 1, got: \(GoNumber.fixed(value))")
  }

  private func annotateParameters(_ evaluation: Evaluation) {
    guard function == .quantile else { return }
    for step in 0..<domain.count {
      let q = parameter(0, step)
      if Quantile.isValid(q) { continue }
      let row = step * values.slots
      for slot in 0..<values.slots where values.tags[row + slot] != CellTag.absent {
        annotate(evaluation, .invalidQuantile(q), at: 1)
        break
      }
    }
  }
}

/// For `rate` and `increase`: which series do not look like counters.
private struct CounterNotes {
  private var cursor = ShapeCursor()
  /// Per slot an index into `notes`, −1 for a counter; empty while all are counters.
  private var index: [Int32] = []
  private var notes: [Annotation] = []
  private var known: [Annotation: Int32] = [:]

  /// Which notes have been taken in this evaluation.
  private var isTaken: [Bool] = []

  var hasNotes: Bool { !notes.isEmpty }

  mutating func begin() {
    for i in isTaken.indices { isTaken[i] = false }
  }

  /// The note on a series, if there is one that was not taken yet.
  mutating func takeNote(_ slot: Int) -> Annotation? {
    if index.isEmpty { return nil }
    let place = Int(index[slot])
    if place < 0 || isTaken[place] { return nil }
    isTaken[place] = true
    return notes[place]
  }

  mutating func update(_ shape: Shape, usesTypeLabel: Bool) {
    switch cursor.advance(to: shape) {
    case .none: return
    case .grown(let slots): extend(shape, slots, usesTypeLabel)
    case .rebuilt:
      index.removeAll(keepingCapacity: true)
      extend(shape, 0..<shape.count, usesTypeLabel)
    }
  }

  private mutating func extend(_ shape: Shape, _ slots: Range<Int>, _ usesTypeLabel: Bool) {
    for slot in slots {
      guard let note = Self.note(for: shape.labels(at: slot), usesTypeLabel) else {
        if !index.isEmpty { index.append(-1) }
        continue
      }
      if index.isEmpty { index = [Int32](repeating: -1, count: slot) }
      if let place = known[note] {
        index.append(place)
      } else {
        known[note] = Int32(notes.count)
        index.append(Int32(notes.count))
        notes.append(note)
        isTaken.append(false)
      }
    }
  }

  private static func note(for labels: LabelSet, _ usesTypeLabel: Bool) -> Annotation? {
    guard let name = labels.metricName else { return nil }
    if usesTypeLabel {
      let type = labels.value(of: "__type__")
      return type == "counter" || type == "histogram"
        ? nil : .possibleNonCounter(metric: name, typeLabel: type)
    }
    let isCounter = ["_total", "_sum", "_count", "_bucket"].contains { name.hasSuffix($0) }
    return isCounter ? nil : .possibleNonCounter(metric: name)
  }
}
