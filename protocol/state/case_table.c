#include "protocol/state/case_table.h"

#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/state/engine_state.h"

static size_t case_table_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Buckets: the next power of two. */
static uint32_t case_table_bucket_count(uint32_t case_count_max)
{
    uint32_t count = 1;
    while (count < case_count_max)
        count *= 2;
    return count;
}

/* Enough for the longest lists of participants of all: what is not used is never touched. */
static size_t case_table_nodes_max(uint32_t case_count_max)
{
    return (size_t)case_count_max * (PARTICIPANT_COUNT_MAX / CASE_TABLE_NODES_EACH);
}

size_t case_table_memory_size(uint32_t case_count_max, uint32_t awake_count_max)
{
    return case_table_align(sizeof(struct case_table)) +
           case_table_align(case_count_max * sizeof(struct case_table_row)) +
           case_table_align(case_table_bucket_count(case_count_max) * sizeof(uint32_t)) +
           case_table_align(awake_count_max * sizeof(struct case_table_entry)) +
           case_table_align(case_table_nodes_max(case_count_max) * sizeof(struct case_table_nodes));
}

struct case_table *case_table_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max)
{
    struct case_table *table = memory;
    uint32_t bucket_count = case_table_bucket_count(case_count_max);
    uint8_t *place = (uint8_t *)memory + case_table_align(sizeof *table);
    table->rows = (void *)place;
    table->count_max = case_count_max;
    place += case_table_align(case_count_max * sizeof *table->rows);
    table->buckets = (void *)place;
    table->bucket_mask = bucket_count - 1;
    place += case_table_align(bucket_count * sizeof *table->buckets);
    table->awake = (void *)place;
    table->awake_max = awake_count_max;
    table->awake_free = CASE_TABLE_NONE;
    place += case_table_align(awake_count_max * sizeof *table->awake);
    table->nodes = (void *)place;
    table->nodes_free = CASE_TABLE_NONE;
    for (uint32_t i = 0; i < bucket_count; i++)
        table->buckets[i] = CASE_TABLE_NONE;
    return table;
}

/* ---- rows ---- */

static uint32_t *case_table_bucket(const struct engine *engine, const struct case_id *case_id)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t value;
    int failed =
        crypto_shorthash(hash, case_id->bytes, sizeof case_id->bytes, engine->config.hash_key);
    assert(failed == 0);
    memcpy(&value, hash, sizeof value);
    return &engine->case_table->buckets[value & engine->case_table->bucket_mask];
}

struct case_table_row *case_table_row(const struct engine *engine, const struct case_id *case_id)
{
    struct case_table *table = engine->case_table;
    uint32_t n = *case_table_bucket(engine, case_id);
    while (n != CASE_TABLE_NONE && !ID_EQUAL(table->rows[n].case_id, *case_id))
        n = table->rows[n].bucket_next;
    return n == CASE_TABLE_NONE ? NULL : &table->rows[n];
}

/* Cases that this member spoke of and never opened: anybody can speak of any number. */
static uint32_t case_table_promised(const struct engine *engine, const struct node_id *node)
{
    const struct case_table *table = engine->case_table;
    uint32_t count = 0;
    if (table->promised < CASE_TABLE_PROMISED_MAX)
        return table->promised;
    for (uint32_t i = 0; i < table->count; i++)
        count += !table->rows[i].is_open && ID_EQUAL(table->rows[i].asked_by, *node) ? 1 : 0;
    return count;
}

/* Others may take three quarters of the table: whatever they open, this node can still ask. */
bool case_table_has_room(const struct engine *engine, bool is_own)
{
    const struct case_table *table = engine->case_table;
    return table->count < table->count_max &&
           (is_own || table->others < table->count_max - table->count_max / 4);
}

