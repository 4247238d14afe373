/* What this node owes by itself: grants, notices, take-ins, mirrors, receipts.
 *
 * Each duty follows from a durable record. If it cannot be done at once (the stream is being
 * written, the disk is full, the process ended), the record is put on the list of reviews and read
 * again; doing a duty twice is harmless, and what is done already is seen before reading. */
#include "protocol/core/casework_state.h"

#include <string.h>

#include "protocol/consult/mail.h"
#include "protocol/core/catchup.h"
#include "protocol/core/core_state.h"
#include "protocol/core/publish.h"

enum { CASEWORK_BODY_SIZE_MAX = 8192 };

void casework_miss(struct core *core, const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    struct casework_case *entry = casework_entry(core, &case_id);
    if (entry != NULL)
        entry->has_missed = true;
}

void casework_review(struct core *core, const struct record_claim *claim, uint16_t kind)
{
    struct casework *casework = core->casework;
    if (casework->review_count == CASEWORK_REVIEW_COUNT) {
        casework_miss(core, claim);
        return;
    }
    uint32_t place = (casework->review_first + casework->review_count++) % CASEWORK_REVIEW_COUNT;
    casework->reviews[place] =
        (struct casework_review){claim->header.stream, claim->header.sequence, claim->id, kind};
}

/* Up to where the state of a case has read the stream of whoever leads it; where a generation was
 * read to its end and another is here, that it begins there. */
static struct stream_id casework_leading(const struct core *core, const struct casework_case *entry,
                                         uint64_t *ret_sequence)
{
    const struct consult *consult = &entry->consult;
    bool is_open = !ID_IS_ZERO(consult->requester);
    struct stream_id id = {.scope = scope_case(&consult->case_id),
                           .writer = is_open ? consult->requester : entry->asked_by,
                           .generation =
                               consult->cursor.generation == 0 ? 1 : consult->cursor.generation};
    struct stream_id next = id;
    next.generation++;
    uint32_t slot = streams_find(&core->streams, &id);
    uint32_t after = streams_find(&core->streams, &next);
    *ret_sequence = consult->cursor.sequence;
    if (slot == STREAM_NONE || after == STREAM_NONE || core->streams.all[after].tail == 0 ||
        core->streams.all[slot].tail > consult->cursor.sequence)
        return id;
    *ret_sequence = 0;
    return next;
}

bool casework_has_unread(const struct core *core, const struct casework_case *entry,
                         uint32_t *ret_generation)
{
    uint64_t sequence;
    struct stream_id leading = casework_leading(core, entry, &sequence);
    uint32_t slot = streams_find(&core->streams, &leading);
    *ret_generation = leading.generation;
    return slot != STREAM_NONE && core->streams.all[slot].tail > sequence;
}

void casework_walk(struct core *core, struct casework_case *entry)
{
    struct record_claim claim = {.header.sequence = 0};
    uint64_t sequence;
    claim.header.stream = casework_leading(core, entry, &sequence);
    claim.header.sequence = sequence + 1;
    uint32_t slot = streams_find(&core->streams, &claim.header.stream);
    /* an erased case says nothing more, and its ERASE, read again, would be obeyed again */
    if (entry->consult.state == CASE_ERASED || slot == STREAM_NONE ||
        entry->walked == sequence + 1 || core->streams.all[slot].tail <= sequence ||
        core->casework->review_count == CASEWORK_REVIEW_COUNT)
        return;
    const struct lack *lack = streams_lack_find(&core->streams, slot, sequence + 1);
    if (lack != NULL && !lack->is_sealed)
        return; /* it is asked for, and goes on when it is here */
    entry->walked = sequence + 1;
    casework_review(core, &claim, KIND_NONE);
}

bool casework_walked(struct core *core, const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    struct casework_case *entry = casework_entry(core, &case_id);
    uint64_t sequence;
    if (claim->header.stream.scope.kind != SCOPE_CASE || entry == NULL)
        return false;
    struct stream_id leading = casework_leading(core, entry, &sequence);
    if (!stream_id_equal(&leading, &claim->header.stream) || entry->walked == 0 ||
        entry->walked != claim->header.sequence)
        return false;
    entry->walked = 0;
    return true;
}

