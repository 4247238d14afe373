#include "protocol/cases/cases.h"

#include "protocol/cases/case_automation.h"
#include "protocol/cases/case_erase.h"
#include "protocol/cases/case_paging.h"
#include "protocol/cases/case_retry.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/kind.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

void cases_start(struct engine *engine)
{
    case_retry_readers(engine, NULL);
    for (uint32_t i = 0; i < engine->case_table->awake_used; i++) {
        struct case_table_entry *entry = case_table_place(engine, i);
        if (entry != NULL)
            case_automation_replay(engine, entry);
    }
}

void cases_roster(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->case_table->awake_used; i++) {
        struct case_table_entry *entry = case_table_place(engine, i);
        if (entry == NULL)
            continue;
        case_table_succeed(engine, &entry->consult);
        case_table_note_state(engine, entry);
        entry->is_touched = true;
    }
}

/* ---- what a record means ---- */

static void cases_take_federation(struct engine *engine, const struct record_claim *claim,
                                  const struct statement *statement, struct step *step)
{
    const struct roster_entry *writer = roster_find(engine->roster, &claim->header.stream.writer);
    if (statement->kind == KIND_FORK_PROOF)
        equivocation_proved(engine, statement->content, step);
    else if (statement->kind == KIND_MAILBOX_KEY)
        notice_put(&engine->notices,
                   &(struct notice){.kind = NOTICE_MAILBOX_KEY,
                                    .mailbox_key = {claim->header, statement->content}});
    else if (writer != NULL &&
             /* an institution's key changes, and what it certified before stands: who holds the
              * stream has the word of the stream's own signatures for it */
             clinicians_take(
                 &engine->clinicians, &claim->header,
                 roster_signer(engine->roster, &claim->header.stream.writer, &claim->header.head),
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
    if (row == NULL || row->is_lost || !engine->is_started)
        return;
    case_retry_review(engine, claim, KIND_NONE);
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
    struct case_table_entry *entry = case_table_entry(engine, &mirror.case_id);
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
        case_retry_readers(engine, &notice.case_id);
        return;
    }
    struct case_table_entry *entry = case_table_entry(engine, &notice.case_id);
    struct node_id recipient = scope_recipient(&claim->header.stream.scope);
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
        case_table_row_part(engine, row, &claim->header.stream.writer) != CASE_TABLE_NONE)
        return;
    case_retry_review(engine, claim, KIND_JOIN);
}

static void cases_take_join(struct engine *engine, const struct record_claim *claim,
                            const struct statement *statement, struct step *step)
{
    struct mail_join join;
    if (ID_EQUAL(claim->header.stream.writer, engine->config.self) ||
        mail_join_read(statement->content, &join) != OK)
        return;
    struct case_table_entry *entry = case_table_entry(engine, &join.case_id);
    if (entry == NULL)
        cases_rejoin(engine, &join.case_id, claim);
    else if (ID_EQUAL(entry->consult.requester, engine->config.self))
        case_automation_respond(
            engine, entry, &(struct case_automation_said){claim, statement, CONSULT_AWAITS}, step);
}

/* (C-44) The leader's next generation begins while something that is here of the one before was not
 * read yet: what was ended there would go on. */
static bool cases_is_early(const struct engine *engine, const struct case_table_entry *entry,
                           const struct consult_record *record)
{
    const struct consult *consult = &entry->consult;
    bool is_erase = record->statement != NULL && record->statement->kind == KIND_ERASE;
    uint32_t unread;
    return !is_erase && consult->cursor.generation != 0 &&
           ID_EQUAL(record->writer, consult->requester) &&
           record->generation > consult->cursor.generation &&
           case_table_has_unread(engine, entry, &unread) && unread == consult->cursor.generation;
}

/* `statement` is NULL when the body says nothing that can be read here, now or ever: its position
 * counts all the same, or the case would stand still for ever. Is the record kept in a stream here?
 */
static void cases_take_case(struct engine *engine, const struct record_claim *claim,
                            const struct statement *statement, bool is_kept, struct step *step)
{
    struct case_id case_id = scope_case_id(&claim->header.stream.scope);
    const struct node_id *writer = &claim->header.stream.writer;
    struct case_table_row *row = case_table_row(engine, &case_id);
    if (row == NULL && statement != NULL && statement->kind == KIND_OPEN &&
        ID_EQUAL(*writer, engine->config.self))
        row = case_table_add(engine, &case_id, writer);
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
    bool is_new = entry == NULL && row != NULL && row->is_blank;
    if (is_new)
        entry = case_table_take_place(engine, row);
    if (entry == NULL) {
        if (is_kept)
            cases_put_off(engine, &case_id, claim);
        return;
    }
    case_table_succeed(engine, &entry->consult);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    if (cases_is_early(engine, entry, &record)) {
        if (engine->is_started)
            case_automation_replay(engine, entry);
        return;
    }
    uint64_t before = entry->consult.cursor.sequence;
    enum consult_verdict verdict = consult_apply(&entry->consult, &record);
    case_table_note_state(engine, entry);
    if (ID_EQUAL(entry->consult.erase, claim->id) && is_kept) {
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
        case_automation_respond(engine, entry,
                                &(struct case_automation_said){claim, statement, verdict}, step);
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
        cases_take_case(engine, claim, is_readable ? &statement : NULL, true, step);
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

void cases_obey(struct engine *engine, const struct record_claim *claim, struct bytes plaintext,
                struct step *step)
{
    struct statement statement;
    if (claim->header.stream.scope.kind == SCOPE_CASE &&
        statement_read(plaintext, &statement) == OK)
        cases_take_case(engine, claim, &statement, false, step);
}

/* ---- what is due ---- */

void cases_react(struct engine *engine, struct step *step)
{
    struct case_retry *retry = engine->case_retry;
    if (retry->opens_at.ms != 0 && retry->opens_at.ms <= engine->wall.ms)
        case_retry_open(engine, NULL);
    if (retry->review_after.ms > engine->now.ms)
        return;
    case_erase_write_receipts(engine, step);
    case_paging_rest_some(engine, step);
    if (retry->is_reading || retry->review_after.ms > engine->now.ms)
        return;
    while (retry->review_count > 0 && step_has_room(step, 64, FRAME_SIZE_MAX)) {
        const struct case_retry_review *review = &retry->reviews[retry->review_first];
        retry->review_first = (retry->review_first + 1) % CASE_RETRY_REVIEW_COUNT;
        retry->review_count--;
        if (!case_automation_is_due(engine, review))
            continue;
        struct effect *effect = step_effect(step, EFFECT_LOAD);
        effect->load.stream = review->stream;
        effect->load.from = review->sequence;
        effect->load.count = 1;
        effect->load.size_max = RECORD_SIZE_MAX;
        retry->is_reading = true;
        return;
    }
}

void cases_loaded(struct engine *engine, const struct event *event, struct step *step)
{
    engine->case_retry->is_reading = false;
    struct record_claim claim;
    if (event->verdict == OK && event->batch.record_count == 1 &&
        record_parse(event->batch.records[0].record, &claim) == OK &&
        (case_automation_replayed(engine, &claim) || event->batch.records[0].plaintext.size > 0))
        cases_apply(engine, &claim, event->batch.records[0].plaintext, step);
}

bool cases_busy(const struct engine *engine)
{
    const struct case_retry *retry = engine->case_retry;
    return retry->review_count > 0 || retry->receipts_owed > 0;
}
