import Model

/// Neighbouring members in neighbouring columns, or a stretch of members that have no single
/// column.
struct MemberRun {
  /// The block, or −1.
  var block: Int32
  var column: Int32
  var firstMember: Int32
  var count: Int32
}

/// The series that fulfil a list of conditions.
///
/// A registered selector is told of each series that is born or ends. One from `Store.select` shows
/// the moment of the call.
package final class Selector {
  /// The conditions.
  package let matchers: [Matcher]
  /// The members' series in order of birth, with distinct labels.
  ///
  /// Grows at the end until `compaction` changes.
  package private(set) var series: [SeriesID] = []
  private let labels: LabelStore
  /// Changes with every change of `members`.
  package private(set) var generation: UInt64 = 0
  /// Changes when members were removed: places have moved.
  package private(set) var compaction: UInt64 = 0
  /// For the last compaction: where each member went, −1 for those removed.
  package private(set) var lastRemap: [Int32] = []

  /// The place in the registry; nil for a selector of the moment.
  let number: UInt32?
  /// The metric name the matchers demand, if they demand one.
  let name: [UInt8]?
  /// The matchers besides that, those that compare bytes first.
  private let tests: [Test]
  /// Registered windows in milliseconds, with how often.
  private var windows: [Int64: Int] = [:]
  package private(set) var window: Int64 = -1
  /// Where the members' samples are, in the order of members.
  private(set) var runs: [MemberRun] = []
  /// The store's layout that `runs` is true for; kept current for registered selectors.
  var layout: UInt64 = 0
  var isDirty = false

  private enum Test {
    case equal(name: [UInt8], value: [UInt8], isNegated: Bool)
    case pattern(Matcher)
  }

  /// The members in the order of `series`.
  package var members: Members { Members(series: series, labels: labels) }

  init(matchers: [Matcher], labels: LabelStore, number: UInt32? = nil) {
    self.matchers = matchers
    self.labels = labels
    self.number = number
    let named = matchers.firstIndex {
      $0.kind == .equal && ByteOrder.equal($0.name, LabelName.metricName)
    }
    name = named.map { Array(matchers[$0].value.utf8) }
    var tests: [Test] = []
    for (i, m) in matchers.enumerated()
    where i != named && m.kind != .regexp && m.kind != .notRegexp {
      tests.append(
        .equal(
          name: Array(m.name.utf8), value: Array(m.value.utf8), isNegated: m.kind == .notEqual))
    }
    for m in matchers where m.kind == .regexp || m.kind == .notRegexp { tests.append(.pattern(m)) }
    self.tests = tests
  }

  /// Whether a series with the demanded name fulfils the other conditions.
  func acceptsRest(_ labels: LabelSet) -> Bool {
    for test in tests {
      switch test {
      case .equal(let name, let value, let isNegated):
        if Self.holds(labels, name, value) == isNegated { return false }
      case .pattern(let matcher):
        if !matcher.matches(labels) { return false }
      }
    }
    return true
  }

  private static func holds(_ labels: LabelSet, _ name: [UInt8], _ value: [UInt8]) -> Bool {
    labels.bytes.withUnsafeBufferPointer { all in
      var i = 0
      while i < all.count {
        let n = LabelSet.next(all, &i)
        let v = LabelSet.next(all, &i)
        if n.elementsEqual(name) { return v.elementsEqual(value) }
      }
      return value.isEmpty
    }
  }

  // MARK: Registrations

  func addWindow(_ milliseconds: Int64) {
    windows[milliseconds, default: 0] += 1
    window = max(window, milliseconds)
  }

  /// Takes one registration back; false if none is left.
  func removeWindow(_ milliseconds: Int64) -> Bool {
    guard let n = windows[milliseconds] else {
      preconditionFailure("a selector is unregistered with the window it was registered with")
    }
    windows[milliseconds] = n > 1 ? n - 1 : nil
    window = windows.keys.max() ?? -1
    return !windows.isEmpty
  }

  // MARK: Membership

  /// Adds a series at the end.
  func join(_ member: SeriesID, block: Int32, column: Int32) {
    Self.extend(&runs, Int32(series.count), block, column)
    series.append(member)
    generation &+= 1
  }

  /// Removes the members at which `isLeaving` holds; false if there are none.
  func retire(_ isLeaving: (Int) -> Bool) -> Bool {
    var remap = [Int32](repeating: -1, count: series.count)
    var kept: Int32 = 0
    for i in series.indices where !isLeaving(i) {
      remap[i] = kept
      kept += 1
    }
    if Int(kept) == series.count { return false }
    series = series.indices.filter { remap[$0] >= 0 }.map { series[$0] }
    lastRemap = remap
    generation &+= 1
    compaction &+= 1
    return true
  }

  @inline(__always)
  private static func extend(
    _ runs: inout [MemberRun], _ member: Int32, _ block: Int32, _ column: Int32
  ) {
    let block = max(block, -1)
    if let tail = runs.last, tail.block == block,
      block < 0 || tail.column + tail.count == column
    {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(
        MemberRun(block: block, column: block < 0 ? 0 : column, firstMember: member, count: 1))
    }
  }

  /// Computes the runs afresh.
  func rebuildRuns(_ table: SeriesTable) {
    var fresh = runs
    runs = []
    fresh.removeAll(keepingCapacity: true)
    var i: Int32 = 0
    for member in series {
      if table.isLive(member) {
        let record = table.records[Int(member.index)]
        Self.extend(&fresh, i, record.block, record.column)
      } else {
        Self.extend(&fresh, i, -1, 0)
      }
      i += 1
    }
    runs = fresh
    isDirty = false
  }
}
