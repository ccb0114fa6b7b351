import Config
import Diagnostics
import Glibc
import Lint
import Model
import Testing

/// Rule files in `Tests/LintCases` with the findings they must yield; `SNAP_UPDATE=1` writes them.
@Suite("lint cases")
struct GoldenTests {
  private static let folder = #filePath.replacing("LintTests/GoldenTests.swift", with: "LintCases")
  static let names = FileSystem.names(in: folder).filter { $0.hasSuffix(".yml") }

  /// The context of the cases: scrapes every 15 s (`ten-wrong-rules` 5 s), all rules known.
  private static func context(_ name: String) -> LintContext {
    var context = LintContext()
    let isTen = name.hasPrefix("ten")
    context.scrapeIntervals = [("app", .seconds(isTen ? 5 : 15))]
    context.evaluationInterval = .minutes(1)
    context.isWholeSet = true
    return context
  }

  static func findings(_ name: String) throws -> [Diagnostic] {
    let bytes = try FileSystem.read(folder + "/" + name)
    let file = RuleFileLoader.load(SourceText(name: name, bytes: bytes))
    #expect(file.diagnostics.isEmpty, "\(file.diagnostics.map(\.message))")
    let linter = Linter(context: context(name), now: Timestamp(seconds: 1_800_000_000))
    return DiagnosticSet(linter.finish([linter.inspect(file)], in: [file.source]).flatMap { $0 })
      .sorted
  }

  @Test(arguments: names)
  func findingsAreAsWritten(_ name: String) throws {
    let findings = try Self.findings(name)
    var text = ""
    for d in findings {
      let place = d.position ?? SourcePosition(line: 0, column: 0)
      let end = d.source.flatMap { source in d.range.map { source.position(at: $0.end) } }
      text +=
        "\(place.line):\(place.column)-\(end?.column ?? 0) \(d.severity) \(d.id): \(d.message)\n"
      if let label = d.label { text += "  ^ \(label)\n" }
      if let fix = d.fix { text += "  \(fix.isCertain ? "fix" : "perhaps"): \(fix.message)\n" }
    }
    let golden = Self.folder + "/" + name.replacing(".yml", with: ".txt")
    if getenv("SNAP_UPDATE") != nil {
      let file = try #require(fopen(golden, "w"))
      fputs(text, file)
      fclose(file)
    }
    #expect(text == String(decoding: try FileSystem.read(golden), as: UTF8.self))
  }

  /// Rules whose names say so are found, and no others.
  @Test(arguments: names.filter { $0 != "ten-wrong-rules.yml" })
  func goodAndBad(_ name: String) throws {
    let found = Set(try Self.findings(name).compactMap(\.rule))
    for rule in found { #expect(!rule.lowercased().hasPrefix("good"), "\(name): \(rule)") }
    let bytes = try FileSystem.read(Self.folder + "/" + name)
    let file = RuleFileLoader.load(SourceText(name: name, bytes: bytes))
    // What is wrong with a comment belongs to no rule.
    for place in file.places
    where place.name.lowercased().hasPrefix("bad") && name != "controls.yml" {
      #expect(found.contains(place.name), "\(name): \(place.name)")
    }
  }

  @Test func everyOfflineCheckHasACase() throws {
    var found = Set(try Self.names.flatMap { try Self.findings($0).map(\.id) })
    found.formUnion(CheckCatalogue.all.filter(\.isRefusal).map(\.id))
    for check in CheckCatalogue.all {
      if ["live", "policy", "config", "metrics"].contains(String(check.id.prefix { $0 != "/" })) {
        continue
      }
      #expect(found.contains(check.id), "no case for \(check.id)")
    }
  }

  /// Ten rules that load without complaint elsewhere; two need more than a text.
  @Test func theTenWrongRules() throws {
    let findings = try Self.findings("ten-wrong-rules.yml")
    func severity(_ rule: String, _ id: String) -> Severity? {
      findings.first { $0.rule == rule && $0.id == id }?.severity
    }
    #expect(severity("PoolNearlyFull", "promql/match-unlikely") == .warning)
    #expect(severity("PoolLarge", "alert/always-fires") == .error)
    #expect(severity("Always", "alert/always-fires") == .error)
    #expect(severity("PoolRate", "promql/rate-of-gauge") == .warning)
    #expect(severity("QueryRate", "promql/short-range") == .error)
    #expect(severity("ValueLabel", "template/value-in-label") == .error)
    #expect(severity("LostLabel", "template/label-gone") == .error)
    #expect(severity("RawCounter", "promql/raw-counter") == .warning)
    #expect(severity("NeedlessRegexp", "promql/regexp-literal") == .info)
    #expect(!findings.contains { $0.rule == "Good" })
  }
}
