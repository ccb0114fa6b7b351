import Exposition
import Model

/// What one target says of its metrics.
package struct TargetMetadata: Sendable {
  package var labels: LabelSet
  package var families: [FamilyMetadata]
}

extension Kernel {
  /// The metadata of the active targets by job, in the order of discovery.
  ///
  /// - Parameters:
  ///   - metric: only the family of this name.
  ///   - matchers: only targets whose labels fulfil them.
  package func metadataReport(
    metric: String? = nil, targetsMatching matchers: [Matcher] = []
  ) -> [TargetMetadata] {
    let pools = scraper.pools.sorted {
      ByteOrder.less($0.settings.jobName, $1.settings.jobName)
    }
    return pools.flatMap(\.targets).compactMap { target in
      guard matchers.allSatisfy({ $0.matches(target.spec.labels) }) else { return nil }
      var families = target.cache.families
      if let metric { families.removeAll { !ByteOrder.equal($0.name, metric) } }
      return TargetMetadata(labels: target.spec.labels, families: families)
    }
  }
}
