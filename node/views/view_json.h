/* Members, clinicians and records as JSON. */
#ifndef CONSILIUM_NODE_VIEWS_VIEW_JSON_H
#define CONSILIUM_NODE_VIEWS_VIEW_JSON_H

#include <jansson.h>

#include "node/runtime/runtime.h"
#include "node/views/stored_record.h"
#include "protocol/record/certificate.h"

/* {"node", "name", "country"}; the name is missing when the roster does not know it. */
enum { VIEW_JSON_BOARDS_SIZE = 200 };
/* "cardiology, hematology/bmt, ...": the boards, as many as fit. */
void view_json_boards(const struct runtime *runtime, char ret_list[static VIEW_JSON_BOARDS_SIZE]);

json_t *view_json_member(const struct runtime *runtime, const struct node_id *node);

/* {"certificate", "name", "credentials", "specialties", "country", "institution", ...}; only the id
 * when the certificate is not known here. */
json_t *view_json_clinician(struct runtime *runtime, const struct cert_id *cert_id);
/* The same from the certificate itself. */
json_t *view_json_certificate(const struct runtime *runtime, const struct certificate *certificate);

/* Whether the clinician's signature holds, as the API spells it: "good", "none", "unknown
 * certificate", "revoked", "expired", "bad". */
const char *view_json_signature(struct runtime *runtime, const struct stored_record *stored_record);

/* {"record", "kind", "time", "writer", "clinician", "signature", "content", ...} */
json_t *view_json_record(struct runtime *runtime, const struct stored_record *stored_record);

/* {"kept": true, "reached", "audience"} of one of our own. */
json_t *view_json_delivery(struct runtime *runtime, const struct stored_record *stored_record);

#endif
