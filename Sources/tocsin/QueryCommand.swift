import Answers
import ArgumentParser
import Diagnostics
import Glibc
import Model

/// `tocsin query instant|range|series|labels|metadata`: asks any server with Prometheus' API.
struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Ask Tocsin, Prometheus or anything with its API.",
    discussion: """
      tocsin query instant http://127.0.0.1:9190 'up == 0'
      tocsin query range --plot http://127.0.0.1:9190 'rate(requests_total[5m])'
      tocsin query labels http://127.0.0.1:9190 job
      tocsin query series -o csv http://127.0.0.1:9190 'up{job="node"}'
      tocsin query instant --http.config.file client.yml https://prom.example up

      Exit status: 0 answered, 1 the server answered with an error, 2 no answer.
      """,
    subcommands: [
      QueryInstantCommand.self, QueryRangeCommand.self, QuerySeriesCommand.self,
      QueryLabelsCommand.self, QueryMetadataCommand.self,
    ])
}

/// How answers are printed.
enum QueryFormat: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

/// `tocsin query instant SERVER EXPR`.
struct QueryInstantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instant",
    abstract: "Evaluate an expression at one time.",
    discussion: """
      tocsin query instant http://127.0.0.1:9190 'up == 0'
      tocsin query instant --time 2026-01-31T12:00:00Z http://127.0.0.1:9190 up
      """)

  @OptionGroup var flags: QueryFlags

  @Option(help: "Evaluation time, RFC 3339 or Unix seconds; default: now.")
  var time: String?

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "PromQL expression.")
  var expr: String

  func run() async throws {
    var form: [(String, String)] = [("query", expr)]
    if let time { form.append(("time", time)) }
    let client = try QueryClient(server: server, flags: flags, expr: expr)
    client.print(try await client.ask(.query, "/api/v1/query", form: form))
  }
}

/// `tocsin query range SERVER EXPR`.
struct QueryRangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "range",
    abstract: "Evaluate an expression at every step of a time range.",
    discussion: """
      tocsin query range --plot http://127.0.0.1:9190 'rate(requests_total[5m])'
      tocsin query range --start 2026-01-31T12:00:00Z http://127.0.0.1:9190 up

      Without --start the last hour, without --step 250 steps.
      """)

  @OptionGroup var flags: QueryFlags

  @Option(help: "First time, RFC 3339 or Unix seconds; default: an hour before the end.")
  var start: String?

  @Option(help: "Last time, RFC 3339 or Unix seconds; default: now.")
  var end: String?

  @Option(help: "Distance of the steps: seconds or 1m30s.")
  var step: String?

  @Flag(help: "Draw the result, as wide as the terminal.")
  var plot = false

  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "PromQL expression.")
  var expr: String

  func run() async throws {
    let last = try end.map { try QueryTime.parse("end", $0) } ?? WallClock().now()
    let first = try start.map { try QueryTime.parse("start", $0) } ?? last - .hours(1)
    let distance = try step.map(QueryTime.step) ?? QueryTime.step(from: first, through: last)
    let form = [
      ("query", expr), ("start", NumberText.plain(first.seconds)),
      ("end", NumberText.plain(last.seconds)), ("step", NumberText.plain(distance.seconds)),
    ]
    let client = try QueryClient(server: server, flags: flags, expr: expr)
    let answer = try await client.ask(.query, "/api/v1/query_range", form: form)
    guard plot else { return client.print(answer) }
    var options = Plot.Options()
    options.isColoured = color.isOn(for: 1)
    options.width = Terminal.columns
    let picture = Plot(
      answer.answer, from: first, through: last, step: distance, options: options)
    Terminal.write(picture.text, to: 1)
  }
}

/// `tocsin query series SERVER SELECTOR…`.
struct QuerySeriesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "series",
    abstract: "List the series that selectors match.",
    discussion: "tocsin query series http://127.0.0.1:9190 'up{job=\"node\"}'")

  @OptionGroup var flags: QueryFlags
  @OptionGroup var range: QueryRangeFlags

  @Option(help: "A selector; may be repeated.")
  var match: [String] = []

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "Selectors.")
  var selectors: [String] = []

  func run() async throws {
    if match.isEmpty && selectors.isEmpty {
      throw ValidationError("give a selector, such as up or {job=\"node\"}")
    }
    let query = (match + selectors).map { ("match[]", $0) } + (try range.parameters)
    let client = try QueryClient(server: server, flags: flags)
    client.print(try await client.ask(.series, "/api/v1/series", query: query))
  }
}

/// `tocsin query labels SERVER [NAME]`.
struct QueryLabelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "labels",
    abstract: "List the names of labels, or the values of one.",
    discussion: """
      tocsin query labels http://127.0.0.1:9190
      tocsin query labels --match up http://127.0.0.1:9190 job
      """)

  @OptionGroup var flags: QueryFlags
  @OptionGroup var range: QueryRangeFlags

  @Option(help: "Only of the series this selector matches; may be repeated.")
  var match: [String] = []

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "The label whose values are wanted.")
  var name: String?

  func run() async throws {
    let query = match.map { ("match[]", $0) } + (try range.parameters)
    let path =
      name.map { "/api/v1/label/\(PercentEncoding.encode($0))/values" } ?? "/api/v1/labels"
    let client = try QueryClient(server: server, flags: flags)
    client.print(try await client.ask(.labels, path, query: query))
  }
}

/// `tocsin query metadata SERVER [METRIC]`.
struct QueryMetadataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metadata",
    abstract: "List types, units and help texts of metrics.",
    discussion: "tocsin query metadata http://127.0.0.1:9190 up")

  @OptionGroup var flags: QueryFlags

  @Option(help: "The most metrics.")
  var limit: Int?

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "Only this metric.")
  var metric: String?

  func run() async throws {
    var query = metric.map { [("metric", $0)] } ?? []
    if let limit { query.append(("limit", String(limit))) }
    let client = try QueryClient(server: server, flags: flags)
    client.print(try await client.ask(.metadata, "/api/v1/metadata", query: query))
  }
}
