import Model

/// The question a configuration check asks of each address it finds.
package enum TargetCheck {
  /// Why an address cannot be scraped under a job; nil when it can, or when relabelling drops it.
  package static func problem(
    address: String, group: TargetGroup, settings: ScrapeSettings
  ) -> String? {
    let candidate = TargetLabels.candidate(address: address, group: group, settings: settings)
    if case .refused(let reason) = candidate { return reason }
    return nil
  }
}
