/* The bytes of one entry (spec/api.md, "Audit"). */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_ENTRY_H
#define CONSILIUM_NODE_AUDIT_AUDIT_ENTRY_H

#include "protocol/base/hash.h"
#include "protocol/base/ids.h"
#include "protocol/record/content.h"

#define AUDIT_WHAT_LIST(X)                                                                         \
    X(AUDIT_STARTED, "started")                                                                    \
    X(AUDIT_ACCOUNT_MADE, "account-made")                                                          \
    X(AUDIT_ACCOUNT_REVOKED, "account-revoked")                                                    \
    X(AUDIT_POSTED, "posted")       /* a person wrote a record */                                  \
    X(AUDIT_CONFIRMED, "confirmed") /* a person confirmed a preview: what leaves */                \
    X(AUDIT_DISCLOSED, "disclosed") /* an institution was granted access to a case */              \
    X(AUDIT_DISCLOSURE_ENDED, "disclosure-ended")                                                  \
    X(AUDIT_ITEM_SERVED, "item-served") /* an item went to an institution */                       \
    X(AUDIT_ITEM_READ, "item-read")     /* an item went to a person here */                        \
    X(AUDIT_EXPORTED, "exported")                                                                  \
    X(AUDIT_ERASED, "erased")                                                                      \
    X(AUDIT_REFUSED, "refused") /* an earlier entry was not kept: its bytes stand in `lost` */     \
    X(AUDIT_ACCOUNT_RENEWED, "account-renewed")                                                    \
    X(AUDIT_PASSPHRASE_CHANGED, "passphrase-changed")                                              \
    X(AUDIT_DRAFT_DELETED, "draft-deleted") /* an administrator deleted another user's draft */    \
    X(AUDIT_DRAFT_SHARED, "draft-shared")   /* a colleague may see, change and send it */          \
    X(AUDIT_DRAFT_SHARE_ENDED, "draft-share-ended")
enum audit_what { AUDIT_NOTHING, AUDIT_WHAT_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes audit_entry_whats;

enum {
    AUDIT_LOGIN_SIZE_MAX = 32,
    AUDIT_NOTE_SIZE_MAX = 200,
    AUDIT_ENTRY_SIZE_MAX = 1024, /* without a refused one inside it */
    AUDIT_HEAD_EVERY = 256,
};

/* What happened. Zeros where something has no meaning. */
struct audit_fact {
    enum audit_what what;
    struct bytes login;       /* of the clinician's account */
    struct cert_id clinician; /* who signed */
    uint64_t uid;             /* of the caller, plus 1; 0: the node itself */
    struct case_id case_id;
    struct record_id record;
    uint64_t kind;       /* of the record */
    struct node_id node; /* to whom something was disclosed */
    struct item_id item;
    struct bytes note; /* one line, no clinical text */
};

/* One entry as stored. */
struct audit_entry {
    uint64_t number;
    struct hash previous; /* of the entry before; zeros in the first */
    struct wall time;
    struct audit_fact fact;
    struct bytes lost; /* AUDIT_REFUSED: the entry that the store did not take */
};
/* As content_read and content_write. */
MUST_USE err audit_entry_read(struct bytes entry, struct audit_entry *ret_entry);
MUST_USE err audit_entry_write(const struct audit_entry *entry, struct buffer *out);

#endif
