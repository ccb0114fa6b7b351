import Model

/// The answer to a query, with what Prometheus would remark about it.
package struct QueryResult: Sendable {
  package var value: QueryValue
  /// Sorted texts, with their position ` (line:col)` if the query text is known.
  package var warnings: [String]
  package var infos: [String]
  /// How many samples the evaluation touched.
  package var samples: Int

  package init(
    value: QueryValue, warnings: [String] = [], infos: [String] = [], samples: Int = 0
  ) {
    self.value = value
    self.warnings = warnings
    self.infos = infos
    self.samples = samples
  }
}

/// The four shapes of an answer.
package enum QueryValue: Hashable, Sendable {
  case scalar(Timestamp, Double)
  case string(Timestamp, String)
  case vector([VectorSample])
  case matrix([MatrixSeries])
}

/// One element of an instant vector.
package struct VectorSample: Hashable, Sendable {
  package var labels: LabelSet
  package var timestamp: Timestamp
  package var value: SampleValue

  package init(labels: LabelSet, timestamp: Timestamp, value: SampleValue) {
    self.labels = labels
    self.timestamp = timestamp
    self.value = value
  }
}

/// One series of a range result, its samples by ascending time.
package struct MatrixSeries: Hashable, Sendable {
  package var labels: LabelSet
  package var samples: [Sample]

  package init(labels: LabelSet, samples: [Sample]) {
    self.labels = labels
    self.samples = samples
  }
}
