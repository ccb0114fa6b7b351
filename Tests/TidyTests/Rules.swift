/// Rooms that decide and never wait: no I/O, no clock, no concurrency.
let pureRooms: Set<String> = [
  "Diagnostics", "JSON", "Model", "PromQL", "Exposition", "Storage", "Engine", "Template",
  "Rules", "Kernel", "Simulation",
]

/// What a pure room may import besides other pure rooms.
let pureImports: Set<String> = ["CRE2", "Glibc", "Synchronization"]

/// Programs: they may print.
let programs: Set<String> = ["tocsin", "conformance", "fuzz", "sim"]

/// Rooms whose output others read: its order must be the same every time.
let speakingRooms: Set<String> = [
  "Diagnostics", "JSON", "Rules", "Kernel", "Server", "Persistence", "Lint", "RuleTest", "tocsin",
  "conformance",
]

@Sendable private func isPure(_ file: SourceFile) -> Bool {
  file.isSource && pureRooms.contains(file.room)
}

@Sendable private func isSource(_ file: SourceFile) -> Bool { file.isSource }

@Sendable private func isOurs(_ file: SourceFile) -> Bool {
  !file.path.hasPrefix("Tests/TidyTests/")
}

let houseRules: [HouseRule] = [
  pureRoomsImportNothing, pureRoomsAskNoClock, pureRoomsDoNotWait, pureRoomsAreNotRandom,
  pureRoomsDoNoIO, nothingTraps, onlyProgramsPrint, nothingIsLeftToDo, outputsAreOrdered,
  linesAreShort, filesAreShort, functionsAreShort,
]

private let pureRoomsImportNothing = HouseRule(
  name: "pure rooms import no platform", applies: isPure,
  check: { file in
    file.codeLines.enumerated().compactMap { index, line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "." })
      guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
      guard words[..<at].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) }) else {
        return nil
      }
      let kinds: Set<Substring> = ["struct", "class", "enum", "func", "typealias", "protocol"]
      let module =
        kinds.contains(words[at + 1]) ? words[min(at + 2, words.count - 1)] : words[at + 1]
      if pureRooms.contains(String(module)) || pureImports.contains(String(module)) { return nil }
      return (
        index + 1,
        "import \(module): a pure room builds on pure rooms; move what needs it to an edge"
      )
    }
  },
  catches: [
    "import Foundation", "package import Dispatch", "@preconcurrency import Logging",
    "import struct Foundation.URL", "import Hummingbird",
  ],
  passes: [
    "import Model\nimport Glibc", "// import Foundation", "let text = \"import Foundation\"",
  ])

private let accessLevels: Set<Substring> = [
  "public", "package", "internal", "private", "fileprivate",
]

private let pureRoomsAskNoClock = HouseRule.words(
  "pure rooms ask no clock", in: isPure,
  [
    ("Date()", "take the time as an argument (Timestamp)"),
    ("Date.now", "take the time as an argument (Timestamp)"),
    ("ContinuousClock", "take the time as an argument (Timestamp)"),
    ("SuspendingClock", "take the time as an argument (Timestamp)"),
    ("clock_gettime", "take the time as an argument (Timestamp)"),
    ("gettimeofday", "take the time as an argument (Timestamp)"),
    ("time(nil", "take the time as an argument (Timestamp)"),
    ("Glibc.time(", "take the time as an argument (Timestamp)"),
    ("localtime_r", "compute in UTC from the Timestamp"),
    ("localtime", "compute in UTC from the Timestamp"),
  ],
  catches: ["let now = Date()", "let start = ContinuousClock.now", "let t = time(nil)"],
  passes: [
    "let update = lastUpdate(of: rule)", "// Date() would be wrong", "func time(_ at: Int) {}",
  ])

private let pureRoomsDoNotWait = HouseRule.words(
  "pure rooms do not wait", in: isPure,
  [
    ("Task {", "return an effect and let the shell run it"),
    ("Task.", "return an effect and let the shell run it"),
    ("TaskGroup", "return effects and let the shell run them"),
    ("await", "return an effect and take the answer as an event"),
    ("async", "return an effect and take the answer as an event"),
    ("actor", "use a value, or a class with one owner"),
    ("DispatchQueue", "return an effect and let the shell run it"),
    ("Thread", "return an effect and let the shell run it"),
    ("sleep(", "return a deadline"),
    ("usleep(", "return a deadline"),
    ("nanosleep(", "return a deadline"),
  ],
  catches: ["Task { work() }", "await run()", "func run() async {}", "actor Store {}"],
  passes: ["let factor = 2", "/// The shell awaits it; await.", "let asynchronous = false"])

private let pureRoomsAreNotRandom = HouseRule(
  name: "pure rooms are not random", applies: isPure,
  check: { file in
    let words = [
      "SystemRandomNumberGenerator", ".randomElement()", ".shuffled()", ".shuffle()", "arc4random",
      "Hasher()", ".hashValue",
    ]
    var found = words.flatMap { word in
      file.lines(with: word, in: file.code).map {
        (line: $0, message: "\(word): differs from run to run; take a generator or a hash of ours")
      }
    }
    let lines = file.codeLines
    for number in file.lines(with: ".random(", in: file.code)
    where !lines[number - 1].contains("using:") {
      found.append((number, ".random(: take a generator as an argument and pass it as `using:`"))
    }
    return found
  },
  catches: [
    "let n = Int.random(in: 0..<3)", "var g = SystemRandomNumberGenerator()", "a.shuffled()",
  ],
  passes: ["let n = Int.random(in: 0..<3, using: &generator)", "func random() {}"])

