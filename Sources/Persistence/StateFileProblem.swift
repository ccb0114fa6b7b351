import GRDB

/// What is wrong with a state file, in words for the log.
package struct StateFileProblem: Error, Sendable, CustomStringConvertible {
  /// Whether another file in its place would do: this one is damaged, or not ours.
  package var isTheFile: Bool
  /// Whether another process holds the file.
  package var isBusy = false
  package var description: String

  init(isTheFile: Bool = false, _ description: String) {
    self.isTheFile = isTheFile
    self.description = description
  }

  init(_ error: any Error) {
    if let problem = error as? StateFileProblem {
      self = problem
    } else if let error = error as? DatabaseError {
      let code = error.resultCode
      isTheFile = code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
      isBusy = code == .SQLITE_BUSY || code == .SQLITE_LOCKED
      description = Self.words(for: code) ?? error.message ?? "\(code)"
    } else {
      isTheFile = false
      description = "\(error)"
    }
  }

  private static func words(for code: ResultCode) -> String? {
    switch code {
    case .SQLITE_BUSY, .SQLITE_LOCKED: "another process has it open"
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: "it is damaged, or no state file"
    case .SQLITE_FULL: "the disk is full"
    case .SQLITE_IOERR: "reading or writing fails (I/O error)"
    default: nil
    }
  }
}
