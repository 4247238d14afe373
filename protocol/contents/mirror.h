/* The mirror of a case on its board: the parts of the requester's case stream that the board must
 * know. It informs; the case stream decides. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_MIRROR_H
#define CONSILIUM_PROTOCOL_CONTENTS_MIRROR_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"

#define MIRROR_WHAT_LIST(X)                                                                        \
    X(MIRROR_EXTENDED, "extended")                                                                 \
    X(MIRROR_CLOSED, "closed")                                                                     \
    X(MIRROR_WITHDRAWN, "withdrawn")                                                               \
    X(MIRROR_ERASED, "erased")
enum mirror_what { MIRROR_NONE, MIRROR_WHAT_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes mirror_whats;

struct mirror {
    struct case_id case_id;
    enum mirror_what what;
    struct wall until; /* the new deadline; required with MIRROR_EXTENDED, and only allowed there */
};
CONTENT_DECLARE(mirror, struct mirror);

#endif
