/* Which cases there are: a short row for each that is known, and a place for each that is awake. */
#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "protocol/core/casework_state.h"
#include "protocol/core/core_state.h"

static size_t casework_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Buckets: the next power of two. */
static uint32_t casework_bucket_count(uint32_t case_count_max)
{
    uint32_t count = 1;
    while (count < case_count_max)
        count *= 2;
    return count;
}

/* Enough for the longest lists of participants of all: what is not used is never touched. */
static size_t casework_nodes_max(uint32_t case_count_max)
{
    return (size_t)case_count_max * (PARTICIPANT_COUNT_MAX / CASEWORK_NODES_EACH);
}

size_t casework_memory_size(uint32_t case_count_max, uint32_t awake_count_max)
{
    return casework_align(sizeof(struct casework)) +
           casework_align(case_count_max * sizeof(struct casework_row)) +
           casework_align(casework_bucket_count(case_count_max) * sizeof(uint32_t)) +
           casework_align(awake_count_max * sizeof(struct casework_case)) +
           casework_align(casework_nodes_max(case_count_max) * sizeof(struct casework_nodes));
}

struct casework *casework_new(void *memory, uint32_t case_count_max, uint32_t awake_count_max)
{
    struct casework *casework = memory;
    uint32_t bucket_count = casework_bucket_count(case_count_max);
    uint8_t *place = (uint8_t *)memory + casework_align(sizeof *casework);
    casework->rows = (void *)place;
    casework->count_max = case_count_max;
    place += casework_align(case_count_max * sizeof *casework->rows);
    casework->buckets = (void *)place;
    casework->bucket_mask = bucket_count - 1;
    place += casework_align(bucket_count * sizeof *casework->buckets);
    casework->awake = (void *)place;
    casework->awake_max = awake_count_max;
    casework->awake_free = CASEWORK_NONE;
    place += casework_align(awake_count_max * sizeof *casework->awake);
    casework->nodes = (void *)place;
    casework->nodes_free = CASEWORK_NONE;
    for (uint32_t i = 0; i < bucket_count; i++)
        casework->buckets[i] = CASEWORK_NONE;
    return casework;
}

/* ---- rows ---- */

static uint32_t *casework_bucket(const struct core *core, const struct case_id *case_id)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t value;
    int failed =
        crypto_shorthash(hash, case_id->bytes, sizeof case_id->bytes, core->config.hash_key);
    assert(failed == 0);
    memcpy(&value, hash, sizeof value);
    return &core->casework->buckets[value & core->casework->bucket_mask];
}

struct casework_row *casework_row(const struct core *core, const struct case_id *case_id)
{
    struct casework *casework = core->casework;
    uint32_t n = *casework_bucket(core, case_id);
    while (n != CASEWORK_NONE && !ID_EQUAL(casework->rows[n].case_id, *case_id))
        n = casework->rows[n].bucket_next;
    return n == CASEWORK_NONE ? NULL : &casework->rows[n];
}

/* Cases that this member spoke of and never opened: anybody can speak of any number. */
static uint32_t casework_promised(const struct core *core, const struct node_id *node)
{
    const struct casework *casework = core->casework;
    uint32_t count = 0;
    if (casework->promised < CASEWORK_PROMISED_MAX)
        return casework->promised;
    for (uint32_t i = 0; i < casework->count; i++)
        count += !casework->rows[i].is_open && ID_EQUAL(casework->rows[i].asked_by, *node) ? 1 : 0;
    return count;
}

/* Others may take three quarters of the table: whatever they open, this node can still ask. */
bool casework_has_room(const struct core *core, bool is_own)
{
    const struct casework *casework = core->casework;
    return casework->count < casework->count_max &&
           (is_own || casework->others < casework->count_max - casework->count_max / 4);
}

struct casework_row *casework_add(struct core *core, const struct case_id *case_id,
                                  const struct node_id *requester)
{
    struct casework *casework = core->casework;
    struct casework_row *row = casework_row(core, case_id);
    bool is_own = ID_EQUAL(*requester, core->config.self);
    if (row != NULL)
        return row;
    if ((!is_own && casework_promised(core, requester) >= CASEWORK_PROMISED_MAX) ||
        !casework_has_room(core, is_own))
        return NULL;
    uint32_t *bucket = casework_bucket(core, case_id);
    row = &casework->rows[casework->count];
    *row = (struct casework_row){.case_id = *case_id,
                                 .asked_by = *requester,
                                 .bucket_next = *bucket,
                                 .awake = CASEWORK_NONE,
                                 .nodes = CASEWORK_NONE,
                                 .erase_slot = STREAM_NONE,
                                 .is_blank = true};
    *bucket = casework->count++;
    casework->others += is_own ? 0 : 1;
    casework->promised++;
    return row;
}

uint32_t casework_count(const struct core *core)
{
    return core->casework->count;
}

uint32_t casework_awake_count(const struct core *core)
{
    return core->casework->awake_count;
}

void casework_note_state(struct core *core, const struct casework_case *entry)
{
    struct casework_row *row = &core->casework->rows[entry->row];
    bool is_open = !ID_IS_ZERO(entry->consult.requester);
    row->state = (uint8_t)entry->consult.state;
    row->successor = entry->consult.successor;
    if (is_open && !row->is_open)
        core->casework->promised--;
    row->is_open = row->is_open || is_open;
}

/* ---- participants of those at rest ---- */

