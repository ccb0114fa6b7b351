import Synchronization

/// Why a client could not be made.
package struct HTTPClientProblem: Error, Sendable, CustomStringConvertible {
  package var description: String
}

/// An HTTP client on libcurl: any number of requests at once, one thread, connections kept for the
/// next time.
package final class HTTPClient: Sendable {
  /// Bounds of one client.
  package struct Limits: Sendable {
    /// Transfers under way at once; more wait in line.
    package var concurrent = 1024
    /// Connections kept open between requests.
    package var idleConnections = 4096
    /// Decoded bytes of any body that has no limit of its own.
    package var body = 512 << 20

    package init() {}
  }

  /// A request under way.
  package struct Handle: Sendable {
    fileprivate let id: UInt64
    fileprivate let loop: TransferLoop

    /// Ends the request with `cancelled`, unless it has ended already.
    package func cancel() { _ = loop.post(.cancel(id)) }
  }

  private let loop: TransferLoop
  private let limits: Limits
  private let lastID = Atomic<UInt64>(0)

  package init(limits: Limits = Limits()) throws(HTTPClientProblem) {
    self.limits = limits
    loop = try TransferLoop(
      maximumConcurrent: limits.concurrent, maximumIdleConnections: limits.idleConnections)
    try loop.launch()
  }

  deinit {
    _ = loop.post(.stop)
    loop.detach()
  }

  /// Sends a request.
  ///
  /// - Parameter completion: called exactly once, on the client's thread: it must not block. After
  ///   `shutdown` it is called at once, on the caller's thread.
  @discardableResult
  package func send(
    _ request: HTTPRequest, completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) -> Handle {
    let id = lastID.add(1, ordering: .relaxed).newValue
    let transfer = Transfer(
      id: id, request: request, hardLimit: limits.body, sent: TransferLoop.now(),
      completion: completion)
    if request.isRepeated, loop.sendOnLane(transfer) { return Handle(id: id, loop: loop) }
    if !loop.post(.start(transfer)) {
      completion(transfer.outcome(.failure(.shutDown), now: TransferLoop.now()))
    }
    return Handle(id: id, loop: loop)
  }

  /// Sends a request and waits; cancelling the task cancels the request.
  package func send(_ request: HTTPRequest) async -> HTTPOutcome {
    let handle = Mutex<(handle: Handle?, isCancelled: Bool)>((nil, false))
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let started = send(request) { continuation.resume(returning: $0) }
        let isCancelled = handle.withLock {
          $0.handle = started
          return $0.isCancelled
        }
        if isCancelled { started.cancel() }
      }
    } onCancel: {
      handle.withLock {
        $0.isCancelled = true
        return $0.handle
      }?.cancel()
    }
  }

  /// Ends everything: requests under way fail with `shutDown`, and the thread is gone when this
  /// returns.
  package func shutdown() {
    _ = loop.post(.stop)
    loop.join()
  }
}
