#include "protocol/cases/case_paging.h"

#include <sodium.h>
#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/cases/case_automation.h"
#include "protocol/cases/case_retry.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/kind.h"
#include "protocol/state/engine_state.h"

enum {
    REST_VERSION = 1,
    REST_SETTLED = 1,
    REST_DESTROYED = 2,
    REST_LOOKED_AGAIN = 4,
    REST_OPEN = 8,
    REST_FLAGS_ALL = 15,
    REST_MIRROR_COUNT = MIRROR_ERASED + 1,
    REST_LOOK_MS = 1000,
    REST_LOOK_COUNT = 16,
    REST_CROWDED_MS = 1000,
    REST_BEHIND_COUNT = 16,
};

/* What stands before consult_export's bytes in a row. */
struct rest {
    uint8_t flags;
    uint8_t state;
    struct case_id case_id;
    struct node_id asked_by, successor;
    uint64_t tails;   /* of the case's streams, summed up: none ever shrinks */
    uint64_t missing; /* in them */
    uint64_t wanting; /* of these, what may be read here; not kept */
    uint64_t noticed, ended;
    uint64_t mirrored[REST_MIRROR_COUNT];
    struct stream_id erase_stream;
    uint64_t erase_sequence;
    uint8_t node_count;
    struct bytes nodes;
    struct bytes consult;
};

/* ---- the bytes of a row ---- */

static void rest_write(const struct rest *rest, struct buffer *out)
{
    buffer_u8(out, REST_VERSION);
    buffer_u8(out, rest->flags);
    buffer_u8(out, rest->state);
    buffer_put(out, rest->case_id.bytes, HASH_SIZE);
    buffer_put(out, rest->asked_by.bytes, NODE_ID_SIZE);
    buffer_put(out, rest->successor.bytes, NODE_ID_SIZE);
    buffer_u64(out, rest->tails);
    buffer_u64(out, rest->missing);
    buffer_u64(out, rest->noticed);
    buffer_u64(out, rest->ended);
    for (size_t i = 0; i < REST_MIRROR_COUNT; i++)
        buffer_u64(out, rest->mirrored[i]);
    buffer_u64(out, rest->erase_sequence);
    if (rest->erase_sequence != 0)
        stream_id_write(out, &rest->erase_stream);
    buffer_u8(out, rest->node_count);
    buffer_put(out, rest->nodes.data, rest->nodes.size);
}

static err rest_read(struct bytes row, struct rest *ret_rest)
{
    struct rest rest = {0};
    struct reader reader = reader_of(row);
    uint8_t version = reader_u8(&reader);
    rest.flags = reader_u8(&reader);
    rest.state = reader_u8(&reader);
    reader_copy(&reader, rest.case_id.bytes, HASH_SIZE);
    reader_copy(&reader, rest.asked_by.bytes, NODE_ID_SIZE);
    reader_copy(&reader, rest.successor.bytes, NODE_ID_SIZE);
    rest.tails = reader_u64(&reader);
    rest.missing = reader_u64(&reader);
    rest.noticed = reader_u64(&reader);
    rest.ended = reader_u64(&reader);
    for (size_t i = 0; i < REST_MIRROR_COUNT; i++)
        rest.mirrored[i] = reader_u64(&reader);
    rest.erase_sequence = reader_u64(&reader);
    err failure = rest.erase_sequence == 0 ? OK : stream_id_read(&reader, &rest.erase_stream);
    rest.node_count = reader_u8(&reader);
    if (failure != OK || reader.failed || version != REST_VERSION || rest.flags > REST_FLAGS_ALL ||
        rest.state >= CASE_STATE_COUNT || rest.node_count > PARTICIPANT_COUNT_MAX)
        return ERR_CORRUPT;
    rest.nodes = reader_take(&reader, (size_t)rest.node_count * NODE_ID_SIZE);
    rest.consult = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_CORRUPT;
    *ret_rest = rest;
    return OK;
}

err case_paging_read(struct bytes row, struct consult *ret_consult)
{
    struct rest rest;
    err failure = rest_read(row, &rest);
    return failure == OK ? consult_import(rest.consult, ret_consult) : failure;
}

/* ---- how far its streams came ---- */

