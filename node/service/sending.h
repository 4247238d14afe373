/* Sending a draft: announcing a new case, or supplying something to one. What was shown, and
 * nothing else, leaves. */
#ifndef CONSILIUM_NODE_SERVICE_SENDING_H
#define CONSILIUM_NODE_SERVICE_SENDING_H

#include "node/service/action.h"

enum { SENDING_REASON_SIZE_MAX = 120 }; /* bytes; it goes into the audit log */

/* What the clinician confirmed (API-7); borrowed for the call. */
struct sending_confirmation {
    struct hash preview;    /* outgoing_preview.h */
    struct bytes full_name; /* as in the clinician's certificate */
    /* Why what may identify the patient may stay; empty if nothing may (outgoing_identifiers.h). */
    struct bytes keep_reason;
};

/* The case id of `action` is not used; the signer's passphrase must stay until the result. The
 * draft is removed once all is posted. If sending was interrupted, the same call again continues:
 * records that exist are not written twice. */
void sending_send(const struct action *action, struct draft *draft,
                  const struct sending_confirmation *confirmation);

#endif
