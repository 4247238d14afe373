/* What a person does with drafts before anything leaves: a user sees and changes only drafts of its
 * own (uid), and those that a colleague of this node shared with it. The result of a change comes
 * when it is durable. */
#ifndef CONSILIUM_NODE_SERVICE_DRAFTING_H
#define CONSILIUM_NODE_SERVICE_DRAFTING_H

#include "node/attachment/attachment.h"
#include "node/service/service.h"
#include "node/views/refusal.h"

/* By at least 4 digits of its id; NULL: refused. */
struct draft *drafting_find(const struct service *service, uid_t uid, const char *name,
                            struct refusal *ret_refusal);
/* The same, for a change: refused while it is being sent. */
struct draft *drafting_find_open(const struct service *service, uid_t uid, const char *name,
                                 struct refusal *ret_refusal);

/* The attachment with this file name, id, or at least 4 digits of that; NULL: refused. */
const struct draft_attachment *drafting_find_attachment(const struct draft *draft, const char *name,
                                                        struct refusal *ret_refusal);

/* ---- changes ---- */

/* Who is told. `draft` is NULL if `refusal` is not, or if the service has stopped. */
struct drafting {
    struct service *service;
    void (*on_done)(void *arg, const struct draft *draft, const struct refusal *refusal);
    void *arg;
};

/* A new draft with these fields (spec/api.md): of a new case; or with `supplied` (may be NULL), of
 * something supplied to this case, into which the caller may write a SUPPLY. */
void drafting_make(const struct drafting *drafting, uid_t uid, const struct case_id *supplied,
                   const json_t *fields);
/* Of an open draft. */
void drafting_change(const struct drafting *drafting, struct draft *draft, const json_t *fields);

/* Lets the user of this account see, change and send the draft, or no longer (`is_end`). `uid` must
 * be whose draft it is. */
void drafting_share(const struct drafting *drafting, struct draft *draft, uid_t uid,
                    const char *login, bool is_end);

/* Examines and cleans a file, and adds it. */
struct drafting_file {
    const char *name; /* copied */
    uint8_t *content; /* malloc'd; taken over */
    size_t size;
    bool is_as_pictures; /* of a PDF: attachment_take_as_pictures */
};
void drafting_attach(const struct drafting *drafting, struct draft *draft,
                     const struct drafting_file *file);
void drafting_detach(const struct drafting *drafting, struct draft *draft,
                     const struct draft_attachment *attachment);

/* Removes an open draft with its attachments, at once: for whose draft it is. */
MUST_USE err drafting_delete(struct service *service, struct draft *draft, uid_t uid,
                             struct refusal *ret_refusal);

#endif
