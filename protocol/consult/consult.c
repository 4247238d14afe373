#include "protocol/consult/consult.h"

#include <stddef.h>
#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/consult/consult_effect.h"
#include "protocol/consult/consult_table.h"
#include "protocol/contents/content_registry.h"

/* ---- names ---- */

#define CONSULT_TEXT(name, text) text,
static const char *const consult_state_names[] = {CASE_STATE_LIST(CONSULT_TEXT)};
static const char *const consult_verdict_sentences[] = {CONSULT_VERDICT_LIST(CONSULT_TEXT)};
#undef CONSULT_TEXT

const char *consult_state_name(enum case_state state)
{
    return state < CASE_STATE_COUNT ? consult_state_names[state] : "unknown";
}

const char *consult_verdict_sentence(enum consult_verdict verdict)
{
    return verdict < CONSULT_VERDICT_COUNT ? consult_verdict_sentences[verdict] : "unknown";
}

/* ---- beginnings ---- */

void consult_init(struct consult *consult, const struct federation_id *federation,
                  const struct case_id *case_id)
{
    memset(consult, 0, offsetof(struct consult, directed));
    consult->federation = *federation;
    consult->case_id = *case_id;
}

void consult_set_successor(struct consult *consult, const struct node_id *successor)
{
    consult->successor = *successor;
}

struct consult_record consult_record_of(const struct record_header *header,
                                        const struct record_id *id,
                                        const struct statement *statement)
{
    return (struct consult_record){.id = *id,
                                   .writer = header->stream.writer,
                                   .generation = header->stream.generation,
                                   .sequence = header->sequence,
                                   .time = header->time,
                                   .audience = header->audience,
                                   .statement = statement};
}

/* ---- finding ---- */

static struct consult_participant *find_participant(struct consult *consult,
                                                    const struct node_id *node)
{
    for (size_t i = 0; i < consult->participant_count; i++)
        if (ID_EQUAL(consult->participants[i].node, *node))
            return &consult->participants[i];
    return NULL;
}

const struct consult_participant *consult_participant_of(const struct consult *consult,
                                                         const struct node_id *node)
{
    for (size_t i = 0; i < consult->participant_count; i++)
        if (ID_EQUAL(consult->participants[i].node, *node))
            return &consult->participants[i];
    return NULL;
}

const struct consult_taken *consult_taken_of(const struct consult *consult,
                                             const struct record_id *id)
{
    for (size_t i = 0; i < consult->taken_count; i++)
        if (ID_EQUAL(consult->taken[i].record_id, *id))
            return &consult->taken[i];
    return NULL;
}

static bool is_requester(const struct consult *consult, const struct node_id *node)
{
    return !ID_IS_ZERO(consult->requester) && ID_EQUAL(consult->requester, *node);
}

static bool is_successor(const struct consult *consult, const struct node_id *node)
{
    return !ID_IS_ZERO(consult->successor) && ID_EQUAL(consult->successor, *node);
}

static enum consult_role role_of(const struct consult *consult, const struct node_id *node)
{
    if (is_requester(consult, node))
        return CONSULT_REQUESTER;
    return is_successor(consult, node) ? CONSULT_SUCCESSOR : CONSULT_PARTICIPANT;
}

/* ---- the requester's stream ---- */

static enum consult_verdict check_order(const struct consult_cursor *cursor,
                                        const struct consult_record *record)
{
    if (record->generation < cursor->generation ||
        (record->generation == cursor->generation && record->sequence <= cursor->sequence))
        return CONSULT_SEEN;
    bool is_next = record->generation == cursor->generation
                       ? record->sequence == cursor->sequence + 1
                       : record->sequence == 1;
    /* a stream that was never applied may open in any generation */
    bool is_next_generation = record->generation == cursor->generation + 1 || cursor->sequence == 0;
    if (PLANTED(CASE_BY_ARRIVAL))
        return CONSULT_COUNTS;
    return is_next && (record->generation == cursor->generation || is_next_generation)
               ? CONSULT_COUNTS
               : CONSULT_OUT_OF_ORDER;
}