static void casework_row_forget(struct core *core, struct casework_row *row)
{
    struct casework *casework = core->casework;
    while (row->nodes != CASEWORK_NONE) {
        uint32_t block = row->nodes;
        row->nodes = casework->nodes[block].next;
        casework->nodes[block].next = casework->nodes_free;
        casework->nodes_free = block;
    }
    row->node_count = 0;
}

void casework_row_nodes(struct core *core, struct casework_row *row, struct reader *nodes,
                        uint8_t count)
{
    struct casework *casework = core->casework;
    uint32_t *link = &row->nodes;
    struct casework_nodes *block = NULL;
    casework_row_forget(core, row);
    for (uint8_t i = 0; i < count; i++) {
        if (i % CASEWORK_NODES_EACH == 0) {
            *link = casework->nodes_free == CASEWORK_NONE ? casework->nodes_used++
                                                          : casework->nodes_free;
            block = &casework->nodes[*link];
            if (casework->nodes_free == *link)
                casework->nodes_free = block->next;
            block->next = CASEWORK_NONE;
            link = &block->next;
        }
        reader_copy(nodes, block->nodes[i % CASEWORK_NODES_EACH].bytes, NODE_ID_SIZE);
    }
    row->node_count = count;
}

uint32_t casework_row_part(const struct core *core, const struct casework_row *row,
                           const struct node_id *node)
{
    uint32_t block = row->nodes;
    for (uint32_t i = 0; i < row->node_count; i++) {
        if (ID_EQUAL(core->casework->nodes[block].nodes[i % CASEWORK_NODES_EACH], *node))
            return i;
        if (i % CASEWORK_NODES_EACH == CASEWORK_NODES_EACH - 1)
            block = core->casework->nodes[block].next;
    }
    return CASEWORK_NONE;
}

/* ---- those awake ---- */

bool casework_part_at(const struct core *core, const struct case_id *case_id, uint32_t n,
                      struct node_id *ret_node)
{
    const struct casework_row *row = casework_row(core, case_id);
    const struct consult *consult = casework_find(core, case_id);
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
    for (uint32_t i = 0; i < (n - 2) / CASEWORK_NODES_EACH && block != CASEWORK_NONE; i++)
        block = core->casework->nodes[block].next;
    if (n - 2 >= row->node_count || block == CASEWORK_NONE)
        return false;
    *ret_node = core->casework->nodes[block].nodes[(n - 2) % CASEWORK_NODES_EACH];
    return true;
}

struct casework_case *casework_place(const struct core *core, uint32_t n)
{
    struct casework_case *entry = &core->casework->awake[n];
    return entry->row == CASEWORK_NONE ? NULL : entry;
}

static struct casework_case *casework_awake(const struct core *core, const struct case_id *case_id)
{
    const struct casework_row *row = casework_row(core, case_id);
    return row == NULL || row->awake == CASEWORK_NONE ? NULL : &core->casework->awake[row->awake];
}

const struct casework_case *casework_look(const struct core *core, const struct case_id *case_id)
{
    return casework_awake(core, case_id);
}

struct casework_case *casework_entry(const struct core *core, const struct case_id *case_id)
{
    struct casework_case *entry = casework_awake(core, case_id);
    if (entry != NULL) {
        entry->used_at = core->now;
        entry->is_touched = true;
    }
    return entry;
}

const struct consult *casework_find(const struct core *core, const struct case_id *case_id)
{
    const struct casework_case *entry = casework_awake(core, case_id);
    return entry == NULL ? NULL : &entry->consult;
}

struct casework_case *casework_take_place(struct core *core, struct casework_row *row)
{
    struct casework *casework = core->casework;
    uint32_t place = casework->awake_free;
    if (place == CASEWORK_NONE && casework->awake_used == casework->awake_max)
        return NULL;
    if (place == CASEWORK_NONE)
        place = casework->awake_used++;
    else
        casework->awake_free = casework->awake[place].free_next;
    struct casework_case *entry = &casework->awake[place];
    memset(entry, 0, offsetof(struct casework_case, consult));
    consult_init(&entry->consult, &core->config.federation, &row->case_id);
    entry->row = (uint32_t)(row - casework->rows);
    entry->asked_by = row->asked_by;
    entry->used_at = core->now;
    entry->is_touched = true;
    row->awake = place;
    casework->awake_count++;
    casework_row_forget(core, row);
    return entry;
}

void casework_leave_place(struct core *core, struct casework_case *entry)
{
    struct casework *casework = core->casework;
    struct casework_row *row = &casework->rows[entry->row];
    const struct consult *consult = &entry->consult;
    uint8_t memory[PARTICIPANT_COUNT_MAX * NODE_ID_SIZE];
    struct buffer nodes = buffer_over(memory, sizeof memory);
    casework_note_state(core, entry);
    row->ended = 0;
    for (size_t i = 0; i < consult->participant_count; i++) {
        buffer_put(&nodes, consult->participants[i].node.bytes, NODE_ID_SIZE);
        row->ended |= (uint64_t)consult->participants[i].is_ended << i;
    }
    struct reader reader = reader_of(buffer_bytes(&nodes));
    casework_row_nodes(core, row, &reader, (uint8_t)consult->participant_count);
    row->erase_slot = entry->erase_sequence == 0
                          ? STREAM_NONE
                          : streams_find(&core->streams, &entry->erase_stream);
    row->is_blank = false;
    row->awake = CASEWORK_NONE;
    entry->row = CASEWORK_NONE;
    entry->free_next = casework->awake_free;
    casework->awake_free = (uint32_t)(entry - casework->awake);
    casework->awake_count--;
}