struct case_table_row *case_table_add(struct engine *engine, const struct case_id *case_id,
                                      const struct node_id *requester)
{
    struct case_table *table = engine->case_table;
    struct case_table_row *row = case_table_row(engine, case_id);
    bool is_own = ID_EQUAL(*requester, engine->config.self);
    if (row != NULL)
        return row;
    if ((!is_own && case_table_promised(engine, requester) >= CASE_TABLE_PROMISED_MAX) ||
        !case_table_has_room(engine, is_own))
        return NULL;
    uint32_t *bucket = case_table_bucket(engine, case_id);
    row = &table->rows[table->count];
    *row = (struct case_table_row){.case_id = *case_id,
                                   .asked_by = *requester,
                                   .bucket_next = *bucket,
                                   .awake = CASE_TABLE_NONE,
                                   .nodes = CASE_TABLE_NONE,
                                   .erase_slot = STREAM_NONE,
                                   .is_blank = true};
    *bucket = table->count++;
    table->others += is_own ? 0 : 1;
    table->promised++;
    return row;
}

uint32_t case_table_count(const struct engine *engine)
{
    return engine->case_table->count;
}

uint32_t case_table_awake_count(const struct engine *engine)
{
    return engine->case_table->awake_count;
}

void case_table_note_state(struct engine *engine, const struct case_table_entry *entry)
{
    struct case_table_row *row = &engine->case_table->rows[entry->row];
    bool is_open = !ID_IS_ZERO(entry->consult.requester);
    row->state = (uint8_t)entry->consult.state;
    row->successor = entry->consult.successor;
    if (is_open && !row->is_open)
        engine->case_table->promised--;
    row->is_open = row->is_open || is_open;
}

/* ---- participants of those at rest ---- */

static void case_table_row_forget(struct engine *engine, struct case_table_row *row)
{
    struct case_table *table = engine->case_table;
    while (row->nodes != CASE_TABLE_NONE) {
        uint32_t block = row->nodes;
        row->nodes = table->nodes[block].next;
        table->nodes[block].next = table->nodes_free;
        table->nodes_free = block;
    }
    row->node_count = 0;
}

void case_table_row_nodes(struct engine *engine, struct case_table_row *row, struct reader *nodes,
                          uint8_t count)
{
    struct case_table *table = engine->case_table;
    uint32_t *link = &row->nodes;
    struct case_table_nodes *block = NULL;
    case_table_row_forget(engine, row);
    for (uint8_t i = 0; i < count; i++) {
        if (i % CASE_TABLE_NODES_EACH == 0) {
            *link = table->nodes_free == CASE_TABLE_NONE ? table->nodes_used++ : table->nodes_free;
            block = &table->nodes[*link];
            if (table->nodes_free == *link)
                table->nodes_free = block->next;
            block->next = CASE_TABLE_NONE;
            link = &block->next;
        }
        reader_copy(nodes, block->nodes[i % CASE_TABLE_NODES_EACH].bytes, NODE_ID_SIZE);
    }
    row->node_count = count;
}

uint32_t case_table_row_part(const struct engine *engine, const struct case_table_row *row,
                             const struct node_id *node)
{
    uint32_t block = row->nodes;
    for (uint32_t i = 0; i < row->node_count; i++) {
        if (ID_EQUAL(engine->case_table->nodes[block].nodes[i % CASE_TABLE_NODES_EACH], *node))
            return i;
        if (i % CASE_TABLE_NODES_EACH == CASE_TABLE_NODES_EACH - 1)
            block = engine->case_table->nodes[block].next;
    }
    return CASE_TABLE_NONE;
}

/* ---- those awake ---- */

bool case_table_part_at(const struct engine *engine, const struct case_id *case_id, uint32_t n,
                        struct node_id *ret_node)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    const struct consult *consult = case_table_find(engine, case_id);
    if (row == NULL)
        return false;
    if (n < 2) {
        const struct node_id *successor = consult == NULL ? &row->successor : &consult->successor;
        *ret_node = n == 0 ? row->asked_by : *successor;
        return true;
    }
    if (consult != NULL) {
        if (n - 2 < consult->participant_count)
            *ret_node = consult->participants[n - 2].node;
        return n - 2 < consult->participant_count;
    }
    uint32_t block = row->nodes;
    for (uint32_t i = 0; i < (n - 2) / CASE_TABLE_NODES_EACH && block != CASE_TABLE_NONE; i++)
        block = engine->case_table->nodes[block].next;
    if (n - 2 >= row->node_count || block == CASE_TABLE_NONE)
        return false;
    *ret_node = engine->case_table->nodes[block].nodes[(n - 2) % CASE_TABLE_NODES_EACH];
    return true;
}

