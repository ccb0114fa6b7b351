import Model
import PromQL
import Storage

/// The steps of a subquery: all multiples of its step that some window of the outer steps contains.
///
/// Subqueries of one range and step share them, and with them their common inner nodes. Evaluated
/// at an instant, the domain is cut down to the steps that some of them has not kept.
final class SubquerySteps {
  /// The domain of the inner expressions.
  let domain = TimeDomain(isConstant: false)
  private(set) var first: Int64 = 0
  private(set) var interval: Int64 = 1
  private(set) var count = 0
  private var spansRange = false
  /// Those who may have kept results of earlier evaluations.
  private var keepers: [SubqueryWindows] = []

  /// The time behind the last step.
  var end: Int64 { first + Int64(count) * interval }
  /// Whether all steps are to be evaluated.
  var isWhole: Bool { domain.count == count }

  func add(_ keeper: SubqueryWindows) { keepers.append(keeper) }

  /// Sets the steps for an outer domain.
  func layOut(
    _ windows: SubqueryWindows, _ evaluation: Evaluation, for outer: TimeDomain
  ) throws(QueryProblem) {
    if domain.outerTick == outer.tick { return }
    let (instant, distance) = try windows.modifier.times(of: outer, evaluation)
    let range = try windows.range.resolve(evaluation)
    interval = try windows.interval(evaluation)
    guard interval > 0 else { throw QueryProblem("a subquery needs a positive step") }
    let after = instant - range
    let last = instant + Int64(max(0, outer.count - 1)) * distance
    // The first multiple behind the window's open end: inner steps do not move with the query.
    first = (after.flooredDivision(by: interval).quotient + 1) * interval
    count = outer.count == 0 || last < first ? 0 : Int((last - first) / interval) + 1
    if count > evaluation.settings.maxSamples { throw .tooManySamples }
    spansRange = last != first
    let isInstant = outer.count == 1 && !outer.spansRange && count > 0
    set(from: isInstant ? firstMissing(evaluation) : first, evaluation)
    domain.outerTick = outer.tick
  }

  /// The first step that one of the keepers has not kept.
  private func firstMissing(_ evaluation: Evaluation) -> Int64 {
    var missing = keepers.isEmpty ? first : Int64.max
    for keeper in keepers { missing = min(missing, keeper.firstMissing(evaluation)) }
    return missing
  }

  /// All steps are to be evaluated after all.
  func layOutAll(_ evaluation: Evaluation) { set(from: first, evaluation) }

  private func set(from start: Int64, _ evaluation: Evaluation) {
    let skipped = Int((start - first) / interval)
    domain.set(
      start: start, step: interval, count: count - skipped, spansRange: spansRange,
      tick: evaluation.nextTick())
  }
}

/// Windows over the results of an inner expression at its own, absolutely aligned steps.
///
/// Results of inner steps are kept from one evaluation to the next where they depend on nothing but
/// samples up to their time; samples that arrive late lower the watermark behind which they are
/// computed again.
final class SubqueryWindows: WindowSource {
  let inner: PlanNode
  private let steps: SubquerySteps
  private let step: PlanDuration?
  /// Whether results of inner steps outlive an evaluation.
  let keepsSteps: Bool
  private var kept = KeptSteps()
  private var times: [Int64] = []
  private var floats: [Double] = []
  private var histograms: [Window.HistogramSample] = []

  init(
    inner: PlanNode, steps: SubquerySteps, range: PlanDuration, step: PlanDuration?,
    modifier: TimeModifier, keepsSteps: Bool
  ) {
    self.inner = inner
    self.steps = steps
    self.step = step
    self.keepsSteps = keepsSteps
    super.init(range: range, modifier: modifier)
    steps.add(self)
  }

  override var shape: Shape { inner.shape }

  func interval(_ evaluation: Evaluation) throws(QueryProblem) -> Int64 {
    try step?.resolve(evaluation) ?? evaluation.settings.defaultSubqueryStep.milliseconds
  }

  /// The first step whose result is not kept; the last one is always computed again.
  func firstMissing(_ evaluation: Evaluation) -> Int64 {
    guard keepsSteps else { return steps.first }
    let end = kept.validEnd(
      from: steps.first, interval: steps.interval, store: evaluation.store)
    return max(steps.first, min(end, steps.end - steps.interval))
  }

  override func prepare(
    _ evaluation: Evaluation, for domain: TimeDomain
  ) throws(QueryProblem) {
    try steps.layOut(self, evaluation, for: domain)
    guard keepsSteps, domain.count == 1, !domain.spansRange else {
      kept.forget()
      try inner.evaluate(evaluation)
      return
    }
    if kept.tick == steps.domain.tick { return }
    let mark = evaluation.store.appendMark
    // What throws leaves nothing behind.
    var old = kept
    kept = KeptSteps()
    var remarks = evaluation.annotations.additions
    try inner.evaluate(evaluation)
    if !steps.isWhole, inner.values.hasHistograms || old.compaction != inner.shape.compaction {
      // Slots mean something else now, or there is what cannot be kept.
      steps.layOutAll(evaluation)
      remarks = evaluation.annotations.additions
      try inner.evaluate(evaluation)
    }
    if inner.values.hasHistograms { return }
    if inner.shape.count * steps.count > evaluation.settings.maxSamples { throw .tooManySamples }
    old.take(inner, steps, mark: mark)
    // A remark about a step belongs to every evaluation that sees it.
    old.isExpired = evaluation.annotations.additions != remarks
    kept = old
  }

