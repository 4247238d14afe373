#include "protocol/relay/traffic.h"

#include <assert.h>
#include <string.h>

enum { TRAFFIC_SIZE_SIZE = 4 }; /* the size of a box stands before it in its first unit */

struct traffic_pair {
    struct transport_key key; /* the addressee's */
    uint32_t from;
    uint32_t to; /* 0: not connected, and nothing queued */
    uint32_t queued, owed, returned;
    uint32_t first_block, last_block;
    uint32_t deficit;
    bool in_turn, waiting, gone, busy;
};

struct traffic_member {
    uint32_t charged; /* queued + owed + returned of all its pairs */
    uint32_t queued, owed;
    uint32_t deficit;
    bool in_turn, blocked, flush;
    struct mono owed_since;
    struct queue sent, addressed; /* pairs from and to it */
    struct queue ready;           /* pairs from it that may be next */
    struct queue waiting;         /* pairs to it, while it is blocked */
    struct queue owing, telling;  /* pairs from it with credit or a status */
};

void traffic_init(struct traffic *traffic, const struct traffic_limits *limits,
                  const uint8_t secret[static FINDER_SECRET_SIZE], struct slab *slab)
{
    uint64_t units = (uint64_t)limits->member_count * limits->member_units;
    uint64_t pairs = (uint64_t)limits->member_count * limits->session_count;
    assert(limits->pair_units >= RELAY_UNITS_MAX && limits->member_units >= limits->pair_units);
    assert(units < UINT32_MAX / 4 && pairs > 0 && pairs < UINT32_MAX / 4);
    *traffic = (struct traffic){.limits = *limits};
    memcpy(traffic->secret, secret, sizeof traffic->secret);
    traffic->blocks = slab_take(slab, (size_t)units + 1, RELAY_UNIT_SIZE);
    traffic->block_next = slab_take(slab, (size_t)units + 1, sizeof(uint32_t));
    slab_places_init(&traffic->block_places, slab, (uint32_t)units);
    traffic->pairs = slab_take(slab, (size_t)pairs + 1, sizeof *traffic->pairs);
    slab_places_init(&traffic->pair_places, slab, (uint32_t)pairs);
    finder_init(&traffic->pair_finder, slab, (uint32_t)pairs);
    struct queue_node **nodes[] = {&traffic->pair_of_sender, &traffic->pair_of_addressee,
                                   &traffic->pair_turn, &traffic->pair_owing,
                                   &traffic->pair_telling};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        *nodes[i] = slab_take(slab, (size_t)pairs + 1, sizeof **nodes[i]);
    size_t members = (size_t)limits->member_count + 1;
    traffic->members = slab_take(slab, members, sizeof *traffic->members);
    traffic->member_active = slab_take(slab, members, sizeof *traffic->member_active);
    traffic->member_owing = slab_take(slab, members, sizeof *traffic->member_owing);
    traffic->member_notified = slab_take(slab, members, sizeof *traffic->member_notified);
}

static struct traffic_member *traffic_member(const struct traffic *traffic, uint32_t member)
{
    assert(member > 0 && member <= traffic->limits.member_count);
    return &traffic->members[member];
}

static void traffic_notify(struct traffic *traffic, uint32_t member)
{
    if (!traffic->member_notified[member].linked)
        queue_append(&traffic->notified, traffic->member_notified, member);
}

/* ---- pairs ---- */

static uint64_t traffic_pair_hash(const struct traffic *traffic, uint32_t from,
                                  const struct transport_key *key)
{
    return finder_hash(traffic->secret, ID_BYTES(*key), from);
}

static uint32_t traffic_pair_find(const struct traffic *traffic, uint32_t from,
                                  const struct transport_key *key)
{
    uint64_t hash = traffic_pair_hash(traffic, from, key);
    uint32_t index = finder_first(&traffic->pair_finder, hash);
    while (index != 0 &&
           (traffic->pairs[index].from != from || !ID_EQUAL(traffic->pairs[index].key, *key)))
        index = finder_next(&traffic->pair_finder, index);
    return index;
}

