import CCurl
import CLinux
import Glibc
import Synchronization

/// Drives all transfers on one thread: libcurl's multi interface told of events by epoll.
///
/// Everything but the inbox is confined to the loop's thread. Other threads put commands into the
/// inbox and wake the loop through an eventfd.
final class TransferLoop: @unchecked Sendable {
  enum Command {
    case start(Transfer)
    case cancel(UInt64)
    /// A lane has not taken its request.
    case giveUp(Lane)
    case stop
  }

  private struct Inbox {
    var commands: [Command] = []
    /// No further command is taken; the loop is ending or has ended.
    var isClosed = false
    var thread: pthread_t?
  }

  private let inbox = Mutex(Inbox())
  private let multi: UnsafeMutableRawPointer
  private let poller: Int32
  private let wakeUp: Int32
  private let maximumConcurrent: Int
  let maximumLanes: Int

  // The loop's own.
  private var running: [UInt64: Transfer] = [:]
  private var waiting: [Transfer] = []
  private var waitingHead = 0
  private var idle: [UnsafeMutableRawPointer] = []
  private var isStopping = false
  /// When libcurl wants to be called, in monotonic nanoseconds.
  private var curlDeadline = Int64.max
  var lanes = Lanes()
  let shelf = LaneShelf()
  let gunzip = WholeGunzip()

