import Config
import Diagnostics
import Kernel
import Model
import Testing

@Suite("prometheus.yml")
struct PrometheusConfigTests {
  private func load(_ yaml: String) -> PrometheusConfig {
    PrometheusConfigLoader.load(
      SourceText(name: "/etc/p/prometheus.yml", text: yaml),
      environment: { ["HOME": "/root", "EMPTY": ""][$0] })
  }

  private func job(_ lines: String) -> String {
    "scrape_configs:\n- job_name: x\n"
      + lines.split(separator: "\n").map { "  \($0)\n" }.joined()
  }

  @Test func defaults() throws {
    let config = load("scrape_configs: [{job_name: x, static_configs: [{targets: [a:1]}]}]")
    #expect(config.diagnostics.isEmpty)
    #expect(config.settings.global.scrapeInterval == .minutes(1))
    #expect(config.settings.global.evaluationInterval == .minutes(1))
    let job = try #require(config.settings.scrapes.first)
    #expect(job.interval == .minutes(1))
    #expect(job.timeout == .seconds(10))
    #expect(job.metricsPath == "/metrics")
    #expect(job.scheme == "http")
    #expect(job.honorTimestamps)
    #expect(job.http.followRedirects)
    #expect(job.staticTargets == [TargetGroup(source: "0", targets: ["a:1"])])
  }

