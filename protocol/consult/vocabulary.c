#include "protocol/consult/vocabulary.h"

#include <assert.h>

#include "protocol/consult/announcement.h"
#include "protocol/consult/casefile.h"
#include "protocol/consult/caserecord.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/mirror.h"
#include "protocol/consult/opinion.h"
#include "protocol/record/certificate.h"
#include "protocol/record/mailbox.h"
#include "protocol/record/witness.h"

_Static_assert(sizeof(struct casefile) <= VOCABULARY_VALUE_SIZE_MAX, "the largest content fits");
_Static_assert(sizeof(struct opinion) <= VOCABULARY_VALUE_SIZE_MAX, "the longest content fits");

static const struct vocabulary_entry {
    enum kind kind;
    const struct content_table *table;
} vocabulary_entries[] = {
    {KIND_CERTIFICATE, &certificate_envelope_table},
    {KIND_REVOCATION, &certificate_revocation_table},
    {KIND_MAILBOX_KEY, &mailbox_table},
    {KIND_AUDIT_HEAD, &witness_audit_head_table},
    {KIND_FORK_PROOF, &witness_fork_proof_table},
    {KIND_KEY_CHANGE, &witness_key_change_table},
    {KIND_ANNOUNCEMENT, &announcement_table},
    {KIND_MIRROR, &mirror_table},
    {KIND_OPEN, &caserecord_open_table},
    {KIND_GRANT, &caserecord_grant_table},
    {KIND_GRANT_END, &caserecord_grant_end_table},
    {KIND_OPINION, &opinion_table},
    {KIND_POST, &caserecord_post_table},
    {KIND_ASK, &caserecord_ask_table},
    {KIND_SUPPLY, &caserecord_supply_table},
    {KIND_DECLINE, &caserecord_decline_table},
    {KIND_TAKE_IN, &caserecord_take_in_table},
    {KIND_REVEAL, &caserecord_reveal_table},
    {KIND_RELEASE, &caserecord_release_table},
    {KIND_SYNTHESIS, &caserecord_synthesis_table},
    {KIND_CLOSE, &caserecord_close_table},
    {KIND_EXTEND, &caserecord_extend_table},
    {KIND_WITHDRAW, &caserecord_withdraw_table},
    {KIND_OUTCOME, &caserecord_outcome_table},
    {KIND_OPENED, &caserecord_opened_table},
    {KIND_ERASE, &caserecord_erase_table},
    {KIND_ERASED, &caserecord_erased_table},
    {KIND_FLAG, &caserecord_flag_table},
    {KIND_MANIFEST, &casefile_table},
    {KIND_JOIN, &mail_join_table},
    {KIND_DIRECTED, &mail_directed_table},
    {KIND_GRANT_NOTICE, &mail_grant_notice_table},
    {KIND_MAIL_DECLINE, &mail_decline_table},
};

const struct content_table *vocabulary_table(uint16_t kind)
{
    for (size_t i = 0; i < sizeof vocabulary_entries / sizeof vocabulary_entries[0]; i++)
        if (vocabulary_entries[i].kind == (enum kind)kind)
            return vocabulary_entries[i].table;
    return NULL;
}

err vocabulary_read(uint16_t kind, struct bytes content, union vocabulary_value *value)
{
    const struct content_table *table = vocabulary_table(kind);
    if (table == NULL)
        return ERR_UNSUPPORTED;
    assert(table->size <= sizeof *value);
    return content_read(table, content, value);
}
