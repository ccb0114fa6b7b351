import Config
import Diagnostics
import Discovery
import Glibc
import Kernel
import Model
import Synchronization

/// Watches the target files of `file_sd_configs` and reports what changed.
///
/// Files are looked at every second by name, size and modification time, and read again when one of
/// them differs or the refresh interval has passed. A file that cannot be read or parsed keeps its
/// last good targets, as in Prometheus.
final class FileDiscovery: Sendable {
  private struct Stamp: Equatable {
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64
  }

  private struct Watch {
    var owner: DiscoveryOwner
    var mechanism: String
    var settings: FileDiscoverySettings
    var stamps: [String: Stamp] = [:]
    var known: Set<String> = []
    var nextRefresh: UInt64 = 0

    func isSame(as other: Watch) -> Bool {
      owner == other.owner && mechanism == other.mechanism
    }

    /// The news that these of its groups are gone.
    func ending(_ sources: some Collection<String>) -> Event {
      owner.event(
        mechanism: mechanism,
        groups: sources.sorted().map { TargetGroup(source: $0, targets: []) })
    }
  }

  private let watches = Mutex<[Watch]>([])
  private let report: @Sendable (Event) -> Void
  private let log: LogSink

  init(log: LogSink, report: @escaping @Sendable (Event) -> Void) {
    self.log = log
    self.report = report
  }

  /// Takes over the discoveries of new settings and looks at all files at once.
  func adopt(_ settings: Settings) {
    let all = DiscoveryOwner.all(
      in: settings, scrapes: \.fileDiscovery, alertmanagers: \.fileDiscovery)
    let fresh = all.map {
      Watch(owner: $0.owner, mechanism: "file_sd/\($0.index)", settings: $0.settings)
    }
    watches.withLock { watches in
      var old = watches
      watches = fresh.map { new in
        guard let place = old.firstIndex(where: { $0.isSame(as: new) }) else { return new }
        // What it knows tells it which targets of files that no longer belong to it must end.
        var kept = old.remove(at: place)
        kept.settings = new.settings
        kept.nextRefresh = 0
        return kept
      }
      for gone in old { report(gone.ending(gone.known)) }
    }
    look()
  }

  /// Starts the watching thread.
  func start() {
    SystemThread.start("file-sd") { [self] in
      while true {
        sleep(1)
        look()
      }
    }
  }

  /// Looks at every file once and reports the differences.
  func look() {
    let now = WallClock.monotonicNanoseconds()
    // Reported inside the lock: what another thread saw earlier must not arrive later.
    watches.withLock { watches in
      for index in watches.indices {
        for event in look(at: &watches[index], now: now) { report(event) }
      }
    }
  }

  private func look(at watch: inout Watch, now: UInt64) -> [Event] {
    let due = now >= watch.nextRefresh
    if due {
      let interval = max(1000, watch.settings.refreshInterval.milliseconds)
      watch.nextRefresh = now + UInt64(interval) * 1_000_000
    }
    var events: [Event] = []
    let files = watch.settings.files.flatMap { Glob($0)?.matches() ?? [] }
    for file in files {
      guard let stamp = Self.stamp(of: file) else { continue }
      if !due && watch.stamps[file] == stamp { continue }
      watch.stamps[file] = stamp
      guard let groups = read(file) else { continue }
      let stale = watch.known.filter { $0.hasPrefix(file + ":") }
      let sources = Set(groups.map(\.source))
      let gone = stale.subtracting(sources).sorted().map { TargetGroup(source: $0, targets: []) }
      watch.known.subtract(gone.map(\.source))
      watch.known.formUnion(sources)
      events.append(
        watch.owner.event(mechanism: watch.mechanism, groups: groups + gone))
    }
    if let event = forget(&watch, exceptIn: files) { events.append(event) }
    return events
  }

  /// The groups of a file; nil, and a line in the log, for one that cannot be used.
  private func read(_ file: String) -> [TargetGroup]? {
    let problem: String
    do throws(FileSystem.Problem) {
      let source = SourceText(name: file, bytes: try FileSystem.read(file))
      let (groups, diagnostics) = TargetFile.parse(source, path: file)
      guard let first = diagnostics.first(where: { $0.severity == .error }) else { return groups }
      let place = first.position.map { ":\($0.line):\($0.column)" } ?? ""
      problem = "\(file)\(place): \(first.message)"
    } catch {
      problem = error.description
    }
    log.log(
      .error, "discovery", "A target file cannot be used; its last good targets stay",
      [("error", problem)])
    return nil
  }

  /// Ends the targets of files that are gone.
  private func forget(_ watch: inout Watch, exceptIn files: [String]) -> Event? {
    var gone: [String] = []
    for file in watch.stamps.keys.filter({ !files.contains($0) }).sorted() {
      watch.stamps[file] = nil
      gone += watch.known.filter { $0.hasPrefix(file + ":") }.sorted()
    }
    if gone.isEmpty { return nil }
    watch.known.subtract(gone)
    return watch.ending(gone)
  }

  private static func stamp(of file: String) -> Stamp? {
    var info = stat()
    guard stat(file, &info) == 0 else { return nil }
    return Stamp(
      inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: Int64(info.st_mtim.tv_sec),
      nanoseconds: Int64(info.st_mtim.tv_nsec))
  }
}
