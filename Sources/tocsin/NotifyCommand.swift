import ArgumentParser
import Config
import Diagnostics
import Glibc
import HTTPClient
import Kernel
import Model

/// `tocsin notify test|replay`.
struct NotifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify",
    abstract: "Try receivers out, and send again what was given up.",
    discussion: """
      tocsin notify test ops
      tocsin notify test ops --alert HighLatency --label instance=db-1:9100
      tocsin notify replay /var/lib/tocsin/dead-letters.jsonl
      """,
    subcommands: [NotifyTestCommand.self, NotifyReplayCommand.self])
}

/// Which configuration names the receivers.
struct NotifyConfiguration: ParsableArguments {
  @Option(name: .customLong("config.file"), help: "Prometheus configuration file.")
  var configFile: String?

  @Option(name: .customLong("tocsin.file"), help: "Tocsin's own settings: webhooks.")
  var tocsinFile: String?

  @Option(
    name: .customLong("web.external-url"), help: "URL under which people reach the server.")
  var externalURL = "http://127.0.0.1:9190"

  /// Reads the files as the daemon does; problems that leave no settings end the program.
  func load() throws -> Settings {
    var options = ConfigLoader.Options()
    options.configFile =
      configFile ?? (FileSystem.exists("prometheus.yml") ? "prometheus.yml" : nil)
    options.tocsinFile = tocsinFile
    let loaded = ConfigLoader.load(options)
    guard var settings = loaded.settings else {
      let errors = loaded.diagnostics.filter { $0.severity == .error }
      NotifyOutput.complain(HumanRenderer().render(errors))
      throw ExitCode(2)
    }
    var url = externalURL
    while url.hasSuffix("/") { url.removeLast() }
    settings.global.externalURL = url
    settings.global.userAgent = "Tocsin/\(Tocsin.version)"
    return settings
  }
}

/// `tocsin notify test RECEIVER`: a fire drill.
struct NotifyTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send a fire drill to a receiver and print its answer.",
    discussion: """
      The alert takes the way of a real one: the rule's templates, external labels, relabelling, \
      grouping, credentials, TLS. It is marked with the label drill="true". A running daemon is \
      neither needed nor disturbed. RECEIVER is the name of a webhook, or the URL or host:port of \
      an Alertmanager.

      Exit status: 0 accepted, 1 not accepted, 2 could not run.
      """)

  @OptionGroup var files: NotifyConfiguration

  @Option(help: "Imitate this alert rule; default: an alert of its own.")
  var alert: String?

  @Option(
    help: "A label as the rule's expression would bring it, name=value; may be repeated.")
  var label: [String] = []

  @Option(help: "The value as the rule's expression would bring it.")
  var value = 1.0

  @Flag(help: "Tell the end of the alert too.")
  var resolve = false

  @Flag(name: .customLong("show-body"), help: "Print the body that is sent.")
  var showsBody = false

  @Argument(help: "The receiver.")
  var receiver: String

  func run() async throws {
    let settings = try files.load()
    var order = FireDrill.Order(receiver: receiver, rule: alert, labels: try labels())
    order.value = value
    order.resolves = resolve
    let drill: FireDrill
    do throws(FireDrill.Problem) {
      drill = try FireDrill(order, settings: settings, at: WallClock().now())
    } catch {
      NotifyOutput.complain("tocsin notify test: \(error.description)")
      throw ExitCode(2)
    }
    let sender = try NotifySender()
    defer { sender.close() }
    print("Fire drill to \(drill.kind.rawValue) \(receiver): \(drill.labels.description)")
    for remark in drill.remarks { print("Note: \(remark)") }
    for request in drill.requests {
      print("")
      let exchange = await sender.send(request)
      print(exchange.text(showsBody: showsBody))
      if !exchange.isAccepted { throw ExitCode(1) }
    }
  }

  private func labels() throws -> [Label] {
    try label.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("--label: expected name=value, got '\(text)'")
      }
      return Label(name: String(parts[0]), value: String(parts[1]))
    }
  }
}

/// `tocsin notify replay FILE`: dead letters once more.
struct NotifyReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Send the notifications of a dead-letter file again.",
    discussion: """
      Each goes to the receiver of its name as it is configured now, under the Idempotency-Key it \
      had. The file stays as it is; --failed writes what was not accepted to another one.

      Exit status: 0 all accepted, 1 not all, 2 could not run.
      """)

  @OptionGroup var files: NotifyConfiguration

  @Option(help: "Only those of this receiver.")
  var receiver: String?

  @Option(help: "File for the letters that are not accepted this time.")
  var failed: String?

  @Argument(help: "The dead-letter file.")
  var file: String

  func run() async throws {
    let settings = try files.load()
    let lines: [ArraySlice<UInt8>]
    do throws(FileSystem.Problem) {
      lines = try FileSystem.read(file).split(separator: UInt8(ascii: "\n"))
    } catch {
      NotifyOutput.complain("tocsin notify replay: \(error)")
      throw ExitCode(2)
    }
    let sender = try NotifySender()
    defer { sender.close() }
    var left: [ArraySlice<UInt8>] = []
    var sent = 0
    for (index, line) in lines.enumerated() {
      let letter = DeadLetter(json: line)
      if let receiver, letter?.receiver != receiver { continue }
      let result = await replay(letter, settings, sender)
      print("\(index + 1): \(result.text)")
      if result.isAccepted { sent += 1 } else { left.append(line) }
    }
    print("\(sent) accepted, \(left.count) not")
    try save(left)
    if !left.isEmpty { throw ExitCode(1) }
  }

  private func replay(
    _ letter: DeadLetter?, _ settings: Settings, _ sender: NotifySender
  ) async -> (text: String, isAccepted: Bool) {
    guard let letter else { return ("not a dead letter", false) }
    let name = "\(letter.receiver) \(letter.key)"
    guard let webhook = settings.webhooks.first(where: { $0.name == letter.receiver }) else {
      return ("\(name): no such receiver is configured", false)
    }
    let exchange = await sender.send(letter.request(to: webhook, global: settings.global))
    return ("\(name): \(exchange.answer)", exchange.isAccepted)
  }

  private func save(_ lines: [ArraySlice<UInt8>]) throws {
    guard let failed else { return }
    let bytes = Array(lines.map { $0 + [UInt8(ascii: "\n")] }.joined())
    let descriptor = open(failed, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      defer { close(descriptor) }
      if bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == bytes.count {
        return
      }
    }
    NotifyOutput.complain(
      "tocsin notify replay: cannot write \(failed): \(String(cString: strerror(errno)))")
    throw ExitCode(2)
  }
}
