import Model
import Template
import TestSupport
import Testing

/// Damaged templates are refused or expanded, within bounds, without a trap.
@Suite("Mutated templates")
struct MutationTests {
  private static let seeds = [
    #"{{ define "a b" }}{{ range $i, $e := .arg0 }}{{ $i }}{{ else }}x{{ end }}{{ end }}"#
      + #"{{ template "a b" (args $labels 2) }}"#,
    #"{{- if and (gt $value 1.5e3) (eq $labels.job "db" `x`) -}}"#
      + #"{{ printf "%-8.3f|%[1]q|%+v" $value "é" }} {{- end }}"#,
    #"{{ with query "up" | first }}{{ .Labels.instance | toUpper }}{{ .Value | humanize }}{{end}}"#,
    #"{{ $x := 'a' }}{{ $x = slice "日本語" 1 4 }}"#
      + #"{{ ((toTime 1e9).Add (toDuration 5)).Format "2006-01-02T15:04:05.999" }}"#,
    #"{{ reReplaceAll "(a+)(b)?" "${2}$1" $labels.instance }}{{/* c */ -}}"#
      + #"{{ index $labels "n" | parseDuration }}"#,
    #"{{range 9}}{{if lt . 3}}{{continue}}{{else if eq . 5}}{{break}}{{end}}{{.}}{{end}}"#,
  ]

  @Test("Bytes dropped, doubled, replaced and swapped", arguments: UInt64(0)..<60)
  func bytes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var limits = TemplateLimits()
    limits.steps = 20_000
    limits.outputSize = 100_000
    for _ in 0..<40 {
      var bytes = Array(Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)].utf8)
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        let i = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where bytes.count > 1: bytes.remove(at: i)
        case 1: bytes.insert(bytes[i], at: i)
        case 2: bytes[i] = UInt8.random(in: 0...255, using: &random)
        case 3: bytes.insert(contentsOf: Array("{{ end }}".utf8), at: i)
        default: bytes.swapAt(i, Int.random(in: 0..<bytes.count, using: &random))
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do {
        let template = try Template.alertField(text, alertName: "M")
        _ = try template.expand(Sample.input, context: Sample.context, limits: limits)
      } catch {
        #expect(error.offset >= 0 && error.offset <= text.utf8.count)
        #expect(error.description.hasPrefix("error "))
      }
    }
  }

  @Test("Deep nesting is refused")
  func depth() {
    let parentheses = String(repeating: "(", count: 20_000)
    #expect(Sample.message("{{ \(parentheses)").hasSuffix("max expression depth exceeded"))
    let conditions = String(repeating: "{{ if 1 }}", count: 20_000)
    #expect(Sample.message(conditions).hasSuffix("max nesting depth exceeded"))
    let chain = "{{ if 0 }}" + String(repeating: "{{ else if 0 }}", count: 20_000) + "{{ end }}"
    #expect(Sample.message(chain).hasSuffix("max nesting depth exceeded"))
  }
}
