#include "protocol/cases/cases.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/cases/cases_state.h"
#include "protocol/contents/mail.h"
#include "protocol/engine/engine_state.h"
#include "protocol/replication/equivocation.h"

/* ---- who takes part ---- */

/* Of a case at rest: whoever the roster names to speak for a removed requester takes part too. */
static bool cases_row_includes(const struct engine *engine, const struct case_table_row *row,
                               const struct node_id *node)
{
    const struct roster_entry *requester = roster_find(engine->roster, &row->asked_by);
    bool is_heir = requester != NULL && requester->state == MEMBER_REMOVED &&
                   ID_EQUAL(requester->successor, *node);
    return ID_EQUAL(row->asked_by, *node) || ID_EQUAL(row->successor, *node) || is_heir ||
           case_table_row_part(engine, row, node) != CASES_NONE;
}

bool cases_includes(const struct engine *engine, const struct case_id *case_id,
                    const struct node_id *node)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    if (row == NULL)
        return false;
    /* it is ours, or we were told of a grant, which may stand far behind the opening */
    if (ID_EQUAL(engine->config.self, *node))
        return true;
    if (!row->is_open)
        return ID_EQUAL(row->asked_by, *node);
    const struct consult *consult = case_table_find(engine, case_id);
    return consult == NULL ? cases_row_includes(engine, row, node)
                           : consult_ever_entitled(consult, node);
}

bool cases_is_known(const struct engine *engine, const struct case_id *case_id)
{
    return case_table_row(engine, case_id) != NULL;
}

bool cases_is_of_others(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row != NULL && !ID_EQUAL(row->asked_by, engine->config.self);
}

bool cases_brief(const struct engine *engine, uint32_t n, struct engine_case_brief *ret_brief)
{
    const struct case_table_row *row = &engine->cases->rows[n];
    if (n >= engine->cases->count)
        return false;
    *ret_brief = (struct engine_case_brief){row->case_id, row->asked_by,
                                            (enum case_state)row->state, row->awake == CASES_NONE};
    return true;
}

err cases_may_read(const struct engine *engine, const struct node_id *node,
                   const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    const struct cases_case *entry = case_table_look(engine, &case_id);
    const struct node_id *self = &engine->config.self;
    uint32_t unread;
    if (entry == NULL)
        return cases_is_known(engine, &case_id) ? ERR_BUSY : ERR_NOT_FOUND;
    const struct consult *consult = &entry->consult;
    /* (C-45) */
    if (ID_EQUAL(consult->requester, *self) && !ID_EQUAL(*node, *self) &&
        case_automation_has_unread(engine, entry, &unread))
        return ERR_NOT_ENTITLED;
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return consult_entitled(consult, node, &record) ? OK : ERR_NOT_ENTITLED;
}

err cases_may_have(const struct engine *engine, const struct node_id *node,
                   const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    const struct consult *consult = case_table_find(engine, case_id);
    if (row == NULL)
        return ERR_NOT_FOUND;
    if (row->state == CASE_ERASED)
        return ERR_DESTROYED;
    if (consult == NULL) {
        uint32_t part = case_table_row_part(engine, row, node);
        bool has_access = part != CASES_NONE && (row->ended >> part & 1) == 0;
        return row->is_open && (ID_EQUAL(row->asked_by, *node) || has_access) ? OK
                                                                              : ERR_NOT_ENTITLED;
    }
    const struct consult_participant *part = consult_participant_of(consult, node);
    return ID_EQUAL(consult->requester, *node) || (part != NULL && !part->is_ended)
               ? OK
               : ERR_NOT_ENTITLED;
}

bool cases_is_erased(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row != NULL && row->state == CASE_ERASED && !PLANTED(ERASED_IS_KEPT);
}

void cases_start(struct engine *engine)
{
    engine->cases->readers_changed = true;
    for (uint32_t i = 0; i < engine->cases->awake_used; i++) {
        struct cases_case *entry = case_table_place(engine, i);
        if (entry != NULL)
            case_automation_replay(engine, entry);
    }
}

void cases_succeed(const struct engine *engine, struct consult *consult)
{
    const struct roster_entry *requester = roster_find(engine->roster, &consult->requester);
    if (requester != NULL && requester->state == MEMBER_REMOVED &&
        !ID_IS_ZERO(requester->successor))
        consult_set_successor(consult, &requester->successor);
}

void cases_roster(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->cases->awake_used; i++) {
        struct cases_case *entry = case_table_place(engine, i);
        if (entry == NULL)
            continue;
        cases_succeed(engine, &entry->consult);
        case_table_note_state(engine, entry);
        entry->is_touched = true;
    }
}