/* 0 when the sender has all its sessions. */
static uint32_t traffic_pair_make(struct traffic *traffic, uint32_t from,
                                  const struct transport_key *key)
{
    struct traffic_member *member = traffic_member(traffic, from);
    if (member->sent.count >= traffic->limits.session_count)
        return 0;
    uint32_t index = slab_places_get(&traffic->pair_places);
    assert(index != 0);
    traffic->pairs[index] = (struct traffic_pair){.key = *key, .from = from};
    finder_add(&traffic->pair_finder, traffic_pair_hash(traffic, from, key), index);
    queue_append(&member->sent, traffic->pair_of_sender, index);
    return index;
}

static void traffic_pair_address(struct traffic *traffic, uint32_t index, uint32_t to)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    if (pair->to == to)
        return;
    assert(pair->queued == 0);
    if (pair->to != 0)
        queue_remove(&traffic->members[pair->to].addressed, traffic->pair_of_addressee, index);
    if (to != 0)
        queue_append(&traffic_member(traffic, to)->addressed, traffic->pair_of_addressee, index);
    pair->to = to;
}

/* Out of the sender's ready pairs or the addressee's waiting ones. */
static void traffic_pair_rest(struct traffic *traffic, uint32_t index)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    if (!traffic->pair_turn[index].linked)
        return;
    struct queue *queue =
        pair->waiting ? &traffic->members[pair->to].waiting : &traffic->members[pair->from].ready;
    queue_remove(queue, traffic->pair_turn, index);
    pair->waiting = false;
}

/* Puts a pair with something queued where it belongs. */
static void traffic_pair_rise(struct traffic *traffic, uint32_t index)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    pair->waiting = traffic->members[pair->to].blocked;
    if (pair->waiting) {
        queue_append(&traffic->members[pair->to].waiting, traffic->pair_turn, index);
        return;
    }
    queue_append(&traffic->members[pair->from].ready, traffic->pair_turn, index);
    if (!traffic->member_active[pair->from].linked)
        queue_append(&traffic->active, traffic->member_active, pair->from);
}

static void traffic_pair_tell(struct traffic *traffic, uint32_t index)
{
    uint32_t from = traffic->pairs[index].from;
    if (!traffic->pair_telling[index].linked)
        queue_append(&traffic->members[from].telling, traffic->pair_telling, index);
    traffic_notify(traffic, from);
}

static void traffic_pair_free(struct traffic *traffic, uint32_t index)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    struct traffic_member *sender = &traffic->members[pair->from];
    traffic_pair_rest(traffic, index);
    pair->queued = 0;
    traffic_pair_address(traffic, index, 0);
    if (traffic->pair_owing[index].linked)
        queue_remove(&sender->owing, traffic->pair_owing, index);
    if (traffic->pair_telling[index].linked)
        queue_remove(&sender->telling, traffic->pair_telling, index);
    queue_remove(&sender->sent, traffic->pair_of_sender, index);
    finder_remove(&traffic->pair_finder, traffic_pair_hash(traffic, pair->from, &pair->key), index);
    slab_places_put(&traffic->pair_places, index);
}

/* A pair about which there is nothing to remember has its whole window again. */
static void traffic_pair_forget(struct traffic *traffic, uint32_t index)
{
    const struct traffic_pair *pair = &traffic->pairs[index];
    if (pair->queued == 0 && pair->owed == 0 && pair->returned == 0 && !pair->gone && !pair->busy)
        traffic_pair_free(traffic, index);
}

/* ---- units ---- */

static uint8_t *traffic_unit(const struct traffic *traffic, uint32_t block)
{
    return traffic->blocks + (size_t)block * RELAY_UNIT_SIZE;
}

static uint32_t traffic_head_size(const struct traffic *traffic, const struct traffic_pair *pair)
{
    struct reader reader =
        reader_of((struct bytes){traffic_unit(traffic, pair->first_block), TRAFFIC_SIZE_SIZE});
    return reader_u32(&reader);
}

