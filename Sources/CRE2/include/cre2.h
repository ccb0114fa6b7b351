#ifndef TOCSIN_CRE2_H
#define TOCSIN_CRE2_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct tocsin_re2 tocsin_re2;
// Compiles UTF-8 text in RE2's Perl-like dialect; max_memory bounds program and automaton. NULL: no memory.
tocsin_re2 *tocsin_re2_new(const char *pattern, size_t length, size_t max_memory);
void tocsin_re2_delete(tocsin_re2 *re);
int tocsin_re2_ok(const tocsin_re2 *re);
// Whether compilation failed for the memory limit alone.
int tocsin_re2_too_large(const tocsin_re2 *re);
const char *tocsin_re2_error(const tocsin_re2 *re);
int tocsin_re2_match(const tocsin_re2 *re, const void *text, size_t length);
// Leftmost match from `start` on. Fills `count` pairs of byte offsets, -1 for groups without part in it.
int tocsin_re2_find(const tocsin_re2 *re, const void *text, size_t length, size_t start,
                    ptrdiff_t *offsets, size_t count);
#ifdef __cplusplus
}
#endif
#endif
