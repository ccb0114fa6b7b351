#ifndef TOCSIN_CLINUX_SHIM_H
#define TOCSIN_CLINUX_SHIM_H
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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

/// All threads share one heap, for programs that build large things and drop them at once: what one thread frees,
/// the next one uses.
static inline void tlinux_share_heap(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

/// The beginning of what the loader tells of a loaded object; its own declaration needs `_GNU_SOURCE`, which must be
/// the same in all modules.
struct tlinux_object {
  ElfW(Addr) dlpi_addr;
  const char *dlpi_name;
  const ElfW(Phdr) *dlpi_phdr;
  ElfW(Half) dlpi_phnum;
};
struct dl_phdr_info;
extern int dl_iterate_phdr(int (*)(struct dl_phdr_info *, size_t, void *), void *);

static int tlinux_give_back_segments(struct dl_phdr_info *object, size_t size, void *page) {
  (void)size;
  const struct tlinux_object *info = (const struct tlinux_object *)object;
  uintptr_t mask = *(uintptr_t *)page - 1;
  if (info->dlpi_name && strstr(info->dlpi_name, "vdso")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    // Code that the loader has changed cannot be read again from its file.
    for (const ElfW(Dyn) *d = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); d->d_tag != DT_NULL; d++)
      if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL))) return 0;
  }
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~mask;
    uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz + mask) & ~mask;
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

/// Hands back what only starting needed: free blocks of the heap, and the pages of code and constants, of which
/// those that are in use come back from the page cache.
static inline void tlinux_give_back_startup_memory(void) {
  malloc_trim(0);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  dl_iterate_phdr(tlinux_give_back_segments, &page);
}

/// Hands back the free pages of the heap where they are many, as after a burst of large bodies.
static inline void tlinux_give_back_free_pages(void) {
  struct mallinfo2 heap = mallinfo2();
  if (heap.fordblks > (2 << 20) + heap.uordblks / 16) malloc_trim(0);
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
