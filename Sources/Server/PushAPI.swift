import Exposition
import HTTPTypes
import Hummingbird
import JSON
import Kernel
import Model

/// The paths through which others hand samples in.
struct PushAPI: Sendable {
  /// Bytes of a remote-write request as sent, and decoded.
  private static let writeLimit = 32 << 20
  private static let decodedLimit = 128 << 20

  let context: ServerContext

  // MARK: Remote write

  /// `POST /api/v1/write`: remote write 1.0 and 2.0.
  ///
  /// - Note: Good samples of a request are stored whatever is wrong with others; any bad one makes
  ///   the answer 400, which senders do not retry.
  func write(_ request: Request) async -> Response {
    guard context.acceptsRemoteWrite else {
      return Plain.text(
        "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n",
        status: .notFound)
    }
    let version: RemoteWriteVersion
    switch Self.version(of: request.headers) {
    case .success(let named): version = named
    case .failure(let refusal):
      return Plain.text(refusal.message + "\n", status: .unsupportedMediaType)
    }
    let pushed: PushedRequest
    do {
      let body = try await request.body.collect(upTo: Self.writeLimit)
      let message = try Snappy.decode(Array(body.readableBytesView), limit: Self.decodedLimit)
      pushed = try RemoteWriteReader.read(message, version: version)
    } catch let problem as SnappyProblem {
      return answer("\(problem)", .badRequest, version)
    } catch let problem as WireProblem {
      return answer("proto: \(problem.message)", .badRequest, version)
    } catch {
      return answer("the request is too large or broke off", .contentTooLarge, version)
    }
    let now = context.now()
    let tally = context.gate.visit { $0.push(pushed, at: now) }
    let problem = pushed.problems.first ?? tally.problem
    return answer(
      problem, problem == nil ? .noContent : .badRequest, version, tally, pushed: pushed)
  }

  private struct Refusal: Error {
    let message: String
  }

  /// The message's version by its Content-Type; only Snappy's encoding is known.
  private static func version(of headers: HTTPFields) -> Result<RemoteWriteVersion, Refusal> {
    let encoding = headers[.contentEncoding] ?? ""
    if !encoding.isEmpty && encoding != "snappy" {
      return .failure(
        Refusal(
          message: "\(encoding) encoding (compression) is not accepted by this server; only snappy "
            + "is acceptable"))
    }
    let type = headers[.contentType] ?? ""
    if type.isEmpty { return .success(.v1) }
    let parts = type.split(separator: ";").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard parts.first?.lowercased() == "application/x-protobuf" else {
      return .failure(
        Refusal(
          message: "expected application/x-protobuf as the first (media) part, got \(type) "
            + "content-type"))
    }
    for part in parts.dropFirst() where part.hasPrefix("proto=") {
      guard let version = RemoteWriteVersion(rawValue: String(part.dropFirst(6))) else {
        return .failure(
          Refusal(
            message: "\(part.dropFirst(6)) protobuf message is not accepted by this server; only "
              + "io.prometheus.write.v2.Request,prometheus.WriteRequest is acceptable"))
      }
      return .success(version)
    }
    return .success(.v1)
  }

  /// An answer; one to a 2.0 sender tells what was written.
  private func answer(
    _ problem: String?, _ status: HTTPResponse.Status, _ version: RemoteWriteVersion,
    _ tally: PushTally = PushTally(), pushed: PushedRequest? = nil
  ) -> Response {
    var response = Response(status: status)
    if let problem { response = Plain.text(problem + "\n", status: status) }
    guard version == .v2 else { return response }
    let counts = [
      ("Samples", tally.floats), ("Histograms", tally.histograms),
      // Exemplars are taken and not kept: a sender that saw zero would believe us a 1.0 receiver.
      ("Exemplars", pushed?.series.reduce(0) { $0 + $1.exemplars } ?? 0),
    ]
    for (what, count) in counts {
      if let name = HTTPField.Name("X-Prometheus-Remote-Write-\(what)-Written") {
        response.headers[name] = "\(count)"
      }
    }
    return response
  }

  // MARK: Import

  /// `POST /api/v1/import`: a text or OpenMetrics document of any length, samples with their own
  /// times.
  ///
  /// The body is read, parsed and stored piece by piece; what came before an error stays.
  func load(_ request: Request) async throws(APIFailure) -> Answer {
    guard context.allowsAdmin else { throw APIFailure(.unavailable, "admin APIs disabled") }
    if let encoding = request.headers[.contentEncoding], encoding != "identity" {
      throw APIFailure(
        .badData, "the encoding \(encoding) is not supported: send the text as it is")
    }
    var reader = ImportReader(try Self.notation(of: request))
    let session = ImportSession()
    do {
      for try await buffer in request.body {
        if let batch = try reader.take(buffer.readableBytesView) { store(batch, session) }
      }
      if let batch = try reader.finish() { store(batch, session) }
    } catch let problem as ExpositionProblem {
      let place = problem.line > 0 ? "line \(problem.line): " : ""
      throw APIFailure(.badData, "\(place)\(problem.message) (\(Self.summary(session)))")
    } catch {
      throw APIFailure(.badData, "the request broke off (\(Self.summary(session)))")
    }
    return Self.report(session)
  }

  /// Hands a batch to the kernel; evaluations come in between.
  private func store(_ batch: ImportBatch, _ session: ImportSession) {
    let now = context.now()
    context.gate.visit { $0.importBatch(batch, in: session, at: now) }
  }

  private static func notation(of request: Request) throws(APIFailure) -> ImportReader.Notation {
    let parameters = RequestParameters(query: request.uri.query)
    switch parameters["format"] {
    case "openmetrics": return .openMetrics
    case "prometheus", "text": return .text
    case nil: break
    case let other?:
      throw .invalidParameter("format", "unknown format \(GoText.quote(other))")
    }
    let type = request.headers[.contentType] ?? ""
    return type.hasPrefix("application/openmetrics-text") ? .openMetrics : .detected
  }

  private static func summary(_ session: ImportSession) -> String {
    "stored before: \(session.tally.floats) samples"
  }

  private static func report(_ session: ImportSession) -> Answer {
    let tally = session.tally
    return Envelope.success { json in
      json.object { json in
        json.field("series", int: session.seriesCount)
        json.field("samples", int: tally.floats)
        json.field("outOfOrder", int: tally.outOfOrder)
        json.field("duplicates", int: tally.duplicates)
        json.field("tooOld", int: tally.tooOld)
        json.field("tooNew", int: tally.tooNew)
      }
    }
  }
}