/* ---- writing ---- */

/* Wraps a content as an unsigned statement and posts it; a receipt of erasure is clear, as it must
 * outlive every key. */
err casework_post(struct core *core, const struct scope *scope, uint16_t kind, struct bytes content,
                  struct step *step)
{
    uint8_t memory[CASEWORK_BODY_SIZE_MAX + 1024];
    struct buffer body = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = kind, .content = content};
    err failure = statement_write(&statement, &body);
    struct publish_post post = {.scope = *scope,
                                .audience = kind == KIND_ERASED ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                                .plaintext = buffer_bytes(&body)};
    /* (C-46) */
    if ((scope->kind == SCOPE_BOARD || scope->kind == SCOPE_MAIL) && kind != KIND_GRANT_NOTICE)
        post.expires.ms = core->wall.ms + roster_settings(core->roster)->announcement_ms_max;
    return failure == OK ? publish_post(core, &post, step) : failure;
}

static err casework_grant(struct core *core, const struct casework_case *entry,
                          const struct consult_action *action, struct step *step)
{
    uint8_t memory[CASEWORK_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct caserecord_grant grant = {action->node, action->record, action->clinician};
    struct scope scope = scope_case(&entry->consult.case_id);
    if (roster_expired(core->roster, core->wall))
        return ERR_EXPIRED;
    err failure = caserecord_grant_write(&grant, &content);
    if (failure == OK)
        failure = casework_post(core, &scope, KIND_GRANT, buffer_bytes(&content), step);
    return failure;
}

static bool casework_is_noticed(const struct casework_case *entry, const struct node_id *node)
{
    for (size_t i = 0; i < entry->consult.participant_count; i++) {
        if (ID_EQUAL(entry->consult.participants[i].node, *node))
            return (entry->noticed >> i & 1) != 0;
    }
    return false;
}

static err casework_notice(struct core *core, const struct casework_case *entry,
                           const struct consult_action *action, struct bytes grant,
                           struct step *step)
{
    uint8_t memory[CASEWORK_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct mail_grant_notice notice = {.case_id = entry->consult.case_id,
                                       .requester = entry->consult.requester,
                                       .grant = action->record,
                                       .copy = grant,
                                       .opening = entry->consult.opening};
    struct scope scope = scope_mail(&action->node);
    if (casework_is_noticed(entry, &action->node))
        return OK;
    err failure = mail_grant_notice_write(&notice, &content);
    if (failure == OK)
        failure = casework_post(core, &scope, KIND_GRANT_NOTICE, buffer_bytes(&content), step);
    return failure;
}

static err casework_take_in(struct core *core, const struct casework_case *entry,
                            const struct consult_action *action, struct step *step)
{
    uint8_t memory[CASEWORK_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct caserecord_take_in take_in = {
        .taken = {{action->node, action->record, action->record_kind}}, .taken_count = 1};
    struct scope scope = scope_case(&entry->consult.case_id);
    err failure = caserecord_take_in_write(&take_in, &content);
    if (failure == OK)
        failure = casework_post(core, &scope, KIND_TAKE_IN, buffer_bytes(&content), step);
    return failure;
}

/* Was everyone told who is to be told? */
static bool casework_is_mirrored(const struct casework_case *entry, enum mirror_what what)
{
    size_t count = entry->consult.directed_count;
    uint64_t all = count >= 64 ? UINT64_MAX : (UINT64_C(1) << (count == 0 ? 1 : count)) - 1;
    return (entry->mirrored[what] & all) == all;
}

static err casework_mirror_to(struct core *core, const struct scope *scope,
                              const struct mirror *mirror, struct step *step)
{
    uint8_t memory[CASEWORK_BODY_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    err failure = mirror_write(mirror, &content);
    return failure == OK ? casework_post(core, scope, KIND_MIRROR, buffer_bytes(&content), step)
                         : failure;
}

/* C-43: of a directed case no board learns, not even its id. */
static err casework_mirror(struct core *core, const struct casework_case *entry,
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
        err failure = casework_mirror_to(core, &mail, &mirror, step);
        result = casework_is_for_later(failure) ? failure : result;
    }
    int board = roster_board_of_tag(core->roster, tag);
    if (consult->directed_count > 0 || board < 0 || told != 0)
        return result;
    struct scope scope = roster_board_scope(core->roster, (uint32_t)board);
    return casework_mirror_to(core, &scope, &mirror, step);
}

static void casework_again_in(struct core *core, const struct scope *scope,
                              const struct node_id *node)
{
    struct record_claim claim = {.header.stream.writer = *node};
    claim.header.stream.scope = *scope;
    for (claim.header.stream.generation = 1;; claim.header.stream.generation++) {
        uint32_t slot = streams_find(&core->streams, &claim.header.stream);
        if (slot == STREAM_NONE)
            return;
        for (uint64_t i = 1; i <= core->streams.all[slot].tail; i++) {
            claim.header.sequence = i;
            casework_review(core, &claim, KIND_NONE);
        }
    }
}

/* The kept records of one participant count anew: all of them are looked at again. */
static void casework_again(struct core *core, const struct casework_case *entry,
                           const struct node_id *node)
{
    struct scope scope = scope_case(&entry->consult.case_id);
    casework_again_in(core, &scope, node);
}

/* Once for each case: a successor that erases is a participant too, and its own ERASE would be
 * looked at again for ever. */
static void casework_again_all(struct core *core, struct casework_case *entry)
{
    if (entry->has_looked_again)
        return;
    entry->has_looked_again = true;
    for (size_t i = 0; i < entry->consult.participant_count; i++)
        casework_again(core, entry, &entry->consult.participants[i].node);
}

static void casework_destroy(const struct core *core, const struct casework_case *entry,
                             const struct record_id *erase, struct step *step)
{
    if (casework_has_erased(core, entry))
        return;
    struct effect *effect = step_effect(step, EFFECT_DESTROY);
    effect->destroy.scope = scope_case(&entry->consult.case_id);
    effect->destroy.erase = *erase;
}

static err casework_do(struct core *core, struct casework_case *entry,
                       const struct consult_action *action, const struct consult_record *record,
                       struct step *step)
{
    switch (action->kind) {
    case CONSULT_WRITE_GRANT:
        return casework_grant(core, entry, action, step);
    case CONSULT_MAIL_NOTICE:
        return casework_notice(core, entry, action, record->statement->content, step);
    case CONSULT_WRITE_TAKE_IN:
        return casework_take_in(core, entry, action, step);
    case CONSULT_WRITE_MIRROR:
        return casework_mirror(core, entry, action, step);
    case CONSULT_CHECK_READERS:
        core->casework->readers_changed = true;
        return OK;
    case CONSULT_APPLY_AGAIN:
        casework_again(core, entry, &action->node);
        return OK;
    case CONSULT_DESTROY:
        casework_destroy(core, entry, &record->id, step);
        casework_again_all(core, entry); /* receipts may have come before what they answer */
        return OK;
    case CONSULT_WRITE_ERASED: /* when EVENT_DESTROYED says so */
        return OK;
    }
    return OK;
}

/* During the second replay: what may still be owed is put on the list. */
static void casework_note(struct core *core, const struct casework_case *entry,
                          const struct casework_said *said)
{
    const struct record_claim *claim = said->claim;
    uint16_t kind = said->statement->kind;
    bool is_own = ID_EQUAL(claim->header.stream.writer, core->config.self);
    bool is_duty = kind == KIND_GRANT || kind == KIND_CLOSE || kind == KIND_WITHDRAW ||
                   kind == KIND_ERASE || kind == KIND_EXTEND;
    bool is_joined = kind == KIND_JOIN &&
                     consult_participant_of(&entry->consult, &claim->header.stream.writer) != NULL;
    if (!core->is_replaying_again || is_joined)
        return;
    if ((is_own && is_duty) || (!is_own && (said->verdict == CONSULT_AWAITS || kind == KIND_ERASE)))
        casework_review(core, claim, kind);
}

/* Has this node to act upon the record once its clinician is known? */
static bool casework_is_asked(const struct core *core, const struct casework_case *entry,
                              const struct casework_said *said)
{
    return ID_EQUAL(entry->consult.requester, core->config.self) &&
           !ID_EQUAL(said->claim->header.stream.writer, core->config.self) &&
           said->verdict == CONSULT_AWAITS;
}

void casework_respond(struct core *core, struct casework_case *entry,
                      const struct casework_said *said, struct step *step)
{
    const struct record_claim *claim = said->claim;
    const struct statement *statement = said->statement;
    if (!core->is_started) {
        casework_note(core, entry, said);
        return;
    }
    const struct roster_entry *writer = roster_find(core->roster, &claim->header.stream.writer);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    err signature =
        statement->is_signed ? core_check_statement(core, &claim->header, statement) : OK;
    if (signature == ERR_NOT_FOUND && casework_is_asked(core, entry, said))
        casework_wait(core, claim, statement->kind);
    struct consult_situation situation = {
        .self = core->config.self,
        .now = core->wall,
        .grants_automatically = !core->config.grants_by_hand,
        .is_writer_admitted = writer != NULL && writer->state == MEMBER_ADMITTED,
        .is_signature_good = signature == OK,
        /* our own record that is looked at again: it counted when it was new */
        .verdict = said->verdict == CONSULT_SEEN ? CONSULT_COUNTS : said->verdict,
    };
    struct consult_action actions[CONSULT_ACTION_COUNT_MAX];
    size_t count = consult_react(&entry->consult, &situation, &record, actions);
    for (size_t i = 0; i < count; i++) {
        err failure = casework_do(core, entry, &actions[i], &record, step);
        if (casework_is_for_later(failure)) {
            casework_review(core, claim, statement->kind);
            casework_delay(core, failure);
            return;
        }
    }
}

/* ---- what could not be kept ---- */

void casework_unkept(struct core *core, const struct record_header *header, struct bytes plaintext)
{
    struct statement statement;
    struct caserecord_grant grant;
    struct caserecord_take_in take_in;
    struct mail_grant_notice notice;
    struct mirror mirror;
    struct case_id case_id;
    memcpy(case_id.bytes, header->stream.scope.id, HASH_SIZE);
    if (statement_read(plaintext, &statement) != OK)
        return;
    struct bytes content = statement.content;
    struct scope ours = scope_mail(&core->config.self);
    if (statement.kind == KIND_GRANT && caserecord_grant_read(content, &grant) == OK)
        casework_again_in(core, &ours, &grant.participant); /* its JOIN */
    if (statement.kind == KIND_GRANT_NOTICE && mail_grant_notice_read(content, &notice) == OK)
        case_id = notice.case_id;
    if (statement.kind == KIND_MIRROR && mirror_read(content, &mirror) == OK)
        case_id = mirror.case_id;
    struct casework_case *entry = casework_entry(core, &case_id);
    if (entry == NULL)
        return;
    if (statement.kind == KIND_GRANT_NOTICE || statement.kind == KIND_MIRROR)
        casework_again(core, entry, &core->config.self);
    if (statement.kind == KIND_TAKE_IN && caserecord_take_in_read(content, &take_in) == OK)
        for (size_t i = 0; i < take_in.taken_count; i++)
            casework_again(core, entry, &take_in.taken[i].author);
    casework_delay(core, ERR_FULL); /* what may be written on a full disk would be tried at once */
    if (statement.kind == KIND_ERASED && !entry->owes_receipt) {
        entry->owes_receipt = true;
        core->casework->receipts_owed++;
    }
}

/* ---- looking again ---- */

/* Whose grant a record is cannot be told without reading it; when all were noticed, nothing is
 * owed.
 */
static bool casework_all_noticed(const struct casework_case *entry)
{
    uint64_t all = entry->consult.participant_count >= 64
                       ? UINT64_MAX
                       : (UINT64_C(1) << entry->consult.participant_count) - 1;
    return (entry->noticed & all) == all;
}

bool casework_has_told(const struct core *core, const struct casework_case *entry)
{
    enum case_state state = entry->consult.state;
    bool is_closed = state == CASE_CLOSED || state == CASE_FOLLOWED_UP;
    if (!ID_EQUAL(entry->consult.requester, core->config.self))
        return true;
    return casework_all_noticed(entry) &&
           (!is_closed || casework_is_mirrored(entry, MIRROR_CLOSED)) &&
           (state != CASE_WITHDRAWN || casework_is_mirrored(entry, MIRROR_WITHDRAWN)) &&
           (state != CASE_ERASED || casework_is_mirrored(entry, MIRROR_ERASED));
}

/* Is anything still owed for this record, as far as can be told without reading it? */
static bool casework_is_due(const struct core *core, const struct casework_review *review)
{
    const struct scope *scope = &review->stream.scope;
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    const struct casework_case *entry = casework_entry(core, &case_id);
    if (review->kind == KIND_NONE || scope->kind != SCOPE_CASE || entry == NULL)
        return true;
    const struct consult *consult = &entry->consult;
    bool is_ours = ID_EQUAL(consult->requester, core->config.self);
    bool is_own = ID_EQUAL(review->stream.writer, core->config.self);
    if (review->kind == KIND_GRANT)
        return is_own && !casework_all_noticed(entry);
    if (review->kind == KIND_CLOSE)
        return is_own && !casework_is_mirrored(entry, MIRROR_CLOSED);
    if (review->kind == KIND_WITHDRAW)
        return is_own && !casework_is_mirrored(entry, MIRROR_WITHDRAWN);
    if (review->kind == KIND_ERASE) {
        const struct consult_participant *part =
            consult_participant_of(consult, &core->config.self);
        return is_own ? !casework_is_mirrored(entry, MIRROR_ERASED)
                      : part == NULL || part->erased_at.ms == 0;
    }
    return is_ours && !is_own && consult_taken_of(consult, &review->record) == NULL;
}

static void casework_unseal(struct core *core)
{
    for (uint32_t i = 0; i < core->streams.lack_count; i++) {
        struct lack *lack = &core->streams.lacks[i];
        if (lack->stream == STREAM_NONE || !lack->is_sealed)
            continue;
        struct record_claim claim = {.id = lack->record};
        claim.header.stream = core->streams.all[lack->stream].id;
        claim.header.sequence = lack->sequence;
        claim.header.audience = AUDIENCE_REQUESTER;
        err failure = casework_may_read(core, &core->config.self, &claim);
        lack->is_sealed = failure != OK; /* of a case at rest nothing was revealed meanwhile */
    }
}

void casework_react(struct core *core, struct step *step)
{
    struct casework *casework = core->casework;
    if (casework->readers_changed) {
        casework->readers_changed = false;
        casework_unseal(core);
        catchup_retry(core);
    }
    if (casework->review_after.ms > core->now.ms)
        return;
    casework_write_receipts(core, step);
    casework_rest_some(core, step);
    if (casework->is_reading || casework->review_after.ms > core->now.ms)
        return;
    while (casework->review_count > 0 && step_has_room(step, 64, FRAME_SIZE_MAX)) {
        const struct casework_review *review = &casework->reviews[casework->review_first];
        casework->review_first = (casework->review_first + 1) % CASEWORK_REVIEW_COUNT;
        casework->review_count--;
        if (!casework_is_due(core, review))
            continue;
        struct effect *effect = step_effect(step, EFFECT_LOAD);
        effect->load.stream = review->stream;
        effect->load.from = review->sequence;
        effect->load.count = 1;
        effect->load.size_max = RECORD_SIZE_MAX;
        casework->is_reading = true;
        return;
    }
}

void casework_loaded(struct core *core, const struct event *event, struct step *step)
{
    core->casework->is_reading = false;
    struct record_claim claim;
    if (event->verdict == OK && event->batch.record_count == 1 &&
        record_parse(event->batch.records[0].record, &claim) == OK &&
        (casework_walked(core, &claim) || event->batch.records[0].plaintext.size > 0))
        casework_take(core, &claim, event->batch.records[0].plaintext, step);
}

bool casework_busy(const struct core *core)
{
    const struct casework *casework = core->casework;
    return casework->review_count > 0 || casework->receipts_owed > 0 || casework->readers_changed;
}