struct case_table_entry *case_table_place(const struct engine *engine, uint32_t n)
{
    struct case_table_entry *entry = &engine->case_table->awake[n];
    return entry->row == CASE_TABLE_NONE ? NULL : entry;
}

static struct case_table_entry *case_table_awake(const struct engine *engine,
                                                 const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row == NULL || row->awake == CASE_TABLE_NONE ? NULL
                                                        : &engine->case_table->awake[row->awake];
}

const struct case_table_entry *case_table_look(const struct engine *engine,
                                               const struct case_id *case_id)
{
    return case_table_awake(engine, case_id);
}

struct case_table_entry *case_table_entry(const struct engine *engine,
                                          const struct case_id *case_id)
{
    struct case_table_entry *entry = case_table_awake(engine, case_id);
    if (entry != NULL) {
        entry->used_at = engine->now;
        entry->is_touched = true;
    }
    return entry;
}

const struct consult *case_table_find(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_entry *entry = case_table_awake(engine, case_id);
    return entry == NULL ? NULL : &entry->consult;
}

struct case_table_entry *case_table_take_place(struct engine *engine, struct case_table_row *row)
{
    struct case_table *table = engine->case_table;
    uint32_t place = table->awake_free;
    if (place == CASE_TABLE_NONE && table->awake_used == table->awake_max)
        return NULL;
    if (place == CASE_TABLE_NONE)
        place = table->awake_used++;
    else
        table->awake_free = table->awake[place].free_next;
    struct case_table_entry *entry = &table->awake[place];
    memset(entry, 0, offsetof(struct case_table_entry, consult));
    consult_init(&entry->consult, &engine->config.federation, &row->case_id);
    entry->row = (uint32_t)(row - table->rows);
    entry->asked_by = row->asked_by;
    entry->used_at = engine->now;
    entry->is_touched = true;
    row->awake = place;
    table->awake_count++;
    case_table_row_forget(engine, row);
    return entry;
}

void case_table_leave_place(struct engine *engine, struct case_table_entry *entry)
{
    struct case_table *table = engine->case_table;
    struct case_table_row *row = &table->rows[entry->row];
    const struct consult *consult = &entry->consult;
    uint8_t memory[PARTICIPANT_COUNT_MAX * NODE_ID_SIZE];
    struct buffer nodes = buffer_over(memory, sizeof memory);
    case_table_note_state(engine, entry);
    row->ended = 0;
    for (size_t i = 0; i < consult->participant_count; i++) {
        buffer_put(&nodes, consult->participants[i].node.bytes, NODE_ID_SIZE);
        row->ended |= (uint64_t)consult->participants[i].is_ended << i;
    }
    struct reader reader = reader_of(buffer_bytes(&nodes));
    case_table_row_nodes(engine, row, &reader, (uint8_t)consult->participant_count);
    row->erase_slot = entry->erase_sequence == 0
                          ? STREAM_NONE
                          : streams_find(&engine->streams, &entry->erase_stream);
    row->is_blank = false;
    row->awake = CASE_TABLE_NONE;
    entry->row = CASE_TABLE_NONE;
    entry->free_next = table->awake_free;
    table->awake_free = (uint32_t)(entry - table->awake);
    table->awake_count--;
}

/* ---- how far a case has read ---- */

struct stream_id case_table_leading(const struct engine *engine,
                                    const struct case_table_entry *entry, uint64_t *ret_sequence)
{
    const struct consult *consult = &entry->consult;
    bool is_open = !ID_IS_ZERO(consult->requester);
    struct stream_id id = {.scope = scope_case(&consult->case_id),
                           .writer = is_open ? consult->requester : entry->asked_by,
                           .generation =
                               consult->cursor.generation == 0 ? 1 : consult->cursor.generation};
    struct stream_id next = id;
    next.generation++;
    uint32_t slot = streams_find(&engine->streams, &id);
    uint32_t after = streams_find(&engine->streams, &next);
    *ret_sequence = consult->cursor.sequence;
    if (slot == STREAM_NONE || after == STREAM_NONE || engine->streams.all[after].tail == 0 ||
        engine->streams.all[slot].tail > consult->cursor.sequence)
        return id;
    *ret_sequence = 0;
    return next;
}

