/// What became of samples that others handed in.
package struct PushTally: Sendable, Equatable {
  package var floats = 0
  package var histograms = 0
  package var outOfOrder = 0
  package var duplicates = 0
  package var tooOld = 0
  package var tooNew = 0
  /// The first sample that was refused, in words.
  package var problem: String?

  package init() {}

  /// Samples that were refused.
  package var refused: Int { outOfOrder + duplicates + tooOld + tooNew }

  static func + (a: PushTally, b: PushTally) -> PushTally {
    var sum = a
    sum.floats += b.floats
    sum.histograms += b.histograms
    sum.outOfOrder += b.outOfOrder
    sum.duplicates += b.duplicates
    sum.tooOld += b.tooOld
    sum.tooNew += b.tooNew
    sum.problem = a.problem ?? b.problem
    return sum
  }
}

/// Counts over all pushes since the start.
struct PushCounts {
  var writeRequests: UInt64 = 0
  var written = PushTally()
  /// Series of remote writes that were malformed.
  var malformed: UInt64 = 0
  var imports: UInt64 = 0
  var imported = PushTally()
}
