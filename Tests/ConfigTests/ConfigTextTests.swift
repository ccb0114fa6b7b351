import Diagnostics
import Testing
import YAML

@testable import Config

@Suite struct ConfigTextTests {
  private func shown(_ text: String) -> String {
    let source = SourceText(name: "prometheus.yml", text: text)
    return PrometheusConfigLoader.load(source) { $0 == "SITE" ? "here: #1" : nil }
      .settings.configText
  }

  @Test func defaultsAreThereAndSecretsAreNot() {
    let text = shown(
      """
      # password: hush
      scrape_configs:
        - static_configs: [{targets: ['a:1', 'b']}]
          job_name: "yes"
          scrape_interval: 5s
          basic_auth: {username: me, password: hush}
          proxy_url: http://me:hush@proxy:1
          relabel_configs: [{source_labels: [a, b], target_label: "c d", replacement: ''}]
          http_headers: {X-A: {secrets: [hush], values: [shown]}}
      global:
        external_labels: {site: $SITE}
      """)
    #expect(
      text == """
        global:
          scrape_interval: 1m
          scrape_timeout: 10s
          evaluation_interval: 1m
          external_labels:
            site: "here: #1"
        scrape_configs:
        - job_name: "yes"
          honor_timestamps: true
          track_timestamps_staleness: false
          scrape_interval: 5s
          scrape_timeout: 5s
          metrics_path: /metrics
          scheme: http
          enable_compression: true
          static_configs:
          - targets:
            - a:1
            - b
          basic_auth:
            username: me
            password: <secret>
          proxy_url: http://me:xxxxx@proxy:1
          relabel_configs:
          - source_labels:
            - a
            - b
            separator: ;
            regex: (.*)
            target_label: "c d"
            replacement: ""
            action: replace
          http_headers:
            X-A:
              secrets:
              - <secret>
              values:
              - shown
          follow_redirects: true
          enable_http2: true

        """)
  }

  @Test func textsSurvive() {
    for value in ["a: b", "- x", "\"quoted\" \\", "多\n行\ttab", " lead", "0x10", "#no", "", "~"] {
      var written = ""
      ConfigValue.map([("k", .text(value, isPlain: false))]).write(to: &written, indent: 0)
      let source = SourceText(name: "", text: written)
      let again = YAMLDocument.parse(source: source).root.map { ConfigText.tree($0) }
      #expect(again?["k"]?.text == value, "\(written)")
    }
  }
}
