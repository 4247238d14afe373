#include "protocol/record/mailbox.h"

#define FIELD(kind, ...) CONTENT_A_##kind(struct mailbox, __VA_ARGS__)
static const struct content_field mailbox_fields[] = {
    FIELD(FIXED, 1, key, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(mailbox_table, "mailbox key", struct mailbox, mailbox_fields, NULL);
CONTENT_CODEC(mailbox, struct mailbox)
