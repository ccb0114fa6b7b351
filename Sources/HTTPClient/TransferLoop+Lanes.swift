import CCurl
import CLinux
import Glibc

/// The lanes of a loop: connections kept for requests that are sent again and again.
struct Lanes {
  /// Bytes read at a time.
  static let room = 64 << 10
  /// Unused for so long, a lane is closed: its request comes no more.
  static let patience: Int64 = 600_000_000_000

  var byURL: [String: Lane] = [:]
  var byDescriptor: [Int32: Lane] = [:]
  /// Descriptors of those whose connections have yet to be made.
  var connecting: Set<Int32> = []
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)

  /// In the order in which they were made, nearly.
  var all: [Lane] { byURL.values.sorted { $0.descriptor < $1.descriptor } }
}

extension TransferLoop {
  /// Sends a request on its lane, if it has one that is free; on any thread.
  func sendOnLane(_ transfer: Transfer) -> Bool {
    guard let lane = shelf.take(for: transfer, now: Self.now()) else { return false }
    // Where the connection does not take the request, libcurl does; a loop that is ending reports
    // all that is on a lane anyway.
    if !lane.sendHead() { _ = post(.giveUp(lane)) }
    return true
  }

  /// Makes a lane for a request that libcurl has just made without anything unusual.
  func makeLane(for transfer: Transfer, _ easy: UnsafeMutableRawPointer, _ now: Int64) {
    let request = transfer.request
    let framing = transfer.framing
    guard request.canHaveLane, !transfer.sentHead.isEmpty, !framing.closes,
      framing.isChunked || framing.length != nil
    else { return }
    var (status, redirects, version, port) = (0, 0, 0, 0)
    tcurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    tcurl_get_long(easy, CURLINFO_REDIRECT_COUNT, &redirects)
    tcurl_get_long(easy, CURLINFO_HTTP_VERSION, &version)
    tcurl_get_long(easy, CURLINFO_PRIMARY_PORT, &port)
    var address: UnsafePointer<CChar>?
    tcurl_get_string(easy, CURLINFO_PRIMARY_IP, &address)
    guard status == 200, redirects == 0, version == 2, let address else { return }
    if let old = lanes.byURL[request.url] {
      // Connecting, busy with another request of this URL, or made for one that has changed since.
      guard shelf.remove(old) else { return }
      if old.fits(request) { return shelf.put(old) }
      drop(old)
    }
    for unused in shelf.removeUnused(since: now - Lanes.patience) { drop(unused) }
    guard lanes.byURL.count < maximumLanes,
      let lane = Lane(request, head: transfer.sentHead, address: address, port: port, now: now)
    else { return }
    lanes.byURL[request.url] = lane
    lanes.byDescriptor[lane.descriptor] = lane
    lanes.connecting.insert(lane.descriptor)
    let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    watch(lane.descriptor, events, EPOLL_CTL_ADD)
  }

  /// Something has happened on a lane's connection.
  func serve(_ lane: Lane, _ events: UInt32) {
    let isClosing = events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue) != 0
    if lanes.connecting.remove(lane.descriptor) != nil {
      if events & EPOLLERR.rawValue != 0 || isClosing || !lane.noteReady() { return drop(lane) }
      return shelf.put(lane)
    }
    if events & EPOLLIN.rawValue == 0 && !isClosing && events & EPOLLERR.rawValue == 0 { return }
    // Nobody has asked for anything: the peer hangs up, or talks out of turn.
    if shelf.remove(lane) { return drop(lane) }
    while true {
      let count = recv(lane.descriptor, lanes.buffer.baseAddress, Lanes.room, 0)
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN { return }
      guard count > 0 else { return broken(lane, count == 0 ? 0 : errno) }
      switch lane.take(UnsafeRawBufferPointer(rebasing: lanes.buffer[..<count])) {
      // A short read has emptied the socket; more to come is told anew.
      case .more: if count < Lanes.room && !isClosing { return }
      case .done(let isOpen): return complete(lane, isOpen: isOpen && !isClosing)
      case .refused:
        guard let refusal = lane.transfer?.refusal else { return giveUp(lane) }
        return end(lane) { $0.outcome(.failure(refusal), now: $1) }
      case .unusual: return giveUp(lane)
      }
    }
  }

  private func complete(_ lane: Lane, isOpen: Bool) {
    guard let transfer = lane.release() else { return }
    if isOpen { shelf.put(lane) } else { drop(lane) }
    finish(transfer, transfer.answer(200, gunzip, now: Self.now()))
  }

  /// Closes a lane and reports an outcome of its request.
  private func end(_ lane: Lane, _ outcome: (Transfer, Int64) -> HTTPOutcome) {
    let transfer = lane.release()
    drop(lane)
    if let transfer { finish(transfer, outcome(transfer, Self.now())) }
  }

  /// The peer has closed the connection, or it broke.
  private func broken(_ lane: Lane, _ systemError: Int32) {
    // One that was closed before anything came had been idle for too long, most likely.
    if !lane.hasAnswer { return giveUp(lane) }
    end(lane) { $0.broken(systemError, now: $1) }
  }

  /// Closes a lane; libcurl makes its request from the beginning.
  func giveUp(_ lane: Lane) {
    let transfer = lane.release()
    drop(lane)
    guard let transfer else { return }
    transfer.restart()
    startWithCurl(transfer, Self.now())
  }

  private func drop(_ lane: Lane) {
    guard lanes.byDescriptor[lane.descriptor] === lane else { return }
    lanes.connecting.remove(lane.descriptor)
    lanes.byURL[lane.request.url] = nil
    lanes.byDescriptor[lane.descriptor] = nil
  }

  /// Ends the request of this number, if it is on a lane.
  func cancelOnLane(_ id: UInt64) {
    for lane in shelf.busy(among: lanes.all) where lane.transfer?.id == id {
      end(lane) { $0.outcome(.failure(.cancelled), now: $1) }
    }
  }

  /// Fails the requests that are over their deadlines, and closes lanes out of use.
  func expireLanes(_ now: Int64) {
    for lane in shelf.busy(among: lanes.all, wakingAfter: now) {
      guard let deadline = lane.transfer?.deadline, deadline <= now else { continue }
      end(lane) { $0.outcome(.failure(.timeout), now: $1) }
    }
    for lane in shelf.removeUnused(since: now - Lanes.patience) { drop(lane) }
  }

  /// Closes all lanes; their requests end with the loop.
  func closeLanes() {
    shelf.close()
    for lane in shelf.busy(among: lanes.all) {
      end(lane) { $0.outcome(.failure(.shutDown), now: $1) }
    }
    (lanes.byURL, lanes.byDescriptor) = ([:], [:])
    lanes.buffer.deallocate()
  }
}
