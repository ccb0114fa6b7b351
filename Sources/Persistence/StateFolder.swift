import Glibc
import Kernel

/// The folder of `--storage.path`: makes it, opens the state file in it, and puts a file that
/// cannot be used out of the way.
package struct StateFolder: Sendable {
  /// The state file's name.
  package static let fileName = "tocsin.db"

  /// The file; nil when the daemon has to run without.
  package private(set) var file: StateFile?
  /// What was saved last, or what of it could be read.
  package private(set) var saved: RestoredState?
  /// The path of a file that could not be used, where it is now.
  package private(set) var setAside: String?
  /// What went wrong: with the file that was set aside, or why there is none.
  package private(set) var problem: StateFileProblem?

  /// Opens the folder.
  ///
  /// A damaged file is set aside; what can be read of it goes on in a new one.
  ///
  /// - Parameter suffix: names a file that is set aside: `tocsin.db.damaged-<suffix>`.
  package init(
    path: String, suffix: String, retention: HistoryRetention = HistoryRetention()
  ) {
    let name = path + "/" + Self.fileName
    do throws(StateFileProblem) {
      try Self.make(path)
      do throws(StateFileProblem) {
        try open(name, retention)
      } catch {
        problem = error
        if !error.isTheFile { throw error }
        // Closed before it is moved.
        file = nil
        setAside = try Self.setAside(name, suffix: suffix)
        file = try StateFile(path: name, retention: retention)
      }
    } catch {
      problem = error
      file = nil
    }
  }

  private mutating func open(
    _ name: String, _ retention: HistoryRetention
  ) throws(StateFileProblem) {
    let opened = try StateFile(path: name, retention: retention)
    let (state, problem) = opened.load()
    saved = state
    file = opened
    guard let problem else { return }
    saved?.samplesAreStored = false
    throw problem
  }

  /// Makes the folder and those on the way to it.
  private static func make(_ path: String) throws(StateFileProblem) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o750) != 0 && errno != EEXIST {
        throw StateFileProblem(
          "cannot make the folder \(made): \(String(cString: strerror(errno)))")
      }
    }
    if access(path, R_OK | W_OK | X_OK) != 0 {
      throw StateFileProblem(String(cString: strerror(errno)))
    }
  }

  /// Moves the state file of a folder, which nobody has open, out of the way; answers where it is
  /// now.
  package static func setAside(
    in folder: String, suffix: String
  ) throws(StateFileProblem) -> String {
    try setAside(folder + "/" + fileName, suffix: suffix)
  }

  private static func setAside(
    _ name: String, suffix: String
  ) throws(StateFileProblem) -> String {
    var place = "\(name).damaged-\(suffix)"
    for number in 2..<100 where access(place, F_OK) == 0 {
      place = "\(name).damaged-\(suffix)-\(number)"
    }
    if rename(name, place) != 0 {
      throw StateFileProblem("cannot be set aside: \(String(cString: strerror(errno)))")
    }
    // The log of a damaged file would be played into its successor.
    for companion in ["-wal", "-shm"] { rename(name + companion, place + companion) }
    return place
  }
}