static void rest_sum_writer(const struct engine *engine, struct rest *rest,
                            const struct node_id *node)
{
    struct stream_id id = {.scope = scope_case(&rest->case_id), .writer = *node, .generation = 1};
    uint32_t slot;
    for (; (slot = streams_find(&engine->streams, &id)) != STREAM_NONE; id.generation++) {
        rest->tails += engine->streams.all[slot].tail;
        for (uint32_t missing = engine->streams.all[slot].missing_first; missing != STREAM_NONE;
             missing = engine->streams.missing[missing].next) {
            rest->missing++;
            rest->wanting += engine->streams.missing[missing].is_sealed ? 0 : 1;
        }
    }
}

/* Tails only rise; a missing position comes with a tail, and goes without one: no change leaves
 * both sums. */
static void rest_sum(const struct engine *engine, struct rest *rest)
{
    struct reader nodes = reader_of(rest->nodes);
    struct node_id node;
    rest->tails = rest->missing = rest->wanting = 0;
    rest_sum_writer(engine, rest, &rest->asked_by);
    rest_sum_writer(engine, rest, &engine->config.self);
    if (!ID_IS_ZERO(rest->successor))
        rest_sum_writer(engine, rest, &rest->successor);
    for (uint8_t i = 0; i < rest->node_count; i++) {
        reader_copy(&nodes, node.bytes, NODE_ID_SIZE);
        rest_sum_writer(engine, rest, &node);
    }
}

/* (S-13) Since the row was written nothing came that it does not tell of. Of a case that is still
 * being erased, an older program wrote that nothing is owed. */
static bool rest_stands(const struct engine *engine, const struct rest *rest)
{
    const struct roster_entry *requester = roster_find(engine->roster, &rest->asked_by);
    struct rest now = *rest;
    rest_sum(engine, &now);
    bool is_succeeded = requester != NULL && requester->state == MEMBER_REMOVED &&
                        !ID_IS_ZERO(requester->successor) &&
                        !ID_EQUAL(requester->successor, rest->successor);
    bool is_half_erased = rest->state == CASE_ERASED && (rest->flags & REST_DESTROYED) == 0 &&
                          !PLANTED(ERASURE_NOT_RESUMED);
    return (rest->flags & REST_SETTLED) != 0 && !is_half_erased && now.tails == rest->tails &&
           now.missing == rest->missing && !is_succeeded;
}

/* ---- a case as a row ---- */

/* Its stream says more than it has read; an erased case reads nothing any more. */
static bool rest_is_behind(const struct engine *engine, const struct case_table_entry *entry)
{
    uint32_t unread;
    return entry->consult.state != CASE_ERASED && case_table_has_unread(engine, entry, &unread);
}

/* An erased case is over once nothing of it is left here and our receipt is written. */
static bool rest_is_over(const struct engine *engine, const struct case_table_entry *entry)
{
    bool has_part = consult_participant_of(&entry->consult, &engine->config.self) != NULL;
    return entry->consult.state != CASE_ERASED || PLANTED(ERASURE_NOT_RESUMED) ||
           (entry->is_destroyed && (!has_part || case_table_has_erased(engine, entry)));
}

/* Nothing is owed, missing or under way: a start need not read its records. */
static bool rest_is_settled(const struct engine *engine, const struct case_table_entry *entry)
{
    const struct case_id *case_id = &entry->consult.case_id;
    return !entry->has_missed && !entry->owes_receipt && entry->walked == 0 &&
           rest_is_over(engine, entry) && !rest_is_behind(engine, entry) &&
           case_automation_has_told(engine, entry) && !case_retry_waits(engine, case_id) &&
           !case_retry_reviews(engine, case_id);
}

