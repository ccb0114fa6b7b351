import Model

/// The members of a selector, in order; labels are put together when they are asked for.
package struct Members: RandomAccessCollection, Sendable {
  let series: [SeriesID]
  let labels: LabelStore

  package var startIndex: Int { 0 }
  package var endIndex: Int { series.count }
  package subscript(index: Int) -> Member { Member(series: series[index], store: labels) }
}

/// One series of a selector's membership.
package struct Member: Sendable {
  /// The series.
  package let series: SeriesID
  let store: LabelStore

  /// The labels, metric name included; none once the series is gone.
  package var labels: LabelSet { store.labels(of: series) }
}
