import Kernel
import Model

/// What a kernel shows to the outside, part by part.
struct Fingerprint {
  private let parts: [(name: String, text: String)]

  init(_ kernel: Kernel) {
    let targets = kernel.targetsReport
    parts = [
      ("the rules", kernel.rulesReport.map { "\($0)" }.joined(separator: "\n")),
      ("the targets", targets.active.map { "\($0)" }.joined(separator: "\n")),
      ("the dropped targets", "\(targets.dropped)"),
      ("the Alertmanagers", "\(kernel.alertmanagersReport)"),
      ("the webhooks", kernel.webhooksReport.map { "\($0)" }.joined(separator: "\n")),
    ]
  }

  /// The first part that differs.
  func difference(from other: Fingerprint) -> String? {
    zip(parts, other.parts).first { !ByteOrder.equal($0.text, $1.text) }?.0.name
  }
}
