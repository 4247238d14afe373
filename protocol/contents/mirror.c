#include "protocol/contents/mirror.h"

CONTENT_CODES(mirror_whats, MIRROR_WHAT_LIST);

#define FIELD(kind, ...) CONTENT_A_##kind(struct mirror, __VA_ARGS__)
static const struct content_field mirror_fields[] = {
    FIELD(FIXED, 1, case_id, CONTENT_NEEDED),
    FIELD(CODE, 2, what, CONTENT_NEEDED, mirror_whats),
    FIELD(TIME, 3, until, CONTENT_OPTIONAL),
};
#undef FIELD

static err mirror_check(const void *value)
{
    const struct mirror *mirror = value;
    return (mirror->what == MIRROR_EXTENDED) == (mirror->until.ms > 0) ? OK : ERR_MALFORMED;
}

CONTENT_TABLE(mirror_table, "mirror", struct mirror, mirror_fields, mirror_check);
CONTENT_CODEC(mirror, struct mirror)