/* ---- what a record means ---- */

/* An institution's key changes, and what it certified before stands: who holds the stream has the
 * word of the stream's own signatures for it. */
static const struct sign_key *cases_key(const struct engine *engine,
                                        const struct roster_entry *writer,
                                        const struct record_claim *claim)
{
    const struct chain_link *head = chain_find(&engine->roster->chain, &claim->header.head);
    return head != NULL && head->epoch < writer->keys_since_epoch ? NULL : &writer->sign_key;
}

static void cases_take_federation(struct engine *engine, const struct record_claim *claim,
                                  const struct statement *statement, struct step *step)
{
    const struct roster_entry *writer = roster_find(engine->roster, &claim->header.stream.writer);
    if (statement->kind == KIND_FORK_PROOF)
        equivocation_proved(engine, statement->content, step);
    else if (statement->kind == KIND_MAILBOX_KEY)
        mailbox_keys_take(engine, &claim->header, statement->content);
    else if (writer != NULL &&
             clinicians_take(&engine->clinicians, &claim->header, cases_key(engine, writer, claim),
                             statement->kind, statement->content) != OK)
        engine->refused++;
    else if (writer != NULL && statement->kind == KIND_CERTIFICATE)
        case_retry_certified(engine, &writer->node_id);
}

/* The case rests, and there was no place to wake it: what came is looked at again later. At a start
 * the store's row tells it already. */
static void cases_put_off(struct engine *engine, const struct case_id *case_id,
                          const struct record_claim *claim)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    if (row == NULL || row->is_lost || !engine->is_started || engine->is_obeying)
        return;
    case_automation_review(engine, claim, KIND_NONE);
    case_retry_delay(engine, ERR_FULL);
}

/* To whom this one went: the board, or one of those who were asked directly. */
static uint64_t cases_mirror_bit(const struct consult *consult, const struct scope *scope)
{
    for (size_t i = 0; scope->kind == SCOPE_MAIL && i < consult->directed_count; i++) {
        struct scope mail = scope_mail(&consult->directed[i]);
        if (scope_equal(&mail, scope))
            return UINT64_C(1) << i;
    }
    return scope->kind == SCOPE_BOARD ? 1 : 0;
}

static void cases_take_mirror(struct engine *engine, const struct record_claim *claim,
                              const struct statement *statement, struct step *step)
{
    struct mirror mirror;
    const struct stream_id *stream = &claim->header.stream;
    if (statement->kind != KIND_MIRROR || mirror_read(statement->content, &mirror) != OK)
        return;
    struct cases_case *entry = case_table_entry(engine, &mirror.case_id);
    bool is_own = ID_EQUAL(stream->writer, engine->config.self);
    if (entry != NULL && is_own)
        entry->mirrored[mirror.what] |= cases_mirror_bit(&entry->consult, &stream->scope);
    else if (is_own)
        cases_put_off(engine, &mirror.case_id, claim);
    if (mirror.what != MIRROR_ERASED || !engine->is_started)
        return;
    struct effect *effect = step_effect(step, EFFECT_RETRACT); /* C-53 */
    effect->retract.scope = stream->scope;
    effect->retract.writer = stream->writer;
    effect->retract.case_id = mirror.case_id;
}

static void cases_take_notice(struct engine *engine, const struct record_claim *claim,
                              const struct statement *statement)
{
    struct mail_grant_notice notice;
    const struct node_id *writer = &claim->header.stream.writer;
    /* C-42: who knows a case's id does not speak for it */
    if (mail_grant_notice_read(statement->content, &notice) != OK ||
        !ID_EQUAL(notice.requester, *writer) ||
        !case_record_proves(&engine->config.federation, writer, &notice.opening, &notice.case_id))
        return;
    if (!ID_EQUAL(*writer, engine->config.self)) {
        (void)case_table_add(engine, &notice.case_id, writer);
        engine->cases->readers_changed = true;
        return;
    }
    struct cases_case *entry = case_table_entry(engine, &notice.case_id);
    struct node_id recipient;
    memcpy(recipient.bytes, claim->header.stream.scope.id, NODE_ID_SIZE);
    if (entry == NULL)
        cases_put_off(engine, &notice.case_id, claim);
    for (size_t i = 0; entry != NULL && i < entry->consult.participant_count; i++) {
        if (ID_EQUAL(entry->consult.participants[i].node, recipient))
            entry->noticed |= UINT64_C(1) << i;
    }
}

