import Model
import Template
import Testing

@Suite("Template functions")
struct FunctionTests {
  @Test(
    "Numbers for people",
    arguments: [
      ("humanize 1234567", "1.235M"), ("humanize 0.012", "12m"), ("humanize 0", "0"),
      ("humanize 1e30", "1e+06Y"), ("humanize $labels.n", "12.5"), ("humanize -999", "-999"),
      ("humanize1024 2048", "2ki"), ("humanize1024 0.5", "0.5"),
      ("humanizeDuration 93784", "1d 2h 3m 4s"), ("humanizeDuration 59.999", "60s"),
      ("humanizeDuration 0.0015", "1.5ms"), ("humanizeDuration -61", "-1m 1s"),
      ("humanizePercentage 0.1234567", "12.35%"), ("humanizePercentage 2", "200%"),
      ("humanizeTimestamp 1700000000.5", "2023-11-14 22:13:20.5 +0000 UTC"),
      ("parseDuration \"-1h30m\"", "-5400"), ("now", "1.7e+09"),
    ])
  func numbers(_ call: String, _ expected: String) {
    #expect(Sample.expand("{{ \(call) }}") == expected)
  }

  @Test(
    "Texts",
    arguments: [
      ("title \"hello big-world don't\"", "Hello Big-World Don't"),
      ("toUpper \"straße\"", "STRAßE"),
      ("toLower \"ÀB\"", "àb"), ("match \"b+\" \"abbc\"", "true"),
      ("reReplaceAll \"(\\\\w+)-(\\\\w+)\" \"${2}_$1\" \"a-b\"", "b_a"),
      ("stripPort \"[::1]:80\"", "::1"), ("stripPort \"host\"", "host"),
      ("stripDomain $labels.instance", "db-1:5432"), ("stripDomain \"10.0.0.1:80\"", "10.0.0.1:80"),
      ("stripDomain \"fe80::1\"", "fe80::1"), ("urlQueryEscape \"a b\"", "a+b"),
      ("graphLink \"up == 0\"", "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"),
      ("tableLink \"up\"", "/graph?g0.expr=up&g0.tab=1"), ("pathPrefix", "/base"),
      ("externalURL", "http://tocsin:9090/base"), ("safeHtml \"<b>\"", "<b>"),
    ])
  func texts(_ call: String, _ expected: String) {
    #expect(Sample.expand("{{ \(call) }}") == expected)
  }

  @Test(
    "Queries",
    arguments: [
      ("{{ query \"up\" | first | value }}", "0"),
      ("{{ query \"up\" | first | label \"instance\" }}", "b"),
      (
        #"{{range query "up" | sortByLabel "instance"}}{{.Labels.instance}}={{.Value}} {{end}}"#,
        "a=1 b=0 "
      ),
      ("{{ with query \"none\" }}some{{ else }}nothing{{ end }}", "nothing"),
      ("{{ len (query \"up\") }}", "2"), ("{{ (args 1 \"b\").arg1 }}", "b"),
    ])
  func queries(_ text: String, _ expected: String) {
    #expect(Sample.expand(text) == expected)
  }

  @Test(
    "Times and durations",
    arguments: [
      (
        "(toTime 1700000000).Format \"Mon, 02 Jan 2006 15:04:05 MST\"",
        "Tue, 14 Nov 2023 22:13:20 UTC"
      ),
      ("(toTime 0).Weekday", "Thursday"), ("(toTime 1700000000).YearDay", "318"),
      ("((toTime 0).AddDate 0 1 0).Format \"2006-01-02\"", "1970-02-01"),
      ("(toTime 86400).Unix", "86400"), ("(toTime 90).Sub (toTime 0)", "1m30s"),
      ("(toTime 5).Before (toTime 6)", "true"), ("toDuration 5400.25", "1h30m0.25s"),
      ("(toDuration 90).Minutes", "1.5"), ("((toTime 3599).Truncate 3600000000000).Unix", "0"),
      ("(toTime 1.5).Month", "January"),
      ("(toTime 1.25).Format \"05.000 3:04PM\"", "01.250 12:00AM"),
    ])
  func times(_ call: String, _ expected: String) {
    #expect(Sample.expand("{{ \(call) }}") == expected)
  }

  @Test(
    "printf",
    arguments: [
      ("%v|%d|%5d|%-5d|%05d|%+d", "1 1 42 42 42 42", "1|1|   42|42   |00042|+42"),
      (
        "%f|%.2f|%8.3f|%e|%g|%G", "1.5 1.005 3.14159 1500.0 1e21 1e-7",
        "1.500000|1.00|   3.142|1.500000e+03|1e+21|1E-07"
      ),
      (
        "%s|%10s|%-10s|%.2s|%q|%x|%X", "\"a\" \"b\" \"c\" \"def\" \"g\\n\" \"hi\" \"hi\"",
        "a|         b|c         |de|\"g\\n\"|6869|6869"
      ),
      (
        "%t|%v|%T|%c|%U|%b|%o|%x", "true nil 1.5 65 8364 5 8 255",
        "true|<nil>|float64|A|U+20AC|101|10|ff"
      ),
      ("%d|%s|%t", "\"a\" 1 2.5", "%!d(string=a)|%!s(int=1)|%!t(float64=2.5)"),
      ("%d %d", "1", "1 %!d(MISSING)"), ("%d", "1 \"x\"", "1%!(EXTRA string=x)"),
      ("%", "", "%!(NOVERB)"), ("%%|%z", "1", "%|%!z(int=1)"), ("%[2]d %[1]d", "1 2", "2 1"),
      ("%*d|%-*d|%.*f", "4 7 4 7 1 2.55", "   7|7   |2.5"), ("%6.2f%%", "12.345", " 12.35%"),
      ("%v %s", "$externalLabels $externalLabels", "map[cluster:eu] map[cluster:eu]"),
      ("%#x|%#q|% x", "255 \"a\" \"ab\"", "0xff|`a`|61 62"),
      ("%08.3f|%+.1e", "-3.14159 12345.0", "-003.142|+1.2e+04"),
      ("%v|%5v|%6.1f", "(parseDuration \"1m\") true 1e3", "60| true|1000.0"),
    ])
  func formats(_ format: String, _ values: String, _ expected: String) {
    #expect(Sample.expand("{{ printf `\(format)` \(values) }}") == expected)
  }
}
