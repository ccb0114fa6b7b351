/// What a world came to.
package struct Verdict: Sendable {
  /// A promise that was broken.
  package struct Problem: Sendable, Hashable {
    /// Which checker speaks: `alerts/state`, `delivery/false-resolve` and the like.
    package var check: String
    package var text: String
  }

  package var seed: UInt64
  package var problems: [Problem]
  /// Of all effects in their order, if asked for; equal in every process.
  package var digest: String
  package var events: Int
  package var evaluations: Int
  package var deliveries: Int
  package var crashes: Int
  package var reloads: Int

  package var isGood: Bool { problems.isEmpty }
}
