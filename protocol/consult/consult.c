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
#undef CONSULT_TEXT

const char *consult_state_name(enum case_state state)
{
    return state < CASE_STATE_COUNT ? consult_state_names[state] : "unknown";
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

bool consult_ever_entitled(const struct consult *consult, const struct node_id *node)
{
    return is_requester(consult, node) || is_successor(consult, node) ||
           consult_participant_of(consult, node) != NULL;
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

/* C-31: kind, scope, audience and the presence of the clinician's signature follow the rules of
 * this kind. Whether that signature is valid does not affect the state: certificates come by
 * another stream, and all holders of this stream must see one state. */
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
 * state. C-66: the list holds the latest releases, sorted by time, so that the result does not
 * depend on the order of arrival. */
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
    struct consult_participant *author = consult_effect_participant(consult, &record->writer);
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

/* ---- export and import ---- */

enum { CONSULT_EXPORT_VERSION = 2 };
enum { EXPORT_ENDED = 1, EXPORT_OPINION = 2, EXPORT_DECLINED = 4, EXPORT_FLAGS_ALL = 7 };

/* The ids in the order of the export. */
enum { EXPORT_ID_COUNT = 7 };

static void export_ids(const struct consult *consult, const struct record_id *ids[EXPORT_ID_COUNT])
{
    ids[0] = &consult->open;
    ids[1] = &consult->manifest;
    ids[2] = &consult->synthesis;
    ids[3] = &consult->close;
    ids[4] = &consult->withdraw;
    ids[5] = &consult->outcome;
    ids[6] = &consult->erase;
}

static void write_cursor(const struct consult_cursor *cursor, struct buffer *buffer)
{
    buffer_u32(buffer, cursor->generation);
    buffer_u64(buffer, cursor->sequence);
}

static void write_participant(const struct consult_participant *participant, struct buffer *buffer)
{
    unsigned flags = 0;
    flags |= participant->is_ended ? EXPORT_ENDED : 0;
    flags |= participant->has_opinion ? EXPORT_OPINION : 0;
    flags |= participant->has_declined ? EXPORT_DECLINED : 0;
    buffer_put(buffer, participant->node.bytes, NODE_ID_SIZE);
    buffer_u8(buffer, (uint8_t)flags);
    buffer_put(buffer, participant->join.bytes, HASH_SIZE);
    buffer_put(buffer, participant->clinician.bytes, HASH_SIZE);
    buffer_u64(buffer, participant->end_generation);
    buffer_u64(buffer, participant->end_sequence);
    buffer_u64(buffer, participant->erased_at.ms);
    buffer_u64(buffer, participant->backups_until.ms);
    buffer_u8(buffer, (uint8_t)participant->released_count);
    for (size_t i = 0; i < participant->released_count; i++) {
        buffer_put(buffer, participant->released[i].record_id.bytes, HASH_SIZE);
        buffer_u64(buffer, participant->released[i].time.ms);
    }
}

err consult_export(const struct consult *consult, struct buffer *buffer)
{
    const struct record_id *ids[EXPORT_ID_COUNT];
    buffer_u8(buffer, CONSULT_EXPORT_VERSION);
    buffer_u8(buffer, (uint8_t)consult->state);
    buffer_u8(buffer, (uint8_t)consult->mode);
    buffer_put(buffer, consult->federation.bytes, HASH_SIZE);
    buffer_put(buffer, consult->case_id.bytes, HASH_SIZE);
    buffer_put(buffer, consult->requester.bytes, NODE_ID_SIZE);
    buffer_put(buffer, consult->successor.bytes, NODE_ID_SIZE);
    write_cursor(&consult->cursor, buffer);
    write_cursor(&consult->successor_cursor, buffer);
    buffer_put(buffer, consult->opening.bytes, sizeof consult->opening.bytes);
    buffer_u8(buffer, (uint8_t)consult->specialty_size);
    buffer_put(buffer, consult->specialty, consult->specialty_size);
    buffer_u64(buffer, consult->wanted_count);
    buffer_u64(buffer, consult->opened_at.ms);
    buffer_u64(buffer, consult->deadline.ms);
    buffer_u64(buffer, consult->closed_at.ms);
    buffer_put(buffer, consult->manifest_root.bytes, HASH_SIZE);
    buffer_u64(buffer, consult->outcome_day);
    export_ids(consult, ids);
    for (size_t i = 0; i < EXPORT_ID_COUNT; i++)
        buffer_put(buffer, ids[i]->bytes, HASH_SIZE);
    buffer_u8(buffer, (uint8_t)consult->directed_count);
    for (size_t i = 0; i < consult->directed_count; i++)
        buffer_put(buffer, consult->directed[i].bytes, NODE_ID_SIZE);
    buffer_u8(buffer, (uint8_t)consult->participant_count);
    for (size_t i = 0; i < consult->participant_count; i++)
        write_participant(&consult->participants[i], buffer);
    buffer_u16(buffer, (uint16_t)consult->taken_count);
    for (size_t i = 0; i < consult->taken_count; i++) {
        buffer_put(buffer, consult->taken[i].record_id.bytes, HASH_SIZE);
        buffer_u16(buffer, consult->taken[i].kind);
        buffer_u8(buffer, consult->taken[i].author);
        buffer_u8(buffer, consult->taken[i].is_revealed);
    }
    return buffer->failed ? ERR_FULL : OK;
}

/* ---- reading: each returns false on what was never written ---- */

static void read_cursor(struct reader *reader, struct consult_cursor *cursor)
{
    cursor->generation = reader_u32(reader);
    cursor->sequence = reader_u64(reader);
}

static bool read_head(struct reader *reader, struct consult *consult)
{
    uint8_t version = reader_u8(reader), state = reader_u8(reader), mode = reader_u8(reader);
    if (version != CONSULT_EXPORT_VERSION || state >= CASE_STATE_COUNT || mode > ANNOUNCEMENT_OPEN)
        return false;
    consult->state = (enum case_state)state;
    consult->mode = (enum announcement_mode)mode;
    reader_copy(reader, consult->federation.bytes, HASH_SIZE);
    reader_copy(reader, consult->case_id.bytes, HASH_SIZE);
    reader_copy(reader, consult->requester.bytes, NODE_ID_SIZE);
    reader_copy(reader, consult->successor.bytes, NODE_ID_SIZE);
    read_cursor(reader, &consult->cursor);
    read_cursor(reader, &consult->successor_cursor);
    reader_copy(reader, consult->opening.bytes, sizeof consult->opening.bytes);
    consult->specialty_size = reader_u8(reader);
    if (consult->specialty_size > TAG_SIZE_MAX)
        return false;
    reader_copy(reader, consult->specialty, consult->specialty_size);
    consult->wanted_count = reader_u64(reader);
    consult->opened_at.ms = reader_u64(reader);
    consult->deadline.ms = reader_u64(reader);
    consult->closed_at.ms = reader_u64(reader);
    reader_copy(reader, consult->manifest_root.bytes, HASH_SIZE);
    consult->outcome_day = reader_u64(reader);
    struct record_id *ids[EXPORT_ID_COUNT] = {
        &consult->open,     &consult->manifest, &consult->synthesis, &consult->close,
        &consult->withdraw, &consult->outcome,  &consult->erase};
    for (size_t i = 0; i < EXPORT_ID_COUNT; i++)
        reader_copy(reader, ids[i]->bytes, HASH_SIZE);
    consult->directed_count = reader_u8(reader);
    if (consult->directed_count > PARTICIPANT_COUNT_MAX)
        return false;
    for (size_t i = 0; i < consult->directed_count; i++)
        reader_copy(reader, consult->directed[i].bytes, NODE_ID_SIZE);
    return !reader->failed;
}

static bool read_participant(struct reader *reader, struct consult_participant *participant)
{
    reader_copy(reader, participant->node.bytes, NODE_ID_SIZE);
    uint8_t flags = reader_u8(reader);
    participant->is_ended = (flags & EXPORT_ENDED) != 0;
    participant->has_opinion = (flags & EXPORT_OPINION) != 0;
    participant->has_declined = (flags & EXPORT_DECLINED) != 0;
    reader_copy(reader, participant->join.bytes, HASH_SIZE);
    reader_copy(reader, participant->clinician.bytes, HASH_SIZE);
    participant->end_generation = reader_u64(reader);
    participant->end_sequence = reader_u64(reader);
    participant->erased_at.ms = reader_u64(reader);
    participant->backups_until.ms = reader_u64(reader);
    participant->released_count = reader_u8(reader);
    if (flags > EXPORT_FLAGS_ALL || participant->released_count > RELEASED_COUNT_MAX)
        return false;
    for (size_t i = 0; i < participant->released_count; i++) {
        reader_copy(reader, participant->released[i].record_id.bytes, HASH_SIZE);
        participant->released[i].time.ms = reader_u64(reader);
    }
    return !reader->failed;
}

static bool read_taken(struct reader *reader, size_t participant_count, struct consult_taken *taken)
{
    reader_copy(reader, taken->record_id.bytes, HASH_SIZE);
    taken->kind = reader_u16(reader);
    taken->author = reader_u8(reader);
    uint8_t is_revealed = reader_u8(reader);
    taken->is_revealed = is_revealed == 1;
    return !reader->failed && is_revealed <= 1 && taken->author < participant_count;
}

static bool read_all(struct reader *reader, struct consult *consult)
{
    bool is_good = read_head(reader, consult);
    size_t participant_count = reader_u8(reader);
    if (!is_good || participant_count > PARTICIPANT_COUNT_MAX)
        return false;
    consult->participant_count = participant_count;
    for (size_t i = 0; i < participant_count && is_good; i++)
        is_good = read_participant(reader, &consult->participants[i]);
    size_t taken_count = reader_u16(reader);
    if (!is_good || taken_count > TAKEN_IN_COUNT_MAX)
        return false;
    consult->taken_count = taken_count;
    for (size_t i = 0; i < taken_count && is_good; i++)
        is_good = read_taken(reader, participant_count, &consult->taken[i]);
    return is_good && reader_done(reader);
}

err consult_import(struct bytes exported, struct consult *ret_consult)
{
    struct reader reader = reader_of(exported);
    memset(ret_consult, 0, offsetof(struct consult, directed));
    if (read_all(&reader, ret_consult))
        return OK;
    memset(ret_consult, 0, offsetof(struct consult, directed));
    return ERR_CORRUPT;
}