/* C-31: kind, scope, audience and the presence of the clinician's signature are what they must be
 * for this kind. Whether that signature is good decides nothing of the state: certificates come by
 * another stream, and all who hold this stream must see one state. */
static enum consult_verdict check_shape(const struct consult_record *record)
{
    if (record->statement == NULL)
        return CONSULT_MALFORMED;
    uint16_t kind = record->statement->kind;
    err failure = kind_check(kind, SCOPE_CASE, record->audience, record->statement->is_signed);
    if (failure == ERR_UNSUPPORTED || (failure == OK && content_registry_table(kind) == NULL))
        return CONSULT_NO_MEANING;
    return failure == OK ? CONSULT_COUNTS : CONSULT_MALFORMED;
}

static enum consult_verdict apply_own(struct consult *consult, const struct consult_record *record,
                                      enum consult_role role)
{
    struct consult_cursor *cursor =
        role == CONSULT_SUCCESSOR ? &consult->successor_cursor : &consult->cursor;
    enum consult_verdict verdict = check_order(cursor, record);
    if (verdict != CONSULT_COUNTS)
        return consult->state == CASE_ERASED ? CONSULT_ERASED : verdict;
    *cursor = (struct consult_cursor){record->generation, record->sequence};
    verdict = check_shape(record);
    if (verdict != CONSULT_COUNTS)
        return verdict;
    struct consult_cell cell = consult_table_cell(consult->state, role, record->statement->kind);
    if (cell.verdict != CONSULT_COUNTS)
        return cell.verdict;
    verdict = consult_effect_apply(consult, record);
    bool is_quiet_reveal =
        record->statement->kind == KIND_REVEAL && !consult_effect_has_reveal(consult);
    if (verdict == CONSULT_COUNTS && !is_quiet_reveal)
        consult->state = cell.next;
    return verdict;
}

/* ---- records of others ---- */

/* Positions at or before the end that the requester set still belong. */
static bool is_within_grant(const struct consult_participant *participant,
                            const struct consult_record *record)
{
    if (!participant->is_ended)
        return true;
    return record->generation != participant->end_generation
               ? record->generation < participant->end_generation
               : record->sequence <= participant->end_sequence;
}

enum consult_verdict consult_judge(const struct consult *consult,
                                   const struct consult_record *record)
{
    const struct consult_participant *author = consult_participant_of(consult, &record->writer);
    if (consult->state != CASE_ERASED && consult_taken_of(consult, &record->id) != NULL)
        return CONSULT_COUNTS;
    if (record->statement == NULL && record->audience == AUDIENCE_REQUESTER && author != NULL &&
        consult->state != CASE_ERASED)
        return is_within_grant(author, record) ? CONSULT_AWAITS : CONSULT_GRANT_ENDED;
    enum consult_verdict verdict = check_shape(record);
    if (verdict != CONSULT_COUNTS)
        return verdict;
    if (consult->state == CASE_DRAFT)
        return CONSULT_NOT_OPEN;
    uint16_t kind = record->statement->kind;
    enum consult_role role = role_of(consult, &record->writer);
    verdict = consult_table_cell(consult->state, role, kind).verdict;
    if (role != CONSULT_PARTICIPANT || (verdict != CONSULT_COUNTS && verdict != CONSULT_AWAITS))
        return verdict;
    if (author == NULL)
        return CONSULT_NOT_GRANTED;
    if (kind != KIND_ERASED && !is_within_grant(author, record))
        return CONSULT_GRANT_ENDED;
    if (kind == KIND_RELEASE && record->time.ms < consult->deadline.ms)
        return CONSULT_TOO_EARLY;
    return consult_effect_check_content(record) == CONSULT_COUNTS ? verdict : CONSULT_MALFORMED;
}

static bool is_released_later(const struct consult_released *a, const struct consult_released *b)
{
    return a->time.ms != b->time.ms ? a->time.ms > b->time.ms
                                    : memcmp(a->record_id.bytes, b->record_id.bytes, HASH_SIZE) > 0;
}

