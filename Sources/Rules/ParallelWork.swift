/// Something that carries out independent pieces of work, side by side where it can.
package protocol ParallelWork: Sendable {
  /// Calls `body` once with each number below `count`, on any thread and in any order; returns when
  /// all calls have.
  func run(_ count: Int, _ body: (Int) -> Void)
}
