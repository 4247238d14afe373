/* Which cases there are: a short row for each that is known, and a place for each that is awake. */
#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "protocol/cases/cases_state.h"
#include "protocol/engine/engine_state.h"

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
    return (size_t)case_count_max * (PARTICIPANT_COUNT_MAX / CASES_NODES_EACH);
}

size_t case_table_memory_size(uint32_t case_count_max, uint32_t awake_count_max)
{
    return case_table_align(sizeof(struct cases)) +
           case_table_align(case_count_max * sizeof(struct case_table_row)) +
           case_table_align(case_table_bucket_count(case_count_max) * sizeof(uint32_t)) +
           case_table_align(awake_count_max * sizeof(struct cases_case)) +
           case_table_align(case_table_nodes_max(case_count_max) * sizeof(struct cases_nodes));
}

struct cases *case_table_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max)
{
    struct cases *cases = memory;
    uint32_t bucket_count = case_table_bucket_count(case_count_max);
    uint8_t *place = (uint8_t *)memory + case_table_align(sizeof *cases);
    cases->rows = (void *)place;
    cases->count_max = case_count_max;
    place += case_table_align(case_count_max * sizeof *cases->rows);
    cases->buckets = (void *)place;
    cases->bucket_mask = bucket_count - 1;
    place += case_table_align(bucket_count * sizeof *cases->buckets);
    cases->awake = (void *)place;
    cases->awake_max = awake_count_max;
    cases->awake_free = CASES_NONE;
    place += case_table_align(awake_count_max * sizeof *cases->awake);
    cases->nodes = (void *)place;
    cases->nodes_free = CASES_NONE;
    for (uint32_t i = 0; i < bucket_count; i++)
        cases->buckets[i] = CASES_NONE;
    return cases;
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
    return &engine->cases->buckets[value & engine->cases->bucket_mask];
}

struct case_table_row *case_table_row(const struct engine *engine, const struct case_id *case_id)
{
    struct cases *cases = engine->cases;
    uint32_t n = *case_table_bucket(engine, case_id);
    while (n != CASES_NONE && !ID_EQUAL(cases->rows[n].case_id, *case_id))
        n = cases->rows[n].bucket_next;
    return n == CASES_NONE ? NULL : &cases->rows[n];
}

/* Cases that this member spoke of and never opened: anybody can speak of any number. */
static uint32_t case_table_promised(const struct engine *engine, const struct node_id *node)
{
    const struct cases *cases = engine->cases;
    uint32_t count = 0;
    if (cases->promised < CASES_PROMISED_MAX)
        return cases->promised;
    for (uint32_t i = 0; i < cases->count; i++)
        count += !cases->rows[i].is_open && ID_EQUAL(cases->rows[i].asked_by, *node) ? 1 : 0;
    return count;
}

/* Others may take three quarters of the table: whatever they open, this node can still ask. */
bool case_table_has_room(const struct engine *engine, bool is_own)
{
    const struct cases *cases = engine->cases;
    return cases->count < cases->count_max &&
           (is_own || cases->others < cases->count_max - cases->count_max / 4);
}

struct case_table_row *case_table_add(struct engine *engine, const struct case_id *case_id,
                                      const struct node_id *requester)
{
    struct cases *cases = engine->cases;
    struct case_table_row *row = case_table_row(engine, case_id);
    bool is_own = ID_EQUAL(*requester, engine->config.self);
    if (row != NULL)
        return row;
    if ((!is_own && case_table_promised(engine, requester) >= CASES_PROMISED_MAX) ||
        !case_table_has_room(engine, is_own))
        return NULL;
    uint32_t *bucket = case_table_bucket(engine, case_id);
    row = &cases->rows[cases->count];
    *row = (struct case_table_row){.case_id = *case_id,
                                   .asked_by = *requester,
                                   .bucket_next = *bucket,
                                   .awake = CASES_NONE,
                                   .nodes = CASES_NONE,
                                   .erase_slot = STREAM_NONE,
                                   .is_blank = true};
    *bucket = cases->count++;
    cases->others += is_own ? 0 : 1;
    cases->promised++;
    return row;
}

uint32_t case_table_count(const struct engine *engine)
{
    return engine->cases->count;
}

uint32_t case_table_awake_count(const struct engine *engine)
{
    return engine->cases->awake_count;
}

void case_table_note_state(struct engine *engine, const struct cases_case *entry)
{
    struct case_table_row *row = &engine->cases->rows[entry->row];
    bool is_open = !ID_IS_ZERO(entry->consult.requester);
    row->state = (uint8_t)entry->consult.state;
    row->successor = entry->consult.successor;
    if (is_open && !row->is_open)
        engine->cases->promised--;
    row->is_open = row->is_open || is_open;
}

