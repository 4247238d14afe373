/* The content of MAILBOX_KEY: the key to which mail for this institution is sealed while it is
 * offline. */
#ifndef CONSILIUM_PROTOCOL_RECORD_MAILBOX_H
#define CONSILIUM_PROTOCOL_RECORD_MAILBOX_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"

struct mailbox {
    struct mailbox_key key;
};
CONTENT_DECLARE(mailbox, struct mailbox);

#endif
