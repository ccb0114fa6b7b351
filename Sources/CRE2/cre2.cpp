// A C face for RE2: compile, match, find, error text. C++ stays inside this file.
#include "cre2.h"

#include <re2/re2.h>

#include <new>
#include <vector>

struct tocsin_re2 {
  re2::RE2 re;
  tocsin_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options)
      : re(pattern, options) {}
};

static re2::StringPiece piece(const void *text, size_t length) {
  // An empty Swift string may come as a null pointer, which RE2 reads as "no match".
  return re2::StringPiece(text ? static_cast<const char *>(text) : "", length);
}

extern "C" tocsin_re2 *tocsin_re2_new(const char *pattern, size_t length, size_t max_memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<int64_t>(max_memory));
  return new (std::nothrow) tocsin_re2(piece(pattern, length), options);
}

extern "C" void tocsin_re2_delete(tocsin_re2 *re) { delete re; }

extern "C" int tocsin_re2_ok(const tocsin_re2 *re) { return re->re.ok(); }

extern "C" int tocsin_re2_too_large(const tocsin_re2 *re) {
  return re->re.error_code() == re2::RE2::ErrorPatternTooLarge;
}

extern "C" const char *tocsin_re2_error(const tocsin_re2 *re) { return re->re.error().c_str(); }

extern "C" int tocsin_re2_match(const tocsin_re2 *re, const void *text, size_t length) {
  return re->re.Match(piece(text, length), 0, length, re2::RE2::UNANCHORED, nullptr, 0);
}

extern "C" int tocsin_re2_find(const tocsin_re2 *re, const void *text, size_t length, size_t start,
                               ptrdiff_t *offsets, size_t count) {
  std::vector<re2::StringPiece> groups(count);
  const re2::StringPiece whole = piece(text, length);
  if (!re->re.Match(whole, start, length, re2::RE2::UNANCHORED, groups.data(),
                    static_cast<int>(count)))
    return 0;
  for (size_t i = 0; i < count; i++) {
    const bool present = groups[i].data() != nullptr;
    offsets[2 * i] = present ? groups[i].data() - whole.data() : -1;
    offsets[2 * i + 1] = present ? offsets[2 * i] + static_cast<ptrdiff_t>(groups[i].size()) : -1;
  }
  return 1;
}
