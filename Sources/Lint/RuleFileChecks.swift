import Config
import Diagnostics
import Dispatch
import Model
import Synchronization

/// Checks many rule files: in parallel, each tree only as long as it is looked at.
struct RuleFileChecks {
  /// What is left of a file once it was checked.
  struct Entry: Sendable {
    var name: String
    var refusals: [Diagnostic]
    var inspection: Linter.Inspection?
    var rules: [CheckedFile.Rule]
    /// The text, where it cannot be read again.
    var text: SourceText?
    var groupCount: Int
    var ruleCount: Int
    var fixes = 0
  }

  let options: CheckOptions
  let linter: Linter
  var loading = RuleFileLoader.Options()

  init(_ options: CheckOptions, settings: LintSettings, context: LintContext) {
    self.options = options
    linter = Linter(context: context, settings: settings, now: options.now)
    loading.parser = options.parser
    loading.ignoresUnknownFields = options.ignoresUnknownFields
    loading.defaultInterval = context.evaluationInterval ?? .minutes(1)
  }

  /// Checks files and puts the findings into a report, in the order given.
  func run(_ paths: [String], into report: inout CheckReport) {
    let linter = linter
    let records = linter.context.server == nil ? [] : records(of: paths)
    let slots = Mutex<[Result<Entry, FileSystem.Problem>?]>(
      Array(repeating: nil, count: paths.count))
    @Sendable func one(_ i: Int) {
      let entry = result(paths[i], records)
      slots.withLock { $0[i] = entry }
    }
    if paths.count == 1 {
      one(0)
    } else if !paths.isEmpty {
      DispatchQueue.concurrentPerform(iterations: paths.count) { one($0) }
    }
    var entries: [Entry] = []
    for slot in slots.withLock({ $0 }) {
      switch slot {
      case .success(let entry): entries.append(entry)
      case .failure(let problem): report.cannotRun(problem.description)
      case nil: break
      }
    }
    slots.withLock { $0 = [] }
    let inspections = entries.compactMap(\.inspection)
    for i in entries.indices { entries[i].inspection = nil }
    var conclusion = LintConclusion(linter, inspections)
    var shelf = SourceShelf(entries.compactMap(\.text))
    for (i, entry) in entries.enumerated() {
      var found: [Diagnostic] = []
      let isSilent = options.isSyntaxOnly || conclusion.isSilent(about: i)
      if !entry.refusals.isEmpty || !isSilent {
        let source = shelf.text(entry.name)
        found = entry.refusals.map { $0.attached(to: source) }
        if !isSilent { found += conclusion.diagnostics(of: i, in: source, &shelf) }
      }
      report.add(
        path: entry.name, diagnostics: found,
        success: "\(entry.ruleCount) rules found",
        counts: [("groups", entry.groupCount), ("rules", entry.ruleCount)], rules: entry.rules,
        fixes: entry.fixes)
    }
  }

  private func result(
    _ path: String, _ records: Set<String>
  ) -> Result<Entry, FileSystem.Problem> {
    do throws(FileSystem.Problem) {
      var bytes = try FileSystem.read(path)
      let name = path == "-" ? "<stdin>" : path
      var fixes = 0
      if options.appliesFixes, path != "-", !options.isSyntaxOnly {
        let fixed = Fixes(checks: self, records: records).apply(to: bytes, name: name)
        if fixed.count > 0 {
          try AtomicFile.replace(path, with: fixed.bytes)
          bytes = fixed.bytes
          fixes = fixed.count
        }
      }
      let source = SourceText(name: name, bytes: bytes)
      var entry = self.entry(source, records)
      entry.fixes = fixes
      if path == "-" { entry.text = source }
      return .success(entry)
    } catch {
      return .failure(error)
    }
  }

  /// One file, looked at.
  func entry(_ source: SourceText, _ records: Set<String>) -> Entry {
    let file = RuleFileLoader.load(source, options: loading)
    let isJUnit = options.format == .junit
    var refusals = file.diagnostics
    for i in refusals.indices { refusals[i].detach(from: source) }
    return Entry(
      name: source.name, refusals: refusals,
      inspection: options.isSyntaxOnly ? nil : linter.inspect(file, records: records),
      rules: isJUnit
        ? file.places.map { CheckedFile.Rule(group: $0.group, name: $0.name) } : [],
      groupCount: file.groupCount, ruleCount: file.ruleCount)
  }

  /// All findings of one text by itself.
  func diagnostics(_ source: SourceText, _ records: Set<String>) -> [Diagnostic] {
    let entry = entry(source, records)
    var shelf = SourceShelf([source])
    var conclusion = LintConclusion(linter, [entry.inspection].compactMap(\.self))
    return entry.refusals.map { $0.attached(to: source) }
      + (options.isSyntaxOnly ? [] : conclusion.diagnostics(of: 0, in: source, &shelf))
  }

  private func records(of paths: [String]) -> Set<String> {
    var names: Set<String> = []
    for path in paths where path != "-" {
      guard let bytes = try? FileSystem.read(path) else { continue }
      let file = RuleFileLoader.load(SourceText(name: path, bytes: bytes), options: loading)
      for place in file.places where !place.isAlert { names.insert(place.name) }
    }
    return names
  }
}
