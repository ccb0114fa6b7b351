#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

// libcurl brings some thirty libraries along, which take longer to load than `tocsin check` takes to
// run. So the program is not linked with it: the functions below have its names, and lead to it once
// it has been loaded. They are hidden, so that libcurl itself never finds them.

#define FUNCTIONS(F) \
  F(easy_cleanup) F(easy_getinfo) F(easy_init) F(easy_reset) F(easy_setopt) F(easy_strerror) \
  F(global_init) F(multi_add_handle) F(multi_assign) F(multi_cleanup) F(multi_info_read) \
  F(multi_init) F(multi_remove_handle) F(multi_setopt) F(multi_socket_action) F(multi_strerror) \
  F(slist_append) F(slist_free_all)

#define FIELD(name) __typeof__(curl_##name) *name;
static struct {
  FUNCTIONS(FIELD)
} functions;

static pthread_once_t loading = PTHREAD_ONCE_INIT;
static const char *problem;

static void note_problem(void) {
  const char *text = dlerror();
  if (!problem) problem = strdup(text ? text : "libcurl cannot be loaded");
}

static void *find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (!function) note_problem();
  return function;
}

static void load(void) {
  // The version is that of the interface: the headers of another one would not fit.
  void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return note_problem();
#define FIND(name) functions.name = (__typeof__(functions.name))find(library, "curl_" #name);
  FUNCTIONS(FIND)
}

const char *tcurl_loading_problem(void) {
  pthread_once(&loading, load);
  return problem;
}

// Whatever uses libcurl begins with this one or with a handle, which it refuses without the library.
#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN CURLcode curl_global_init(long flags) {
  return tcurl_loading_problem() ? CURLE_FAILED_INIT : functions.global_init(flags);
}
HIDDEN const char *curl_easy_strerror(CURLcode code) {
  const char *missing = tcurl_loading_problem();
  return missing ? missing : functions.easy_strerror(code);
}
HIDDEN const char *curl_multi_strerror(CURLMcode code) {
  const char *missing = tcurl_loading_problem();
  return missing ? missing : functions.multi_strerror(code);
}
HIDDEN struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text) {
  return tcurl_loading_problem() ? NULL : functions.slist_append(list, text);
}
HIDDEN void curl_slist_free_all(struct curl_slist *list) {
  if (list) functions.slist_free_all(list);
}
HIDDEN CURL *curl_easy_init(void) {
  return tcurl_loading_problem() ? NULL : functions.easy_init();
}
HIDDEN CURLM *curl_multi_init(void) {
  return tcurl_loading_problem() ? NULL : functions.multi_init();
}
HIDDEN void curl_easy_reset(CURL *h) { functions.easy_reset(h); }
HIDDEN void curl_easy_cleanup(CURL *h) { functions.easy_cleanup(h); }
HIDDEN CURLMcode curl_multi_add_handle(CURLM *m, CURL *h) {
  return functions.multi_add_handle(m, h);
}
HIDDEN CURLMcode curl_multi_remove_handle(CURLM *m, CURL *h) {
  return functions.multi_remove_handle(m, h);
}
HIDDEN CURLMcode curl_multi_assign(CURLM *m, curl_socket_t socket, void *context) {
  return functions.multi_assign(m, socket, context);
}
HIDDEN CURLMcode curl_multi_socket_action(CURLM *m, curl_socket_t socket, int action, int *left) {
  return functions.multi_socket_action(m, socket, action, left);
}
HIDDEN CURLMsg *curl_multi_info_read(CURLM *m, int *left) {
  return functions.multi_info_read(m, left);
}
HIDDEN CURLMcode curl_multi_cleanup(CURLM *m) { return functions.multi_cleanup(m); }

CURLcode tcurl_set_long(CURL *h, CURLoption o, long v) { return functions.easy_setopt(h, o, v); }
CURLcode tcurl_set_off(CURL *h, CURLoption o, curl_off_t v) {
  return functions.easy_setopt(h, o, v);
}
CURLcode tcurl_set_string(CURL *h, CURLoption o, const char *v) {
  return functions.easy_setopt(h, o, v);
}
CURLcode tcurl_set_pointer(CURL *h, CURLoption o, void *v) {
  return functions.easy_setopt(h, o, v);
}
CURLcode tcurl_set_list(CURL *h, CURLoption o, struct curl_slist *v) {
  return functions.easy_setopt(h, o, v);
}
CURLcode tcurl_set_blob(CURL *h, CURLoption o, const void *data, size_t len) {
  struct curl_blob blob = {(void *)data, len, CURL_BLOB_COPY};
  return functions.easy_setopt(h, o, &blob);
}
CURLcode tcurl_set_write(CURL *h, tcurl_data_callback f, void *context) {
  CURLcode c = functions.easy_setopt(h, CURLOPT_WRITEFUNCTION, f);
  return c != CURLE_OK ? c : functions.easy_setopt(h, CURLOPT_WRITEDATA, context);
}
CURLcode tcurl_set_header(CURL *h, tcurl_data_callback f, void *context) {
  CURLcode c = functions.easy_setopt(h, CURLOPT_HEADERFUNCTION, f);
  return c != CURLE_OK ? c : functions.easy_setopt(h, CURLOPT_HEADERDATA, context);
}
CURLcode tcurl_set_debug(CURL *h, tcurl_debug_callback f, void *context) {
  CURLcode c = functions.easy_setopt(h, CURLOPT_DEBUGFUNCTION, f);
  if (c == CURLE_OK) c = functions.easy_setopt(h, CURLOPT_DEBUGDATA, context);
  return c != CURLE_OK ? c : functions.easy_setopt(h, CURLOPT_VERBOSE, 1L);
}
CURLcode tcurl_get_socket(CURL *h, curl_socket_t *v) {
  return functions.easy_getinfo(h, CURLINFO_ACTIVESOCKET, v);
}
CURLcode tcurl_get_long(CURL *h, CURLINFO i, long *v) { return functions.easy_getinfo(h, i, v); }
CURLcode tcurl_get_off(CURL *h, CURLINFO i, curl_off_t *v) {
  return functions.easy_getinfo(h, i, v);
}
CURLcode tcurl_get_string(CURL *h, CURLINFO i, const char **v) {
  return functions.easy_getinfo(h, i, v);
}
CURLcode tcurl_get_pointer(CURL *h, CURLINFO i, void **v) {
  return functions.easy_getinfo(h, i, v);
}
CURLMcode tcurl_multi_set_long(CURLM *m, CURLMoption o, long v) {
  return functions.multi_setopt(m, o, v);
}
CURLMcode tcurl_multi_set_socket(CURLM *m, curl_socket_callback f, void *context) {
  CURLMcode c = functions.multi_setopt(m, CURLMOPT_SOCKETFUNCTION, f);
  return c != CURLM_OK ? c : functions.multi_setopt(m, CURLMOPT_SOCKETDATA, context);
}
CURLMcode tcurl_multi_set_timer(CURLM *m, curl_multi_timer_callback f, void *context) {
  CURLMcode c = functions.multi_setopt(m, CURLMOPT_TIMERFUNCTION, f);
  return c != CURLM_OK ? c : functions.multi_setopt(m, CURLMOPT_TIMERDATA, context);
}
