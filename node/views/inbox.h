/* What arrived: announcements on this institution's boards, requests directed to it, and mail
 * about its own cases. An index in memory over the store, made at the start and kept up to date by
 * news; the records themselves stay in the store. */
#ifndef CONSILIUM_NODE_VIEWS_INBOX_H
#define CONSILIUM_NODE_VIEWS_INBOX_H

#include "node/runtime/runtime.h"
#include "node/views/stored_record.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/mirror.h"

/* One announcement, from a board or by mail. */
struct inbox_entry {
    struct case_id case_id;
    struct record_id record;
    struct node_id writer;
    struct scope scope;
    uint64_t number; /* order of arrival */
    struct wall time;
    struct wall expires;
    struct wall deadline; /* as extended */
    uint8_t specialty[TAG_SIZE_MAX];
    size_t specialty_size;
    uint8_t language[LANGUAGE_SIZE_MAX];
    size_t language_size;
    uint64_t wanted_count;
    enum announcement_mode mode;
    enum mirror_what mirrored; /* closed, withdrawn, erased; or MIRROR_NONE */
    bool is_directed;
    bool is_own;
};

/* Mail about a case: a JOIN or MAIL_DECLINE about one of ours; about another's, a MAIL_DECLINE
 * that refuses our JOIN or says that our access has ended. */
struct inbox_letter {
    struct case_id case_id;
    struct record_id record;
    struct record_id about; /* the announcement, JOIN or OPEN that it names */
    struct node_id writer;
    struct cert_id clinician;
    uint16_t kind;
    struct wall time;
};

struct inbox;

/* Reads what is stored and listens for new records. ERR_NO_MEMORY, ERR_CORRUPT. */
MUST_USE err inbox_new(struct runtime *runtime, struct inbox **ret_inbox);
/* After runtime_unlisten(runtime, inbox). Accepts NULL. */
void inbox_free(struct inbox *inbox);

/* Newest first, from the first that came before `number` (0: the newest), until `on_entry` says
 * false. */
void inbox_scan(const struct inbox *inbox, uint64_t number,
                bool (*on_entry)(void *arg, const struct inbox_entry *entry), void *arg);
/* The announcement of the case by the requester (or, when that is not known yet, the first that
 * came); NULL. */
const struct inbox_entry *inbox_find(const struct inbox *inbox, const struct case_id *case_id);

/* The n-th mail about this case; NULL past the end. */
const struct inbox_letter *inbox_letter(const struct inbox *inbox, const struct case_id *case_id,
                                        size_t n);

/* C-49: the last mail by which the requester says that our access has ended; NULL. */
const struct inbox_letter *inbox_end_of_access(const struct inbox *inbox,
                                               const struct consult *consult);

/* Open: not mirrored as over, deadline and record not past. */
bool inbox_is_open(const struct inbox_entry *entry, struct wall now);

#endif
