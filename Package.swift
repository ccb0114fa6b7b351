// swift-tools-version: 6.2
import PackageDescription

// Direct dependencies only: the build runs with `--explicit-target-dependency-import-check error`.
// The floors below are the ones of docs/architecture.md: a pure core first, then the edges.

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let pure: [Target] = [
  .target(name: "JSON"),
  .target(name: "Diagnostics", dependencies: ["JSON"]),
  .target(name: "Model", dependencies: ["CRE2"]),
  .target(name: "PromQL", dependencies: ["Model", "Diagnostics", "JSON"]),
  .target(name: "Exposition", dependencies: ["Model"]),
  .target(name: "Storage", dependencies: ["Model"]),
  .target(name: "Engine", dependencies: ["Model", "PromQL", "Storage"]),
  .target(name: "Template", dependencies: ["Model"]),
  .target(name: "Rules", dependencies: ["Model", "PromQL", "Storage", "Engine", "Template"]),
  .target(
    name: "Kernel",
    dependencies: ["JSON", "Model", "PromQL", "Storage", "Engine", "Rules", "Exposition"]),
  .target(
    name: "Simulation",
    dependencies: [
      "JSON", "Model", "PromQL", "Storage", "Engine", "Template", "Rules", "Kernel",
    ]),
]

let edge: [Target] = [
  .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
  .target(name: "CCurl", linkerSettings: [.linkedLibrary("deflate"), .linkedLibrary("z")]),
  .systemLibrary(name: "CLinux"),
  .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
  .target(name: "YAML", dependencies: ["CYAML", "Diagnostics"]),
  .target(
    name: "Config",
    dependencies: ["YAML", "Diagnostics", "Model", "PromQL", "Template", "Rules", "Kernel"]),
  .target(name: "HTTPClient", dependencies: ["CCurl", "CLinux", "JSON"]),
  .target(
    name: "Authoring",
    dependencies: ["Config", "Diagnostics", "JSON", "Model", "PromQL", "Rules", "YAML"]),
  .target(name: "Answers", dependencies: ["Diagnostics", "JSON", "Model"]),
  .target(name: "Reference", dependencies: ["JSON"]),
  .target(name: "Discovery", dependencies: ["HTTPClient", "JSON", "Kernel", "Model"]),
  .target(
    name: "Persistence", dependencies: ["JSON", "Kernel", "Rules", "Storage", "Model", grdb]),
  .target(
    name: "Server",
    dependencies: [
      "JSON", "Kernel", "Rules", "Engine", "PromQL", "Exposition", "Model", "Storage", hummingbird,
      logging,
    ]),
  .target(
    name: "Lint",
    dependencies: [
      "JSON", "Config", "YAML", "Diagnostics", "Exposition", "Model", "PromQL", "Template",
      "Rules", "Kernel",
    ]),
  .target(
    name: "RuleTest",
    dependencies: [
      "Config", "YAML", "Diagnostics", "JSON", "Model", "PromQL", "Storage", "Engine", "Rules",
      "Kernel",
    ]),
  .target(
    name: "Fuzzing",
    dependencies: [
      "JSON", "Config", "Diagnostics", "Discovery", "Model", "PromQL", "Exposition", "Storage",
      "Engine", "Template",
    ]),
]

let programs: [Target] = [
  .executableTarget(
    name: "tocsin",
    dependencies: [
      "JSON", "YAML", "Diagnostics", "Model", "PromQL", "Storage", "Engine", "Rules", "Kernel",
      "Config", "Discovery", "HTTPClient", "Persistence", "Server", "Lint", "RuleTest", "CLinux",
      "Authoring", "Answers", "Reference", argumentParser, logging,
    ]),
  .executableTarget(
    name: "conformance",
    dependencies: [
      "JSON", "Diagnostics", "Model", "PromQL", "Exposition", "Storage", "Engine", "Template",
      "Kernel", "YAML", "Config", "Lint", "RuleTest", argumentParser,
    ]),
  .executableTarget(name: "fuzz", dependencies: ["Fuzzing", argumentParser]),
  .executableTarget(name: "sim", dependencies: ["Simulation", argumentParser]),
  .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
  .executableTarget(
    name: "benchmarks",
    dependencies: [
      "CAllocations", "Model", "PromQL", "Exposition", "Storage", "Engine", "Template", "Rules",
      "Kernel",
    ],
    path: "Benchmarks",
    exclude: ["soak", "tools", "CAllocations"]),
]

/// Every library has a test target of its own name; they may use anything below them.
let tested: [(name: String, dependencies: [Target.Dependency])] = [
  ("JSON", ["JSON"]),
  ("Diagnostics", ["Diagnostics", "JSON"]),
  ("Model", ["Model"]),
  ("PromQL", ["PromQL", "Model", "Diagnostics", "JSON"]),
  ("Exposition", ["Exposition", "Model"]),
  ("Storage", ["Storage", "Model"]),
  ("Engine", ["Engine", "Storage", "PromQL", "Model"]),
  ("Template", ["Template", "Model"]),
  ("Rules", ["Rules", "Engine", "Storage", "Template", "PromQL", "Model"]),
  (
    "Kernel",
    [
      "Kernel", "Rules", "Engine", "Storage", "Template", "PromQL", "Exposition", "Model", "JSON",
    ]
  ),
  ("Simulation", ["Simulation", "sim"]),
  ("YAML", ["YAML", "Diagnostics"]),
  ("Config", ["Config", "YAML", "Kernel", "Rules", "PromQL", "Model", "Diagnostics"]),
  ("Lint", ["Lint", "Config", "YAML", "Diagnostics", "Model", "PromQL", "JSON"]),
  ("Authoring", ["Authoring", "Config", "Diagnostics", "JSON", "PromQL"]),
  ("Answers", ["Answers", "JSON", "Model"]),
  ("Reference", ["Reference", "JSON"]),
  ("HTTPClient", ["HTTPClient"]),
  ("Discovery", ["Discovery", "HTTPClient", "Kernel", "Model"]),
  ("RuleTest", ["RuleTest"]),
  ("Fuzzing", ["Fuzzing", "RuleTest", "Engine", "Storage", "PromQL", "Model", "JSON"]),
  ("Persistence", ["Persistence", "Kernel", "Rules", "Storage", "Model", grdb]),
  (
    "Server",
    [
      "Server", "HTTPClient", "Kernel", "Rules", "Template", "Engine", "PromQL", "Model", "JSON",
      logging,
    ]
  ),
  ("Command", ["tocsin", "JSON"]),
]

let tests: [Target] =
  [
    .target(name: "TestSupport", dependencies: ["Model"], path: "Tests/Support"),
    .testTarget(name: "TidyTests"),
  ]
  + tested.map {
    .testTarget(name: $0.name + "Tests", dependencies: $0.dependencies + ["TestSupport"])
  }

let package = Package(
  name: "tocsin",
  products: [.executable(name: "tocsin", targets: ["tocsin"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: pure + edge + programs + tests,
  cxxLanguageStandard: .cxx17
)
