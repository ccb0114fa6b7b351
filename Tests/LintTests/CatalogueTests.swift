import Config
import Lint
import Testing

@Suite("the catalogue of checks")
struct CatalogueTests {
  private static let root = String(
    #filePath.dropLast("/Tests/LintTests/CatalogueTests.swift".count))

  @Test func thePageAgrees() throws {
    let page = String(
      decoding: try FileSystem.read(Self.root + "/docs/checking-rules.md"), as: UTF8.self)
    // `tocsin explain-check --markdown` prints the chapter.
    #expect(page.hasSuffix(CheckCatalogue.markdown))
  }

  @Test func idsAreUniqueAndWellFormed() {
    let ids = CheckCatalogue.all.map(\.id)
    #expect(Set(ids).count == ids.count)
    for id in ids { #expect(id.wholeMatch(of: /[a-z]+\/[a-z-]+/) != nil, "\(id)") }
    #expect(CheckCatalogue.nearest("promql/regexp-litteral") == "promql/regexp-literal")
    #expect(!CheckCatalogue.named("promql/*").isEmpty)
    #expect(!CheckCatalogue.named("alerts/comparison").isEmpty)
  }

  /// Whatever the loaders report is explained.
  @Test func everyIdOfTheSourcesIsExplained() throws {
    let known = Set(CheckCatalogue.all.map(\.id))
    for room in ["Config", "YAML", "PromQL"] {
      let folder = Self.root + "/Sources/" + room
      for name in FileSystem.names(in: folder) where name.hasSuffix(".swift") {
        let text = String(decoding: try FileSystem.read(folder + "/" + name), as: UTF8.self)
        for match in text.matches(of: /"((?:yaml|promql|rules|config|template)\/[a-z-]+)"/) {
          let id = String(match.1)
          let isAlias = CheckCatalogue.all.contains { $0.aliases.contains(id) }
          #expect(known.contains(id) || isAlias, "\(room)/\(name): \(id)")
        }
      }
    }
  }
}
