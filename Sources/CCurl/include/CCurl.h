#ifndef TOCSIN_CCurl_H
#define TOCSIN_CCurl_H
#include <curl/curl.h>
// libcurl cannot tell a truncated gzip body from a whole one, so bodies are decoded here: those that are there as a
// whole with libdeflate, which is faster, all others and the damaged ones with zlib.
#include <libdeflate.h>
#include <zlib.h>

// libcurl is loaded by the first call of any function of it, see CCurl.c.

/// Why libcurl could not be loaded, or NULL.
const char *tcurl_loading_problem(void);

// Swift cannot call variadic functions: one typed wrapper per kind of argument.

typedef size_t (*tcurl_data_callback)(char *, size_t, size_t, void *);

CURLcode tcurl_set_long(CURL *h, CURLoption o, long v);
CURLcode tcurl_set_off(CURL *h, CURLoption o, curl_off_t v);
CURLcode tcurl_set_string(CURL *h, CURLoption o, const char *v);
CURLcode tcurl_set_pointer(CURL *h, CURLoption o, void *v);
CURLcode tcurl_set_list(CURL *h, CURLoption o, struct curl_slist *v);
/// The bytes are copied.
CURLcode tcurl_set_blob(CURL *h, CURLoption o, const void *data, size_t len);
CURLcode tcurl_set_write(CURL *h, tcurl_data_callback f, void *context);
CURLcode tcurl_set_header(CURL *h, tcurl_data_callback f, void *context);
typedef int (*tcurl_debug_callback)(CURL *, curl_infotype, char *, size_t, void *);
/// Tells of everything that is sent and received.
CURLcode tcurl_set_debug(CURL *h, tcurl_debug_callback f, void *context);
CURLcode tcurl_get_socket(CURL *h, curl_socket_t *v);
CURLcode tcurl_get_long(CURL *h, CURLINFO i, long *v);
CURLcode tcurl_get_off(CURL *h, CURLINFO i, curl_off_t *v);
CURLcode tcurl_get_string(CURL *h, CURLINFO i, const char **v);
CURLcode tcurl_get_pointer(CURL *h, CURLINFO i, void **v);
CURLMcode tcurl_multi_set_long(CURLM *m, CURLMoption o, long v);
CURLMcode tcurl_multi_set_socket(CURLM *m, curl_socket_callback f, void *context);
CURLMcode tcurl_multi_set_timer(CURLM *m, curl_multi_timer_callback f, void *context);

/// The transfer a message says is done, or NULL when the message says something else.
static inline CURL *tcurl_done(const CURLMsg *m, CURLcode *result) {
  if (m->msg != CURLMSG_DONE) return NULL;
  *result = m->data.result;
  return m->easy_handle;
}
/// Prepares a stream for gzip (not for bare zlib data); the macros of zlib are out of Swift's sight.
static inline int tcurl_inflate_start(z_stream *s) { return inflateInit2(s, 16 + MAX_WBITS); }
#endif
