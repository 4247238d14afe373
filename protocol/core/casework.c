#include "protocol/core/casework.h"

#include <string.h>

#include "protocol/consult/mail.h"
#include "protocol/core/casework_state.h"
#include "protocol/core/core_state.h"
#include "protocol/core/equivocation.h"

/* ---- who takes part ---- */

/* Of a case at rest: whoever the roster names to speak for a removed requester takes part too. */
static bool casework_row_includes(const struct core *core, const struct casework_row *row,
                                  const struct node_id *node)
{
    const struct roster_entry *requester = roster_find(core->roster, &row->asked_by);
    bool is_heir = requester != NULL && requester->state == MEMBER_REMOVED &&
                   ID_EQUAL(requester->successor, *node);
    return ID_EQUAL(row->asked_by, *node) || ID_EQUAL(row->successor, *node) || is_heir ||
           casework_row_part(core, row, node) != CASEWORK_NONE;
}

bool casework_includes(const struct core *core, const struct case_id *case_id,
                       const struct node_id *node)
{
    const struct casework_row *row = casework_row(core, case_id);
    if (row == NULL)
        return false;
    /* it is ours, or we were told of a grant, which may stand far behind the opening */
    if (ID_EQUAL(core->config.self, *node))
        return true;
    if (!row->is_open)
        return ID_EQUAL(row->asked_by, *node);
    const struct consult *consult = casework_find(core, case_id);
    return consult == NULL ? casework_row_includes(core, row, node)
                           : consult_ever_entitled(consult, node);
}

bool casework_is_known(const struct core *core, const struct case_id *case_id)
{
    return casework_row(core, case_id) != NULL;
}

bool casework_is_of_others(const struct core *core, const struct case_id *case_id)
{
    const struct casework_row *row = casework_row(core, case_id);
    return row != NULL && !ID_EQUAL(row->asked_by, core->config.self);
}

bool casework_brief(const struct core *core, uint32_t n, struct core_case_brief *ret_brief)
{
    const struct casework_row *row = &core->casework->rows[n];
    if (n >= core->casework->count)
        return false;
    *ret_brief = (struct core_case_brief){row->case_id, row->asked_by, (enum case_state)row->state,
                                          row->awake == CASEWORK_NONE};
    return true;
}

err casework_may_read(const struct core *core, const struct node_id *node,
                      const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    const struct casework_case *entry = casework_look(core, &case_id);
    const struct node_id *self = &core->config.self;
    uint32_t unread;
    if (entry == NULL)
        return casework_is_known(core, &case_id) ? ERR_BUSY : ERR_NOT_FOUND;
    const struct consult *consult = &entry->consult;
    /* (C-45) */
    if (ID_EQUAL(consult->requester, *self) && !ID_EQUAL(*node, *self) &&
        casework_has_unread(core, entry, &unread))
        return ERR_NOT_ENTITLED;
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return consult_entitled(consult, node, &record) ? OK : ERR_NOT_ENTITLED;
}

err casework_may_have(const struct core *core, const struct node_id *node,
                      const struct case_id *case_id)
{
    const struct casework_row *row = casework_row(core, case_id);
    const struct consult *consult = casework_find(core, case_id);
    if (row == NULL)
        return ERR_NOT_FOUND;
    if (row->state == CASE_ERASED)
        return ERR_DESTROYED;
    if (consult == NULL) {
        uint32_t part = casework_row_part(core, row, node);
        bool has_access = part != CASEWORK_NONE && (row->ended >> part & 1) == 0;
        return row->is_open && (ID_EQUAL(row->asked_by, *node) || has_access) ? OK
                                                                              : ERR_NOT_ENTITLED;
    }
    const struct consult_participant *part = consult_participant_of(consult, node);
    return ID_EQUAL(consult->requester, *node) || (part != NULL && !part->is_ended)
               ? OK
               : ERR_NOT_ENTITLED;
}

bool casework_is_erased(const struct core *core, const struct case_id *case_id)
{
    const struct casework_row *row = casework_row(core, case_id);
    return row != NULL && row->state == CASE_ERASED;
}

void casework_start(struct core *core)
{
    core->casework->readers_changed = true;
    for (uint32_t i = 0; i < core->casework->awake_used; i++) {
        struct casework_case *entry = casework_place(core, i);
        if (entry != NULL)
            casework_walk(core, entry);
    }
}

void casework_succeed(const struct core *core, struct consult *consult)
{
    const struct roster_entry *requester = roster_find(core->roster, &consult->requester);
    if (requester != NULL && requester->state == MEMBER_REMOVED &&
        !ID_IS_ZERO(requester->successor))
        consult_set_successor(consult, &requester->successor);
}

