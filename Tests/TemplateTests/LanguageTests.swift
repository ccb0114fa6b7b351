import Model
import Template
import Testing

@Suite("Template language")
struct LanguageTests {
  @Test(
    "Actions",
    arguments: [
      ("plain } {", "plain } {"), ("{{ $labels.job }}", "db"), ("{{ .Labels.job }}", "db"),
      ("[{{ $labels.missing }}]", "[]"), ("{{ $externalLabels.cluster }}", "eu"),
      ("{{ $value }}", "1234.5"), ("{{ 1000000.0 }}", "1e+06"), ("{{/* note */}}x", "x"),
      ("a {{- 1 -}} b", "a1b"), ("{{- 1 }} b", "1 b"), ("a {{/* c */ -}} b", "a b"),
      ("{{ if $value }}y{{ else }}n{{ end }}", "y"),
      ("{{ if eq $labels.job \"web\" }}1{{ else if eq $labels.job \"db\" }}2{{ end }}", "2"),
      ("{{ with $labels.missing }}x{{ else with $labels.job }}{{ . }}{{ end }}", "db"),
      ("{{ range $k, $v := $externalLabels }}{{ $k }}={{ $v }};{{ end }}", "cluster=eu;"),
      ("{{ range 3 }}{{ . }}{{ end }}", "012"), ("{{ range 0 }}x{{ else }}none{{ end }}", "none"),
      (
        "{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}"
          + "{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
        "02"
      ),
      ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", "2"),
      ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.job }}", "<db>"),
      ("{{ block \"b\" 7 }}[{{ . }}]{{ end }}{{ template \"b\" 8 }}", "[7][8]"),
      ("{{ (index (query \"up\") 1).Labels.instance }}", "a"),
      ("{{ \"a\\tb\\u00e9\" }}{{ `c\\d` }}{{ 'x' }}{{ 0x10 }}{{ 1_000 }}", "a\tbéc\\d120161000"),
      ("{{ 1i }}", "(0+1i)"), (#"{{ "\101\x42\U00000043" }}"#, "ABC"),
    ])
  func actions(_ text: String, _ expected: String) {
    #expect(Sample.expand(text) == expected)
  }

  @Test(
    "Built-in functions",
    arguments: [
      // `and` stops at 0, so what follows is never looked at.
      ("{{ and 1 0 (index 1 2) }}", "0"), ("{{ or 0 \"\" 3 }}", "3"),
      ("{{ and true \"last\" }}", "last"), ("{{ not 0 }}", "true"), ("{{ len \"é\" }}", "2"),
      ("{{ index $labels \"job\" }}", "db"), ("{{ slice \"abcdef\" 2 4 }}", "cd"),
      ("{{ eq 1 2 1 }}", "true"), ("{{ lt \"a\" \"b\" }}", "true"), ("{{ ge 1.5 1.5 }}", "true"),
      ("{{ ne $labels.job \"db\" }}", "false"),
      ("{{ html \"<a href='x'>\" }}", "&lt;a href=&#39;x&#39;&gt;"),
      ("{{ js \"it's <b>\" }}", "it\\'s \\u003Cb\\u003E"), ("{{ urlquery \"a b&c\" }}", "a+b%26c"),
      ("{{ print 1 2 \"x\" 3 }}", "1 2x3"), ("{{ println 1 \"x\" }}", "1 x\n"),
      ("{{ print nil }}", "<nil>"), ("{{ $externalLabels }}", "map[cluster:eu]"),
    ])
  func builtIns(_ text: String, _ expected: String) {
    #expect(Sample.expand(text) == expected)
  }

  @Test(
    "Messages of the parser",
    arguments: [
      ("{{", "unclosed action"), ("{{ if true }}", "unexpected EOF"),
      ("{{ end }}", "unexpected {{end}}"), ("{{ }}", "missing value for command"),
      ("{{ $nope }}", "undefined variable \"$nope\""),
      ("{{ nope 1 }}", "function \"nope\" not defined"),
      ("{{ 1 | 2 }}", "non executable command in pipeline stage 2"),
      ("{{ (1 }}", "unclosed left paren"), ("{{ 1) }}", "unexpected right paren"),
      ("{{ \"a }}", "unterminated quoted string"), ("{{ `a }}", "unterminated raw quoted string"),
      ("{{ 12x }}", "bad number syntax: \"12x\""), ("{{ break }}", "{{break}} outside {{range}}"),
      ("{{ $a, $b := 1 }}", "too many declarations in command"), ("{{/* x }}", "unclosed comment"),
      ("{{ true.x }}", "unexpected . after term \"true\""),
      ("{{ a{ }}", "bad character U+007B '{'"),
      (
        "{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}",
        "template: multiple definition of template \"a\""
      ),
      ("x\n{{ if\n true }}{{ (\n1", "unclosed action started at __alert_A:3"),
    ])
  func parserMessages(_ text: String, _ expected: String) {
    #expect(Sample.message(text) == expected)
  }

  @Test(
    "Messages of the execution",
    arguments: [
      ("{{ $value.x }}", "can't evaluate field x in type float64"),
      ("{{ $labels.job.x }}", "can't evaluate field x in type string"),
      ("{{ template \"t\" }}", "template \"t\" not defined"),
      ("{{ range \"ab\" }}{{ end }}", "range can't iterate over ab"),
      ("{{ range $i, $x := 2 }}{{ end }}", "can't use 2 to iterate over more than one variable"),
      ("{{ humanize 1 2 }}", "wrong number of args for humanize: want 1 got 2"),
      ("{{ printf }}", "wrong number of args for printf: want at least 1 got 0"),
      ("{{ toUpper 1 }}", "expected string; found 1"),
      ("{{ 1 | toUpper }}", "wrong type for value; expected string; got int"),
      ("{{ eq 1 \"a\" }}", "error calling eq: incompatible types for comparison: int and string"),
      ("{{ index $labels 1 }}", "error calling index: value has type int; should be string"),
      ("{{ query \"bad\" }}", "error calling query: 1:1: parse error: no idea"),
      (
        "{{ query \"none\" | first }}",
        "error calling first: first() called on vector with no elements"
      ),
      ("{{ $labels.job 1 }}", "job is not a method but has arguments"),
      ("{{ nil | print }}", "nil is not a command"),
      ("{{ call 1 }}", "error calling call: non-function 1 of type int"),
      (
        "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
        "exceeded maximum template depth (100000)"
      ),
    ])
  func executionMessages(_ text: String, _ expected: String) {
    #expect(Sample.message(text) == expected)
  }

  @Test("Errors say where, in Go's way and in bytes of the author's text")
  func places() throws {
    let parsing = #expect(throws: TemplateProblem.self) {
      try Template.alertField("ok {{ nope }}", alertName: "A")
    }
    #expect(
      parsing?.description
        == "error parsing template __alert_A: template: __alert_A:1: function \"nope\" not defined")
    #expect(parsing?.offset == 6)
    let executing = #expect(throws: TemplateProblem.self) {
      try Template.alertField("é\n {{ $value.x }}", alertName: "A").expand(
        Sample.input, context: Sample.context)
    }
    #expect(
      executing?.description == "error executing template __alert_A: template: __alert_A:2:10: "
        + "executing \"__alert_A\" at <$value.x>: can't evaluate field x in type float64")
    #expect(executing?.offset == 13)
  }

  @Test("Queries and labels that stand in a template are known without running it")
  func references() throws {
    let text =
      #"{{ $labels.job }}{{ with query "up" }}{{ .Labels.x }}{{ end }}{{ "a" | query | first }}"#
      + #"{{ index .Labels "b" }}{{ if .Labels.c }}{{ query (print 1) }}{{ end }}"#
    let references = try Template.alertField(text, alertName: "A").references
    #expect(references.queries.map(\.text) == ["up", "a"])
    #expect(references.labels.map(\.text) == ["job", "b", "c"])
    #expect(references.labels[0].offset == 10)
  }

  @Test("Expansion is bounded")
  func limits() {
    var limits = TemplateLimits()
    limits.outputSize = 1000
    limits.steps = 10_000
    #expect(
      Sample.expand("{{ range 100000 }}{{ end }}", limits: limits).hasSuffix("too many steps"))
    #expect(
      Sample.expand("{{ range 1000 }}abc{{ end }}", limits: limits).hasSuffix("output too large"))
    #expect(Sample.expand("{{ printf \"%2000d\" 1 }}", limits: limits).hasSuffix("text too large"))
    let doubling =
      "{{ $x := \"ab\" }}{{ range 64 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}"
    #expect(Sample.expand(doubling).hasSuffix("text too large"))
  }

  @Test("HTML mode escapes, and includes by name")
  func html() throws {
    var options = TemplateOptions()
    options.isHTML = true
    let template = try Template(
      parsing: "{{ define \"i\" }}<i>{{ . }}</i>{{ end }}{{ \"<b>\" }}{{ safeHtml \"<b>\" }}"
        + "{{ tmpl \"i\" \"&\" }}{{ .x }}",
      name: "page", options: options)
    #expect(
      try template.expand(data: .none, context: Sample.context) == "&lt;b&gt;<b><i>&amp;</i>")
  }
}
