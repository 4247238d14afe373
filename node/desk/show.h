/* What the API says of members, clinicians and records, as JSON. Reads the store; changes nothing.
 */
#ifndef CONSILIUM_NODE_DESK_SHOW_H
#define CONSILIUM_NODE_DESK_SHOW_H

#include <jansson.h>

#include "node/desk/readout.h"
#include "node/federation/shell.h"
#include "protocol/record/certificate.h"

/* {"node", "name", "country"}; the name is missing when the roster does not know it. */
enum { SHOW_BOARDS_SIZE = 200 };
/* "cardiology, hematology/bmt, ...": the boards there are, as many as there is room for. */
void show_boards(const struct shell *shell, char ret_list[static SHOW_BOARDS_SIZE]);

json_t *show_member(const struct shell *shell, const struct node_id *node);

/* {"certificate", "name", "credentials", "specialties", "country", "institution", ...}; only the id
 * when the certificate is not known here. */
json_t *show_clinician(struct shell *shell, const struct cert_id *cert_id);
/* The same from the certificate itself. */
json_t *show_certificate(const struct shell *shell, const struct certificate *certificate);

/* Whether the clinician's signature holds, as the API spells it: "good", "none", "unknown
 * certificate", "revoked", "expired", "bad". */
const char *show_signature(struct shell *shell, const struct readout *readout);

/* {"record", "kind", "time", "writer", "clinician", "signature", "content", ...} */
json_t *show_record(struct shell *shell, const struct readout *readout);

/* {"kept": true, "reached", "audience"} of one of our own. */
json_t *show_delivery(struct shell *shell, const struct readout *readout);

#endif