void casework_roster(struct core *core)
{
    for (uint32_t i = 0; i < core->casework->awake_used; i++) {
        struct casework_case *entry = casework_place(core, i);
        if (entry == NULL)
            continue;
        casework_succeed(core, &entry->consult);
        casework_note_state(core, entry);
        entry->is_touched = true;
    }
}

/* ---- what a record means ---- */

/* An institution's key changes, and what it certified before stands: who holds the stream has the
 * word of the stream's own signatures for it. */
static const struct sign_key *casework_key(const struct core *core,
                                           const struct roster_entry *writer,
                                           const struct record_claim *claim)
{
    const struct chain_link *head = chain_find(&core->roster->chain, &claim->header.head);
    return head != NULL && head->epoch < writer->keys_since_epoch ? NULL : &writer->sign_key;
}

static void casework_take_federation(struct core *core, const struct record_claim *claim,
                                     const struct statement *statement, struct step *step)
{
    const struct roster_entry *writer = roster_find(core->roster, &claim->header.stream.writer);
    if (statement->kind == KIND_FORK_PROOF)
        equivocation_proved(core, statement->content, step);
    else if (statement->kind == KIND_MAILBOX_KEY)
        mailboxes_take(core, &claim->header, statement->content);
    else if (writer != NULL &&
             clinicians_take(&core->clinicians, &claim->header, casework_key(core, writer, claim),
                             statement->kind, statement->content) != OK)
        core->refused++;
    else if (writer != NULL && statement->kind == KIND_CERTIFICATE)
        casework_certified(core, &writer->node_id);
}

/* The case rests, and there was no place to wake it: what came is looked at again later. At a start
 * the store's row tells it already. */
static void casework_put_off(struct core *core, const struct case_id *case_id,
                             const struct record_claim *claim)
{
    const struct casework_row *row = casework_row(core, case_id);
    if (row == NULL || row->is_lost || !core->is_started || core->is_obeying)
        return;
    casework_review(core, claim, KIND_NONE);
    casework_delay(core, ERR_FULL);
}

/* To whom this one went: the board, or one of those who were asked directly. */
static uint64_t casework_mirror_bit(const struct consult *consult, const struct scope *scope)
{
    for (size_t i = 0; scope->kind == SCOPE_MAIL && i < consult->directed_count; i++) {
        struct scope mail = scope_mail(&consult->directed[i]);
        if (scope_equal(&mail, scope))
            return UINT64_C(1) << i;
    }
    return scope->kind == SCOPE_BOARD ? 1 : 0;
}

static void casework_take_mirror(struct core *core, const struct record_claim *claim,
                                 const struct statement *statement, struct step *step)
{
    struct mirror mirror;
    const struct stream_id *stream = &claim->header.stream;
    if (statement->kind != KIND_MIRROR || mirror_read(statement->content, &mirror) != OK)
        return;
    struct casework_case *entry = casework_entry(core, &mirror.case_id);
    bool is_own = ID_EQUAL(stream->writer, core->config.self);
    if (entry != NULL && is_own)
        entry->mirrored[mirror.what] |= casework_mirror_bit(&entry->consult, &stream->scope);
    else if (is_own)
        casework_put_off(core, &mirror.case_id, claim);
    if (mirror.what != MIRROR_ERASED || !core->is_started)
        return;
    struct effect *effect = step_effect(step, EFFECT_RETRACT); /* C-53 */
    effect->retract.scope = stream->scope;
    effect->retract.writer = stream->writer;
    effect->retract.case_id = mirror.case_id;
}

static void casework_take_notice(struct core *core, const struct record_claim *claim,
                                 const struct statement *statement)
{
    struct mail_grant_notice notice;
    const struct node_id *writer = &claim->header.stream.writer;
    /* C-42: who knows a case's id does not speak for it */
    if (mail_grant_notice_read(statement->content, &notice) != OK ||
        !ID_EQUAL(notice.requester, *writer) ||
        !caserecord_proves(&core->config.federation, writer, &notice.opening, &notice.case_id))
        return;
    if (!ID_EQUAL(*writer, core->config.self)) {
        (void)casework_add(core, &notice.case_id, writer);
        core->casework->readers_changed = true;
        return;
    }
    struct casework_case *entry = casework_entry(core, &notice.case_id);
    struct node_id recipient;
    memcpy(recipient.bytes, claim->header.stream.scope.id, NODE_ID_SIZE);
    if (entry == NULL)
        casework_put_off(core, &notice.case_id, claim);
    for (size_t i = 0; entry != NULL && i < entry->consult.participant_count; i++) {
        if (ID_EQUAL(entry->consult.participants[i].node, recipient))
            entry->noticed |= UINT64_C(1) << i;
    }
}

