#include "protocol/base/error.h"

#include <assert.h>

struct error_text {
    const char *name;
    const char *sentence;
};

#define ERR_TEXT(name, sentence) {#name, sentence},
static const struct error_text error_texts[ERR_COUNT] = {ERR_LIST(ERR_TEXT)};
#undef ERR_TEXT

const char *err_name(err code)
{
    assert(code >= OK && code < ERR_COUNT);
    return error_texts[code].name;
}

const char *err_sentence(err code)
{
    assert(code >= OK && code < ERR_COUNT);
    return error_texts[code].sentence;
}
