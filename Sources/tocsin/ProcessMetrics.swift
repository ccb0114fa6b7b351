import Config
import Glibc
import Kernel
import Model
import Server
import Synchronization

/// What the process knows of itself: reloads, memory, CPU, descriptors, version.
final class ProcessMetrics: Sendable {
  private let reload = Mutex(ProcessStatus.Reload())
  private let started: Timestamp
  private let lostLetters = Atomic<UInt64>(0)

  init(started: Timestamp) { self.started = started }

  /// Notes how loading the configuration went.
  func noteReload(succeeded: Bool, at time: Timestamp) {
    reload.withLock {
      $0.succeeded = succeeded
      if succeeded { $0.lastSuccess = time }
    }
  }

  /// Notes that a dead letter could not be written down.
  func noteLostLetter() { lostLetters.add(1, ordering: .relaxed) }

  /// What the status pages show; flags and configuration are the caller's to add.
  func status() -> ProcessStatus {
    var status = ProcessStatus()
    status.started = started
    status.workingDirectory = Self.text(4096) { getcwd($0, $1) != nil }
    status.hostName = Self.text(256) { gethostname($0, $1) == 0 }
    status.reload = { [self] in reload.withLock { $0 } }
    status.threads = { Int(Self.stat(17)) }
    status.processors = Self.processors
    return status
  }

  /// The processors of the machine.
  static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// The lines for `/metrics`.
  func exposition() -> [UInt8] {
    let reload = reload.withLock { $0 }
    var out = MetricsText()
    let prefix = "prometheus_config_last_reload_"
    out.single(
      prefix + "successful", .gauge,
      "Whether the last configuration reload attempt was successful.", reload.succeeded ? 1 : 0)
    out.single(
      prefix + "success_timestamp_seconds", .gauge,
      "Timestamp of the last successful configuration reload.", reload.lastSuccess?.seconds ?? 0)
    out.single(
      "tocsin_dead_letters_lost_total", .counter,
      "Dead letters that could not be written, or that there is no file for.",
      Double(lostLetters.load(ordering: .relaxed)))
    for name in ["prometheus_build_info", "tocsin_build_info"] {
      out.family(name, .gauge, "A metric with a constant 1 labeled by version.")
      out.sample(1, [("version", Tocsin.version)])
    }
    writeProcess(to: &out)
    return out.bytes
  }

  private func writeProcess(to out: inout MetricsText) {
    out.single(
      "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.",
      Self.cpuSeconds())
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    out.single(
      "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.",
      Self.stat(21) * page)
    out.single(
      "process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes.", Self.stat(20))
    out.single("process_threads", .gauge, "Number of threads.", Self.stat(17))
    out.single(
      "process_open_fds", .gauge, "Number of open file descriptors.",
      Double(FileSystem.names(in: "/proc/self/fd").count))
    out.single(
      "process_max_fds", .gauge, "Maximum number of open file descriptors.", Self.maxDescriptors())
    out.single(
      "process_start_time_seconds", .gauge,
      "Start time of the process since unix epoch in seconds.", started.seconds)
  }

  private static func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return Double(seconds) + Double(micros) / 1_000_000
  }

  private static func maxDescriptors() -> Double {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
  }

  /// A field of `/proc/self/stat`, counted from the one behind the program's name.
  private static func stat(_ index: Int) -> Double {
    guard let content = try? FileSystem.read("/proc/self/stat"),
      let end = content.lastIndex(of: UInt8(ascii: ")"))
    else { return 0 }
    let fields = content[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard index < fields.count else { return 0 }
    return Double(String(decoding: fields[index], as: UTF8.self)) ?? 0
  }

  /// A text that a C function writes, ended by a zero byte.
  private static func text(
    _ size: Int, _ fill: (UnsafeMutablePointer<CChar>, Int) -> Bool
  ) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
      buffer.initialize(repeating: 0)
      guard let base = buffer.baseAddress, fill(base, size - 1) else { return "" }
      return String(cString: base)
    }
  }
}