  override func forEachColumn(
    _ evaluation: Evaluation, _ times: WindowTimes, steps: Int,
    _ body: (_ slot: Int, _ column: SampleColumn) -> Void
  ) {
    for slot in 0..<inner.shape.count {
      gather(slot)
      if self.times.isEmpty && histograms.isEmpty { continue }
      self.times.withUnsafeBufferPointer { times in
        floats.withUnsafeBufferPointer { floats in
          body(
            slot,
            SampleColumn(
              times: times.baseAddress, values: floats.baseAddress, count: times.count,
              histograms: histograms))
        }
      }
    }
  }

  private func gather(_ slot: Int) {
    times.removeAll(keepingCapacity: true)
    floats.removeAll(keepingCapacity: true)
    if !histograms.isEmpty { histograms.removeAll(keepingCapacity: true) }
    if kept.tick == steps.domain.tick && !kept.isEmpty {
      kept.gather(slot, &times, &floats)
      return
    }
    let block = inner.values
    let domain = steps.domain
    for i in 0..<domain.count {
      let cell = i * block.stride + slot
      switch block.tags[cell] {
      case CellTag.absent: break
      case CellTag.float:
        times.append(domain.time(i))
        floats.append(block.values[cell])
      default:
        var histogram = block.histogram(cell)
        // A hint speaks of the stored neighbour, which the inner steps may have skipped or
        // repeated.
        if histogram.counterResetHint != .gauge { histogram.counterResetHint = .unknown }
        histograms.append(.init(timestamp: domain.time(i), value: histogram))
      }
    }
  }

  override func close(_ evaluation: Evaluation) { inner.close(evaluation) }
}

/// Results of the steps of a subquery, step after step: a row of cells each.
private struct KeptSteps {
  private var first: Int64 = 0
  private var interval: Int64 = 1
  private var count = 0
  private var width = 0
  private var values: [Double] = []
  private var tags: [UInt8] = []
  /// Steps before the first one that have been let go and still take room.
  private var gone = 0
  private var mark: Store.AppendMark?
  /// The slots' meaning.
  private(set) var compaction: UInt64 = 0
  /// The contents of the inner domain that was taken in last.
  private(set) var tick: UInt64 = 0
  /// Whether the steps must be computed again next time.
  var isExpired = false

  var isEmpty: Bool { count == 0 }

  mutating func forget() {
    if count > 0 || tick > 0 { self = KeptSteps() }
  }

  /// The first step from `start` on that is not kept or was kept before a late sample came.
  func validEnd(from start: Int64, interval: Int64, store: Store) -> Int64 {
    guard let mark, !isExpired, count > 0, interval == self.interval, first <= start else {
      return start
    }
    let end = first + Int64(count) * interval
    let late = store.earliestAppend(since: mark).milliseconds
    if late >= end { return end }
    if late <= start { return start }
    // The first step at or after the late sample sees it.
    return -(-late).flooredDivision(by: interval).quotient * interval
  }

  /// Takes in the steps that were computed, in place of those kept for these times, and lets those
  /// go that no window reaches.
  mutating func take(_ inner: PlanNode, _ steps: SubquerySteps, mark: Store.AppendMark) {
    let domain = steps.domain
    let block = inner.values
    let slots = inner.shape.count
    if steps.isWhole || count == 0 {
      count = 0
      gone = 0
      first = domain.start
      width = slots
      values.removeAll(keepingCapacity: true)
      tags.removeAll(keepingCapacity: true)
    } else {
      widen(to: slots)
      drop(before: steps.first)
      count = min(count, Int((domain.start - first) / interval))
      values.removeLast(values.count - (gone + count) * width)
      tags.removeLast(tags.count - (gone + count) * width)
    }
    interval = domain.step
    for i in 0..<domain.count {
      let row = i * block.stride
      for slot in 0..<width {
        tags.append(block.tags[row + slot])
        values.append(block.tags[row + slot] == CellTag.absent ? 0 : block.values[row + slot])
      }
    }
    count += domain.count
    compaction = inner.shape.compaction
    tick = domain.tick
    self.mark = mark
  }

  /// Makes room for slots that have come; they are absent in the steps that are kept.
  private mutating func widen(to slots: Int) {
    if slots == width { return }
    var values: [Double] = []
    var tags: [UInt8] = []
    values.reserveCapacity(count * slots)
    tags.reserveCapacity(count * slots)
    for i in gone..<gone + count {
      values += self.values[i * width..<(i + 1) * width]
      values += repeatElement(0, count: slots - width)
      tags += self.tags[i * width..<(i + 1) * width]
      tags += repeatElement(CellTag.absent, count: slots - width)
    }
    self.values = values
    self.tags = tags
    width = slots
    gone = 0
  }

  private mutating func drop(before start: Int64) {
    let leaving = min(count, max(0, Int((start - first) / interval)))
    first += Int64(leaving) * interval
    count -= leaving
    gone += leaving
    // Moved up only when half the room is wasted: what stays is copied once per window at most.
    if gone <= count { return }
    values.removeFirst(gone * width)
    tags.removeFirst(gone * width)
    gone = 0
  }

  /// Appends the samples of a slot.
  func gather(_ slot: Int, _ times: inout [Int64], _ floats: inout [Double]) {
    var cell = gone * width + slot
    for i in 0..<count {
      if tags[cell] != CellTag.absent {
        times.append(first + Int64(i) * interval)
        floats.append(values[cell])
      }
      cell += width
    }
  }
}
