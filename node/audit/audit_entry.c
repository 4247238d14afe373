#include "node/audit/audit_entry.h"

#include <stddef.h>

CONTENT_CODES(audit_entry_whats, AUDIT_WHAT_LIST);

static const struct content_field audit_fact_fields[] = {
    CONTENT_A_CODE(struct audit_fact, 1, what, CONTENT_NEEDED, audit_entry_whats),
    CONTENT_A_LINE(struct audit_fact, 2, login, CONTENT_OPTIONAL, AUDIT_LOGIN_SIZE_MAX),
    CONTENT_A_FIXED(struct audit_fact, 3, clinician, CONTENT_OPTIONAL),
    CONTENT_A_UINT(struct audit_fact, 4, uid, CONTENT_OPTIONAL, UINT32_MAX + UINT64_C(1)),
    CONTENT_A_FIXED(struct audit_fact, 5, case_id, CONTENT_OPTIONAL),
    CONTENT_A_FIXED(struct audit_fact, 6, record, CONTENT_OPTIONAL),
    CONTENT_A_UINT(struct audit_fact, 7, kind, CONTENT_OPTIONAL, UINT16_MAX),
    CONTENT_A_FIXED(struct audit_fact, 8, node, CONTENT_OPTIONAL),
    CONTENT_A_FIXED(struct audit_fact, 9, item, CONTENT_OPTIONAL),
    CONTENT_A_LINE(struct audit_fact, 10, note, CONTENT_OPTIONAL, AUDIT_NOTE_SIZE_MAX),
};
CONTENT_TABLE(audit_entry_fact_table, "audit fact", struct audit_fact, audit_fact_fields, NULL);

static const struct content_field audit_entry_fields[] = {
    CONTENT_A_UINT(struct audit_entry, 1, number, CONTENT_NEEDED, UINT64_MAX),
    CONTENT_A_FIXED(struct audit_entry, 2, previous, CONTENT_OPTIONAL),
    CONTENT_A_TIME(struct audit_entry, 3, time, CONTENT_NEEDED),
    CONTENT_A_MAP(struct audit_entry, 4, fact, CONTENT_NEEDED, &audit_entry_fact_table),
    CONTENT_A_BIN(struct audit_entry, 5, lost, CONTENT_OPTIONAL, AUDIT_ENTRY_SIZE_MAX),
};
static CONTENT_TABLE(audit_entry_table, "audit entry", struct audit_entry, audit_entry_fields,
                     NULL);

err audit_entry_read(struct bytes entry, struct audit_entry *ret_entry)
{
    return content_read(&audit_entry_table, entry, ret_entry);
}

err audit_entry_write(const struct audit_entry *entry, struct buffer *out)
{
    return content_write(&audit_entry_table, entry, out);
}
