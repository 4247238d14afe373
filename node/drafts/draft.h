/* Drafts: cases, and answers to what was asked for, before anything of them leaves.
 *
 * A draft belongs to the uid that made it, which may share it with others of this node: they see,
 * change and send it, too. What a person typed is kept as JSON, as it came, with
 * the names of spec/consult.md; attachments are sealed items already (items.h). All drafts are in
 * memory and, sealed, in the store (STORE_TABLE_DRAFT). */
#ifndef CONSILIUM_NODE_DRAFTS_DRAFT_H
#define CONSILIUM_NODE_DRAFTS_DRAFT_H

#include <jansson.h>
#include <sys/types.h>

#include "node/items/items.h"
#include "node/runtime/runtime.h"
#include "node/views/content_json.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"

enum {
    DRAFT_ID_SIZE = 16,
    DRAFT_COUNT_MAX = 1000,
    DRAFT_SHARED_MAX = 8,
    DRAFT_EACH_COUNT_MAX = 250, /* of one user of this machine */
};

struct draft_attachment {
    struct item_id item_id;
    struct item_key item_key; /* secret */
    char name[ITEM_NAME_SIZE_MAX + 1];
    char media_type[MEDIA_TYPE_SIZE_MAX + 1];
    uint64_t size;
    uint64_t chunk_count;
    uint32_t stripped; /* enum attachment_stripped */
    char *findings;    /* owned; as in struct attachment; NULL: none */
};

struct draft {
    struct draft *next;
    uint8_t id[DRAFT_ID_SIZE];
    uid_t uid; /* whose it is */
    uid_t shared[DRAFT_SHARED_MAX];
    size_t shared_count;
    bool is_supply; /* to the case `case_id`, which is under way; else a new case */
    struct case_id case_id;
    struct case_record_opening opening; /* of a new case */
    struct wall made_at;
    json_t *fields; /* an object */
    struct draft_attachment attachments[ITEM_COUNT_MAX];
    size_t attachment_count;
    struct hash sending;  /* the preview that is being sent; zeros: none. Nothing changes then. */
    unsigned in_progress; /* uploads: it must not go away */
};

struct draft_book;

/* Reads all drafts. ERR_NO_MEMORY, ERR_CORRUPT. */
MUST_USE err draft_open(struct runtime *runtime, struct items *items, struct draft_book **ret_book);
/* Accepts NULL. */
void draft_close(struct draft_book *book);

/* A new, empty one with a new case_id; NULL when there are too many of this uid or of all, or no
 * memory. Not kept before draft_save. */
struct draft *draft_new(struct draft_book *book, uid_t uid);
/* One that supplies something to a case. */
struct draft *draft_new_supply(struct draft_book *book, uid_t uid, const struct case_id *case_id);

/* May this uid see and change it? */
bool draft_is_for(const struct draft *draft, uid_t uid);

/* The n-th that this uid may see; NULL past the end. */
struct draft *draft_at(const struct draft_book *book, uid_t uid, size_t n);

/* All drafts, whoever made them, newest first: the one after `before`, or the first one (NULL).
 * NULL past the end. */
struct draft *draft_next(const struct draft_book *book, const struct draft *before);
/* Those of this uid. */
size_t draft_count(const struct draft_book *book, uid_t uid);

/* Stores it as it is now. ERR_TOO_LARGE: nothing was stored, and `on_done` does not come. */
MUST_USE err draft_save(struct draft_book *book, const struct draft *draft,
                        void (*on_done)(void *arg, err result), void *arg);

/* Removes it. `with_items`: its attachments too (they have not been sent). */
void draft_remove(struct draft_book *book, struct draft *draft, bool with_items);

/* Removes one attachment, by its index. */
void draft_detach(struct draft_book *book, struct draft *draft, size_t place);

/* ---- what may be said in one ---- */

/* Checks the fields given, and puts them into the draft; null takes one out. Nothing is changed
 * unless OK; a refusal names all that is wrong. ERR_STATE: marked as an emergency, refused with the
 * advice to call. */
MUST_USE err draft_change(struct draft *draft, const json_t *form, struct refusal *ret_problem);

/* Names the fields as they are now: another name, other fields. */
enum { DRAFT_REVISION_SIZE = 16 + 1 };
void draft_revision(const struct draft *draft, char ret_revision[static DRAFT_REVISION_SIZE]);

/* The fields that belong to a content's table, as a form of their own; a new reference. */
json_t *draft_part(const struct draft *draft, const struct content_table *table);

#endif
