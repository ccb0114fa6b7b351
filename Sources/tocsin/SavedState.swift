import Kernel
import Model
import Persistence
import Server

extension StateKeeper: AlertHistory {}

/// What an earlier process has left, and who saves for this one.
struct SavedState {
  /// Nil without `--storage.path`.
  var keeper: StateKeeper?
  var restored: RestoredState?
  /// What was saved of the journal.
  var history: (any AlertHistory)?

  /// Opens the folder of `--storage.path` and says in the log what is wrong with it; the daemon
  /// starts anyway.
  static func open(
    _ path: String?, settings: StorageSettings, now: Timestamp, log: LogSink,
    post: @escaping @Sendable (Event) -> Void
  ) -> SavedState {
    guard let path else { return SavedState() }
    let suffix = now.rfc3339.prefix(19).filter { $0 != ":" && $0 != "-" } + "Z"
    var retention = HistoryRetention()
    retention.age = settings.historyRetention
    retention.bytes = settings.historySize
    let folder = StateFolder(path: path, suffix: suffix, retention: retention)
    let problem = folder.problem?.description ?? ""
    if folder.file == nil {
      log.log(
        .error, "storage", "State will not survive a restart: the folder cannot be used",
        [("path", path), ("err", problem)])
    }
    if let place = folder.setAside {
      let isSalvaged = folder.saved?.alerts != nil
      log.log(
        .error, "storage",
        isSalvaged
          ? "The state file is damaged and is set aside; what could be read of it goes on"
          : "The state file cannot be used and is set aside; alerts start anew",
        [("path", "\(path)/\(StateFolder.fileName)"), ("kept_as", place), ("err", problem)])
    }
    let isBusy = folder.problem?.isBusy ?? false
    var reopen: (@Sendable () -> StateFile?)?
    if !isBusy {
      reopen = { [retention] in
        StateFolder(path: path, suffix: suffix, retention: retention).file
      }
    }
    let keeper = StateKeeper(
      file: folder.file, reopen: reopen,
      setAside: { setAside(path, suffix: suffix, because: $0, log) }
    ) { problem in
      post(.storage(problem: problem))
    }
    let history = folder.file == nil ? nil : keeper
    return SavedState(keeper: keeper, restored: folder.saved, history: history)
  }

  /// A file in use has turned out to be damaged: what is in memory goes on in a new one.
  private static func setAside(
    _ folder: String, suffix: String, because problem: StateFileProblem, _ log: LogSink
  ) {
    let path = "\(folder)/\(StateFolder.fileName)"
    do throws(StateFileProblem) {
      let place = try StateFolder.setAside(in: folder, suffix: suffix)
      log.log(
        .error, "storage",
        "The state file is damaged and is set aside; a new one is begun with what is in memory",
        [("path", path), ("kept_as", place), ("err", problem.description)])
    } catch {
      log.log(
        .error, "storage", "The state file is damaged",
        [("path", path), ("err", "\(problem); it \(error)")])
    }
  }
}
