import Model

/// One series of a remote-write request.
package struct PushedSeries: Sendable, Equatable {
  /// A sample with its own time.
  package struct Sample: Sendable, Equatable {
    package var timestamp: Timestamp
    package var value: SampleValue
    /// When counting began, where the sender says so.
    package var start: Timestamp?
  }

  package var labels: LabelSet
  package var samples: [Sample]
  /// Exemplars that came along; they are counted and not kept.
  package var exemplars = 0
}

/// A remote-write request as read.
package struct PushedRequest: Sendable, Equatable {
  package var series: [PushedSeries] = []
  /// What is wrong with the series that are left out.
  package var problems: [String] = []
}

/// The versions of the remote-write protocol.
package enum RemoteWriteVersion: String, Sendable {
  case v1 = "prometheus.WriteRequest"
  case v2 = "io.prometheus.write.v2.Request"
}