/* A wish to join a case that rests: at a start it is noted as long as it may be granted. */
static void cases_rejoin(struct engine *engine, const struct case_id *case_id,
                         const struct record_claim *claim)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    cases_put_off(engine, case_id, claim);
    if (row == NULL || row->is_blank || !engine->is_replaying_again || engine->is_started ||
        !ID_EQUAL(row->asked_by, engine->config.self) || row->state >= CASE_CLOSED ||
        case_table_row_part(engine, row, &claim->header.stream.writer) != CASES_NONE)
        return;
    case_automation_review(engine, claim, KIND_JOIN);
}

static void cases_take_join(struct engine *engine, const struct record_claim *claim,
                            const struct statement *statement, struct step *step)
{
    struct mail_join join;
    if (ID_EQUAL(claim->header.stream.writer, engine->config.self) ||
        mail_join_read(statement->content, &join) != OK)
        return;
    struct cases_case *entry = case_table_entry(engine, &join.case_id);
    if (entry == NULL)
        cases_rejoin(engine, &join.case_id, claim);
    else if (ID_EQUAL(entry->consult.requester, engine->config.self))
        case_automation_respond(engine, entry,
                                &(struct cases_said){claim, statement, CONSULT_AWAITS}, step);
}

/* (C-44) The leader's next generation begins while something that is here of the one before was not
 * read yet: what was ended there would go on. */
static bool cases_is_early(const struct engine *engine, const struct cases_case *entry,
                           const struct consult_record *record)
{
    const struct consult *consult = &entry->consult;
    bool is_erase = record->statement != NULL && record->statement->kind == KIND_ERASE;
    uint32_t unread;
    return !is_erase && consult->cursor.generation != 0 &&
           ID_EQUAL(record->writer, consult->requester) &&
           record->generation > consult->cursor.generation &&
           case_automation_has_unread(engine, entry, &unread) &&
           unread == consult->cursor.generation;
}

/* `statement` is NULL when the body says nothing that can be read here, now or ever: its position
 * counts all the same, or the case would stand still for ever. */
static void cases_take_case(struct engine *engine, const struct record_claim *claim,
                            const struct statement *statement, struct step *step)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    const struct node_id *writer = &claim->header.stream.writer;
    struct case_table_row *row = case_table_row(engine, &case_id);
    if (row == NULL && statement != NULL && statement->kind == KIND_OPEN &&
        ID_EQUAL(*writer, engine->config.self))
        row = case_table_add(engine, &case_id, writer);
    struct cases_case *entry = case_table_entry(engine, &case_id);
    bool is_new = entry == NULL && row != NULL && row->is_blank;
    if (is_new)
        entry = case_table_take_place(engine, row);
    if (entry == NULL) {
        cases_put_off(engine, &case_id, claim);
        return;
    }
    cases_succeed(engine, &entry->consult);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    if (cases_is_early(engine, entry, &record)) {
        if (engine->is_started)
            case_automation_replay(engine, entry);
        return;
    }
    uint64_t before = entry->consult.cursor.sequence;
    enum consult_verdict verdict = consult_apply(&entry->consult, &record);
    case_table_note_state(engine, entry);
    if (ID_EQUAL(entry->consult.erase, claim->id) && !engine->is_obeying) {
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
        case_automation_respond(engine, entry, &(struct cases_said){claim, statement, verdict},
                                step);
    if (engine->is_started && has_moved)
        case_automation_replay(engine, entry);
}

void cases_apply(struct engine *engine, const struct record_claim *claim, struct bytes plaintext,
                 struct step *step)
{
    struct statement statement;
    const struct record_header *header = &claim->header;
    bool is_readable = statement_read(plaintext, &statement) == OK;
    if (header->stream.scope.kind == SCOPE_CASE) {
        cases_take_case(engine, claim, is_readable ? &statement : NULL, step);
        return;
    }
    if (!is_readable || kind_check(statement.kind, header->stream.scope.kind, header->audience,
                                   statement.is_signed) != OK)
        return;
    switch (header->stream.scope.kind) {
    case SCOPE_FEDERATION:
        cases_take_federation(engine, claim, &statement, step);
        break;
    case SCOPE_BOARD:
        cases_take_mirror(engine, claim, &statement, step);
        break;
    case SCOPE_MAIL:
        cases_take_mirror(engine, claim, &statement, step);
        if (statement.kind == KIND_GRANT_NOTICE)
            cases_take_notice(engine, claim, &statement);
        if (statement.kind == KIND_JOIN)
            cases_take_join(engine, claim, &statement, step);
        break;
    case SCOPE_CASE: /* above */
        break;
    }
}
