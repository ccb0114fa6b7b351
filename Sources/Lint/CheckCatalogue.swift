import Config
import Diagnostics
import YAML

/// All checks: the ones that lint, and what the loaders refuse or remark.
package enum CheckCatalogue {
  /// Sorted by id.
  package static let all: [Check] =
    (Linter.inspections.flatMap { $0.checks }
    + Policies.checks + RepeatedRules.checks + RuleSets.checks + LiveSeries.checks
    + MetricLint.checks
    + [ControlScopes.unused, ControlScopes.invalid] + refusals + configurations)
    .sorted { $0.id < $1.id }

  private static let byID: [String: Check] = Dictionary(
    all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })

  package static func check(_ id: String) -> Check? { byID[id] }

  /// Checks by id, by pint's name, or by family (`promql/*`).
  package static func named(_ name: String) -> [Check] {
    if let check = byID[name] { return [check] }
    if name.hasSuffix("/*") { return all.filter { $0.id.hasPrefix(name.dropLast()) } }
    return all.filter { $0.aliases.contains(name) }
  }

  /// The id someone probably meant.
  package static func nearest(_ name: String) -> String? {
    NearestName.find(name, among: all.map(\.id))
  }

  /// What is wrong with the ids in a configuration.
  package static func problems(in settings: LintSettings) -> [Diagnostic] {
    settings.ids.filter { named($0.id).isEmpty }.map { id, node in
      let target = node.content
      return Diagnostic(
        "config/check", .error, "there is no check `\(id)`", source: target.source,
        range: target.range, label: nearest(id).map { "did you mean `\($0)`?" })
    }
  }

  /// The part of the documentation that explains every check, by family.
  package static var markdown: String {
    let families: [(name: String, title: String)] = [
      ("alert", "Alerts"), ("template", "Templates"), ("promql", "Expressions"),
      ("rules", "Rules and groups"), ("live", "With a server"), ("policy", "House rules"),
      ("control", "Control comments"), ("yaml", "YAML"), ("config", "Configurations"),
      ("metrics", "Expositions"),
    ]
    return families.map { family in
      let checks = all.filter { $0.id.hasPrefix(family.name + "/") }
      return "## \(family.title)\n\n" + checks.map(\.markdown).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension Check {
  /// A check whose findings Prometheus makes too.
  fileprivate static func refusal(_ id: String, _ summary: String, _ text: String) -> Check {
    Check(id, .error, isRefusal: true, summary, text)
  }
}

extension CheckCatalogue {
  /// What makes Prometheus refuse a file; all of them are told, not only the first.
  static let refusals: [Check] = [
    .refusal(
      "yaml/syntax", "the file is no YAML",
      "The text cannot be read as YAML; nothing else of the file is checked."),
    .refusal(
      "yaml/anchor", "an alias without its anchor",
      "`*name` stands for the node marked `&name`, which comes before it and does not hold itself."
    ),
    .refusal(
      "yaml/byte-size", "a size that cannot be read", "Sizes look like `512KB`, `10MB` or `1GiB`."),
    .refusal(
      "yaml/duplicate-key", "a key stands twice in a mapping",
      "Prometheus refuses the file. The second of the two would hide the first."),
    .refusal(
      "yaml/duration", "a duration that cannot be read",
      "Durations look like `30s`, `5m` or `1h30m`: largest unit first, no blanks, no fractions."),
    .refusal(
      "yaml/limit", "the file is too large or too deep",
      "Files over 64 MiB, nested deeper than 500 levels, or that grow beyond five million nodes by "
        + "their aliases are not read."),
    .refusal(
      "yaml/merge", "`<<` with something that is no mapping",
      "A merge key takes a mapping or a list of mappings."),
    .refusal(
      "yaml/tag", "a tag that does not fit its value",
      "A value marked `!!binary`, `!!int` or the like must be one."),
    .refusal(
      "yaml/type", "a value of the wrong type",
      "The field takes something else: a list instead of a text, a number instead of a mapping."),
    .refusal(
      "yaml/unknown-field", "a field nobody knows",
      "A slip of the pen, a wrong indentation, or a field of another program. Prometheus refuses "
        + "the file; `--ignore-unknown-fields` accepts it."),
    .refusal("yaml/value", "a word that is not among those allowed", "The message lists them."),
    .refusal(
      "promql/syntax", "an expression that does not parse",
      "The message is Prometheus', the caret stands at its place in the file, inside block and "
        + "quoted scalars too."),
    .refusal(
      "promql/type", "an operand or argument of the wrong type",
      "Functions of ranges need `[5m]` behind their selector, aggregations need a vector."
    ),
    .refusal(
      "promql/unknown-function", "a function that does not exist",
      "A slip of the pen, or an experimental function, which needs a feature flag of Prometheus."),
    .refusal(
      "promql/regexp", "a regular expression that does not compile",
      "Patterns are RE2, the language of Go: no look-ahead, no back-references."),
    .refusal(
      "template/syntax", "a template that does not parse",
      "An unclosed action, a function or variable that does not exist. Prometheus refuses the rule."
    ),
    .refusal(
      "rules/duplicate-group", "a group name stands twice in a file",
      "Groups are told apart by file and name."),
    .refusal("rules/expr", "a rule without `expr`", "Every rule needs an expression."),
    .refusal(
      "rules/field", "a field that recording rules do not have",
      "`for`, `keep_firing_for` and `annotations` belong to alerts."),
    .refusal("rules/group-name", "a group without a name", "Every group needs a name."),
    .refusal(
      "rules/kind", "a rule that is neither alert nor record, or both",
      "A rule has either `alert` or `record`."),
    .refusal(
      "rules/label-name", "a label name that is not allowed",
      "Names are not empty, and `__name__` is set by the rule."),
    .refusal(
      "rules/annotation-name", "an annotation name that is not allowed", "Names are not empty."),
    .refusal(
      "rules/record-name", "a name with braces", "The name of a series stands without its labels."),
  ]

  /// What is said about prometheus.yml, tocsin.yml and web configurations.
  static let configurations: [Check] = [
    .refusal("config/api-version", "an Alertmanager API that is gone", "Only `v2` is left."),
    .refusal(
      "config/authentication", "credentials that exclude each other",
      "At most one way to authenticate, and at most one place for each secret."),
    .refusal("config/check", "an id of a check that does not exist", "See the ids on this page."),
    .refusal(
      "config/duplicate-job", "two jobs of one name", "Jobs are told apart by their name."),
    Check(
      "config/empty-variable", .warning, isRefusal: true, "an environment variable that is empty",
      "`${NAME}` in `external_labels` stands for a variable that is not set."),
    .refusal("config/file", "a file that cannot be read", "The message is the system's."),
    .refusal("config/header", "a header that may not be set", "The client sets it itself."),
    .refusal("config/invalid", "a setting Prometheus refuses", "The message is Prometheus'."),
    .refusal("config/job-name", "a job without a name", "Every job needs a name."),
    .refusal("config/label-name", "a label name that is not allowed", "Names are not empty."),
    .refusal("config/matcher", "a matcher that cannot be read", "Matchers look like `a=\"b\"`."),
    Check(
      "config/missing-file", .warning, isRefusal: true, "a file that does not exist",
      "The configuration names a file that is not there (yet)."),
    Check(
      "config/not-supported", .warning, isRefusal: true, "a valid setting without effect here",
      "Tocsin reads the setting and does nothing with it."),
    Check(
      "config/long-scrape-interval", .warning, isRefusal: true,
      "a scrape interval longer than the lookback",
      "Series are looked up five minutes back; between two scrapes they vanish."),
    .refusal(
      "config/pattern", "a file pattern that is not allowed",
      "Stars may stand in the last part of a path only."),
    .refusal("config/proxy", "proxy settings that exclude each other", "See Prometheus' manual."),
    .refusal(
      "config/regexp", "a regular expression that does not compile", "Patterns are RE2."),
    .refusal(
      "config/relabel", "a relabelling step that cannot work",
      "The action lacks a setting or has one too many."),
    .refusal("config/scheme", "a scheme other than http and https", "The scraper knows these two."),
    .refusal(
      "config/scrape-protocol", "an unknown or repeated scrape protocol",
      "Each of the known protocols at most once."),
    .refusal(
      "config/target", "a target that can never be scraped",
      "A target is `host:port`, without scheme or path."),
    .refusal(
      "config/timeout", "a timeout longer than the interval",
      "A scrape has to end before the next one starts."),
    .refusal("config/tls", "TLS settings that exclude each other", "See Prometheus' manual."),
    .refusal(
      "config/unsupported-discovery", "a kind of discovery that is not there",
      "Tocsin refuses what it cannot find targets with rather than watching nothing."),
    .refusal("config/url", "a URL that cannot be used", "The message says why."),
    .refusal("config/webhook", "a webhook that cannot work", "The message says why."),
    .refusal(
      "config/web", "a web configuration that cannot work",
      "TLS, users and headers of the web server, in the format of Prometheus' exporter toolkit."),
  ]
}