private let pureRoomsDoNoIO = HouseRule.words(
  "pure rooms do no input or output", in: isPure,
  [
    ("FileManager", "let an edge read and hand over the bytes"),
    ("fopen(", "let an edge read and hand over the bytes"),
    ("Glibc.open(", "let an edge read and hand over the bytes"),
    ("Glibc.read(", "let an edge read and hand over the bytes"),
    ("Glibc.write(", "return an effect"),
    ("fputs(", "return an effect"),
    ("getenv(", "let the program read the environment and pass it on"),
    ("readLine(", "let the program read"),
  ],
  catches: ["let f = fopen(path, \"r\")", "let home = getenv(\"HOME\")"],
  passes: ["writer.write(byte)", "reader.open()"])

private let nothingTraps = HouseRule(
  name: "nothing traps without a sentence", applies: isSource,
  check: { file in
    let words: [(word: String, instead: String)] = [
      ("try!", "handle the error, or prove it away with a precondition and a sentence"),
      ("as!", "use `as?` with a precondition and a sentence, or a generic type"),
      ("fatalError(", "use preconditionFailure(\"a sentence\")"),
      ("preconditionFailure()", "say in a sentence what must not have happened"),
      ("assertionFailure(", "use preconditionFailure: it holds in release builds, too"),
      ("unowned(unsafe)", "use a plain reference"),
    ]
    return words.flatMap { entry in
      file.lines(with: entry.word, in: file.code).map {
        (line: $0, message: "\(entry.word): \(entry.instead)")
      }
    }
  },
  catches: [
    "let x = try! parse()", "let y = x as! Int", "fatalError(\"no\")", "preconditionFailure()",
  ],
  passes: ["let x = try? parse()", "// never try! here", "preconditionFailure(\"A sentence.\")"],
  samplePath: "Sources/Server/Sample.swift")

private let onlyProgramsPrint = HouseRule(
  name: "only programs print", applies: { $0.isSource && !programs.contains($0.room) },
  check: { file in
    let lines = file.codeLines
    return ["print(", "debugPrint(", "dump(", "NSLog("].flatMap { word in
      file.lines(with: word, in: file.code).compactMap { number in
        // As a statement of its own: a printer's own method returns something or has a receiver.
        let isStatement = lines[number - 1].drop { $0 == " " }.hasPrefix(word)
        let isOwn = lines.contains { $0.contains("func " + word) }
        guard isStatement || word == "NSLog(", !isOwn else { return nil }
        return (number, "\(word): return the text, or a log record, and let the program write it")
      }
    }
  },
  catches: ["print(1)", "  debugPrint(x)"],
  passes: [
    "fingerprint(1)", "pretty.print()", "let text = print(expr)",
    "func print(_ e: Expr) {}\nfunc a() {\n  print(b)\n}",
  ])

private let nothingIsLeftToDo = HouseRule(
  name: "nothing is left to do", applies: isOurs,
  check: { file in
    ["TODO", "FIXME", "XXX", "HACK"].flatMap { word in
      file.lines(with: word, in: file.bytes).map {
        (line: $0, message: "\(word): do it, or write it down as an issue")
      }
    }
  },
  catches: ["// " + "TODO: later", "let s = \"FIX" + "ME\""], passes: ["let TODOS = 1", "// to do"])

private let linesAreShort = HouseRule(
  name: "lines have at most 100 characters", applies: { _ in true },
  check: { file in
    file.lines.enumerated().compactMap { index, line in
      guard line.utf8.count > 100, line.count > 100 else { return nil }
      if line.contains("://") || file.textLines.contains(index + 1) { return nil }
      return (index + 1, "\(line.count) characters: break the line after 100 or say it shorter")
    }
  },
  catches: ["let a = 1 //" + String(repeating: "x", count: 100)],
  passes: [
    String(repeating: "é", count: 100),
    "// https://example.org/" + String(repeating: "x", count: 100),
    "let a = \"\"\"\n  " + String(repeating: "x", count: 120) + "\n  \"\"\"",
  ])

private let filesAreShort = HouseRule(
  name: "files have at most 600 lines", applies: { _ in true },
  check: { file in
    let count = file.lines.count
    return count <= 600
      ? [] : [(601, "\(count) lines: split the file where it changes its subject")]
  },
  catches: [String(repeating: "//\n", count: 601)], passes: [String(repeating: "//\n", count: 600)])

private let functionsAreShort = HouseRule(
  name: "functions have at most 70 lines", applies: isSource,
  check: { file in
    FunctionSpans(file).spans.filter { $0.count > 70 }.map {
      ($0.line, "\($0.name) has \($0.count) lines: name its steps and make them functions")
    }
  },
  catches: [
    "func long(\n  a: Int\n) {\n" + String(repeating: "  work()\n", count: 67) + "}\n",
    "struct S {\n  init() {\n" + String(repeating: "    if a { b() }\n", count: 70) + "  }\n}\n",
  ],
  passes: [
    "func long(\n  a: Int\n) {\n" + String(repeating: "  work()\n", count: 66) + "}\n",
    "protocol P {\n  func a()\n  func b()\n}\nstruct S {\n"
      + String(repeating: "  let a = 1\n", count: 90) + "}\n",
  ])
