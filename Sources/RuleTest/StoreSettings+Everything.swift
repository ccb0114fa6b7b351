import Model
import Storage

extension StoreSettings {
  /// Keeps every sample for ever: tests run on a clock of their own.
  package static var everything: StoreSettings {
    StoreSettings(keep: .all, retention: .days(100_000))
  }
}