/* C-33: a release opens an opinion to the participants once the deadline is past; it changes no
 * state. C-66: the latest stand first and the earliest gives way, so that the same are left in
 * whatever order they came. */
static enum consult_verdict apply_release(struct consult_participant *author,
                                          const struct consult_record *record)
{
    struct case_record_release release;
    if (case_record_release_read(record->statement->content, &release) != OK)
        return CONSULT_MALFORMED;
    struct consult_released *released = author->released;
    const struct consult_released fresh = {.record_id = release.record_id, .time = record->time};
    size_t at = 0;
    while (at < author->released_count && !ID_EQUAL(released[at].record_id, fresh.record_id))
        at++;
    if (at < author->released_count && !is_released_later(&fresh, &released[at]))
        return CONSULT_SEEN;
    if (at == RELEASED_COUNT_MAX && !is_released_later(&fresh, &released[--at]))
        return CONSULT_FULL;
    author->released_count += at == author->released_count ? 1 : 0;
    for (; at > 0 && is_released_later(&fresh, &released[at - 1]); at--)
        released[at] = released[at - 1];
    released[at] = fresh;
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_erased(const struct consult *consult,
                                         struct consult_participant *author,
                                         const struct consult_record *record)
{
    struct case_record_erased erased;
    if (case_record_erased_read(record->statement->content, &erased) != OK)
        return CONSULT_MALFORMED;
    if (!ID_EQUAL(erased.erase, consult->erase))
        return CONSULT_UNKNOWN_RECORD;
    if (author->erased_at.ms != 0)
        return CONSULT_SEEN;
    author->erased_at = record->time;
    author->backups_until = erased.backups_until;
    return CONSULT_COUNTS;
}

static enum consult_verdict apply_other(struct consult *consult,
                                        const struct consult_record *record)
{
    enum consult_verdict verdict = consult_judge(consult, record);
    if (verdict != CONSULT_COUNTS || record->statement == NULL)
        return verdict;
    struct consult_participant *author = find_participant(consult, &record->writer);
    if (record->statement->kind == KIND_RELEASE && author != NULL)
        return apply_release(author, record);
    if (record->statement->kind == KIND_ERASED && author != NULL)
        return apply_erased(consult, author, record);
    return verdict;
}

enum consult_verdict consult_apply(struct consult *consult, const struct consult_record *record)
{
    enum consult_role role = role_of(consult, &record->writer);
    enum consult_verdict shape = check_shape(record);
    if (shape == CONSULT_COUNTS && record->statement->kind == KIND_ERASE)
        return consult_effect_erase(consult, record);
    if (role != CONSULT_PARTICIPANT)
        return apply_own(consult, record, role);
    bool is_opening = consult->state == CASE_DRAFT && shape == CONSULT_COUNTS &&
                      record->statement->kind == KIND_OPEN;
    if (!is_opening)
        return apply_other(consult, record);
    enum consult_verdict verdict = consult_effect_open(consult, record);
    if (verdict == CONSULT_COUNTS)
        consult->state = consult_table_cell(CASE_DRAFT, CONSULT_REQUESTER, KIND_OPEN).next;
    return verdict;
}

enum consult_verdict consult_allows(const struct consult *consult, const struct node_id *writer,
                                    uint16_t kind)
{
    enum consult_role role = role_of(consult, writer);
    if (consult->state == CASE_DRAFT && kind == KIND_OPEN)
        return CONSULT_COUNTS;
    enum consult_verdict verdict = consult_table_cell(consult->state, role, kind).verdict;
    if (verdict != CONSULT_COUNTS && verdict != CONSULT_AWAITS)
        return verdict;
    if (role == CONSULT_PARTICIPANT) {
        const struct consult_participant *author = consult_participant_of(consult, writer);
        if (author == NULL)
            return CONSULT_NOT_GRANTED;
        return author->is_ended && kind != KIND_ERASED ? CONSULT_GRANT_ENDED : verdict;
    }
    return kind == KIND_SYNTHESIS ? consult_effect_check_synthesis(consult) : verdict;
}
