/* The head that is being prepared: changes are put, drafted against the history, and signed. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_PENDING_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_PENDING_H

#include "bootstrap/directory/society_directory.h"

/* Starts a pending head when there is none, with the officers and settings in force. False after an
 * error message when officers have signed the one that exists. */
bool society_pending_begin(struct society *society);

/* Makes the pending head, which was just begun, heal this split. The caller then puts all members
 * and cuts, not only those that change. */
void society_pending_heal(struct society *society, const struct roster_split *split);

/* The epoch that the pending head will have. */
uint64_t society_pending_epoch(const struct society *society);

/* Puts or replaces. Copies what it is given. False after an error message when it is not valid. */
bool society_pending_put_member(struct society *society, const struct member *member);
bool society_pending_put_settings(struct society *society, const struct settings *settings);
bool society_pending_put_cuts(struct society *society, struct bytes cuts);

/* The entry in the head in force; NULL when there is none. Before the founding head is signed there
 * is none, although the roster already holds the drafted entries. */
const struct roster_entry *society_pending_in_force(const struct society *society,
                                                    const struct node_id *node_id);

/* The member as it will be: from the pending head, else as in force. Its spans live as long as
 * neither is changed. False when there is none. */
bool society_pending_member(const struct society *society, const struct node_id *node_id,
                            struct member *ret_member);
/* Calls `visit` for each member as it will be: those in force, then the new ones. */
void society_pending_visit(const struct society *society,
                           void (*visit)(void *arg, const struct member *member), void *arg);
/* The settings as they will be. */
void society_pending_settings(const struct society *society, struct settings *ret_settings);

/* The one member whose name is `text`, or whose node_id begins with it (4 digits or more). False
 * after an error message when there is none, or more than one: these are listed. */
bool society_pending_find(const struct society *society, const char *text,
                          struct member *ret_member);

/* Drafts the head again, without signatures, valid for `valid_days`; society_directory_finish
 * writes it too. */
bool society_pending_finish(struct society *society, uint64_t valid_days);

/* The officers who may sign it, and how many of them must. */
struct officers society_pending_officers(const struct society *society);
uint32_t society_pending_needed(const struct society *society);
/* `officer` is an index into society_pending_officers. */
bool society_pending_signed_by(const struct society_pending *pending, uint32_t officer);

/* ---- for society_directory.c ---- */

bool society_pending_read(struct society *society, struct bytes head, struct bytes items);
/* `ret_items->data` is the caller's to free. */
bool society_pending_items(const struct society_pending *pending, struct buffer *ret_items);
void society_pending_head(const struct society_pending *pending, struct buffer *head);

#endif
