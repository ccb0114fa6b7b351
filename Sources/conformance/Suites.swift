/// Every kind of case that the program knows.
enum Suites {
  static func all(in folder: CaseFolder) -> [Suite] {
    scripts(in: folder) + language(in: folder) + texts(in: folder) + queries(in: folder)
      + files(in: folder)
  }

  /// A suite over the documents of a JSON-lines file; `judge` answers nil when a case passes.
  static func jsonLines(
    _ kind: String, _ path: String, in folder: CaseFolder,
    judge: @escaping (JSONCase) throws -> String?
  ) -> [Suite] {
    guard folder.exists(path) else { return [] }
    return [
      Suite(kind: kind) {
        var result = KindResult(kind)
        for (i, line) in try folder.lines(path).enumerated() {
          let one = JSONCase(line, index: i)
          result.record(one.id, try judge(one))
        }
        return result
      }
    ]
  }
}
