/* What the actions of this folder use: one federation of this node, with the accounts of its
 * clinicians, its inbox and its drafts. */
#ifndef CONSILIUM_NODE_SERVICE_SERVICE_H
#define CONSILIUM_NODE_SERVICE_SERVICE_H

#include "node/drafts/draft.h"
#include "node/items/items.h"
#include "node/runtime/runtime.h"
#include "node/signing/account.h"
#include "node/views/inbox.h"
#include "node/views/membership_proofs.h"

/* Everything is borrowed until service_free. */
struct service_config {
    struct runtime *runtime;
    struct items *items;
    struct workers *workers;
    struct passphrase_checks *checks;
    struct secure_arena *secrets;
    const char *accounts; /* directory of the key files; for the call */
};

/* The folder's own struct; others only read it. */
struct service {
    struct runtime *runtime;
    struct items *items;
    struct workers *workers;
    struct account_book *accounts;
    struct account_room room; /* for account_make and its like */
    struct inbox *inbox;
    struct draft_book *drafts;
    struct membership_proofs *proofs;
    bool is_stopped; /* runtime and items may be gone: actions under way end with ERR_BUSY */
};

/* Reads what is stored, and publishes certificates that an earlier run did not publish.
 * ERR_NO_MEMORY, ERR_CORRUPT, ERR_IO, ERR_NOT_ENTITLED (the directory belongs to another user). */
MUST_USE err service_new(const struct service_config *config, struct service **ret_service);

/* Listens to news no more. Before the runtime is closed; accepts NULL. */
void service_stop(struct service *service);

/* After service_stop, when no action is under way. Accepts NULL. */
void service_free(struct service *service);

#endif
