#include "protocol/consult/consult_verdict.h"

#define CONSULT_VERDICT_TEXT(name, text) text,
static const char *const consult_verdict_sentences[] = {CONSULT_VERDICT_LIST(CONSULT_VERDICT_TEXT)};
#undef CONSULT_VERDICT_TEXT

const char *consult_verdict_sentence(enum consult_verdict verdict)
{
    return verdict < CONSULT_VERDICT_COUNT ? consult_verdict_sentences[verdict] : "unknown";
}