static err rest_export(const struct engine *engine, const struct case_table_entry *entry,
                       struct buffer *out)
{
    const struct consult *consult = &entry->consult;
    uint8_t memory[PARTICIPANT_COUNT_MAX * NODE_ID_SIZE];
    struct buffer nodes = buffer_over(memory, sizeof memory);
    struct rest rest = {.flags = (uint8_t)((entry->is_destroyed ? REST_DESTROYED : 0) |
                                           (ID_IS_ZERO(consult->requester) ? 0 : REST_OPEN) |
                                           (entry->has_looked_again ? REST_LOOKED_AGAIN : 0)),
                        .state = (uint8_t)consult->state,
                        .case_id = consult->case_id,
                        .asked_by = entry->asked_by,
                        .successor = consult->successor,
                        .noticed = entry->noticed,
                        .erase_stream = entry->erase_stream,
                        .erase_sequence = entry->erase_sequence,
                        .node_count = (uint8_t)consult->participant_count};
    memcpy(rest.mirrored, entry->mirrored, sizeof rest.mirrored);
    for (size_t i = 0; i < consult->participant_count; i++) {
        buffer_put(&nodes, consult->participants[i].node.bytes, NODE_ID_SIZE);
        rest.ended |= (uint64_t)consult->participants[i].is_ended << i;
    }
    rest.nodes = buffer_bytes(&nodes);
    rest_sum(engine, &rest);
    rest.flags |= rest.wanting == 0 && rest_is_settled(engine, entry) ? REST_SETTLED : 0;
    rest_write(&rest, out);
    return consult_export(consult, out);
}

err case_paging_export(const struct engine *engine, const struct case_id *case_id,
                       struct buffer *out)
{
    const struct case_table_entry *entry = case_table_entry(engine, case_id);
    return entry == NULL ? ERR_NOT_FOUND : rest_export(engine, entry, out);
}

static uint64_t rest_hash(const struct engine *engine, struct bytes row)
{
    uint64_t hash = 0;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "one number");
    (void)crypto_shorthash((uint8_t *)&hash, row.data, row.size, engine->config.hash_key);
    return hash == 0 ? 1 : hash; /* 0: nothing is kept */
}

/* The place takes what the row tells. False: it tells nothing that could be, and the case is new.
 */
static bool rest_import(const struct engine *engine, const struct rest *rest,
                        struct case_table_entry *entry)
{
    if (consult_import(rest->consult, &entry->consult) != OK ||
        !ID_EQUAL(entry->consult.federation, engine->config.federation) ||
        !ID_EQUAL(entry->consult.case_id, rest->case_id)) {
        consult_init(&entry->consult, &engine->config.federation, &rest->case_id);
        return false;
    }
    entry->noticed = rest->noticed;
    memcpy(entry->mirrored, rest->mirrored, sizeof entry->mirrored);
    entry->erase_stream = rest->erase_stream;
    entry->erase_sequence = rest->erase_sequence;
    entry->has_looked_again = (rest->flags & REST_LOOKED_AGAIN) != 0;
    entry->is_destroyed = (rest->flags & REST_DESTROYED) != 0;
    return true;
}

/* ---- the start ---- */

void case_paging_restore(struct engine *engine, struct bytes exported)
{
    struct rest rest;
    if (rest_read(exported, &rest) != OK ||
        (rest.state == CASE_ERASED && PLANTED(TOMBSTONE_FORGOTTEN)))
        return;
    bool is_settled = rest_stands(engine, &rest);
    bool is_erased = rest.state == CASE_ERASED; /* its records will not tell it again */
    struct case_table_row *row =
        is_settled || is_erased ? case_table_add(engine, &rest.case_id, &rest.asked_by) : NULL;
    if (row == NULL)
        return;
    struct case_table_entry *entry = is_settled ? NULL : case_table_take_place(engine, row);
    if (entry != NULL) {
        (void)rest_import(engine, &rest, entry);
        case_table_note_state(engine, entry);
        return;
    }
    struct reader nodes = reader_of(rest.nodes);
    case_table_row_nodes(engine, row, &nodes, rest.node_count);
    row->state = rest.state;
    row->successor = rest.successor;
    row->ended = rest.ended;
    row->erase_slot =
        rest.erase_sequence == 0 ? STREAM_NONE : streams_find(&engine->streams, &rest.erase_stream);
    row->is_blank = false;
    row->is_open = (rest.flags & REST_OPEN) != 0;
    engine->case_table->promised -= row->is_open ? 1 : 0;
}

bool case_paging_rests(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row != NULL && row->awake == CASE_TABLE_NONE && !row->is_blank;
}

/* Those that found no place when their records came: their streams are read from the beginning, by
 * and by. */
