import Kernel
import Model
import Persistence

/// The alert state of an earlier process, and who saves that of this one.
struct SavedState {
  /// Nil without `--storage.path`, or when that folder cannot be used.
  var keeper: StateKeeper?
  var alerts: AlertCheckpoint?

  /// Opens the folder of `--storage.path` and says in the log what is wrong with it; the daemon
  /// starts anyway.
  static func open(_ path: String?, now: Timestamp, log: LogSink) -> SavedState {
    guard let path else { return SavedState() }
    let suffix = now.rfc3339.prefix(19).filter { $0 != ":" && $0 != "-" } + "Z"
    let folder = StateFolder(path: path, suffix: suffix)
    let problem = folder.problem?.description ?? ""
    guard let file = folder.file else {
      log.log(
        .error, "storage", "Alert state will not survive a restart: the folder cannot be used",
        [("path", path), ("err", problem)])
      return SavedState()
    }
    if let place = folder.setAside {
      log.log(
        .error, "storage", "The state file cannot be used and is set aside; alerts start anew",
        [("path", "\(path)/\(StateFolder.fileName)"), ("kept_as", place), ("err", problem)])
    }
    let keeper = StateKeeper(file: file) { problem in
      if let problem {
        log.log(.error, "storage", "Alert state cannot be saved", [("err", problem)])
      } else {
        log.log(.info, "storage", "Alert state is saved again")
      }
    }
    return SavedState(keeper: keeper, alerts: folder.saved)
  }
}
