#include "protocol/contents/content_registry.h"

#include <assert.h>

#include "protocol/contents/announcement.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/contents/opinion.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/certificate.h"
#include "protocol/record/mailbox.h"

_Static_assert(sizeof(struct case_file) <= CONTENT_REGISTRY_VALUE_SIZE_MAX,
               "the largest content fits");
_Static_assert(sizeof(struct opinion) <= CONTENT_REGISTRY_VALUE_SIZE_MAX,
               "the longest content fits");

static const struct content_registry_entry {
    enum kind kind;
    const struct content_table *table;
} content_registry_entries[] = {
    {KIND_CERTIFICATE, &certificate_envelope_table},
    {KIND_REVOCATION, &certificate_revocation_table},
    {KIND_MAILBOX_KEY, &mailbox_table},
    {KIND_AUDIT_HEAD, &audit_evidence_audit_head_table},
    {KIND_FORK_PROOF, &audit_evidence_fork_proof_table},
    {KIND_KEY_CHANGE, &audit_evidence_key_change_table},
    {KIND_ANNOUNCEMENT, &announcement_table},
    {KIND_MIRROR, &mirror_table},
    {KIND_OPEN, &case_record_open_table},
    {KIND_GRANT, &case_record_grant_table},
    {KIND_GRANT_END, &case_record_grant_end_table},
    {KIND_OPINION, &opinion_table},
    {KIND_POST, &case_record_post_table},
    {KIND_ASK, &case_record_ask_table},
    {KIND_SUPPLY, &case_record_supply_table},
    {KIND_DECLINE, &case_record_decline_table},
    {KIND_TAKE_IN, &case_record_take_in_table},
    {KIND_REVEAL, &case_record_reveal_table},
    {KIND_RELEASE, &case_record_release_table},
    {KIND_SYNTHESIS, &case_record_synthesis_table},
    {KIND_CLOSE, &case_record_close_table},
    {KIND_EXTEND, &case_record_extend_table},
    {KIND_WITHDRAW, &case_record_withdraw_table},
    {KIND_OUTCOME, &case_record_outcome_table},
    {KIND_OPENED, &case_record_opened_table},
    {KIND_ERASE, &case_record_erase_table},
    {KIND_ERASED, &case_record_erased_table},
    {KIND_FLAG, &case_record_flag_table},
    {KIND_MANIFEST, &case_file_table},
    {KIND_JOIN, &mail_join_table},
    {KIND_DIRECTED, &mail_directed_table},
    {KIND_GRANT_NOTICE, &mail_grant_notice_table},
    {KIND_MAIL_DECLINE, &mail_decline_table},
};

const struct content_table *content_registry_table(uint16_t kind)
{
    for (size_t i = 0; i < sizeof content_registry_entries / sizeof content_registry_entries[0];
         i++)
        if (content_registry_entries[i].kind == (enum kind)kind)
            return content_registry_entries[i].table;
    return NULL;
}

err content_registry_read(uint16_t kind, struct bytes content, union content_registry_value *value)
{
    const struct content_table *table = content_registry_table(kind);
    if (table == NULL)
        return ERR_UNSUPPORTED;
    assert(table->size <= sizeof *value);
    return content_read(table, content, value);
}
