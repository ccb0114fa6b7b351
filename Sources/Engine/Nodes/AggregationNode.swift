import Model
import PromQL

/// Aggregations that yield one value per group: `sum`, `avg`, `count`, `min`, `max`, `group`,
/// `stddev`, `stdvar`, `quantile`.
final class AggregationNode: PlanNode {
  private let op: AggregateOperator
  private let delaysNames: Bool
  private var grouping: Grouping
  private var counts: [Int32] = []
  private var sums: [CompensatedSum] = []
  private var means: [CompensatedMean] = []
  private var moments: [Moments] = []
  private let sortScratch = SortScratch()

  /// Running mean and sum of squared distances from it.
  private struct Moments {
    var mean: Double
    var squares: Double
  }

  init(
    domain: TimeDomain, op: AggregateOperator, argument: PlanNode, parameter: PlanNode?,
    grouping: [String], isWithout: Bool, delaysNames: Bool
  ) {
    self.op = op
    self.delaysNames = delaysNames
    self.grouping = Grouping(names: grouping, isWithout: isWithout)
    super.init(domain: domain, children: [argument] + (parameter.map { [$0] } ?? []))
  }

  override var shape: Shape { grouping.shape }
  override var title: String { op.rawValue }

  /// Sites: the aggregation, its vector, its parameter.
  private var vectorSite: Int { 1 }
  private var parameterSite: Int { 2 }

  override func updateShape(_ evaluation: Evaluation) throws(QueryProblem) {
    grouping.update(from: children[0].shape)
    if delaysNames { grouping.settleNames(children[0], steps: domain.count) }
  }

  override func compute(_ evaluation: Evaluation) throws(QueryProblem) {
    if op == .quantile { annotateQuantiles(evaluation) }
    let input = children[0].values
    let needsCare = input.hasHistograms && op != .count && op != .group
    for step in 0..<domain.count {
      if needsCare {
        aggregateCarefully(step, evaluation)
      } else {
        aggregate(step)
      }
    }
  }

  private func aggregate(_ step: Int) {
    switch op {
    case .sum: sum(step)
    case .avg: average(step)
    case .count: count(step)
    case .group: forEachPresent(step) { values.set(step * values.slots + $0, 1) }
    case .min:
      fold(step) { best, value in if best > value || best.isNaN { best = value } }
    case .max:
      fold(step) { best, value in if best < value || best.isNaN { best = value } }
    case .stddev, .stdvar: variance(step)
    case .quantile: quantile(step)
    case .topk, .bottomk, .limitk, .limitRatio, .countValues:
      preconditionFailure("the aggregation is another node's")
    }
  }

  /// Calls `body` with the group and value of each float.
  @inline(__always)
  private func forEachFloat(_ step: Int, _ body: (_ group: Int, _ value: Double) -> Void) {
    let input = children[0].values
    let row = input.values + step * input.stride
    let tags = input.tags + step * input.stride
    grouping.groupOf.withUnsafeBufferPointer { groups in
      for slot in 0..<input.slots where tags[slot] == CellTag.float {
        body(Int(groups[slot]), row[slot])
      }
    }
  }

  /// Calls `body` with the group of each element, whatever it is.
  @inline(__always)
  private func forEachPresent(_ step: Int, _ body: (_ group: Int) -> Void) {
    let input = children[0].values
    let tags = input.tags + step * input.stride
    grouping.groupOf.withUnsafeBufferPointer { groups in
      for slot in 0..<input.slots where tags[slot] != CellTag.absent { body(Int(groups[slot])) }
    }
  }

  private func refill<T>(_ array: inout [T], with value: T) {
    let n = grouping.count
    if array.count == n {
      for i in 0..<n { array[i] = value }
    } else {
      array = [T](repeating: value, count: n)
    }
  }

  private func sum(_ step: Int) {
    // Starting from −0 gives the first value as it is, its sign included.
    refill(&sums, with: CompensatedSum(-0.0))
    let out = step * values.slots
    let tags = values.tags
    sums.withUnsafeMutableBufferPointer { sums in
      forEachFloat(step) { group, value in
        sums[group].add(value)
        tags[out + group] = CellTag.float
      }
      for group in 0..<sums.count where tags[out + group] != CellTag.absent {
        values.values[out + group] = sums[group].sum + sums[group].compensation
      }
    }
  }