/* Goes along the units of one frame, copying `size` bytes out of them or, with `in`, into them. */
static void traffic_walk(const struct traffic *traffic, uint32_t block, const uint8_t *in,
                         uint8_t *out, size_t size)
{
    size_t offset = TRAFFIC_SIZE_SIZE;
    for (size_t done = 0; done < size; offset = 0) {
        size_t part = RELAY_UNIT_SIZE - offset;
        if (part > size - done)
            part = size - done;
        if (in != NULL)
            memcpy(traffic_unit(traffic, block) + offset, in + done, part);
        else
            memcpy(out + done, traffic_unit(traffic, block) + offset, part);
        done += part;
        block = traffic->block_next[block];
    }
}

static void traffic_store(struct traffic *traffic, struct traffic_pair *pair, struct bytes box,
                          uint32_t units)
{
    uint32_t first = 0, last = 0;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t block = slab_places_get(&traffic->block_places);
        assert(block != 0); /* members hold credit for no more than all units */
        traffic->block_next[block] = 0;
        if (last != 0)
            traffic->block_next[last] = block;
        else
            first = block;
        last = block;
    }
    struct buffer size = buffer_over(traffic_unit(traffic, first), TRAFFIC_SIZE_SIZE);
    buffer_u32(&size, (uint32_t)box.size);
    traffic_walk(traffic, first, box.data, NULL, box.size);
    if (pair->last_block != 0)
        traffic->block_next[pair->last_block] = first;
    else
        pair->first_block = first;
    pair->last_block = last;
}

/* Frees the first `units` units of the queue. */
static void traffic_release(struct traffic *traffic, struct traffic_pair *pair, uint32_t units)
{
    for (uint32_t i = 0; i < units; i++) {
        uint32_t block = pair->first_block;
        pair->first_block = traffic->block_next[block];
        slab_places_put(&traffic->block_places, block);
    }
    if (pair->first_block == 0)
        pair->last_block = 0;
    pair->queued -= units;
    traffic->members[pair->from].queued -= units;
}

/* ---- in ---- */

enum traffic_answer traffic_push(struct traffic *traffic, uint32_t from, uint32_t to,
                                 const struct transport_key *key, struct bytes box)
{
    struct traffic_member *member = traffic_member(traffic, from);
    uint32_t units = relay_frame_units(box.size);
    assert(box.size > 0 && box.size <= BOXED_SIZE_MAX);
    uint32_t index = traffic_pair_find(traffic, from, key);
    if (index == 0)
        index = traffic_pair_make(traffic, from, key);
    if (index == 0)
        return TRAFFIC_SESSIONS;
    struct traffic_pair *pair = &traffic->pairs[index];
    if (pair->queued + pair->owed + pair->returned + units > traffic->limits.pair_units ||
        member->charged + units > traffic->limits.member_units) {
        pair->busy = true;
        traffic_pair_tell(traffic, index);
        return TRAFFIC_BUSY;
    }
    member->charged += units;
    traffic_pair_address(traffic, index, to);
    if (to == 0) {
        pair->returned += units;
        pair->gone = true;
        traffic_pair_tell(traffic, index);
        return TRAFFIC_QUEUED;
    }
    traffic_store(traffic, pair, box, units);
    pair->queued += units;
    member->queued += units;
    if (!traffic->pair_turn[index].linked)
        traffic_pair_rise(traffic, index);
    return TRAFFIC_QUEUED;
}

/* ---- out ---- */

static void traffic_pair_wait(struct traffic *traffic, uint32_t index)
{
    traffic_pair_rest(traffic, index);
    traffic_pair_rise(traffic, index);
}