  @Test func everythingAJobCanSay() throws {
    let config = load(
      """
      global:
        scrape_interval: 10s
        evaluation_interval: 20s
        rule_query_offset: 5s
        sample_limit: 100
        body_size_limit: 1MB
        external_labels: {home: "${HOME}/$EMPTY$$", a: b}
      rule_files: [rules/*.yml, /abs.yml]
      alerting:
        alertmanagers:
          - scheme: https
            path_prefix: /am
            timeout: 3s
            static_configs: [{targets: [am:9093]}]
            http_sd_configs: [{url: 'https://sd.example/am', bearer_token_file: token}]
            dns_sd_configs: [{names: [am.example], type: A, port: 9093}]
      scrape_configs:
        - job_name: j
          scrape_interval: 5s
          metrics_path: /m
          params: {b: [1, 2], a: [x]}
          honor_labels: true
          sample_limit: 7
          basic_auth: {username: u, password_file: pw}
          tls_config: {ca_file: ca.pem, insecure_skip_verify: true, min_version: TLS12}
          relabel_configs:
            - {source_labels: [a], regex: b, action: drop}
          file_sd_configs: [{files: [t/*.json], refresh_interval: 1m}]
      """)
    #expect(config.diagnostics.map(\.id) == ["config/empty-variable"])
    let settings = config.settings
    #expect(settings.global.externalLabels == ["home": "/root/$", "a": "b"])
    #expect(settings.global.ruleQueryOffset == .seconds(5))
    #expect(config.ruleFiles.map(\.pattern) == ["/etc/p/rules/*.yml", "/abs.yml"])
    let am = try #require(settings.alertmanagers.first)
    #expect(am.scheme == "https" && am.pathPrefix == "/am" && am.timeout == .seconds(3))
    #expect(am.httpDiscovery.map(\.url) == ["https://sd.example/am"])
    #expect(
      am.dnsDiscovery == [DNSDiscoverySettings(names: ["am.example"], record: .a, port: 9093)])
    let job = try #require(settings.scrapes.first)
    #expect(job.timeout == .seconds(5))
    #expect(job.params.map { "\($0.name)=\($0.values)" } == ["a=[\"x\"]", "b=[\"1\", \"2\"]"])
    #expect(job.sampleLimit == 7)
    #expect(job.bodySizeLimit == 1 << 20)
    #expect(job.http.basicAuth?.username == .inline("u"))
    #expect(job.http.basicAuth?.password == .file("/etc/p/pw"))
    #expect(job.http.tls.caFile == "/etc/p/ca.pem")
    #expect(job.http.tls.minVersion == "TLS12")
    #expect(job.relabeling.map(\.action) == [.drop])
    #expect(
      job.fileDiscovery == [
        FileDiscoverySettings(files: ["/etc/p/t/*.json"], refreshInterval: .minutes(1))
      ])
    #expect(config.namedFiles == ["/etc/p/pw", "/etc/p/ca.pem", "/etc/p/token"])
  }

  @Test(arguments: [
    ("scrape_timeout: 2m", "config/timeout"),
    ("scheme: ftp", "config/scheme"),
    ("scrape_interval: 5", "yaml/duration"),
    ("scrape_intervall: 5s", "yaml/unknown-field"),
    ("honor_labels: perhaps", "yaml/type"),
    ("static_configs: [~]", "config/invalid"),
    ("static_configs: [{targets: ['http://a']}]", "config/target"),
    ("static_configs: [{target: [a]}]", "yaml/unknown-field"),
    ("static_configs: [{targets: [a], labels: {'': x}}]", "config/label-name"),
    ("basic_auth: {username: a, password: b, password_file: c}", "config/authentication"),
    ("basic_auth: {username: a}\nauthorization: {credentials: x}", "config/authentication"),
    ("basic_auth: {username: a}\nbearer_token: x", "config/authentication"),
    ("bearer_token: x\nbearer_token_file: y", "config/authentication"),
    ("authorization: {type: BASIC}", "config/authentication"),
    ("tls_config: {cert_file: x}", "config/tls"),
    ("tls_config: {min_version: TLS9}", "yaml/value"),
    ("proxy_url: http://a b", "config/url"),
    ("no_proxy: x", "config/proxy"),
    ("http_headers: {Host: {values: [x]}}", "config/header"),
    ("relabel_configs: [{action: replace}]", "config/relabel"),
    ("relabel_configs: [{action: rename}]", "config/relabel"),
    ("relabel_configs: [{regex: '(', target_label: x}]", "config/relabel"),
    ("relabel_configs: [~]", "config/relabel"),
    ("relabel_configs: [{regexp: x, target_label: a}]", "yaml/unknown-field"),
    ("relabel_configs: [{action: hashmod, target_label: a, modulus: ten}]", "yaml/type"),
    ("file_sd_configs: [{files: [a.txt]}]", "config/target"),
    ("file_sd_configs: [{files: []}]", "config/target"),
    ("kubernetes_sd_configs: [{role: pod}]", "config/unsupported-discovery"),
    ("kubernets_sd_configs: [{role: pod}]", "config/unsupported-discovery"),
    ("body_size_limit: 100", "yaml/byte-size"),
    ("scrape_protocols: []", "config/scrape-protocol"),
    ("scrape_protocols: [Foo]", "config/scrape-protocol"),
    ("fallback_scrape_protocol: Foo", "config/scrape-protocol"),
    (
      "metric_name_escaping_scheme: allow-utf-8\nmetric_name_validation_scheme: legacy",
      "config/invalid"
    ),
  ])
  func badJobsAreRefused(_ lines: String, _ id: String) {
    let errors = load(job(lines)).diagnostics.filter { $0.severity == .error }
    #expect(errors.map(\.id) == [id], "\(errors.map(\.message))")
    #expect(errors.allSatisfy { ($0.position?.line ?? 0) > 1 })
  }

  @Test(arguments: [
    ("global: {scrape_timeout: 2m}", "config/timeout"),
    ("global: {scrape_intervl: 2m}", "yaml/unknown-field"),
    ("global: {external_labels: {a: [x]}}", "yaml/type"),
    ("rule_files: ['a/*/b.yml']", "config/pattern"),
    ("rule_files: ['[a']", "config/pattern"),
    ("scrape_configs: [~]", "config/invalid"),
    ("scrape_configs: [{scheme: http}]", "config/job-name"),
    ("scrape_configs: [{job_name: a}, {job_name: a}]", "config/duplicate-job"),
    ("scrape_configs: []\nscrape_configs: []", "yaml/duplicate-key"),
    ("alerting: {alertmanagers: [{api_version: v1}]}", "config/api-version"),
    ("alerting: {alertmanagers: [{consul_sd_configs: []}]}", "config/unsupported-discovery"),
    ("alerting: {alertmanagers: [{http_sd_configs: [{url: ''}]}]}", "config/url"),
    ("alerting: {alertmanagers: [{dns_sd_configs: [{names: []}]}]}", "config/target"),
    ("remote_write: [{name: x}]", "config/invalid"),
    ("remote_write: [{url: x, headers: {Host: y}}]", "config/header"),
    ("tracing: {insecure: true}", "config/invalid"),
    ("jobs: []", "yaml/unknown-field"),
    ("- a", "yaml/type"),
  ])
  func badFilesAreRefused(_ yaml: String, _ id: String) {
    let errors = load(yaml).diagnostics.filter { $0.severity == .error }
    #expect(errors.map(\.id) == [id], "\(errors.map(\.message))")
  }

  @Test(arguments: [
    "", "global:", "global: {}", "scrape_configs: []", "rule_files: []",
    "storage: {tsdb: {out_of_order_time_window: 30m}}", "runtime: {gogc: 50}",
    "remote_write: [{url: 'http://x/w'}]", "remote_read: [{url: 'http://x/r', read_recent: true}]",
    "otlp: {promote_resource_attributes: [a, b]}", "tracing: {endpoint: 'x:4317'}",
    "scrape_configs: [{job_name: a, scrape_native_histograms: true}]",
    "scrape_configs: [{job_name: a, oauth2: {client_id: a, token_url: b}}]",
  ])
  func goodFilesAreAccepted(_ yaml: String) {
    #expect(load(yaml).isValid)
  }

  @Test func whatIsNotObeyedIsNamed() {
    let config = load(
      """
      global: {query_log_file: q.log}
      remote_write: [{url: 'http://x/w'}]
      storage: {exemplars: {max_exemplars: 5}}
      scrape_configs:
        - job_name: a
          scrape_native_histograms: false
          basic_auth: {username_ref: 5}
      """)
    #expect(config.isValid)
    #expect(
      config.diagnostics.map { "\($0.position?.line ?? 0) \($0.message)" } == [
        "1 query_log_file is not supported yet: it has no effect",
        "2 remote_write is not supported yet: nothing is written there",
        "3 storage is not supported yet: it has no effect",
        "7 username_ref is not supported yet: it has no effect",
      ])
  }

  @Test func allProblemsComeAtOnce() {
    let config = load(
      """
      global: {scrape_interval: 5x}
      scrape_configs:
        - job_name: a
          scheme: gopher
          honour_labels: true
        - static_configs: [{targets: [x/y]}]
      """)
    #expect(config.diagnostics.count == 5)
    #expect(config.diagnostics.map { $0.position?.line } == [1, 4, 5, 6, 6])
  }
}
