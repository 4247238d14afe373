/* The case file of a case: its items (documents, images), fetching them, signing for them, reading
 * them. */
#ifndef CONSILIUM_NODE_SERVICE_CASE_ITEMS_H
#define CONSILIUM_NODE_SERVICE_CASE_ITEMS_H

#include "node/service/action.h"
#include "protocol/contents/case_file.h"

/* The case file in force. Owned; it holds item keys and is wiped when it is freed. */
struct case_items {
    struct case_file file; /* borrows from `memory` */
    struct stored_record_memory *memory;
};

/* ERR_NOT_FOUND: not here (yet, or no longer). */
MUST_USE err case_items_load(const struct service *service, const struct case_id *case_id,
                             struct case_items **ret_items, struct refusal *ret_refusal);
/* Accepts NULL. */
void case_items_free(struct case_items *items);

/* The item that is named by its file name, its id, or at least 4 digits of that; NULL: refused. */
const struct case_file_item *case_items_find(const struct case_items *items, const char *name,
                                             struct refusal *ret_refusal);

/* Starts or continues fetching these items; none named: all. Refused once our access has ended. */
MUST_USE err case_items_fetch(const struct service *service, const struct case_id *case_id,
                              const struct case_file_item *const *items, size_t count,
                              struct refusal *ret_refusal);

/* Signs a receipt for items, which must be stored here completely, and records (API-8). Of the
 * input, `items` and `records` count, in any order; there must be at least one. */
void case_items_open(const struct action *action, const struct case_record_opened *opened);

/* May this clinician see the item now? It is here and the clinician has signed for it (API-8). The
 * audit log gets an entry (API-10). `uid` is the user who reads. */
struct case_items_reader {
    const struct account *account;
    uint64_t uid;
};
MUST_USE err case_items_read(const struct service *service, const struct case_id *case_id,
                             const struct case_items_reader *reader,
                             const struct case_file_item *item, struct refusal *ret_refusal);

#endif
