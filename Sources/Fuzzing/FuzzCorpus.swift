/// The good inputs that damage starts from, and the pieces it puts in.
enum FuzzCorpus {
  static func texts(of subject: FuzzSubject) -> [[UInt8]] { table[subject]?.texts ?? [[]] }

  static func pieces(of subject: FuzzSubject) -> [[UInt8]] { table[subject]?.pieces ?? [[]] }

  private static let table: [FuzzSubject: (texts: [[UInt8]], pieces: [[UInt8]])] = {
    var table: [FuzzSubject: (texts: [[UInt8]], pieces: [[UInt8]])] = [:]
    for (subject, texts, pieces) in [
      (.parser, [""], expressionPieces), (.template, templates, templatePieces),
      (.regexp, regexps, regexpPieces), (.exposition, expositions, expositionPieces),
      (.yaml, rules, yamlPieces), (.json, documents, jsonPieces),
    ] as [(FuzzSubject, [String], [String])] {
      // Bytes that are not UTF-8 everywhere.
      let odd: [[UInt8]] = [[0xff], [0xc3], [0], [0xe2, 0x82], [0xef, 0xbb, 0xbf]]
      table[subject] = (texts.map { Array($0.utf8) }, pieces.map { Array($0.utf8) } + odd)
    }
    return table
  }()

  private static let expressionPieces = [
    "\\u", "\\x4", "\"", "'", "`", "{", "}}", "[", "]", "((((", "1e999", "0x", "9y9w", "#", "\n",
    "é", " offset ", " @ ", "</", ">/", "=~\"(\"", "💥",
  ]

  private static let templates = [
    "{{ $labels.instance }} is at {{ $value | humanize }}: {{ .Labels.job | toUpper }}",
    "{{ with query \"up{job='x'}\" }}{{ range $i, $v := . }}{{ $v.Labels.a }}"
      + "{{ else }}none{{ end }}{{ end }}",
    "{{- if and (gt $value 1.0) (ne .Labels.job \"y\") -}} a {{- else if eq 1 2 -}} b {{- end }}",
    "{{ define \"t\" }}{{ . }}{{ end }}{{ template \"t\" printf \"%-5.2f|%q|%x\" 1.5 \"a\" 255 }}",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }}{{ break }}{{ end }}{{/* note */}}",
    "{{ query \"a\" | first | value | humanizeDuration }} {{ len \"abc\" }} {{ index . 0 }}",
    "{{ reReplaceAll \"(.)\" \"$1\" \"abc\" | title }} {{ 0x1F | print }}"
      + "{{ parseDuration \"5m\" }}",
  ]
  private static let templatePieces = [
    "{{", "}}", "{{-", "-}}", "|", "$x", ":=", "(", ")", "end", "{{end}}", "{{range .}}", "%!d",
    "1e400", "'\\x'", "`", "nil", ".", "break", "{{template \"t\"}}", "printf \"%999999999d\" 1",
  ]

  private static let regexps = [
    "GET|POST|PUT", "foo.*bar", "(?i)abc", "[a-z]+[0-9]{2,5}?", "5..|4\\d\\d", "(?P<x>a|b)*c",
    "\\p{Greek}+|\\pL", "[[:alpha:]_-]*", "a{1,3}(b|c|d)?$", ".+", "^(a|ab)(c|bcd)$", "\\Qa.b\\E",
    "(?s-m:.)(?U)a*?", "[^\\x{10FFFF}]", "prefix_(one|two|three)_.*",
  ]
  private static let regexpPieces = [
    "(", ")", "[", "]", "{1000}", "{2,1}", "*", "+?", "|", "\\", "(?", "(?P<", "[^", "[[:", "\\p{",
    "^", "$", "\\b", "((((((((((", "**", "x{0}", "é", "\\C", "[z-a]",
  ]

  private static let expositions = [
    "# HELP a_total Some help\\n.\n# TYPE a_total counter\n"
      + "a_total{x=\"1\",y=\"a\\\"b\"} 12 1700000000000\n",
    "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 1e-3\nh_count 4\n",
    "# TYPE a counter\n# UNIT a_seconds seconds\n"
      + "a_total 1 # {trace_id=\"x\"} 0.5 1.5\na_created 1\n# EOF\n",
    "{\"the name\",\"a label\"=\"v\"} NaN\nb  -Inf\nc 0x1p-2\n\n# comment\n",
  ]
  private static let expositionPieces = [
    "{", "}", "\"", "\\", ",", "=", "#", "# EOF\n", "# TYPE x", "\n", " ", "\t", "NaN", "+Inf",
    "1e400", "99999999999999999999", "le=", "\r", "_bucket",
  ]

  private static let rules = [
    "groups:\n  - name: g\n    interval: 30s\n    rules:\n      - alert: A\n"
      + "        expr: sum(rate(x[5m])) by (job) > 1\n        for: 5m\n"
      + "        labels: {severity: page}\n        annotations:\n"
      + "          summary: \"{{ $labels.job }}\"\n",
    "groups:\n- name: \"h\"\n  limit: 3\n  rules:\n  - record: a:b\n    expr: |\n      sum(\n"
      + "        x\n      )\n    labels:\n      a: b\n",
    "groups: &g\n  - {name: i, rules: [{alert: B, expr: 'up == 0', keep_firing_for: 1h}]}\n",
  ]
  private static let yamlPieces = [
    ":", "- ", "\n", "  ", "\t", "&a ", "*a", "<<: *g", "|", ">-", "'", "\"", "[", "{", "!!binary ",
    "? ", "---\n", "%YAML 1.1\n", "expr: (", "for: 5x", "rules: 3", "name: g", "\u{2028}", "0o7",
  ]

  private static let documents = [
    "{\"a\":[1,2.5e3,-0,true,null],\"b\":{\"c\":\"x\\u00e9\\ud83d\\ude00\\n\"}}",
    "[[[[]]],\"\",{\"k\":\"v\",\"k\":1}]", "\"text\"", "12345678901234567890.5",
  ]
  private static let jsonPieces = [
    "{", "}", "[", "]", "\"", "\\u", "\\ud800", ":", ",", "1e999", "-", "0x", "nul", "[[[[[[[[",
    "{\"a\":{\"a\":",
  ]
}
