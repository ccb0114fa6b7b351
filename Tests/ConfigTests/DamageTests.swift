import Config
import Diagnostics
import TestSupport
import Testing

@Suite("Damaged files")
struct DamageTests {
  private static let rules = """
    groups:
      - name: g
        interval: 1m
        labels: {a: b}
        rules:
          - &r
            alert: A
            expr: |
              sum(rate(x{a=~"b|c"}[5m])) by (job)
                > 0.5
            for: 5m
            labels: {severity: "p\\u0061ge"}
            annotations: {summary: '{{ $labels.job }} is {{ $value | humanize }}'}
          - {<<: *r, alert: B}
          - record: job:x
            expr: >-
              x

              + y

    """

  private static let config = """
    global: {scrape_interval: 5s, external_labels: {a: '${B}'}}
    rule_files: ['r/*.yml']
    alerting: {alertmanagers: [{static_configs: [{targets: [a:1]}]}]}
    scrape_configs:
      - job_name: x
        relabel_configs: [{source_labels: [a], regex: '(.*)', target_label: b}]
        basic_auth: {username: a, password: b}
        static_configs: [{targets: ['a:1', b], labels: {c: d}}]
        params: {a: [b]}
    remote_write: [{url: 'http://x', queue_config: {capacity: 1}}]

    """

  /// Whatever the damage, there is an answer, and every place in it exists.
  @Test(arguments: [false, true])
  func nothingTraps(_ isConfig: Bool) {
    let seed = Array((isConfig ? Self.config : Self.rules).utf8)
    let alphabet = Array("&*{}[]:,#|>'\"\\!%@- \n\t<~?()=1a$".utf8)
    var random = SeededGenerator(seed: isConfig ? 11 : 12)
    for _ in 0..<1500 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: at)
        case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0x20, at: at)
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 12))
        default: bytes[at] = alphabet.randomElement(using: &random) ?? 0x20
        }
      }
      let source = SourceText(name: "damaged", bytes: bytes)
      let diagnostics: [Diagnostic]
      if isConfig {
        diagnostics = PrometheusConfigLoader.load(source).diagnostics
      } else {
        let file = RuleFileLoader.load(source)
        diagnostics = file.diagnostics
        #expect(file.isValid == file.referenceTexts.isEmpty)
      }
      for diagnostic in diagnostics {
        #expect((diagnostic.range?.end ?? 0) <= bytes.count)
      }
      _ = HumanRenderer(decoration: .ansi).render(diagnostics)
      _ = JSONRenderer.render(diagnostics)
    }
  }
}
