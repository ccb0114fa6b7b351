/// What the name of a metric says about it, by Prometheus' conventions.
enum MetricNames {
  /// Suffixes of what goes up and down.
  private static let gaugeSuffixes = [
    "_size", "_usage", "_ratio", "_percent", "_percentage", "_celsius", "_length", "_active",
    "_idle", "_waiting", "_limit", "_capacity", "_available", "_free", "_used", "_info",
    "_load1", "_load5", "_load15", "_timestamp", "_timestamp_seconds", "_utilization",
    "_temperature", "_level", "_depth", "_pending", "_in_use", "_inflight", "_in_flight",
    "_avail_bytes", "_free_bytes", "_size_bytes", "_used_bytes", "_available_bytes",
    "_connections", "_goroutines", "_threads", "_replicas", "_uptime", "_uptime_seconds", "_lag",
    "_lag_seconds", "_age_seconds", "_open_fds", "_max_fds", "_working_set_bytes",
    "_resident_memory_bytes",
  ]

  private static let counterSuffixes = ["_total", "_count", "_sum", "_bucket"]

  /// Whether the name says gauge.
  ///
  /// Not `up` and its like: of what is 0 or 1 the rate counts how often it came back.
  static func looksLikeGauge(_ name: String) -> Bool {
    gaugeSuffixes.contains { name.hasSuffix($0) }
  }

  /// Whether the name says counter: `_total`, which nothing else should end with.
  static func looksLikeCounter(_ name: String) -> Bool {
    name.hasSuffix("_total") && !name.contains(":") && !misnamed(name)
  }

  /// Whether `rate` of it makes sense by its name.
  static func mayBeRated(_ name: String) -> Bool {
    counterSuffixes.contains { name.hasSuffix($0) }
  }

  /// Gauges that well-known exporters call `…_total`.
  private static func misnamed(_ name: String) -> Bool {
    let words = [
      "memory_total", "mem_total", "swap_total", "disk_total", "space_total", "capacity_total",
      "bytes_total_size", "nodes_total", "replicas_total", "members_total", "connections_total",
      "shards_total", "pods_total", "cpus_total", "size_total", "limit_total", "cores_total",
      "volumes_total", "hosts_total", "instances_total", "workers_total", "servers_total",
    ]
    let states = ["pending", "uptime", "active", "current", "_open_", "idle", "inflight"]
    return words.contains { name.hasSuffix($0) } || states.contains { name.contains($0) }
  }
}
