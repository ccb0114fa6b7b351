import Model

/// How histograms of a scrape are taken: native, classic, or classic ones made native.
package struct HistogramReading: Sendable, Hashable {
  /// `scrape_native_histograms`: native histograms are read; else their classic form only.
  package var readsNative = false
  /// `always_scrape_classic_histograms`: the classic form is taken beside the native one.
  package var keepsClassic = false
  /// `convert_classic_histograms_to_nhcb`: classic histograms become native ones with custom
  /// bounds.
  package var convertsClassic = false

  package init() {}
}

/// A native histogram of a scrape.
package struct HistogramSample: Sendable, Equatable {
  package var entry: UInt32
  package var value: FloatHistogram
  /// Its own time, where it has one that counts.
  package var timestamp: Timestamp?
}
