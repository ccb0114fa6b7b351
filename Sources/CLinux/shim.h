#ifndef TOCSIN_CLINUX_SHIM_H
#define TOCSIN_CLINUX_SHIM_H
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/// Names the calling thread (at most 15 bytes).
static inline void tlinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
#endif