/* The pair of `member` whose turn it is, or 0. A frame of N quanta waits N of the pair's turns. */
static uint32_t traffic_next_pair(struct traffic *traffic, struct traffic_member *member)
{
    while (member->ready.first != 0) {
        uint32_t index = member->ready.first;
        struct traffic_pair *pair = &traffic->pairs[index];
        if (traffic->members[pair->to].blocked) {
            traffic_pair_wait(traffic, index);
            continue;
        }
        if (!pair->in_turn)
            pair->deficit += TRAFFIC_QUANTUM_UNITS;
        pair->in_turn = true;
        if (relay_frame_units(traffic_head_size(traffic, pair)) <= pair->deficit)
            return index;
        pair->in_turn = false;
        queue_rotate(&member->ready, traffic->pair_turn);
    }
    return 0;
}

bool traffic_next(struct traffic *traffic, struct traffic_frame *ret_frame)
{
    while (traffic->active.first != 0) {
        uint32_t from = traffic->active.first;
        struct traffic_member *member = &traffic->members[from];
        uint32_t index = traffic_next_pair(traffic, member);
        if (index == 0) {
            queue_remove(&traffic->active, traffic->member_active, from);
            continue;
        }
        const struct traffic_pair *pair = &traffic->pairs[index];
        size_t size = traffic_head_size(traffic, pair);
        if (!member->in_turn)
            member->deficit += TRAFFIC_QUANTUM_UNITS;
        member->in_turn = true;
        if (relay_frame_units(size) <= member->deficit) {
            *ret_frame =
                (struct traffic_frame){.pair = index, .from = from, .to = pair->to, .size = size};
            return true;
        }
        member->in_turn = false;
        queue_rotate(&traffic->active, traffic->member_active);
    }
    return false;
}

void traffic_copy(const struct traffic *traffic, const struct traffic_frame *frame, uint8_t *out)
{
    traffic_walk(traffic, traffic->pairs[frame->pair].first_block, NULL, out, frame->size);
}

static void traffic_owe(struct traffic *traffic, uint32_t index, uint32_t units, struct mono now)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    struct traffic_member *member = &traffic->members[pair->from];
    pair->owed += units;
    member->owed += units;
    if (!traffic->pair_owing[index].linked)
        queue_append(&member->owing, traffic->pair_owing, index);
    if (!traffic->member_owing[pair->from].linked && !member->flush) {
        member->owed_since = now;
        queue_append(&traffic->owing, traffic->member_owing, pair->from);
    }
    if (pair->owed >= traffic->limits.pair_units / TRAFFIC_CREDIT_SHARE ||
        member->owed >= traffic->limits.member_units / TRAFFIC_CREDIT_SHARE) {
        member->flush = true;
        traffic_notify(traffic, pair->from);
    }
}

void traffic_taken(struct traffic *traffic, const struct traffic_frame *frame, struct mono now)
{
    struct traffic_pair *pair = &traffic->pairs[frame->pair];
    struct traffic_member *member = &traffic->members[frame->from];
    uint32_t units = relay_frame_units(frame->size);
    assert(pair->queued >= units && pair->deficit >= units && member->deficit >= units);
    traffic_release(traffic, pair, units);
    pair->deficit -= units;
    member->deficit -= units;
    if (pair->queued == 0) {
        traffic_pair_rest(traffic, frame->pair);
        pair->deficit = 0;
        pair->in_turn = false;
    }
    if (member->queued == 0) {
        member->deficit = 0;
        member->in_turn = false;
    }
    traffic_owe(traffic, frame->pair, units, now);
}

void traffic_block(struct traffic *traffic, uint32_t to)
{
    traffic_member(traffic, to)->blocked = true;
}

void traffic_unblock(struct traffic *traffic, uint32_t to)
{
    struct traffic_member *member = traffic_member(traffic, to);
    member->blocked = false;
    while (member->waiting.first != 0)
        traffic_pair_wait(traffic, member->waiting.first);
}

/* What was on its way to one who left: charged to the sender until the status is taken. */
static void traffic_return(struct traffic *traffic, uint32_t index)
{
    struct traffic_pair *pair = &traffic->pairs[index];
    uint32_t units = pair->queued;
    if (units > 0) {
        traffic_pair_rest(traffic, index);
        traffic_release(traffic, pair, units);
        pair->returned += units;
    }
    pair->deficit = 0;
    pair->in_turn = false;
    pair->gone = true;
    traffic_pair_address(traffic, index, 0);
    traffic_pair_tell(traffic, index);
}