/* A wish to join a case that rests: at a start it is noted as long as it may be granted. */
static void casework_rejoin(struct core *core, const struct case_id *case_id,
                            const struct record_claim *claim)
{
    const struct casework_row *row = casework_row(core, case_id);
    casework_put_off(core, case_id, claim);
    if (row == NULL || row->is_blank || !core->is_replaying_again || core->is_started ||
        !ID_EQUAL(row->asked_by, core->config.self) || row->state >= CASE_CLOSED ||
        casework_row_part(core, row, &claim->header.stream.writer) != CASEWORK_NONE)
        return;
    casework_review(core, claim, KIND_JOIN);
}

static void casework_take_join(struct core *core, const struct record_claim *claim,
                               const struct statement *statement, struct step *step)
{
    struct mail_join join;
    if (ID_EQUAL(claim->header.stream.writer, core->config.self) ||
        mail_join_read(statement->content, &join) != OK)
        return;
    struct casework_case *entry = casework_entry(core, &join.case_id);
    if (entry == NULL)
        casework_rejoin(core, &join.case_id, claim);
    else if (ID_EQUAL(entry->consult.requester, core->config.self))
        casework_respond(core, entry, &(struct casework_said){claim, statement, CONSULT_AWAITS},
                         step);
}

/* (C-44) The leader's next generation begins while something that is here of the one before was not
 * read yet: what was ended there would go on. */
static bool casework_is_early(const struct core *core, const struct casework_case *entry,
                              const struct consult_record *record)
{
    const struct consult *consult = &entry->consult;
    bool is_erase = record->statement != NULL && record->statement->kind == KIND_ERASE;
    uint32_t unread;
    return !is_erase && consult->cursor.generation != 0 &&
           ID_EQUAL(record->writer, consult->requester) &&
           record->generation > consult->cursor.generation &&
           casework_has_unread(core, entry, &unread) && unread == consult->cursor.generation;
}

/* `statement` is NULL when the body says nothing that can be read here, now or ever: its position
 * counts all the same, or the case would stand still for ever. */
static void casework_take_case(struct core *core, const struct record_claim *claim,
                               const struct statement *statement, struct step *step)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    const struct node_id *writer = &claim->header.stream.writer;
    struct casework_row *row = casework_row(core, &case_id);
    if (row == NULL && statement != NULL && statement->kind == KIND_OPEN &&
        ID_EQUAL(*writer, core->config.self))
        row = casework_add(core, &case_id, writer);
    struct casework_case *entry = casework_entry(core, &case_id);
    bool is_new = entry == NULL && row != NULL && row->is_blank;
    if (is_new)
        entry = casework_take_place(core, row);
    if (entry == NULL) {
        casework_put_off(core, &case_id, claim);
        return;
    }
    casework_succeed(core, &entry->consult);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    if (casework_is_early(core, entry, &record)) {
        if (core->is_started)
            casework_walk(core, entry);
        return;
    }
    uint64_t before = entry->consult.cursor.sequence;
    enum consult_verdict verdict = consult_apply(&entry->consult, &record);
    casework_note_state(core, entry);
    if (ID_EQUAL(entry->consult.erase, claim->id) && !core->is_obeying) {
        entry->erase_stream = claim->header.stream;
        entry->erase_sequence = claim->header.sequence;
    }
    /* what came before may have found no place */
    bool has_moved =
        is_new || entry->consult.cursor.sequence != before || verdict == CONSULT_OUT_OF_ORDER;
    bool is_proper =
        statement != NULL &&
        kind_check(statement->kind, SCOPE_CASE, claim->header.audience, statement->is_signed) == OK;
    if (is_proper)
        casework_respond(core, entry, &(struct casework_said){claim, statement, verdict}, step);
    if (core->is_started && has_moved)
        casework_walk(core, entry);
}

void casework_take(struct core *core, const struct record_claim *claim, struct bytes plaintext,
                   struct step *step)
{
    struct statement statement;
    const struct record_header *header = &claim->header;
    bool is_readable = statement_read(plaintext, &statement) == OK;
    if (header->stream.scope.kind == SCOPE_CASE) {
        casework_take_case(core, claim, is_readable ? &statement : NULL, step);
        return;
    }
    if (!is_readable || kind_check(statement.kind, header->stream.scope.kind, header->audience,
                                   statement.is_signed) != OK)
        return;
    switch (header->stream.scope.kind) {
    case SCOPE_FEDERATION:
        casework_take_federation(core, claim, &statement, step);
        break;
    case SCOPE_BOARD:
        casework_take_mirror(core, claim, &statement, step);
        break;
    case SCOPE_MAIL:
        casework_take_mirror(core, claim, &statement, step);
        if (statement.kind == KIND_GRANT_NOTICE)
            casework_take_notice(core, claim, &statement);
        if (statement.kind == KIND_JOIN)
            casework_take_join(core, claim, &statement, step);
        break;
    case SCOPE_CASE: /* above */
        break;
    }
}