  init(maximumConcurrent: Int, maximumIdleConnections: Int) throws(HTTPClientProblem) {
    guard CurlLibrary.isReady, let multi = curl_multi_init() else {
      let problem = tcurl_loading_problem().map { String(cString: $0) } ?? "no handle to be had"
      throw HTTPClientProblem(description: "libcurl cannot be used: \(problem)")
    }
    poller = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    self.multi = multi
    self.maximumConcurrent = max(1, maximumConcurrent)
    maximumLanes = maximumIdleConnections
    guard poller >= 0, wakeUp >= 0, shelf.timer >= 0 else {
      throw HTTPClientProblem(description: "epoll: \(String(cString: strerror(errno)))")
    }
    // Every command is told once; the descriptor need not be read.
    watch(wakeUp, EPOLLIN.rawValue | EPOLLET.rawValue, EPOLL_CTL_ADD)
    watch(shelf.timer, EPOLLIN.rawValue | EPOLLET.rawValue, EPOLL_CTL_ADD)
    tcurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, maximumIdleConnections)
    let context = Unmanaged.passUnretained(self).toOpaque()
    tcurl_multi_set_socket(
      multi,
      { _, socket, what, context, known in
        guard let context else { return 0 }
        Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue()
          .socketChanged(socket, what, isKnown: known != nil)
        return 0
      }, context)
    tcurl_multi_set_timer(
      multi,
      { _, milliseconds, context in
        guard let context else { return 0 }
        Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
        return 0
      }, context)
  }

  /// Starts the thread, which keeps the loop alive until it has stopped.
  func launch() throws(HTTPClientProblem) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        tlinux_name_thread("tocsin-http")
        Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    guard result == 0 else {
      Unmanaged<TransferLoop>.fromOpaque(context).release()
      throw HTTPClientProblem(
        description: "no thread for the HTTP client: \(String(cString: strerror(result)))")
    }
    let started = thread
    inbox.withLock { $0.thread = started }
  }

  /// Hands a command to the loop; false when it has been stopped.
  func post(_ command: Command) -> Bool {
    inbox.withLock { inbox in
      if inbox.isClosed { return false }
      if case .stop = command { inbox.isClosed = true }
      inbox.commands.append(command)
      // Whoever came before has woken the loop, which takes all there are.
      if inbox.commands.count > 1 { return true }
      var one: UInt64 = 1
      // Under the lock: the loop closes the descriptor only after taking the last command.
      write(wakeUp, &one, 8)
      return true
    }
  }

  /// Waits until the thread has ended; returns at once on the loop's own thread.
  func join() {
    let thread = inbox.withLock { inbox in
      defer { inbox.thread = nil }
      return inbox.thread
    }
    guard let thread else { return }
    if pthread_equal(thread, pthread_self()) != 0 {
      pthread_detach(thread)
    } else {
      pthread_join(thread, nil)
    }
  }

  /// Lets the thread end on its own.
  func detach() {
    let thread = inbox.withLock { inbox in
      defer { inbox.thread = nil }
      return inbox.thread
    }
    if let thread { pthread_detach(thread) }
  }

  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  // MARK: The thread

  private func run() {
    let room = 64
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: room)
    defer { events.deallocate() }
    while !isStopping {
      let count = epoll_wait(poller, events, Int32(room), pause(Self.now()))
      for i in 0..<max(0, Int(count)) { handle(events[i]) }
      runTimers()
      finishDone()
      startWaiting()
      // What was just handed to libcurl begins with a timer of no time.
      runTimers()
      finishDone()
    }
    end()
  }

  /// Milliseconds until something is due; −1 for never.
  private func pause(_ now: Int64) -> Int32 {
    var due = curlDeadline
    // Requests in the queue have deadlines nobody else knows of.
    if waiting.count > waitingHead { due = min(due, now + 50_000_000) }
    if due == .max { return -1 }
    return Int32(clamping: (max(0, due - now) + 999_999) / 1_000_000)
  }

  private func runTimers() {
    let now = Self.now()
    if curlDeadline <= now {
      curlDeadline = .max
      var stillRunning: Int32 = 0
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &stillRunning)
    }
  }

  private func handle(_ event: epoll_event) {
    let descriptor = event.data.fd
    if descriptor == wakeUp {
      takeCommands()
    } else if descriptor == shelf.timer {
      expireLanes(Self.now())
    } else if let lane = lanes.byDescriptor[descriptor] {
      serve(lane, event.events)
    } else {
      var action: Int32 = 0
      if event.events & EPOLLIN.rawValue != 0 { action |= CURL_CSELECT_IN }
      if event.events & EPOLLOUT.rawValue != 0 { action |= CURL_CSELECT_OUT }
      if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { action |= CURL_CSELECT_ERR }
      var stillRunning: Int32 = 0
      curl_multi_socket_action(multi, descriptor, action, &stillRunning)
    }
  }

  private func takeCommands() {
    let commands = inbox.withLock { inbox in
      defer { inbox.commands.removeAll(keepingCapacity: true) }
      return inbox.commands
    }
    for command in commands {
      switch command {
      case .start(let transfer): waiting.append(transfer)
      case .cancel(let id): cancel(id)
      case .giveUp(let lane): giveUp(lane)
      case .stop: isStopping = true
      }
    }
  }

  private func cancel(_ id: UInt64) {
    if let transfer = running[id] {
      finish(transfer, transfer.outcome(.failure(.cancelled), now: Self.now()))
    } else if let i = waiting[waitingHead...].firstIndex(where: { $0.id == id }) {
      let transfer = waiting.remove(at: i)
      transfer.completion(transfer.outcome(.failure(.cancelled), now: Self.now()))
    } else {
      cancelOnLane(id)
    }
  }

  /// Starts what waits while there is room, and gives up on what has waited too long.
  private func startWaiting() {
    guard waiting.count > waitingHead else { return }
    let now = Self.now()
    while running.count < maximumConcurrent, waitingHead < waiting.count {
      let transfer = waiting[waitingHead]
      waitingHead += 1
      start(transfer, now)
    }
    if waitingHead == waiting.count || waitingHead > 1024 {
      waiting.removeFirst(waitingHead)
      waitingHead = 0
    }
    guard waiting.count > waitingHead else { return }
    let late = waiting[waitingHead...].filter { ($0.deadline ?? .max) <= now }
    guard !late.isEmpty else { return }
    waiting.removeSubrange(..<waitingHead)
    waitingHead = 0
    waiting.removeAll { ($0.deadline ?? .max) <= now }
    for transfer in late { transfer.completion(transfer.outcome(.failure(.timeout), now: now)) }
  }

  private func start(_ transfer: Transfer, _ now: Int64) {
    if let deadline = transfer.deadline, deadline <= now {
      transfer.completion(transfer.outcome(.failure(.timeout), now: now))
      return
    }
    startWithCurl(transfer, now)
  }

  /// Hands a request to libcurl.
  func startWithCurl(_ transfer: Transfer, _ now: Int64) {
    guard let easy = idle.popLast() ?? curl_easy_init() else {
      let failure = HTTPFailure.request("libcurl has no handle left")
      finish(transfer, transfer.outcome(.failure(failure), now: now))
      return
    }
    transfer.attach(easy, now: now, makesLane: lanes.byURL.count < maximumLanes)
    running[transfer.id] = transfer
    let result = curl_multi_add_handle(multi, easy)
    if result != CURLM_OK {
      let text = String(cString: curl_multi_strerror(result))
      finish(transfer, transfer.outcome(.failure(.request(text)), now: now))
    }
  }

  /// Completes the transfers libcurl has ended.
  private func finishDone() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      var code = CURLE_OK
      guard let easy = tcurl_done(message, &code) else { continue }
      var context: UnsafeMutableRawPointer?
      tcurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
      guard let context else { continue }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      let now = Self.now()
      let outcome = transfer.outcome(code, gunzip, now: now)
      if case .success = outcome.result { makeLane(for: transfer, easy, now) }
      finish(transfer, outcome)
    }
  }

  /// Takes a transfer off libcurl and reports its outcome.
  func finish(_ transfer: Transfer, _ outcome: HTTPOutcome) {
    running[transfer.id] = nil
    if let easy = transfer.detach() {
      curl_multi_remove_handle(multi, easy)
      if idle.count < 64 {
        // Connections live in the multi handle; this only forgets the options.
        curl_easy_reset(easy)
        idle.append(easy)
      } else {
        curl_easy_cleanup(easy)
      }
    }
    transfer.completion(outcome)
  }

  /// Reports what is left and frees everything.
  private func end() {
    takeCommands()
    let now = Self.now()
    closeLanes()
    let open = running.values.sorted { $0.id < $1.id } + waiting[waitingHead...]
    waiting.removeAll()
    waitingHead = 0
    for transfer in open {
      finish(transfer, transfer.outcome(.failure(.shutDown), now: now))
    }
    for easy in idle { curl_easy_cleanup(easy) }
    idle.removeAll()
    curl_multi_cleanup(multi)
    close(poller)
    inbox.withLock { _ in _ = close(wakeUp) }
  }

  // MARK: What libcurl wants to know

  private func socketChanged(_ socket: curl_socket_t, _ what: Int32, isKnown: Bool) {
    if what == CURL_POLL_REMOVE {
      epoll_ctl(poller, EPOLL_CTL_DEL, socket, nil)
      return
    }
    var events: UInt32 = 0
    if what & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
    if what & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
    if isKnown {
      watch(socket, events, EPOLL_CTL_MOD)
    } else {
      watch(socket, events, EPOLL_CTL_ADD)
      curl_multi_assign(multi, socket, Unmanaged.passUnretained(self).toOpaque())
    }
  }

  func watch(_ descriptor: Int32, _ events: UInt32, _ operation: Int32) {
    var event = epoll_event()
    event.events = events
    event.data.fd = descriptor
    if epoll_ctl(poller, operation, descriptor, &event) != 0, errno == EEXIST {
      epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event)
    }
  }

  private func setTimer(_ milliseconds: Int) {
    curlDeadline = milliseconds < 0 ? .max : Self.now() + Int64(milliseconds) * 1_000_000
  }
}

/// libcurl's process-wide set-up.
private enum CurlLibrary {
  static let isReady: Bool = {
    // A peer that hangs up while we write is an error of the write, not of the process.
    signal(SIGPIPE, SIG_IGN)
    return curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
  }()
}
