/// Fields that belong elsewhere: what people meant when a rule file holds them.
enum ForeignField {
  /// For an unknown field at the top of a rule file.
  static func inFile(_ name: String) -> String? {
    switch name {
    case "rules", "alert", "record", "name": "a rule file starts with `groups:`"
    case "tests", "rule_files", "evaluation_interval":
      "this looks like a unit test: see `tocsin test rules`"
    case "apiVersion", "kind", "metadata", "spec":
      "this looks like a PrometheusRule manifest: its `spec` is the rule file"
    case "namespace": "this is a field of Mimir's and Cortex' tools"
    default: nil
    }
  }

  /// For an unknown field of a group.
  static func inGroup(_ name: String) -> String? {
    switch name {
    case "expr", "for", "alert", "record", "annotations", "keep_firing_for":
      "this belongs to a rule"
    case "concurrency", "params", "headers", "notifier_headers", "eval_offset", "eval_delay",
      "eval_alignment", "type", "tenant", "debug":
      "vmalert knows this field, Prometheus does not"
    case "partial_response_strategy": "Thanos knows this field, Prometheus does not"
    case "source_tenants", "align_evaluation_time_on_interval", "evaluation_delay":
      "Mimir knows this field, Prometheus does not"
    default: nil
    }
  }
}
