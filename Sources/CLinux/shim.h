#ifndef TOCSIN_CLINUX_SHIM_H
#define TOCSIN_CLINUX_SHIM_H
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// Names the calling thread (at most 15 bytes).
static inline void tlinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Big blocks (bodies of scrapes, say) go back to the system whenever they are freed, whatever was freed before;
/// few threads allocate much, so that few arenas do.
static inline void tlinux_keep_heap_small(void) {
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_ARENA_MAX, 2);
}

static int tlinux_signal_pipe = -1;

static void tlinux_note_signal(int number) {
  int before = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t written = write(tlinux_signal_pipe, &byte, 1);
  (void)written;
  errno = before;
}

/// From now on every one of these signals becomes a byte, its number, in a pipe.
///
/// A handler, since blocking is not enough: the main thread of a Swift program with an async main belongs to
/// libdispatch, which waits there with every signal unblocked.
static inline int tlinux_pipe_signals(int pipe, const int *numbers, int count) {
  tlinux_signal_pipe = pipe;
  for (int i = 0; i < count; i++) {
    struct sigaction action = {0};
    action.sa_handler = tlinux_note_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    if (sigaction(numbers[i], &action, 0) != 0) return -1;
  }
  return 0;
}
#endif
