import Model
import Storage

extension Kernel {
  func writeScrapeMetrics(to out: inout MetricsText) {
    let prefix = "prometheus_target_scrapes_"
    let counts = scraper.counts
    out.single(
      prefix + "sample_duplicate_timestamp_total", .counter,
      "Total number of samples rejected due to duplicate timestamps but different values.",
      Double(counts.duplicates))
    out.single(
      prefix + "sample_out_of_order_total", .counter,
      "Total number of samples rejected due to not being out of the expected order.",
      Double(counts.outOfOrder))
    out.single(
      prefix + "sample_out_of_bounds_total", .counter,
      "Total number of samples rejected due to timestamp falling outside of the time bounds.",
      Double(counts.outOfBounds))
    out.single(
      prefix + "exceeded_sample_limit_total", .counter,
      "Total number of scrapes that hit the sample limit and were rejected.",
      Double(counts.exceededSampleLimit))
    out.single(
      prefix + "exceeded_body_size_limit_total", .counter,
      "Total number of scrapes that hit the body size limit.", Double(counts.exceededBodySize))
    out.single(
      prefix + "exceeded_native_histogram_bucket_limit_total", .counter,
      "Total number of scrapes that hit the native histogram bucket limit and were rejected.",
      Double(counts.exceededBucketLimit))
    out.single(
      "tocsin_scrapes_total", .counter, "Scrapes that came to an end, well or not.",
      Double(counts.scrapes))
    out.single(
      "tocsin_scraped_samples_total", .counter, "Samples parsed from scrapes.",
      Double(counts.samples))
    out.single(
      "tocsin_scrapes_skipped_total", .counter,
      "Scrapes left out because the one before had not come to an end.", Double(counts.skipped))
  }

  private func perPool(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, to out: inout MetricsText,
    _ value: (ScrapePool) -> Double
  ) {
    if scraper.pools.isEmpty { return }
    out.family(name, kind, help)
    for pool in scraper.pools { out.sample(value(pool), [("scrape_job", pool.settings.jobName)]) }
  }

  func writePoolMetrics(to out: inout MetricsText) {
    let prefix = "prometheus_target_scrape_pool_"
    perPool(
      prefix + "targets", .gauge, "Current number of targets in this scrape pool.", to: &out
    ) { Double($0.targets.count) }
    perPool(
      prefix + "sync_total", .counter,
      "Total number of syncs that were executed on a scrape pool.", to: &out
    ) { Double($0.syncs) }
    if !scraper.pools.isEmpty {
      out.family(
        "prometheus_sd_discovered_targets", .gauge,
        "Current number of discovered targets, before relabelling.")
      for pool in scraper.pools {
        out.sample(pool.foundCount, [("config", pool.settings.jobName), ("name", "scrape")])
      }
      out.family(
        "prometheus_target_sync_length_seconds", .summary,
        "Actual interval to sync the scrape pool.")
      for pool in scraper.pools {
        out.summary(
          pool.syncLengths, [("scrape_job", pool.settings.jobName)],
          quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
      }
    }
    perPool(
      "prometheus_target_sync_failed_total", .counter, "Total number of target sync failures.",
      to: &out
    ) { Double($0.failedSyncs) }
    perPool(
      prefix + "target_limit", .gauge,
      "Maximum number of targets allowed in this scrape pool.", to: &out
    ) { Double($0.settings.targetLimit) }
    out.single(
      "prometheus_target_scrape_pools_total", .counter,
      "Total number of scrape pool creation attempts.", Double(scraper.pools.count))
    out.single(
      prefix + "reloads_total", .counter, "Total number of scrape pool reloads.",
      Double(scraper.pools.reduce(0) { $0 + $1.reloads }))
    out.single(
      prefix + "exceeded_target_limit_total", .counter,
      "Total number of times scrape pools hit the target limit, during sync or config reload.",
      Double(scraper.pools.reduce(0) { $0 + $1.exceededTargetLimit }))
    out.family(
      "prometheus_target_scrape_duration_seconds", .histogram,
      "Time from the request of a scrape to its answer.")
    out.histogram(scraper.durations)
    writeIntervalMetrics(to: &out)
  }

  private func writeIntervalMetrics(to out: inout MetricsText) {
    if scraper.intervals.isEmpty { return }
    out.family(
      "prometheus_target_interval_length_seconds", .summary, "Actual intervals between scrapes.")
    for (interval, summary) in scraper.intervals.sorted(by: { $0.key < $1.key }) {
      out.summary(
        summary, [("interval", interval.description)], quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
    }
  }

  func writeStoreMetrics(to out: inout MetricsText) {
    let statistics = store.statistics
    out.single(
      "prometheus_tsdb_head_series", .gauge, "Total number of series in the head block.",
      Double(statistics.series))
    out.single(
      "prometheus_tsdb_head_samples_appended_total", .counter,
      "Total number of appended samples.", Double(statistics.appended))
    out.single("tocsin_store_rows", .gauge, "Rows held, raw and sealed.", Double(statistics.rows))
    out.single("tocsin_store_columns", .gauge, "Columns in use.", Double(statistics.columns))
    out.single(
      "tocsin_store_samples", .gauge, "Samples and stale markers held.", Double(statistics.samples))
    out.single(
      "tocsin_store_sealed_samples", .gauge, "Of these, in sealed rows.",
      Double(statistics.sealedSamples))
    out.single(
      "tocsin_store_sealed_bytes", .gauge, "Bytes held for sealed rows.",
      Double(statistics.sealedBytes))
    out.single(
      "tocsin_store_bytes", .gauge, "Bytes held for samples, labels and indexes.",
      Double(statistics.bytes))
    out.single(
      "tocsin_store_selectors", .gauge, "Standing selectors of the rules.",
      Double(statistics.selectors))
  }
}
