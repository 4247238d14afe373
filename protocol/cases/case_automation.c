#include "protocol/cases/case_automation.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/kind.h"
#include "protocol/replication/publish.h"
#include "protocol/state/engine_state.h"

enum { CASE_AUTOMATION_BODY_SIZE_MAX = 8192 };

void case_automation_replay(struct engine *engine, struct case_table_entry *entry)
{
    struct record_claim claim = {.header.sequence = 0};
    uint64_t sequence;
    claim.header.stream = case_table_leading(engine, entry, &sequence);
    claim.header.sequence = sequence + 1;
    uint32_t slot = streams_find(&engine->streams, &claim.header.stream);
    /* an erased case says nothing more, and its ERASE, read again, would be obeyed again */
    if (entry->consult.state == CASE_ERASED || slot == STREAM_NONE ||
        entry->walked == sequence + 1 || engine->streams.all[slot].tail <= sequence ||
        engine->case_retry->review_count == CASE_RETRY_REVIEW_COUNT)
        return;
    const struct missing *missing = streams_missing_find(&engine->streams, slot, sequence + 1);
    if (missing != NULL && !missing->is_sealed)
        return; /* it is asked for, and goes on when it is here */
    entry->walked = sequence + 1;
    case_retry_review(engine, &claim, KIND_NONE);
}

bool case_automation_replayed(struct engine *engine, const struct record_claim *claim)
{
    struct case_id case_id = scope_case_id(&claim->header.stream.scope);
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
    uint64_t sequence;
    if (claim->header.stream.scope.kind != SCOPE_CASE || entry == NULL)
        return false;
    struct stream_id leading = case_table_leading(engine, entry, &sequence);
    if (!stream_id_equal(&leading, &claim->header.stream) || entry->walked == 0 ||
        entry->walked != claim->header.sequence)
        return false;
    entry->walked = 0;
    return true;
}

/* ---- writing ---- */

/* Wraps a content as an unsigned statement and posts it; a receipt of erasure is clear, as it must
 * outlive every key. */
err case_automation_post(struct engine *engine, const struct scope *scope, uint16_t kind,
                         struct bytes content, struct step *step)
{
    uint8_t memory[CASE_AUTOMATION_BODY_SIZE_MAX + 1024];
    struct buffer body = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = kind, .content = content};
    err failure = statement_write(&statement, &body);
    struct publish_post post = {.scope = *scope,
                                .audience = kind == KIND_ERASED ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                                .plaintext = buffer_bytes(&body)};
    /* (C-46) */
    if ((scope->kind == SCOPE_BOARD || scope->kind == SCOPE_MAIL) && kind != KIND_GRANT_NOTICE)
        post.expires.ms = engine->wall.ms + roster_settings(engine->roster)->announcement_ms_max;
    return failure == OK ? publish_post(engine, &post, step) : failure;
}

