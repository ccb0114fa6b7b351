#ifndef TOCSIN_CCurl_SHIM_H
#define TOCSIN_CCurl_SHIM_H
#include <curl/curl.h>
// libcurl cannot tell a truncated gzip body from a whole one, so bodies are decoded here: those that are there as a
// whole with libdeflate, which is faster, all others and the damaged ones with zlib.
#include <libdeflate.h>
#include <zlib.h>

// Swift cannot call variadic functions: one typed wrapper per kind of argument.

static inline CURLcode tcurl_set_long(CURL *h, CURLoption o, long v) {
  return curl_easy_setopt(h, o, v);
}
static inline CURLcode tcurl_set_off(CURL *h, CURLoption o, curl_off_t v) {
  return curl_easy_setopt(h, o, v);
}
static inline CURLcode tcurl_set_string(CURL *h, CURLoption o, const char *v) {
  return curl_easy_setopt(h, o, v);
}
static inline CURLcode tcurl_set_pointer(CURL *h, CURLoption o, void *v) {
  return curl_easy_setopt(h, o, v);
}
static inline CURLcode tcurl_set_list(CURL *h, CURLoption o, struct curl_slist *v) {
  return curl_easy_setopt(h, o, v);
}
/// The bytes are copied.
static inline CURLcode tcurl_set_blob(CURL *h, CURLoption o, const void *data, size_t len) {
  struct curl_blob blob = {(void *)data, len, CURL_BLOB_COPY};
  return curl_easy_setopt(h, o, &blob);
}
typedef size_t (*tcurl_data_callback)(char *, size_t, size_t, void *);
static inline CURLcode tcurl_set_write(CURL *h, tcurl_data_callback f, void *context) {
  CURLcode c = curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, f);
  return c != CURLE_OK ? c : curl_easy_setopt(h, CURLOPT_WRITEDATA, context);
}
static inline CURLcode tcurl_set_header(CURL *h, tcurl_data_callback f, void *context) {
  CURLcode c = curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, f);
  return c != CURLE_OK ? c : curl_easy_setopt(h, CURLOPT_HEADERDATA, context);
}
typedef int (*tcurl_debug_callback)(CURL *, curl_infotype, char *, size_t, void *);
/// Tells of everything that is sent and received.
static inline CURLcode tcurl_set_debug(CURL *h, tcurl_debug_callback f, void *context) {
  CURLcode c = curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, f);
  if (c == CURLE_OK) c = curl_easy_setopt(h, CURLOPT_DEBUGDATA, context);
  return c != CURLE_OK ? c : curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);
}
static inline CURLcode tcurl_get_long(CURL *h, CURLINFO i, long *v) {
  return curl_easy_getinfo(h, i, v);
}
static inline CURLcode tcurl_get_off(CURL *h, CURLINFO i, curl_off_t *v) {
  return curl_easy_getinfo(h, i, v);
}
static inline CURLcode tcurl_get_string(CURL *h, CURLINFO i, const char **v) {
  return curl_easy_getinfo(h, i, v);
}
static inline CURLcode tcurl_get_pointer(CURL *h, CURLINFO i, void **v) {
  return curl_easy_getinfo(h, i, v);
}
static inline CURLMcode tcurl_multi_set_long(CURLM *m, CURLMoption o, long v) {
  return curl_multi_setopt(m, o, v);
}
static inline CURLMcode tcurl_multi_set_socket(
    CURLM *m, curl_socket_callback f, void *context) {
  CURLMcode c = curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, f);
  return c != CURLM_OK ? c : curl_multi_setopt(m, CURLMOPT_SOCKETDATA, context);
}
static inline CURLMcode tcurl_multi_set_timer(
    CURLM *m, curl_multi_timer_callback f, void *context) {
  CURLMcode c = curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, f);
  return c != CURLM_OK ? c : curl_multi_setopt(m, CURLMOPT_TIMERDATA, context);
}
/// The transfer a message says is done, or NULL when the message says something else.
static inline CURL *tcurl_done(const CURLMsg *m, CURLcode *result) {
  if (m->msg != CURLMSG_DONE) return NULL;
  *result = m->data.result;
  return m->easy_handle;
}
/// Prepares a stream for gzip (not for bare zlib data); the macros of zlib are out of Swift's sight.
static inline int tcurl_inflate_start(z_stream *s) { return inflateInit2(s, 16 + MAX_WBITS); }
#endif