void traffic_leave(struct traffic *traffic, uint32_t leaving)
{
    struct traffic_member *member = traffic_member(traffic, leaving);
    while (member->sent.first != 0) {
        uint32_t index = member->sent.first;
        traffic_pair_rest(traffic, index);
        traffic_release(traffic, &traffic->pairs[index], traffic->pairs[index].queued);
        traffic_pair_free(traffic, index);
    }
    while (member->addressed.first != 0)
        traffic_return(traffic, member->addressed.first);
    if (traffic->member_active[leaving].linked)
        queue_remove(&traffic->active, traffic->member_active, leaving);
    if (traffic->member_owing[leaving].linked)
        queue_remove(&traffic->owing, traffic->member_owing, leaving);
    if (traffic->member_notified[leaving].linked)
        queue_remove(&traffic->notified, traffic->member_notified, leaving);
    *member = (struct traffic_member){.charged = 0};
}

/* ---- credit and statuses ---- */

uint32_t traffic_pop_notified(struct traffic *traffic)
{
    uint32_t member = traffic->notified.first;
    if (member != 0)
        queue_remove(&traffic->notified, traffic->member_notified, member);
    return member;
}

uint16_t traffic_take_credit(struct traffic *traffic, uint32_t from, struct relay_entry *entries,
                             uint16_t count_max)
{
    struct traffic_member *member = traffic_member(traffic, from);
    uint16_t count = 0;
    while (member->flush && count < count_max && member->owing.first != 0) {
        uint32_t index = member->owing.first;
        struct traffic_pair *pair = &traffic->pairs[index];
        entries[count++] = (struct relay_entry){.key = pair->key, .value = pair->owed};
        member->owed -= pair->owed;
        member->charged -= pair->owed;
        pair->owed = 0;
        queue_remove(&member->owing, traffic->pair_owing, index);
        traffic_pair_forget(traffic, index);
    }
    if (member->owing.first == 0) {
        member->flush = false;
        if (traffic->member_owing[from].linked)
            queue_remove(&traffic->owing, traffic->member_owing, from);
    }
    return count;
}

bool traffic_take_status(struct traffic *traffic, uint32_t from, struct traffic_status *ret_status)
{
    struct traffic_member *member = traffic_member(traffic, from);
    uint32_t index = member->telling.first;
    if (index == 0)
        return false;
    struct traffic_pair *pair = &traffic->pairs[index];
    *ret_status = (struct traffic_status){.code = pair->gone ? RELAY_GONE : RELAY_BUSY,
                                          .key = pair->key,
                                          .units = pair->gone ? pair->returned : 0};
    if (pair->gone) {
        member->charged -= pair->returned;
        pair->returned = 0;
        pair->gone = false;
    } else {
        pair->busy = false;
    }
    if (!pair->busy)
        queue_remove(&member->telling, traffic->pair_telling, index);
    traffic_pair_forget(traffic, index);
    return true;
}

void traffic_on_time(struct traffic *traffic, struct mono now)
{
    while (traffic_deadline(traffic).ms <= now.ms) {
        uint32_t member = traffic->owing.first;
        traffic->members[member].flush = true;
        queue_remove(&traffic->owing, traffic->member_owing, member);
        traffic_notify(traffic, member);
    }
}

struct mono traffic_deadline(const struct traffic *traffic)
{
    uint32_t first = traffic->owing.first;
    if (first == 0)
        return (struct mono){UINT64_MAX};
    return (struct mono){traffic->members[first].owed_since.ms + TRAFFIC_CREDIT_MS};
}

uint32_t traffic_queued_units(const struct traffic *traffic)
{
    return traffic->block_places.used;
}

uint32_t traffic_pair_count(const struct traffic *traffic)
{
    return traffic->pair_places.used;
}
