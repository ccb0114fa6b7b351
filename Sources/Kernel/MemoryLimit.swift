import Model
import Storage

/// What the memory limit has done since the start.
struct MemoryLimitState {
  /// How often history was dropped.
  var cuts = 0
  /// Whether the rules' windows alone are above the limit, so that nothing can be dropped.
  var isHelpless = false
}

extension Kernel {
  /// Drops history that no rule asks for while the store is above its limit, and says so.
  func keepWithinMemory(at now: Timestamp, _ effects: inout EffectList) {
    let limit = settings.storage.memoryLimit
    let wasCut = store.adHocRetention < settings.storage.retention
    if let cut = store.keepWithin(limit, now: now) {
      if cut.after < cut.before { memoryLimit.cuts += 1 }
      effects.log(
        .warn, "storage",
        cut.after < cut.before
          ? "Memory limit reached: history that no rule needs is dropped"
          : "Memory limit reached: from now on only what the rules need is kept",
        [
          ("limit_bytes", "\(limit)"), ("bytes_before", "\(cut.before)"),
          ("bytes", "\(cut.after)"), ("history", cut.retention.description),
        ])
    } else if wasCut, store.adHocRetention == settings.storage.retention {
      effects.log(
        .info, "storage", "History is kept as long as configured again",
        [("history", store.adHocRetention.description)])
    }
    let isHelpless =
      limit > 0 && store.adHocRetention == .zero && store.statistics.bytes > limit
    if isHelpless && !memoryLimit.isHelpless {
      effects.log(
        .error, "storage", "The rules' own windows need more memory than the limit allows",
        [("limit_bytes", "\(limit)"), ("bytes", "\(store.statistics.bytes)")])
    }
    memoryLimit.isHelpless = isHelpless
  }

  /// What the limit is and what it does.
  func writeMemoryLimitMetrics(to out: inout MetricsText) {
    out.single(
      "tocsin_storage_memory_limit_bytes", .gauge, "The configured memory limit, 0 for none.",
      Double(settings.storage.memoryLimit))
    out.single(
      "tocsin_storage_history_retention_seconds", .gauge,
      "How long samples stay that no rule asks for.", store.adHocRetention.seconds)
    out.single(
      "tocsin_storage_history_cuts_total", .counter,
      "How often the memory limit made the store drop history.", Double(memoryLimit.cuts))
  }
}