static void rest_catch_up(struct engine *engine)
{
    struct case_table *table = engine->case_table;
    struct case_paging *paging = engine->case_paging;
    for (int i = 0; i < REST_BEHIND_COUNT && table->count > 0; i++) {
        struct case_table_row *row = &table->rows[paging->behind_next % table->count];
        struct stream_id id = {
            .scope = scope_case(&row->case_id), .writer = row->asked_by, .generation = 1};
        uint32_t slot = streams_find(&engine->streams, &id);
        if (row->is_blank && row->awake == CASE_TABLE_NONE && slot != STREAM_NONE &&
            engine->streams.all[slot].tail > 0) {
            struct case_table_entry *entry = case_table_take_place(engine, row);
            if (entry == NULL)
                return; /* when others have gone to rest */
            case_automation_replay(engine, entry);
        }
        paging->behind_next = (paging->behind_next + 1) % table->count;
    }
}

/* ---- to rest ---- */

/* A receipt was let in though the disk is full, and is not here yet. */
static bool rest_is_awaiting(const struct case_table_entry *entry)
{
    for (size_t i = 0; i < entry->consult.participant_count; i++) {
        if ((entry->awaited >> i & 1) != 0 && entry->consult.participants[i].erased_at.ms == 0)
            return true;
    }
    return false;
}

static bool rest_may(const struct engine *engine, const struct case_table_entry *entry,
                     uint64_t idle_ms)
{
    const struct consult *consult = &entry->consult;
    return !entry->is_offered && engine->now.ms - entry->used_at.ms >= idle_ms &&
           entry->walked == 0 && !entry->owes_receipt && rest_is_over(engine, entry) &&
           !rest_is_awaiting(entry) && !engine->case_retry->is_reading &&
           !rest_is_behind(engine, entry) && !case_retry_reviews(engine, &consult->case_id);
}

static void rest_offer(struct engine *engine, struct case_table_entry *entry, struct step *step)
{
    struct buffer row =
        buffer_over(step_reserve(step, CASE_PAGING_ROW_SIZE_MAX), CASE_PAGING_ROW_SIZE_MAX);
    err failure = rest_export(engine, entry, &row);
    entry->offered = failure == OK ? rest_hash(engine, buffer_bytes(&row)) : 0;
    if (failure != OK)
        return; /* the row has room for all that a case may be */
    if (entry->offered == entry->kept) {
        case_table_leave_place(engine, entry);
        return;
    }
    struct effect *effect = step_effect(step, EFFECT_REST);
    effect->rest.case_id = entry->consult.case_id;
    effect->rest.row = buffer_bytes(&row);
    entry->is_offered = true;
    entry->is_touched = false;
}

void case_paging_rest_some(struct engine *engine, struct step *step)
{
    struct case_table *table = engine->case_table;
    struct case_paging *paging = engine->case_paging;
    bool is_crowded = table->awake_count > table->awake_max - table->awake_max / 4;
    uint64_t idle_ms = is_crowded && engine->config.case_idle_ms > REST_CROWDED_MS
                           ? REST_CROWDED_MS
                           : engine->config.case_idle_ms;
    if (paging->rest_at.ms > engine->now.ms)
        return;
    paging->rest_at.ms = engine->now.ms + (is_crowded ? 0 : REST_LOOK_MS);
    rest_catch_up(engine);
    for (int i = 0; i < REST_LOOK_COUNT && table->awake_used > 0 &&
                    step_has_room(step, 64, CASE_PAGING_ROW_SIZE_MAX);
         i++) {
        paging->rest_next = (paging->rest_next + 1) % table->awake_used;
        struct case_table_entry *entry = case_table_place(engine, paging->rest_next);
        if (entry != NULL && rest_may(engine, entry, idle_ms))
            rest_offer(engine, entry, step);
    }
}

void case_paging_rested(struct engine *engine, const struct event *event)
{
    const struct case_table_row *row = case_table_row(engine, &event->rest.case_id);
    if (row == NULL || row->awake == CASE_TABLE_NONE)
        return;
    struct case_table_entry *entry = &engine->case_table->awake[row->awake];
    if (!entry->is_offered)
        return;
    entry->is_offered = false;
    if (event->verdict == OK)
        entry->kept = entry->offered;
    if (event->verdict == OK && !entry->is_touched)
        case_table_leave_place(engine, entry);
}

