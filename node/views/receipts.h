/* Clinicians' signed receipts of one case: who opened which records and items. */
#ifndef CONSILIUM_NODE_VIEWS_RECEIPTS_H
#define CONSILIUM_NODE_VIEWS_RECEIPTS_H

#include <jansson.h>

#include "node/runtime/runtime.h"
#include "node/views/stored_record.h"
#include "protocol/contents/case_record.h"

struct receipts;

/* Reads all OPENED records of the case whose signatures are good. ERR_NO_MEMORY, ERR_CORRUPT. */
MUST_USE err receipts_read(struct runtime *runtime, const struct case_id *case_id,
                           struct receipts **ret_receipts);
/* Accepts NULL. */
void receipts_free(struct receipts *receipts);

/* Has this clinician signed for the item, or record? */
bool receipts_has_item(const struct receipts *receipts, const struct cert_id *clinician,
                       const struct item_id *item);

/* Those who opened it, each clinician once: [{"certificate", "name", ...}]. */
json_t *receipts_show_record(struct runtime *runtime, const struct receipts *receipts,
                             const struct record_id *record);
json_t *receipts_show_item(struct runtime *runtime, const struct receipts *receipts,
                           const struct item_id *item);

#endif
