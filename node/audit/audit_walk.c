#include "node/audit/audit_walk.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/base/hash.h"

struct audit_lost {
    uint64_t number;
    struct hash previous;
    struct hash hash;
};

struct audit_seen {
    uint64_t number;
    struct hash hash;
    bool is_met;
};

struct audit_walk {
    struct audit_verdict verdict;
    struct audit_lost *lost;
    size_t lost_count;
    struct audit_seen *seen; /* sorted by number once the first step is taken */
    size_t seen_count;
    size_t seen_at; /* those before are behind the walk */
    bool is_sorted;
    struct hash previous;
    uint64_t next; /* the number that the chain wants */
};

#define AUDIT_FAULT_TEXT(name, sentence) sentence,
static const char *const audit_fault_sentences[] = {AUDIT_FAULT_LIST(AUDIT_FAULT_TEXT)};
static const char *const audit_fault_names[] = {"sound",    "altered",    "missing",   "reordered",
                                                "inserted", "unreadable", "truncated", "rewritten"};

const char *audit_walk_fault_sentence(enum audit_fault fault)
{
    return audit_fault_sentences[fault];
}

const char *audit_walk_fault_name(enum audit_fault fault)
{
    return audit_fault_names[fault];
}

struct audit_walk *audit_walk_new(void)
{
    struct audit_walk *walk = calloc(1, sizeof *walk);
    if (walk != NULL)
        walk->next = 1;
    return walk;
}

void audit_walk_free(struct audit_walk *walk)
{
    if (walk == NULL)
        return;
    free(walk->lost);
    free(walk->seen);
    free(walk);
}

static void audit_walk_fault(struct audit_walk *walk, enum audit_fault fault, uint64_t number)
{
    if (walk->verdict.fault != AUDIT_SOUND)
        return;
    walk->verdict.fault = fault;
    walk->verdict.number = number;
}

void audit_walk_witness(struct audit_walk *walk, uint64_t number, const struct hash *hash)
{
    struct audit_seen *more = realloc(walk->seen, (walk->seen_count + 1) * sizeof *more);
    if (more == NULL) {
        audit_walk_fault(walk, AUDIT_UNREADABLE, number);
        return;
    }
    walk->seen = more;
    walk->seen[walk->seen_count++] = (struct audit_seen){.number = number, .hash = *hash};
    walk->verdict.audit_evidence_count++;
}

void audit_walk_look(struct audit_walk *walk, struct bytes bytes)
{
    struct audit_entry entry, lost;
    if (audit_entry_read(bytes, &entry) != OK || entry.fact.what != AUDIT_REFUSED ||
        audit_entry_read(entry.lost, &lost) != OK)
        return;
    struct audit_lost *more = realloc(walk->lost, (walk->lost_count + 1) * sizeof *more);
    if (more == NULL)
        return; /* then the entry counts as missing: never the other way round */
    walk->lost = more;
    walk->lost[walk->lost_count++] = (struct audit_lost){
        .number = lost.number,
        .previous = lost.previous,
        .hash = hash_one(CONTEXT_AUDIT, entry.lost),
    };
}

/* Goes through entries that the disk refused, and that were written again later. */
static bool audit_walk_bridge(struct audit_walk *walk)
{
    for (size_t i = 0; i < walk->lost_count; i++) {
        const struct audit_lost *lost = &walk->lost[i];
        if (lost->number == walk->next && ID_EQUAL(lost->previous, walk->previous)) {
            walk->previous = lost->hash;
            walk->next++;
            return true;
        }
    }
    return false;
}

static int audit_walk_order(const void *a, const void *b)
{
    const struct audit_seen *one = a, *other = b;
    return (one->number > other->number) - (one->number < other->number);
}

/* Entries come in ascending order, and so do the heads then: each is passed once. */
static void audit_walk_sort(struct audit_walk *walk)
{
    if (!walk->is_sorted && walk->seen_count > 1)
        qsort(walk->seen, walk->seen_count, sizeof walk->seen[0], audit_walk_order);
    walk->is_sorted = true;
}

static void audit_walk_compare(struct audit_walk *walk, uint64_t number, const struct hash *hash)
{
    while (walk->seen_at < walk->seen_count && walk->seen[walk->seen_at].number < number)
        walk->seen_at++;
    for (size_t i = walk->seen_at; i < walk->seen_count; i++) {
        struct audit_seen *seen = &walk->seen[i];
        if (seen->number != number)
            break;
        seen->is_met = true;
        if (!ID_EQUAL(seen->hash, *hash))
            audit_walk_fault(walk, AUDIT_REWRITTEN, number);
    }
}

void audit_walk_step(struct audit_walk *walk, uint64_t number, struct bytes bytes)
{
    struct audit_entry entry;
    struct hash hash = hash_one(CONTEXT_AUDIT, bytes);
    audit_walk_sort(walk);
    walk->verdict.count++;
    if (audit_entry_read(bytes, &entry) != OK)
        audit_walk_fault(walk, AUDIT_UNREADABLE, number);
    else if (entry.number != number)
        audit_walk_fault(walk, entry.number < number ? AUDIT_INSERTED : AUDIT_REORDERED, number);
    while (walk->next < number && audit_walk_bridge(walk))
        continue;
    if (walk->next < number)
        audit_walk_fault(walk, AUDIT_MISSING, walk->next);
    else if (walk->verdict.fault == AUDIT_SOUND && !ID_EQUAL(entry.previous, walk->previous))
        audit_walk_fault(walk, AUDIT_ALTERED, number > 1 ? number - 1 : number);
    audit_walk_compare(walk, number, &hash);
    walk->previous = hash;
    walk->next = number + 1;
}

struct audit_verdict audit_walk_end(struct audit_walk *walk)
{
    for (size_t i = 0; i < walk->seen_count; i++) {
        if (!walk->seen[i].is_met && walk->seen[i].number >= walk->next)
            audit_walk_fault(walk, AUDIT_TRUNCATED, walk->next);
        else if (!walk->seen[i].is_met)
            audit_walk_fault(walk, AUDIT_MISSING, walk->seen[i].number);
    }
    walk->verdict.head = walk->previous;
    if (walk->verdict.fault == AUDIT_SOUND)
        walk->verdict.number = walk->next - 1;
    return walk->verdict;
}
