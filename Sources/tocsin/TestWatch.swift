import Config
import Glibc

/// Repeats something whenever one of the files it has to do with changes.
enum TestWatch {
  /// Runs until interrupted; `body` answers which files it has to do with.
  static func run(_ body: () throws -> [String]) throws {
    // Nothing is left behind: results are on the screen, files are written whole.
    signal(SIGINT) { _ in _exit(0) }
    signal(SIGTERM) { _ in _exit(0) }
    var known: [String] = []
    while true {
      let watcher = FileWatcher()
      // What is known already is watched before it is read, so that no change is missed.
      watcher.add(known)
      known = try body()
      watcher.add(known)
      let files = watcher.count == 1 ? "1 file" : "\(watcher.count) files"
      Terminal.write("Watching \(files); Ctrl-C ends.\n", to: 2)
      watcher.wait()
      if isatty(1) == 1 { Terminal.write("\u{1b}[2J\u{1b}[H", to: 1) }
    }
  }
}

/// Waits for changes of files, also of those that editors replace.
final class FileWatcher {
  private let descriptor: Int32
  private var marks: [String: FileMark] = [:]

  init() { descriptor = inotify_init1(Int32(O_CLOEXEC)) }

  deinit { close(descriptor) }

  var count: Int { marks.count }

  /// Watches files; those it watches already stay as they were first seen.
  func add(_ files: [String]) {
    let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE)
    for file in files where marks[file] == nil {
      _ = inotify_add_watch(descriptor, FileSystem.directory(of: file), mask)
      marks[file] = FileMark(file)
    }
  }

  /// Returns when one of the files is another than it was, a moment after the last change.
  func wait() {
    while !marks.contains(where: { FileMark($0.key) != $0.value }) {
      drain(timeout: -1)
      // Editors write in several steps.
      while drain(timeout: 50) {}
    }
  }

  /// Reads what has happened; false if nothing has.
  @discardableResult
  private func drain(timeout: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, timeout) > 0 else { return false }
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      read(descriptor, buffer.baseAddress, buffer.count) > 0
    }
  }
}

/// What tells one version of a file from the next.
private struct FileMark: Equatable {
  private var seconds = 0
  private var nanoseconds = 0
  private var size = 0
  private var inode: UInt = 0

  init(_ path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else { return }
    seconds = info.st_mtim.tv_sec
    nanoseconds = info.st_mtim.tv_nsec
    size = info.st_size
    inode = UInt(info.st_ino)
  }
}