/* ---- and back (C-56) ---- */

void case_paging_call(struct engine *engine, const struct case_id *case_id, struct step *step)
{
    struct case_table *table = engine->case_table;
    struct case_paging *paging = engine->case_paging;
    struct case_table_row *row = case_table_row(engine, case_id);
    if (row == NULL || row->is_lost || row->is_called || row->is_blank ||
        row->awake != CASE_TABLE_NONE)
        return;
    if (table->awake_count + paging->called_count >= table->awake_max ||
        !step_has_room(step, 64, 0))
        return; /* who asked looks again later */
    row->is_called = true;
    paging->called_count++;
    step_effect(step, EFFECT_WAKE)->wake = *case_id;
}

void case_paging_woken(struct engine *engine, const struct event *event, struct step *step)
{
    struct case_table_row *row = case_table_row(engine, &event->rest.case_id);
    struct rest rest;
    if (row == NULL || !row->is_called)
        return;
    row->is_called = false;
    engine->case_paging->called_count--;
    struct case_table_entry *entry =
        event->verdict == OK && rest_read(event->rest.row, &rest) == OK &&
                ID_EQUAL(rest.case_id, row->case_id) && ID_EQUAL(rest.asked_by, row->asked_by)
            ? case_table_take_place(engine, row)
            : NULL;
    if (entry != NULL && rest_import(engine, &rest, entry)) {
        entry->kept = rest_hash(engine, event->rest.row);
        case_table_succeed(engine, &entry->consult);
        case_retry_open(engine, &event->rest.case_id); /* while it was at rest */
        return;
    }
    row->is_lost = true;
    peers_refuse(engine, NULL, step, "case-unreadable",
                 event->verdict == OK ? ERR_CORRUPT : event->verdict);
}

/* Which case a record outside of its streams is about; false: none that has to be awake. */
static bool rest_subject(const struct engine *engine, const struct record_claim *claim,
                         struct bytes plaintext, struct case_id *ret_case)
{
    struct statement statement;
    struct mail_join join;
    struct mail_grant_notice notice;
    struct mirror mirror;
    bool is_own = ID_EQUAL(claim->header.stream.writer, engine->config.self);
    if (statement_read(plaintext, &statement) != OK)
        return false;
    if (!is_own && statement.kind == KIND_JOIN && mail_join_read(statement.content, &join) == OK)
        *ret_case = join.case_id;
    else if (is_own && statement.kind == KIND_GRANT_NOTICE &&
             mail_grant_notice_read(statement.content, &notice) == OK)
        *ret_case = notice.case_id;
    else if (is_own && statement.kind == KIND_MIRROR &&
             mirror_read(statement.content, &mirror) == OK)
        *ret_case = mirror.case_id;
    else
        return false;
    return true;
}

static void rest_call_for(struct engine *engine, const struct step_record *record,
                          struct step *step)
{
    struct record_claim claim;
    struct case_id case_id;
    if (record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    case_id = scope_case_id(&claim.header.stream.scope);
    bool is_case = claim.header.stream.scope.kind == SCOPE_CASE;
    bool is_near = is_case || claim.header.stream.scope.kind == SCOPE_MAIL ||
                   ID_EQUAL(claim.header.stream.writer, engine->config.self);
    if (is_case || (is_near && record->plaintext.size > 0 &&
                    rest_subject(engine, &claim, record->plaintext, &case_id)))
        case_paging_call(engine, &case_id, step);
}

bool case_paging_calls(struct engine *engine, const struct event *event, struct step *step)
{
    bool is_detached = false;
    if (event->kind != EVENT_KEPT && event->kind != EVENT_LOADED && event->kind != EVENT_CHECKED)
        return false;
    if (engine->case_table->count == engine->case_table->awake_count)
        return false;
    for (size_t i = 0; event->kind == EVENT_CHECKED && i < event->batch.run_count; i++)
        is_detached = is_detached || event->batch.runs[i].purpose == RUN_DETACHED;
    if (event->kind == EVENT_CHECKED && !is_detached && event->batch.record_count != 1)
        return false;
    for (size_t i = 0; i < event->batch.record_count; i++)
        rest_call_for(engine, &event->batch.records[i], step);
    return step->effect_count > 0;
}
