import Kernel
import Synchronization

/// The kernel behind a lock: one visitor at a time, whoever it is.
///
/// The daemon's loop visits to hand in events; requests visit to read reports or to copy the
/// samples of a query. Nobody computes inside for longer than that.
package final class KernelGate: Sendable {
  private let kernel: Mutex<Kernel>

  package init(_ kernel: sending Kernel) { self.kernel = Mutex(kernel) }

  /// Runs `body` with the kernel.
  package func visit<Result: Sendable>(_ body: (Kernel) -> Result) -> Result {
    kernel.withLock { body($0) }
  }
}