  private func average(_ step: Int) {
    refill(&means, with: CompensatedMean(first: 0))
    let out = step * values.slots
    let tags = values.tags
    means.withUnsafeMutableBufferPointer { means in
      forEachFloat(step) { group, value in
        if tags[out + group] == CellTag.absent {
          means[group] = CompensatedMean(first: value)
          tags[out + group] = CellTag.float
        } else {
          means[group].add(value)
        }
      }
      for group in 0..<means.count where tags[out + group] != CellTag.absent {
        values.values[out + group] = means[group].value
      }
    }
  }

  private func count(_ step: Int) {
    refill(&counts, with: 0)
    let out = step * values.slots
    counts.withUnsafeMutableBufferPointer { counts in
      forEachPresent(step) { counts[$0] += 1 }
      for group in 0..<counts.count where counts[group] > 0 {
        values.set(out + group, Double(counts[group]))
      }
    }
  }

  @inline(__always)
  private func fold(
    _ step: Int, _ body: (_ best: inout Double, _ value: Double) -> Void
  ) {
    let out = step * values.slots
    let cells = values.values
    let tags = values.tags
    forEachFloat(step) { group, value in
      if tags[out + group] == CellTag.absent {
        tags[out + group] = CellTag.float
        cells[out + group] = value
      } else {
        body(&cells[out + group], value)
      }
    }
  }

  private func variance(_ step: Int) {
    refill(&counts, with: 0)
    refill(&moments, with: Moments(mean: 0, squares: 0))
    let input = children[0].values
    let row = step * input.stride
    for slot in 0..<input.slots where input.tags[row + slot] == CellTag.float {
      let group = Int(grouping.groupOf[slot])
      let value = input.values[row + slot]
      counts[group] += 1
      if counts[group] == 1 {
        moments[group] = Moments(mean: value, squares: value.isFinite ? 0 : .nan)
        continue
      }
      let delta = value - moments[group].mean
      moments[group].mean += delta / Double(counts[group])
      moments[group].squares += delta * (value - moments[group].mean)
    }
    for group in 0..<grouping.count where counts[group] > 0 {
      let variance = moments[group].squares / Double(counts[group])
      values.set(
        step * values.slots + group, op == .stddev ? variance.squareRoot() : variance)
    }
  }

  private func quantile(_ step: Int) {
    let q = children[1].scalar(step)
    let input = children[0].values
    let row = step * input.stride
    grouping.forEachGroup { group, slots in
      sortScratch.values.removeAll(keepingCapacity: true)
      for slot in slots where input.tags[row + Int(slot)] == CellTag.float {
        sortScratch.values.append(input.values[row + Int(slot)])
      }
      if sortScratch.values.isEmpty { return }
      values.set(step * values.slots + group, Quantile.ofValues(q, &sortScratch.values))
    }
  }

  /// Remarks about the largest and the smallest quantile out of bounds, and about NaN.
  private func annotateQuantiles(_ evaluation: Evaluation) {
    var largest = -Double.infinity
    var smallest = Double.infinity
    for step in 0..<domain.count {
      let q = children[1].scalar(step)
      if q.isNaN {
        annotate(evaluation, .invalidQuantile(.nan), at: parameterSite)
      } else {
        largest = max(largest, q)
        smallest = min(smallest, q)
      }
    }
    if largest > 1 { annotate(evaluation, .invalidQuantile(largest), at: parameterSite) }
    if smallest < 0 { annotate(evaluation, .invalidQuantile(smallest), at: parameterSite) }
  }

  // Histograms

  private func aggregateCarefully(_ step: Int, _ evaluation: Evaluation) {
    if op == .sum || op == .avg {
      aggregateHistograms(step, evaluation)
      return
    }
    let input = children[0].values
    let tags = input.tags + step * input.stride
    for slot in 0..<input.slots where tags[slot] == CellTag.histogram {
      annotate(evaluation, .histogramIgnored(in: op.rawValue), at: vectorSite)
      break
    }
    aggregate(step)
  }

  private func aggregateHistograms(_ step: Int, _ evaluation: Evaluation) {
    var groups = [HistogramGroup](repeating: HistogramGroup(), count: grouping.count)
    let input = children[0].values
    let row = step * input.stride
    let isMean = op == .avg
    for slot in 0..<input.slots {
      guard let value = input.value(row + slot) else { continue }
      let group = Int(grouping.groupOf[slot])
      if let annotation = groups[group].add(
        value, isMean: isMean, metric: children[0].shape.labels[slot].metricName ?? "")
      {
        annotate(evaluation, annotation, at: vectorSite)
      }
    }
    for group in 0..<groups.count {
      for annotation in groups[group].remarks { annotate(evaluation, annotation, at: vectorSite) }
      if let result = groups[group].result(isMean: isMean) {
        values.set(step * values.slots + group, result)
      }
    }
  }
}
