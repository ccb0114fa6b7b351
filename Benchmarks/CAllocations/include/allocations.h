#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdint.h>

/// Blocks of memory the calling thread has asked for since it began.
uint64_t allocations_of_thread(void);

#endif