/* ---- participants of those at rest ---- */

static void case_table_row_forget(struct engine *engine, struct case_table_row *row)
{
    struct cases *cases = engine->cases;
    while (row->nodes != CASES_NONE) {
        uint32_t block = row->nodes;
        row->nodes = cases->nodes[block].next;
        cases->nodes[block].next = cases->nodes_free;
        cases->nodes_free = block;
    }
    row->node_count = 0;
}

void case_table_row_nodes(struct engine *engine, struct case_table_row *row, struct reader *nodes,
                          uint8_t count)
{
    struct cases *cases = engine->cases;
    uint32_t *link = &row->nodes;
    struct cases_nodes *block = NULL;
    case_table_row_forget(engine, row);
    for (uint8_t i = 0; i < count; i++) {
        if (i % CASES_NODES_EACH == 0) {
            *link = cases->nodes_free == CASES_NONE ? cases->nodes_used++ : cases->nodes_free;
            block = &cases->nodes[*link];
            if (cases->nodes_free == *link)
                cases->nodes_free = block->next;
            block->next = CASES_NONE;
            link = &block->next;
        }
        reader_copy(nodes, block->nodes[i % CASES_NODES_EACH].bytes, NODE_ID_SIZE);
    }
    row->node_count = count;
}

uint32_t case_table_row_part(const struct engine *engine, const struct case_table_row *row,
                             const struct node_id *node)
{
    uint32_t block = row->nodes;
    for (uint32_t i = 0; i < row->node_count; i++) {
        if (ID_EQUAL(engine->cases->nodes[block].nodes[i % CASES_NODES_EACH], *node))
            return i;
        if (i % CASES_NODES_EACH == CASES_NODES_EACH - 1)
            block = engine->cases->nodes[block].next;
    }
    return CASES_NONE;
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
    for (uint32_t i = 0; i < (n - 2) / CASES_NODES_EACH && block != CASES_NONE; i++)
        block = engine->cases->nodes[block].next;
    if (n - 2 >= row->node_count || block == CASES_NONE)
        return false;
    *ret_node = engine->cases->nodes[block].nodes[(n - 2) % CASES_NODES_EACH];
    return true;
}

struct cases_case *case_table_place(const struct engine *engine, uint32_t n)
{
    struct cases_case *entry = &engine->cases->awake[n];
    return entry->row == CASES_NONE ? NULL : entry;
}

static struct cases_case *case_table_awake(const struct engine *engine,
                                           const struct case_id *case_id)
{
    const struct case_table_row *row = case_table_row(engine, case_id);
    return row == NULL || row->awake == CASES_NONE ? NULL : &engine->cases->awake[row->awake];
}

const struct cases_case *case_table_look(const struct engine *engine, const struct case_id *case_id)
{
    return case_table_awake(engine, case_id);
}

struct cases_case *case_table_entry(const struct engine *engine, const struct case_id *case_id)
{
    struct cases_case *entry = case_table_awake(engine, case_id);
    if (entry != NULL) {
        entry->used_at = engine->now;
        entry->is_touched = true;
    }
    return entry;
}

const struct consult *case_table_find(const struct engine *engine, const struct case_id *case_id)
{
    const struct cases_case *entry = case_table_awake(engine, case_id);
    return entry == NULL ? NULL : &entry->consult;
}

struct cases_case *case_table_take_place(struct engine *engine, struct case_table_row *row)
{
    struct cases *cases = engine->cases;
    uint32_t place = cases->awake_free;
    if (place == CASES_NONE && cases->awake_used == cases->awake_max)
        return NULL;
    if (place == CASES_NONE)
        place = cases->awake_used++;
    else
        cases->awake_free = cases->awake[place].free_next;
    struct cases_case *entry = &cases->awake[place];
    memset(entry, 0, offsetof(struct cases_case, consult));
    consult_init(&entry->consult, &engine->config.federation, &row->case_id);
    entry->row = (uint32_t)(row - cases->rows);
    entry->asked_by = row->asked_by;
    entry->used_at = engine->now;
    entry->is_touched = true;
    row->awake = place;
    cases->awake_count++;
    case_table_row_forget(engine, row);
    return entry;
}

void case_table_leave_place(struct engine *engine, struct cases_case *entry)
{
    struct cases *cases = engine->cases;
    struct case_table_row *row = &cases->rows[entry->row];
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
    row->awake = CASES_NONE;
    entry->row = CASES_NONE;
    entry->free_next = cases->awake_free;
    cases->awake_free = (uint32_t)(entry - cases->awake);
    cases->awake_count--;
}
