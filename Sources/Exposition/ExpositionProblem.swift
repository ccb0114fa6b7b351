/// Why an exposition was refused, in Prometheus' words.
package struct ExpositionProblem: Error, Sendable, Equatable {
  /// The text a scrape reports as its last error.
  package var message: String
  /// The line of the body (from 1) where the entry in question starts; 0 when it is not about a
  /// line.
  package var line: Int

  package init(_ message: String, line: Int = 0) {
    self.message = message
    self.line = line
  }
}

extension ExpositionProblem: CustomStringConvertible {
  package var description: String { message }
}