bool case_table_has_unread(const struct engine *engine, const struct case_table_entry *entry,
                           uint32_t *ret_generation)
{
    uint64_t sequence;
    struct stream_id leading = case_table_leading(engine, entry, &sequence);
    uint32_t slot = streams_find(&engine->streams, &leading);
    *ret_generation = leading.generation;
    return slot != STREAM_NONE && engine->streams.all[slot].tail > sequence;
}

bool case_table_has_erased(const struct engine *engine, const struct case_table_entry *entry)
{
    const struct consult_participant *part =
        consult_participant_of(&entry->consult, &engine->config.self);
    return part != NULL && part->erased_at.ms != 0;
}

void case_table_succeed(const struct engine *engine, struct consult *consult)
{
    const struct roster_entry *requester = roster_find(engine->roster, &consult->requester);
    if (requester != NULL && requester->state == MEMBER_REMOVED &&
        !ID_IS_ZERO(requester->successor))
        consult_set_successor(consult, &requester->successor);
}

/* ---- who takes part ---- */

/* Of a case at rest: whoever the roster names to speak for a removed requester takes part too. */
static bool case_table_row_includes(const struct engine *engine, const struct case_table_row *row,
                                    const struct node_id *node)
{
    const struct roster_entry *requester = roster_find(engine->roster, &row->asked_by);
    bool is_heir = requester != NULL && requester->state == MEMBER_REMOVED &&
                   ID_EQUAL(requester->successor, *node);
    return ID_EQUAL(row->asked_by, *node) || ID_EQUAL(row->successor, *node) || is_heir ||
           case_table_row_part(engine, row, node) != CASE_TABLE_NONE;
}

bool case_table_includes(const struct engine *engine, const struct case_id *case_id,
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
    return consult == NULL ? case_table_row_includes(engine, row, node)
                           : consult_ever_entitled(consult, node);
}

bool case_table_is_known(const struct engine *engine, const struct case_id *case_id)
{
    return case_table_row(engine, case_id) != NULL;
}

bool case_table_is_of_others(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row != NULL && !ID_EQUAL(row->asked_by, engine->config.self);
}

const struct case_table_row *case_table_row_at(const struct engine *engine, uint32_t n)
{
    return n < engine->case_table->count ? &engine->case_table->rows[n] : NULL;
}

err case_table_may_read(const struct engine *engine, const struct node_id *node,
                        const struct record_claim *claim)
{
    struct case_id case_id = scope_case_id(&claim->header.stream.scope);
    const struct case_table_entry *entry = case_table_look(engine, &case_id);
    const struct node_id *self = &engine->config.self;
    uint32_t unread;
    if (entry == NULL)
        return case_table_is_known(engine, &case_id) ? ERR_BUSY : ERR_NOT_FOUND;
    const struct consult *consult = &entry->consult;
    /* (C-45) */
    if (ID_EQUAL(consult->requester, *self) && !ID_EQUAL(*node, *self) &&
        case_table_has_unread(engine, entry, &unread))
        return ERR_NOT_ENTITLED;
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return consult_entitled(consult, node, &record, engine->wall) ? OK : ERR_NOT_ENTITLED;
}

struct wall case_table_opens_at(const struct engine *engine, const struct record_claim *claim)
{
    struct case_id case_id = scope_case_id(&claim->header.stream.scope);
    const struct consult *consult = case_table_find(engine, &case_id);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return consult == NULL ? (struct wall){0}
                           : consult_entitled_from(consult, &record, engine->wall);
}

err case_table_may_have(const struct engine *engine, const struct node_id *node,
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
        bool has_access = part != CASE_TABLE_NONE && (row->ended >> part & 1) == 0;
        return row->is_open && (ID_EQUAL(row->asked_by, *node) || has_access) ? OK
                                                                              : ERR_NOT_ENTITLED;
    }
    const struct consult_participant *part = consult_participant_of(consult, node);
    return ID_EQUAL(consult->requester, *node) || (part != NULL && !part->is_ended)
               ? OK
               : ERR_NOT_ENTITLED;
}

bool case_table_is_erased(const struct engine *engine, const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row != NULL && row->state == CASE_ERASED && !PLANTED(ERASED_IS_KEPT);
}
