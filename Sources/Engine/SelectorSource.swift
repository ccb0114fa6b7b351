import Model
import Storage

/// The series a selector of the plan names: standing in the store's registry, or looked up anew for
/// each query.
///
/// All nodes of a plan with equal matchers share one source, and with it one shape.
final class SelectorSource {
  let matchers: [Matcher]
  let shape = Shape()
  private let isStanding: Bool
  /// How far back any of its readers looks.
  private var window: PromDuration = .zero
  private var registered: Selector?
  /// The store's selector while the source is registered.
  var standing: Selector? { registered }
  private var current: Selector?
  private var resolvedQuery: UInt64 = 0
  private var generation: UInt64?
  private var compaction: UInt64 = 0

  init(matchers: [Matcher], isStanding: Bool) {
    self.matchers = matchers
    self.isStanding = isStanding
  }

  /// Notes that a reader looks back so far.
  func reach(back milliseconds: Int64) {
    window = max(window, .milliseconds(max(0, milliseconds)))
  }

  /// Makes the selector a standing one of the store.
  func register(in store: Store) {
    guard isStanding, registered == nil else { return }
    registered = store.register(matchers, window: window)
  }

  func unregister(from store: Store) {
    guard let selector = registered else { return }
    store.unregister(selector, window: window)
    registered = nil
  }

  /// The selector to read now; the shape follows its members.
  func resolve(_ evaluation: Evaluation) -> Selector {
    if let registered {
      follow(registered)
      return registered
    }
    if let current, resolvedQuery == evaluation.query { return current }
    let selector = evaluation.store.select(matchers)
    resolvedQuery = evaluation.query
    current = selector
    adopt(selector)
    return selector
  }

  /// Follows a standing membership by its counters.
  private func follow(_ selector: Selector) {
    if generation == selector.generation { return }
    if generation == nil || compaction != selector.compaction
      || selector.series.count < shape.count
    {
      shape.derive(from: selector)
    }
    generation = selector.generation
    compaction = selector.compaction
    shape.grow(to: selector.series.count)
  }

  /// Follows a membership of the moment, which has no history, by comparing labels.
  private func adopt(_ selector: Selector) {
    let members = selector.members
    let known = shape.count
    let isGrowth =
      members.count >= known
      && (0..<known).allSatisfy { members[$0].labels == shape.labels[$0] }
    if !isGrowth { shape.removeAll() }
    for member in members[shape.count...] { shape.append(member.labels, dropsName: false) }
  }
}
