/* Error codes: every way in which a call can fail.
 *
 * A sentence is for people and says what is wrong. The program that prints it adds the file,
 * setting or peer it concerns. spec/errors.md lists the same names and sentences, and what a caller
 * does then. */
#ifndef CONSILIUM_PROTOCOL_BASE_ERROR_H
#define CONSILIUM_PROTOCOL_BASE_ERROR_H

#define ERR_LIST(X)                                                                                \
    X(OK, "done")                                                                                  \
    /* a remote party is wrong: count it, trace it, drop it */                                     \
    X(ERR_TRUNCATED, "the bytes end early or claim more than they hold")                           \
    X(ERR_TOO_LARGE, "a size or count is over its limit")                                          \
    X(ERR_MALFORMED, "the bytes do not have the required format")                                  \
    X(ERR_NOT_CANONICAL, "a value is not in its canonical encoding")                               \
    X(ERR_VERSION, "this program does not support the version")                                    \
    X(ERR_BAD_SIGNATURE, "the signature is not valid")                                             \
    X(ERR_BAD_HASH, "the bytes do not have the expected hash")                                     \
    X(ERR_BAD_KEY, "the key does not decrypt the bytes or does not match its commitment")          \
    X(ERR_UNKNOWN_MEMBER, "the roster admits no such member")                                      \
    X(ERR_UNKNOWN_HEAD, "this node does not know the roster head")                                 \
    X(ERR_NOT_ENTITLED, "the roster or the case does not entitle this member")                     \
    X(ERR_COOLING_OFF, "the cooling-off period of the member, its key or its board is not over")   \
    X(ERR_THRESHOLD, "there are fewer signatures than the roster requires")                        \
    X(ERR_OUT_OF_ORDER, "it does not continue what is stored here")                                \
    X(ERR_FORKED, "two different signed values have the same position")                            \
    X(ERR_BEYOND_CUT, "the position is after the end that was set for the stream")                 \
    X(ERR_EXPIRED, "it has expired")                                                               \
    X(ERR_FUTURE, "a clock is in doubt, or a time has not come yet")                               \
    X(ERR_DUPLICATE, "it is stored here already")                                                  \
    X(ERR_OVER_BUDGET, "this is more than the peer may request now; retry later")                  \
    /* a person or a program on this machine made a request that cannot be met */                  \
    X(ERR_INVALID, "the request is not valid")                                                     \
    X(ERR_STATE, "the case does not allow this now")                                               \
    X(ERR_NOT_FOUND, "it does not exist here")                                                     \
    X(ERR_EXISTS, "it exists already")                                                             \
    X(ERR_PASSPHRASE, "the passphrase does not decrypt this key")                                  \
    X(ERR_UNSUPPORTED, "this is not supported")                                                    \
    /* the environment failed: the daemon decides */                                               \
    X(ERR_BUSY, "busy; try again")                                                                 \
    X(ERR_FULL, "no space left")                                                                   \
    X(ERR_NO_MEMORY, "out of memory")                                                              \
    X(ERR_IO, "reading or writing failed")                                                         \
    X(ERR_CORRUPT, "stored bytes fail their check")                                                \
    X(ERR_DESTROYED, "it was erased")

#define ERR_ENUM(name, sentence) name,
enum err { ERR_LIST(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM
typedef enum err err;

#define MUST_USE __attribute__((warn_unused_result))

/* "ERR_TRUNCATED"; static storage. */
const char *err_name(err code);

/* The sentence above; static storage. */
const char *err_sentence(err code);

#endif
