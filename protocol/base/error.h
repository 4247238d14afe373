/* Every way in which a call can fail, under one name each.
 *
 * The sentences are for people and say what is wrong; the program that prints one adds the file,
 * setting or peer it concerns. spec/errors.md holds the same names and what a caller does then. */
#ifndef CONSILIUM_PROTOCOL_BASE_ERROR_H
#define CONSILIUM_PROTOCOL_BASE_ERROR_H

#define ERR_LIST(X)                                                                                \
    X(OK, "done")                                                                                  \
    /* a stranger is wrong: count it, trace it, drop it */                                         \
    X(ERR_TRUNCATED, "the bytes end early or claim more than they hold")                           \
    X(ERR_TOO_LARGE, "a size or count is over its limit")                                          \
    X(ERR_MALFORMED, "the bytes do not have the shape they must have")                             \
    X(ERR_NOT_CANONICAL, "a value is not in its one allowed spelling")                             \
    X(ERR_VERSION, "a version that this program does not speak")                                   \
    X(ERR_BAD_SIGNATURE, "the signature does not fit")                                             \
    X(ERR_BAD_HASH, "the bytes do not have the hash that was promised")                            \
    X(ERR_BAD_KEY, "the key does not open the bytes or does not fit its commitment")               \
    X(ERR_UNKNOWN_MEMBER, "not a member that the roster admits")                                   \
    X(ERR_UNKNOWN_HEAD, "a roster head that is not known here")                                    \
    X(ERR_NOT_ENTITLED, "the roster or the case does not entitle this member")                     \
    X(ERR_COOLING_OFF, "the member, its key or its board is new and its cooling-off not over")     \
    X(ERR_THRESHOLD, "fewer signatures than the roster demands")                                   \
    X(ERR_OUT_OF_ORDER, "it does not continue what is here")                                       \
    X(ERR_FORKED, "two different things stand signed at one position")                             \
    X(ERR_BEYOND_CUT, "the position lies beyond the end that was set for the stream")              \
    X(ERR_EXPIRED, "its time is over")                                                             \
    X(ERR_FUTURE, "its time lies more than ten minutes ahead")                                     \
    X(ERR_DUPLICATE, "it is here already")                                                         \
    X(ERR_OVER_BUDGET, "more than this peer may ask for now; later")                               \
    /* a person or a program on this machine asked for something that cannot be */                 \
    X(ERR_INVALID, "the request is not valid")                                                     \
    X(ERR_STATE, "the case does not allow this now")                                               \
    X(ERR_NOT_FOUND, "there is no such thing here")                                                \
    X(ERR_EXISTS, "it exists already")                                                             \
    X(ERR_PASSPHRASE, "the passphrase does not open this key")                                     \
    X(ERR_UNSUPPORTED, "this is not supported")                                                    \
    /* the world is wrong: the shell decides */                                                    \
    X(ERR_BUSY, "busy; try again")                                                                 \
    X(ERR_FULL, "no room left")                                                                    \
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
