import Config
import Glibc
import Model
import Synchronization

/// What the process knows of itself: reloads, memory, CPU, descriptors, version.
final class ProcessMetrics: Sendable {
  private struct Reload {
    var succeeded = true
    var lastSuccess = 0.0
  }

  private let reload = Mutex(Reload())
  private let started: Double

  init(started: Timestamp) { self.started = started.seconds }

  /// Notes how loading the configuration went.
  func noteReload(succeeded: Bool, at time: Timestamp) {
    reload.withLock {
      $0.succeeded = succeeded
      if succeeded { $0.lastSuccess = time.seconds }
    }
  }

  /// The lines for `/metrics`.
  func exposition() -> [UInt8] {
    let reload = reload.withLock { $0 }
    var text = ""
    func metric(
      _ name: String, _ type: String, _ help: String, _ value: Double, labels: String = ""
    ) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
      text += "\(name)\(labels) \(NumberText.general(value))\n"
    }
    metric(
      "prometheus_config_last_reload_successful", "gauge",
      "Whether the last configuration reload attempt was successful.", reload.succeeded ? 1 : 0)
    metric(
      "prometheus_config_last_reload_success_timestamp_seconds", "gauge",
      "Timestamp of the last successful configuration reload.", reload.lastSuccess)
    metric(
      "tocsin_build_info", "gauge", "A metric with a constant 1 labeled by version.", 1,
      labels: "{version=\"\(Tocsin.version)\"}")
    metric(
      "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
      Self.cpuSeconds())
    metric(
      "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
      Self.residentBytes())
    metric(
      "process_open_fds", "gauge", "Number of open file descriptors.",
      Double(FileSystem.names(in: "/proc/self/fd").count))
    metric(
      "process_start_time_seconds", "gauge",
      "Start time of the process since unix epoch in seconds.", started)
    return Array(text.utf8)
  }

  private static func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return Double(seconds) + Double(micros) / 1_000_000
  }

  /// The second number of `/proc/self/statm`, in pages.
  private static func residentBytes() -> Double {
    guard let content = try? FileSystem.read("/proc/self/statm") else { return 0 }
    let fields = content.split(separator: UInt8(ascii: " "))
    guard fields.count > 1, let pages = Double(String(decoding: fields[1], as: UTF8.self)) else {
      return 0
    }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
  }
}
