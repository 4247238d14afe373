/* The society's directory: the history of signed heads, and the head that is being prepared.
 *
 *   heads/00000001.head     signed head of epoch 1, and so on
 *   heads/00000001.delta    the items that lead to it from the one before
 *   pending/items           what the next head will change
 *   pending/head            the next head with the signatures so far
 *
 * Opening it proves the whole history: signatures, order, roots. Only one process works on it at a
 * time (a lock on the directory). Files are replaced whole. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_DIRECTORY_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_DIRECTORY_H

#include <limits.h>

#include "protocol/roster/roster.h"

/* One changed member of the pending head. */
struct society_change {
    struct node_id node_id;
    uint8_t *packed; /* owned */
    size_t size;
};

struct society_pending {
    bool exists;
    struct roster_head head; /* as it will be signed */
    uint8_t body[HEAD_SIZE_MAX];
    size_t body_size;
    uint32_t signature_count;
    struct roster_head_signature signatures[OFFICER_COUNT_MAX];
    uint8_t *settings; /* owned; NULL: unchanged */
    size_t settings_size;
    uint8_t *cuts; /* owned; added ones, sorted */
    size_t cuts_size;
    struct society_change *members; /* owned; by node_id */
    uint32_t member_count;
};

struct society {
    char path[PATH_MAX];
    int lock; /* fd of the directory */
    struct roster roster;
    void *roster_memory;
    struct society_pending pending;
};

/* Opens and proves it; with `created` it makes the directory first, and it must then hold no
 * history. False after an error message; then there is nothing to close. */
bool society_directory_open(struct society *society, const char *path, bool created);
void society_directory_close(struct society *society);

/* Reads the signed head, or the delta's items, of one epoch. False after an error message. */
bool society_directory_read_head(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                                 size_t *ret_size);
bool society_directory_read_delta(const struct society *society, uint64_t epoch, uint8_t **ret_data,
                                  size_t *ret_size);

/* The epochs of the heads from the founding one to the last, following `previous`: the other side
 * of a healed split is not among them. `ret_epochs` has room for chain.count of them; returns how
 * many,
 * 0 after an error message when a head cannot be read. */
uint32_t society_directory_epochs(const struct society *society, uint64_t *ret_epochs);

/* Moves the pending head into the history; call it when enough officers have signed. */
bool society_directory_commit(struct society *society);

/* Finishes the pending head (society_pending_finish) and writes it. */
bool society_directory_finish(struct society *society, uint64_t valid_days);
/* Writes pending/items and pending/head. */
bool society_directory_save_pending(struct society *society);
/* Removes them. */
bool society_directory_discard(struct society *society);

/* Frees the pending head in memory. */
void society_directory_forget_pending(struct society_pending *pending);

#endif