static err case_automation_grant(struct engine *engine, const struct case_table_entry *entry,
                                 const struct consult_action *action, struct step *step)
{
    uint8_t memory[CASE_AUTOMATION_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct case_record_grant grant = {action->node, action->record, action->clinician};
    struct scope scope = scope_case(&entry->consult.case_id);
    if (roster_expired(engine->roster, engine->wall))
        return ERR_EXPIRED;
    err failure = case_record_grant_write(&grant, &content);
    if (failure == OK)
        failure = case_automation_post(engine, &scope, KIND_GRANT, buffer_bytes(&content), step);
    return failure;
}

static bool case_automation_is_noticed(const struct case_table_entry *entry,
                                       const struct node_id *node)
{
    for (size_t i = 0; i < entry->consult.participant_count; i++) {
        if (ID_EQUAL(entry->consult.participants[i].node, *node))
            return (entry->noticed >> i & 1) != 0;
    }
    return false;
}

static err case_automation_notice(struct engine *engine, const struct case_table_entry *entry,
                                  const struct consult_action *action, struct bytes grant,
                                  struct step *step)
{
    uint8_t memory[CASE_AUTOMATION_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct mail_grant_notice notice = {.case_id = entry->consult.case_id,
                                       .requester = entry->consult.requester,
                                       .grant = action->record,
                                       .copy = grant,
                                       .opening = entry->consult.opening};
    struct scope scope = scope_mail(&action->node);
    if (case_automation_is_noticed(entry, &action->node))
        return OK;
    err failure = mail_grant_notice_write(&notice, &content);
    if (failure == OK)
        failure =
            case_automation_post(engine, &scope, KIND_GRANT_NOTICE, buffer_bytes(&content), step);
    return failure;
}

static err case_automation_take_in(struct engine *engine, const struct case_table_entry *entry,
                                   const struct consult_action *action, struct step *step)
{
    uint8_t memory[CASE_AUTOMATION_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct case_record_take_in take_in = {
        .taken = {{action->node, action->record, action->record_kind}}, .taken_count = 1};
    struct scope scope = scope_case(&entry->consult.case_id);
    err failure = case_record_take_in_write(&take_in, &content);
    if (failure == OK)
        failure = case_automation_post(engine, &scope, KIND_TAKE_IN, buffer_bytes(&content), step);
    return failure;
}

/* Was everyone told who is to be told? */
static bool case_automation_is_mirrored(const struct case_table_entry *entry, enum mirror_what what)
{
    size_t count = entry->consult.directed_count;
    uint64_t all = count >= 64 ? UINT64_MAX : (UINT64_C(1) << (count == 0 ? 1 : count)) - 1;
    return (entry->mirrored[what] & all) == all;
}

static err case_automation_mirror_to(struct engine *engine, const struct scope *scope,
                                     const struct mirror *mirror, struct step *step)
{
    uint8_t memory[CASE_AUTOMATION_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    err failure = mirror_write(mirror, &content);
    return failure == OK
               ? case_automation_post(engine, scope, KIND_MIRROR, buffer_bytes(&content), step)
               : failure;
}

/* C-43: of a directed case no board learns, not even its id. */
static err case_automation_mirror(struct engine *engine, const struct case_table_entry *entry,
                                  const struct consult_action *action, struct step *step)
{
    const struct consult *consult = &entry->consult;
    struct mirror mirror = {consult->case_id, action->what, action->until};
    struct bytes tag = {consult->specialty, consult->specialty_size};
    uint64_t told = action->what == MIRROR_EXTENDED ? 0 : entry->mirrored[action->what];
    err result = OK;
    for (size_t i = 0; i < consult->directed_count; i++) {
        struct scope mail = scope_mail(&consult->directed[i]);
        if ((told >> i & 1) != 0)
            continue;
        err failure = case_automation_mirror_to(engine, &mail, &mirror, step);
        result = case_retry_is_for_later(failure) ? failure : result;
    }
    int board = roster_board_of_tag(engine->roster, tag);
    if (consult->directed_count > 0 || board < 0 || told != 0)
        return result;
    struct scope scope = roster_board_scope(engine->roster, (uint32_t)board);
    return case_automation_mirror_to(engine, &scope, &mirror, step);
}

static void case_automation_again_in(struct engine *engine, const struct scope *scope,
                                     const struct node_id *node)
{
    struct record_claim claim = {.header.stream.writer = *node};
    claim.header.stream.scope = *scope;
    for (claim.header.stream.generation = 1;; claim.header.stream.generation++) {
        uint32_t slot = streams_find(&engine->streams, &claim.header.stream);
        if (slot == STREAM_NONE)
            return;
        for (uint64_t i = 1; i <= engine->streams.all[slot].tail; i++) {
            claim.header.sequence = i;
            case_retry_review(engine, &claim, KIND_NONE);
        }
    }
}

/* The kept records of one participant count again: all of them are looked at again. */
static void case_automation_again(struct engine *engine, const struct case_table_entry *entry,
                                  const struct node_id *node)
{
    struct scope scope = scope_case(&entry->consult.case_id);
    case_automation_again_in(engine, &scope, node);
}

/* Once for each case: a successor that erases is a participant too, and its own ERASE would be
 * looked at again for ever. */
static void case_automation_again_all(struct engine *engine, struct case_table_entry *entry)
{
    if (entry->has_looked_again)
        return;
    entry->has_looked_again = true;
    for (size_t i = 0; i < entry->consult.participant_count; i++)
        case_automation_again(engine, entry, &entry->consult.participants[i].node);
}

static void case_automation_destroy(const struct engine *engine,
                                    const struct case_table_entry *entry,
                                    const struct record_id *erase, struct step *step)
{
    if (case_table_has_erased(engine, entry))
        return;
    struct effect *effect = step_effect(step, EFFECT_DESTROY);
    effect->destroy.scope = scope_case(&entry->consult.case_id);
    effect->destroy.erase = *erase;
}

static err case_automation_do(struct engine *engine, struct case_table_entry *entry,
                              const struct consult_action *action,
                              const struct consult_record *record, struct step *step)
{
    switch (action->kind) {
    case CONSULT_WRITE_GRANT:
        return case_automation_grant(engine, entry, action, step);
    case CONSULT_MAIL_NOTICE:
        return case_automation_notice(engine, entry, action, record->statement->content, step);
    case CONSULT_WRITE_TAKE_IN:
        return case_automation_take_in(engine, entry, action, step);
    case CONSULT_WRITE_MIRROR:
        return case_automation_mirror(engine, entry, action, step);
    case CONSULT_CHECK_READERS:
        case_retry_readers(engine, &entry->consult.case_id);
        return OK;
    case CONSULT_APPLY_AGAIN:
        case_automation_again(engine, entry, &action->node);
        return OK;
    case CONSULT_DESTROY:
        case_automation_destroy(engine, entry, &record->id, step);
        case_automation_again_all(engine,
                                  entry); /* receipts may have come before what they answer */
        return OK;
    case CONSULT_WRITE_ERASED: /* when EVENT_DESTROYED says so */
        return OK;
    }
    return OK;
}

/* During the second replay: what may still be owed is put on the list. */
static void case_automation_note(struct engine *engine, const struct case_table_entry *entry,
                                 const struct case_automation_said *said)
{
    const struct record_claim *claim = said->claim;
    uint16_t kind = said->statement->kind;
    bool is_own = ID_EQUAL(claim->header.stream.writer, engine->config.self);
    bool is_duty = kind == KIND_GRANT || kind == KIND_CLOSE || kind == KIND_WITHDRAW ||
                   kind == KIND_ERASE || kind == KIND_EXTEND;
    bool is_joined = kind == KIND_JOIN &&
                     consult_participant_of(&entry->consult, &claim->header.stream.writer) != NULL;
    if (!engine->is_replaying_again || is_joined)
        return;
    if ((is_own && is_duty) || (!is_own && (said->verdict == CONSULT_AWAITS || kind == KIND_ERASE)))
        case_retry_review(engine, claim, kind);
}

/* Has this node to act upon the record once its clinician is known? */
static bool case_automation_is_asked(const struct engine *engine,
                                     const struct case_table_entry *entry,
                                     const struct case_automation_said *said)
{
    return ID_EQUAL(entry->consult.requester, engine->config.self) &&
           !ID_EQUAL(said->claim->header.stream.writer, engine->config.self) &&
           said->verdict == CONSULT_AWAITS;
}

void case_automation_respond(struct engine *engine, struct case_table_entry *entry,
                             const struct case_automation_said *said, struct step *step)
{
    const struct record_claim *claim = said->claim;
    const struct statement *statement = said->statement;
    if (!engine->is_started) {
        case_automation_note(engine, entry, said);
        return;
    }
    const struct roster_entry *writer = roster_find(engine->roster, &claim->header.stream.writer);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    err signature = statement->is_signed
                        ? clinicians_check_statement(&engine->clinicians, &claim->header, statement)
                        : OK;
    if (signature == ERR_NOT_FOUND && case_automation_is_asked(engine, entry, said))
        case_retry_wait(engine, claim, statement->kind);
    struct consult_situation situation = {
        .self = engine->config.self,
        .now = engine->wall,
        .grants_automatically = !engine->config.grants_by_hand,
        .is_writer_admitted = writer != NULL && writer->state == MEMBER_ADMITTED,
        .is_signature_good = signature == OK,
        /* our own record that is looked at again: it counted when it was new */
        .verdict = said->verdict == CONSULT_SEEN ? CONSULT_COUNTS : said->verdict,
        .is_again = said->verdict == CONSULT_SEEN,
    };
    struct consult_action actions[CONSULT_ACTION_COUNT_MAX];
    size_t count = consult_react(&entry->consult, &situation, &record, actions);
    for (size_t i = 0; i < count; i++) {
        err failure = case_automation_do(engine, entry, &actions[i], &record, step);
        if (case_retry_is_for_later(failure)) {
            case_retry_review(engine, claim, statement->kind);
            case_retry_delay(engine, failure);
            return;
        }
    }
}

/* ---- what could not be kept ---- */

void case_automation_write_failed(struct engine *engine, const struct record_header *header,
                                  struct bytes plaintext)
{
    struct statement statement;
    struct case_record_grant grant;
    struct case_record_take_in take_in;
    struct mail_grant_notice notice;
    struct mirror mirror;
    struct case_id case_id = scope_case_id(&header->stream.scope);
    if (statement_read(plaintext, &statement) != OK)
        return;
    struct bytes content = statement.content;
    struct scope ours = scope_mail(&engine->config.self);
    if (statement.kind == KIND_GRANT && case_record_grant_read(content, &grant) == OK)
        case_automation_again_in(engine, &ours, &grant.participant); /* its JOIN */
    if (statement.kind == KIND_GRANT_NOTICE && mail_grant_notice_read(content, &notice) == OK)
        case_id = notice.case_id;
    if (statement.kind == KIND_MIRROR && mirror_read(content, &mirror) == OK)
        case_id = mirror.case_id;
    struct case_table_entry *entry = case_table_entry(engine, &case_id);
    if (entry == NULL)
        return;
    if ((statement.kind == KIND_GRANT_NOTICE && !PLANTED(NOTICE_FORGOTTEN)) ||
        statement.kind == KIND_MIRROR)
        case_automation_again(engine, entry, &engine->config.self);
    if (statement.kind == KIND_TAKE_IN && case_record_take_in_read(content, &take_in) == OK)
        for (size_t i = 0; i < take_in.taken_count; i++)
            case_automation_again(engine, entry, &take_in.taken[i].author);
    case_retry_delay(engine,
                     ERR_FULL); /* what may be written on a full disk would be tried at once */
    if (statement.kind == KIND_ERASED && !entry->owes_receipt) {
        entry->owes_receipt = true;
        engine->case_retry->receipts_owed++;
    }
}

/* ---- looking again ---- */

/* Whose grant a record is cannot be told without reading it; when all were noticed, nothing is
 * owed.
 */
static bool case_automation_all_noticed(const struct case_table_entry *entry)
{
    uint64_t all = entry->consult.participant_count >= 64
                       ? UINT64_MAX
                       : (UINT64_C(1) << entry->consult.participant_count) - 1;
    return (entry->noticed & all) == all;
}

bool case_automation_has_told(const struct engine *engine, const struct case_table_entry *entry)
{
    enum case_state state = entry->consult.state;
    bool is_closed = state == CASE_CLOSED || state == CASE_FOLLOWED_UP;
    if (!ID_EQUAL(entry->consult.requester, engine->config.self))
        return true;
    return case_automation_all_noticed(entry) &&
           (!is_closed || case_automation_is_mirrored(entry, MIRROR_CLOSED)) &&
           (state != CASE_WITHDRAWN || case_automation_is_mirrored(entry, MIRROR_WITHDRAWN)) &&
           (state != CASE_ERASED || case_automation_is_mirrored(entry, MIRROR_ERASED));
}

bool case_automation_is_due(const struct engine *engine, const struct case_retry_review *review)
{
    const struct scope *scope = &review->stream.scope;
    struct case_id case_id = scope_case_id(scope);
    const struct case_table_entry *entry = case_table_entry(engine, &case_id);
    if (review->kind == KIND_NONE || scope->kind != SCOPE_CASE || entry == NULL)
        return true;
    const struct consult *consult = &entry->consult;
    bool is_ours = ID_EQUAL(consult->requester, engine->config.self);
    bool is_own = ID_EQUAL(review->stream.writer, engine->config.self);
    if (review->kind == KIND_GRANT)
        return is_own && !case_automation_all_noticed(entry);
    if (review->kind == KIND_CLOSE)
        return is_own && !case_automation_is_mirrored(entry, MIRROR_CLOSED);
    if (review->kind == KIND_WITHDRAW)
        return is_own && !case_automation_is_mirrored(entry, MIRROR_WITHDRAWN);
    if (review->kind == KIND_ERASE) {
        const struct consult_participant *part =
            consult_participant_of(consult, &engine->config.self);
        return is_own ? !case_automation_is_mirrored(entry, MIRROR_ERASED)
                      : part == NULL || part->erased_at.ms == 0;
    }
    return is_ours && !is_own && consult_taken_of(consult, &review->record) == NULL;
}
