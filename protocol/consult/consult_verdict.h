/* Verdicts: the effect of a record on a case, or the reason why it has none. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_VERDICT_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_VERDICT_H

#include "protocol/record/content.h"

#define CONSULT_VERDICT_LIST(X)                                                                    \
    X(CONSULT_COUNTS, "it counts")                                                                 \
    X(CONSULT_AWAITS, "not yet taken in by the requester")                                         \
    X(CONSULT_SEEN, "was applied before")                                                          \
    X(CONSULT_OUT_OF_ORDER, "an earlier record of the requester is still to come")                 \
    X(CONSULT_NO_MEANING, "a kind that has no meaning in a case here")                             \
    X(CONSULT_MALFORMED, "its body breaks the rules")                                              \
    X(CONSULT_WRONG_WRITER, "its writer may not say this")                                         \
    X(CONSULT_NOT_OPEN, "the opening of the case is not known here")                               \
    X(CONSULT_OPEN_ALREADY, "the case is open already")                                            \
    X(CONSULT_NOT_GRANTED, "the institution has no access that the requester granted")             \
    X(CONSULT_GRANTED_ALREADY, "the institution has access already")                               \
    X(CONSULT_GRANT_ENDED, "the access of the institution has ended")                              \
    X(CONSULT_NOT_REVEALED, "opinions are independent and none is revealed yet")                   \
    X(CONSULT_UNKNOWN_RECORD, "it names no record that is taken in")                               \
    X(CONSULT_TOO_EARLY, "the deadline does not allow it")                                         \
    X(CONSULT_NOT_CLOSED, "the case is not closed yet")                                            \
    X(CONSULT_CLOSED, "the case is closed")                                                        \
    X(CONSULT_WITHDRAWN, "the case is withdrawn")                                                  \
    X(CONSULT_NOT_ERASED, "nothing was to be erased")                                              \
    X(CONSULT_ERASED, "the case is erased")                                                        \
    X(CONSULT_FULL, "the case holds as many as it may")
enum consult_verdict { CONSULT_VERDICT_LIST(CONTENT_CODE_ENUM) CONSULT_VERDICT_COUNT };

/* "it counts"; static storage. */
const char *consult_verdict_sentence(enum consult_verdict verdict);

#endif
