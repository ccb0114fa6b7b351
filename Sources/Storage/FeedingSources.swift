/// Who writes the members of some selectors.
package struct FeedingSources: Hashable, Sendable {
  /// The sources whose rows hold members.
  package private(set) var rows: Set<SourceID> = []
  /// Whether members lie outside rows: their samples have times of their own, and anybody may write
  /// them.
  package private(set) var hasTimed = false

  package init() {}

  /// Whether what a source has written may be what the selectors read.
  package func contain(_ source: SourceID, withTimed: Bool) -> Bool {
    rows.contains(source) || (hasTimed && withTimed)
  }

  mutating func add(_ source: SourceID) { rows.insert(source) }
  mutating func addTimed() { hasTimed = true }
}

extension Store {
  /// Changes whenever the place of a series does.
  package var placesVersion: UInt64 { layout }

  /// Adds who writes the members of a selector.
  package func add(feedersOf selector: Selector, to feeders: inout FeedingSources) {
    for run in runs(of: selector) {
      if run.block < 0 {
        feeders.addTimed()
      } else {
        feeders.add(block(at: run.block).id)
      }
    }
  }
}
