#include "bootstrap/directory/member_text.h"

#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

const char *member_text_state(enum member_state state)
{
    switch (state) {
    case MEMBER_ADMITTED:
        return "admitted";
    case MEMBER_SUSPENDED:
        return "suspended";
    case MEMBER_REMOVED:
        return "removed";
    }
    return "?";
}

void member_text_describe(const struct member *member, FILE *out)
{
    char hex[2 * NODE_ID_SIZE + 1], fingerprint[FINGERPRINT_TEXT_SIZE];
    struct hash hash = hash_one(CONTEXT_FINGERPRINT, ID_BYTES(member->sign_key));
    ids_to_hex(ID_BYTES(member->node_id), hex);
    fingerprint_write(&hash, fingerprint);
    (void)fprintf(out, "  %.*s (%.2s), %s, node %s\n    fingerprint of its key  %s\n",
                  TERMINAL_TEXT(member->name), (const char *)member->country,
                  member_text_state(member->state), hex, fingerprint);
}
