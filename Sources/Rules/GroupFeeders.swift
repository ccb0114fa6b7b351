import Model
import Storage

/// Knows which sources of rows feed a group's rules.
///
/// Asked after every scrape, so the answer is kept until a membership or a series' place changes.
package struct GroupFeeders {
  private var known = FeedingSources()
  private var version: UInt64?

  package init() {}

  /// Whether what a source has written may be what the rules of a group read.
  package mutating func contain(
    _ source: SourceID, withTimed: Bool, of group: RuleGroupRunner, in store: Store
  ) -> Bool {
    var current = store.placesVersion
    for rule in group.rules { current &+= rule.membershipVersion }
    if version != current {
      known = FeedingSources()
      for rule in group.rules { rule.add(feedersTo: &known) }
      version = current
    }
    return known.contain(source, withTimed: withTimed)
  }

  /// The rules have changed.
  package mutating func forget() { version = nil }
}
