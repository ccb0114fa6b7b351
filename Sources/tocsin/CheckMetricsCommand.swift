import ArgumentParser
import Diagnostics
import Glibc
import HTTPClient
import Lint

/// `tocsin check metrics FILE|URL|-…`.
struct CheckMetricsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Check what a target exposes: files, URLs or - for standard input.",
    discussion: """
      A body is read exactly as a scrape would read it; an error names its line. Remarks on names \
      and types end with status 1 too.
      """)

  @OptionGroup var flags: CheckFlags

  @Flag(help: "Print how many series each metric has.")
  var extended = false

  @Option(help: "Seconds to wait for a URL.")
  var timeout = 10

  @Argument(help: "Files or URLs.")
  var targets: [String] = []

  func run() async throws {
    var options = flags.options
    options.failOn = min(options.failOn, .warning)
    let isURL: (String) -> Bool = { $0.hasPrefix("http://") || $0.hasPrefix("https://") }
    guard targets.contains(where: isURL) else {
      return try finish(CheckMetrics.run(targets, extended: extended, options: options))
    }
    let client = try HTTPClient()
    var bodies: [CheckMetrics.Body] = []
    var failures: [String] = []
    for target in targets {
      do {
        bodies.append(try await isURL(target) ? fetch(target, client) : read(target))
      } catch let failure as CheckFailure {
        failures.append(failure.message)
      }
    }
    client.shutdown()
    try finish(
      CheckMetrics.run(bodies: bodies, failures: failures, extended: extended, options: options))
  }

  private struct CheckFailure: Error {
    let message: String
  }

  private func fetch(_ url: String, _ client: HTTPClient) async throws -> CheckMetrics.Body {
    var request = HTTPRequest(url: url)
    request.timeout = timeout * 1000
    request.headers = [
      (
        "Accept",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
      ), ("User-Agent", "Tocsin/\(Tocsin.version)"),
    ]
    let outcome = await client.send(request)
    guard case .success(let response) = outcome.result else {
      throw CheckFailure(message: outcome.failureText ?? "\(url): no answer")
    }
    guard response.status == 200 else {
      throw CheckFailure(message: "\(url): server returned HTTP status \(response.statusText)")
    }
    return CheckMetrics.Body(
      SourceText(name: url, bytes: response.body), contentType: response.contentType)
  }

  private func read(_ path: String) throws -> CheckMetrics.Body {
    do {
      return CheckMetrics.Body(
        SourceText(name: path == "-" ? "<stdin>" : path, bytes: try CheckMetrics.bytes(of: path)))
    } catch {
      throw CheckFailure(message: "\(error)")
    }
  }
}
