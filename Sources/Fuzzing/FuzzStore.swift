import Model
import PromQL
import Storage

/// The small store that generated expressions run over: counters with resets, gauges with gaps and
/// stale markers, classic and native histograms, labels that must be quoted.
package enum FuzzStore {
  package static let step = PromDuration.seconds(30)
  package static let lines = [
    "a_total{i=\"1\",j=\"x\"} 0+5x12 3+7x12",
    "a_total{i=\"2\",j=\"x\"} 1 4 _ 9 stale _x3 2+2x14",
    "a_total{i=\"3\",j=\"y\",\"a label\"=\"x\"} 0+1.5x24",
    "b{i=\"1\",j=\"x\",\"a label\"=\"x\"} 3 -2 0.5 NaN Inf -Inf 7x18",
    "b{i=\"2\",j=\"y\"} 1e300 -1e300 1e-300x22", "b{i=\"3\"} -5+0.75x24",
    "h_bucket{le=\"0.1\",j=\"x\"} 0+1x24", "h_bucket{le=\"1\",j=\"x\"} 0+3x24",
    "h_bucket{le=\"+Inf\",j=\"x\"} 0+4x24", "h_bucket{le=\"odd\",j=\"y\"} 1x24",
    "n{i=\"1\"} {{schema:0 count:4 sum:6 buckets:[2 2]}}"
      + "+{{schema:0 count:2 sum:3 buckets:[1 1]}}x24",
    "n{i=\"2\"} {{schema:3 count:5 sum:-1 z_bucket:1 z_bucket_w:0.01 n_buckets:[1 2]"
      + " buckets:[1]}}x9 stale 4 {{schema:-53 count:3 sum:4 custom_values:[1 5]"
      + " buckets:[1 1 1]}}x9",
    "info{j=\"x\",v=\"1\"} 1x24", "info{j=\"y\",v=\"2\"} 1x24",
    "target_info{i=\"1\",data=\"d\"} 1x24",
    "{\"the host\",i=\"1\"} 1+1x24",
  ]

  /// A store with all lines; one sample every `step` from time zero.
  package static func make() throws -> Store {
    let store = Store(StoreSettings(keep: .all, retention: .days(1000)))
    for line in lines {
      let series = try PromQLParser.parseSeriesDescription(line)
      for (i, value) in series.values.enumerated() {
        guard let sample = value.sample else { continue }
        let time = Timestamp(milliseconds: step.milliseconds * Int64(i))
        try store.append(series.labels, at: time, sample)
      }
    }
    return store
  }
}
