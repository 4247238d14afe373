#include "protocol/relay/forward_queue.h"

#include <assert.h>
#include <string.h>

enum {
    FORWARD_QUEUE_SIZE_SIZE = 4
}; /* a box is stored with its size before it, in its first unit */

struct forward_queue_pair {
    struct transport_key key; /* the addressee's */
    uint32_t from;
    uint32_t to; /* 0: not connected, and nothing queued */
    uint32_t queued, owed, returned;
    uint32_t first_block, last_block;
    uint32_t deficit;
    bool in_turn, waiting, gone, busy;
};

struct forward_queue_member {
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

void forward_queue_init(struct forward_queue *forward_queue,
                        const struct forward_queue_limits *limits,
                        const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct arena *arena)
{
    uint64_t units = (uint64_t)limits->member_count * limits->member_units;
    uint64_t pairs = (uint64_t)limits->member_count * limits->session_count;
    assert(limits->pair_units >= RELAY_UNITS_MAX && limits->member_units >= limits->pair_units);
    assert(units < UINT32_MAX / 4 && pairs > 0 && pairs < UINT32_MAX / 4);
    *forward_queue = (struct forward_queue){.limits = *limits};
    memcpy(forward_queue->secret, secret, sizeof forward_queue->secret);
    forward_queue->blocks = arena_take(arena, (size_t)units + 1, RELAY_UNIT_SIZE);
    forward_queue->block_next = arena_take(arena, (size_t)units + 1, sizeof(uint32_t));
    arena_places_init(&forward_queue->block_places, arena, (uint32_t)units);
    forward_queue->pairs = arena_take(arena, (size_t)pairs + 1, sizeof *forward_queue->pairs);
    arena_places_init(&forward_queue->pair_places, arena, (uint32_t)pairs);
    hash_index_init(&forward_queue->pair_finder, arena, (uint32_t)pairs);
    struct queue_node **nodes[] = {&forward_queue->pair_of_sender,
                                   &forward_queue->pair_of_addressee, &forward_queue->pair_turn,
                                   &forward_queue->pair_owing, &forward_queue->pair_telling};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        *nodes[i] = arena_take(arena, (size_t)pairs + 1, sizeof **nodes[i]);
    size_t members = (size_t)limits->member_count + 1;
    forward_queue->members = arena_take(arena, members, sizeof *forward_queue->members);
    forward_queue->member_active = arena_take(arena, members, sizeof *forward_queue->member_active);
    forward_queue->member_owing = arena_take(arena, members, sizeof *forward_queue->member_owing);
    forward_queue->member_notified =
        arena_take(arena, members, sizeof *forward_queue->member_notified);
}

static struct forward_queue_member *forward_queue_member(const struct forward_queue *forward_queue,
                                                         uint32_t member)
{
    assert(member > 0 && member <= forward_queue->limits.member_count);
    return &forward_queue->members[member];
}

static void forward_queue_notify(struct forward_queue *forward_queue, uint32_t member)
{
    if (!forward_queue->member_notified[member].linked)
        queue_append(&forward_queue->notified, forward_queue->member_notified, member);
}

/* ---- pairs ---- */

static uint64_t forward_queue_pair_hash(const struct forward_queue *forward_queue, uint32_t from,
                                        const struct transport_key *key)
{
    return hash_index_hash(forward_queue->secret, ID_BYTES(*key), from);
}

static uint32_t forward_queue_pair_find(const struct forward_queue *forward_queue, uint32_t from,
                                        const struct transport_key *key)
{
    uint64_t hash = forward_queue_pair_hash(forward_queue, from, key);
    uint32_t index = hash_index_first(&forward_queue->pair_finder, hash);
    while (index != 0 && (forward_queue->pairs[index].from != from ||
                          !ID_EQUAL(forward_queue->pairs[index].key, *key)))
        index = hash_index_next(&forward_queue->pair_finder, index);
    return index;
}

/* 0 when the sender has all its sessions. */
static uint32_t forward_queue_pair_make(struct forward_queue *forward_queue, uint32_t from,
                                        const struct transport_key *key)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, from);
    if (member->sent.count >= forward_queue->limits.session_count)
        return 0;
    uint32_t index = arena_places_get(&forward_queue->pair_places);
    assert(index != 0);
    forward_queue->pairs[index] = (struct forward_queue_pair){.key = *key, .from = from};
    hash_index_add(&forward_queue->pair_finder, forward_queue_pair_hash(forward_queue, from, key),
                   index);
    queue_append(&member->sent, forward_queue->pair_of_sender, index);
    return index;
}

static void forward_queue_pair_address(struct forward_queue *forward_queue, uint32_t index,
                                       uint32_t to)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    if (pair->to == to)
        return;
    assert(pair->queued == 0);
    if (pair->to != 0)
        queue_remove(&forward_queue->members[pair->to].addressed, forward_queue->pair_of_addressee,
                     index);
    if (to != 0)
        queue_append(&forward_queue_member(forward_queue, to)->addressed,
                     forward_queue->pair_of_addressee, index);
    pair->to = to;
}

/* Out of the sender's ready pairs or the addressee's waiting ones. */
static void forward_queue_pair_rest(struct forward_queue *forward_queue, uint32_t index)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    if (!forward_queue->pair_turn[index].linked)
        return;
    struct queue *queue = pair->waiting ? &forward_queue->members[pair->to].waiting
                                        : &forward_queue->members[pair->from].ready;
    queue_remove(queue, forward_queue->pair_turn, index);
    pair->waiting = false;
}

/* Puts a pair with something queued where it belongs. */
static void forward_queue_pair_rise(struct forward_queue *forward_queue, uint32_t index)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    pair->waiting = forward_queue->members[pair->to].blocked;
    if (pair->waiting) {
        queue_append(&forward_queue->members[pair->to].waiting, forward_queue->pair_turn, index);
        return;
    }
    queue_append(&forward_queue->members[pair->from].ready, forward_queue->pair_turn, index);
    if (!forward_queue->member_active[pair->from].linked)
        queue_append(&forward_queue->active, forward_queue->member_active, pair->from);
}

static void forward_queue_pair_tell(struct forward_queue *forward_queue, uint32_t index)
{
    uint32_t from = forward_queue->pairs[index].from;
    if (!forward_queue->pair_telling[index].linked)
        queue_append(&forward_queue->members[from].telling, forward_queue->pair_telling, index);
    forward_queue_notify(forward_queue, from);
}

static void forward_queue_pair_free(struct forward_queue *forward_queue, uint32_t index)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    struct forward_queue_member *sender = &forward_queue->members[pair->from];
    forward_queue_pair_rest(forward_queue, index);
    pair->queued = 0;
    forward_queue_pair_address(forward_queue, index, 0);
    if (forward_queue->pair_owing[index].linked)
        queue_remove(&sender->owing, forward_queue->pair_owing, index);
    if (forward_queue->pair_telling[index].linked)
        queue_remove(&sender->telling, forward_queue->pair_telling, index);
    queue_remove(&sender->sent, forward_queue->pair_of_sender, index);
    hash_index_remove(&forward_queue->pair_finder,
                      forward_queue_pair_hash(forward_queue, pair->from, &pair->key), index);
    arena_places_put(&forward_queue->pair_places, index);
}

/* A pair about which there is nothing to remember has its whole window again. */
static void forward_queue_pair_forget(struct forward_queue *forward_queue, uint32_t index)
{
    const struct forward_queue_pair *pair = &forward_queue->pairs[index];
    if (pair->queued == 0 && pair->owed == 0 && pair->returned == 0 && !pair->gone && !pair->busy)
        forward_queue_pair_free(forward_queue, index);
}

/* ---- units ---- */

static uint8_t *forward_queue_unit(const struct forward_queue *forward_queue, uint32_t block)
{
    return forward_queue->blocks + (size_t)block * RELAY_UNIT_SIZE;
}

static uint32_t forward_queue_head_size(const struct forward_queue *forward_queue,
                                        const struct forward_queue_pair *pair)
{
    struct reader reader = reader_of((struct bytes){
        forward_queue_unit(forward_queue, pair->first_block), FORWARD_QUEUE_SIZE_SIZE});
    return reader_u32(&reader);
}

/* Goes along the units of one frame, copying `size` bytes out of them or, with `in`, into them. */
static void forward_queue_walk(const struct forward_queue *forward_queue, uint32_t block,
                               const uint8_t *in, uint8_t *out, size_t size)
{
    size_t offset = FORWARD_QUEUE_SIZE_SIZE;
    for (size_t done = 0; done < size; offset = 0) {
        size_t part = RELAY_UNIT_SIZE - offset;
        if (part > size - done)
            part = size - done;
        if (in != NULL)
            memcpy(forward_queue_unit(forward_queue, block) + offset, in + done, part);
        else
            memcpy(out + done, forward_queue_unit(forward_queue, block) + offset, part);
        done += part;
        block = forward_queue->block_next[block];
    }
}

static void forward_queue_store(struct forward_queue *forward_queue,
                                struct forward_queue_pair *pair, struct bytes box, uint32_t units)
{
    uint32_t first = 0, last = 0;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t block = arena_places_get(&forward_queue->block_places);
        assert(block != 0); /* members hold credit for no more than all units */
        forward_queue->block_next[block] = 0;
        if (last != 0)
            forward_queue->block_next[last] = block;
        else
            first = block;
        last = block;
    }
    struct buffer size =
        buffer_over(forward_queue_unit(forward_queue, first), FORWARD_QUEUE_SIZE_SIZE);
    buffer_u32(&size, (uint32_t)box.size);
    forward_queue_walk(forward_queue, first, box.data, NULL, box.size);
    if (pair->last_block != 0)
        forward_queue->block_next[pair->last_block] = first;
    else
        pair->first_block = first;
    pair->last_block = last;
}

/* Frees the first `units` units of the queue. */
static void forward_queue_release(struct forward_queue *forward_queue,
                                  struct forward_queue_pair *pair, uint32_t units)
{
    for (uint32_t i = 0; i < units; i++) {
        uint32_t block = pair->first_block;
        pair->first_block = forward_queue->block_next[block];
        arena_places_put(&forward_queue->block_places, block);
    }
    if (pair->first_block == 0)
        pair->last_block = 0;
    pair->queued -= units;
    forward_queue->members[pair->from].queued -= units;
}

/* ---- in ---- */

enum forward_queue_answer forward_queue_push(struct forward_queue *forward_queue, uint32_t from,
                                             uint32_t to, const struct transport_key *key,
                                             struct bytes box)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, from);
    uint32_t units = relay_frame_units(box.size);
    assert(box.size > 0 && box.size <= TUNNEL_SIZE_MAX);
    uint32_t index = forward_queue_pair_find(forward_queue, from, key);
    if (index == 0)
        index = forward_queue_pair_make(forward_queue, from, key);
    if (index == 0)
        return FORWARD_QUEUE_SESSIONS;
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    if (pair->queued + pair->owed + pair->returned + units > forward_queue->limits.pair_units ||
        member->charged + units > forward_queue->limits.member_units) {
        pair->busy = true;
        forward_queue_pair_tell(forward_queue, index);
        return FORWARD_QUEUE_BUSY;
    }
    member->charged += units;
    forward_queue_pair_address(forward_queue, index, to);
    if (to == 0) {
        pair->returned += units;
        pair->gone = true;
        forward_queue_pair_tell(forward_queue, index);
        return FORWARD_QUEUE_QUEUED;
    }
    forward_queue_store(forward_queue, pair, box, units);
    pair->queued += units;
    member->queued += units;
    if (!forward_queue->pair_turn[index].linked)
        forward_queue_pair_rise(forward_queue, index);
    return FORWARD_QUEUE_QUEUED;
}

/* ---- out ---- */

static void forward_queue_pair_wait(struct forward_queue *forward_queue, uint32_t index)
{
    forward_queue_pair_rest(forward_queue, index);
    forward_queue_pair_rise(forward_queue, index);
}

/* The pair of `member` whose turn it is, or 0. A frame of N quanta waits N of the pair's turns. */
static uint32_t forward_queue_next_pair(struct forward_queue *forward_queue,
                                        struct forward_queue_member *member)
{
    while (member->ready.first != 0) {
        uint32_t index = member->ready.first;
        struct forward_queue_pair *pair = &forward_queue->pairs[index];
        if (forward_queue->members[pair->to].blocked) {
            forward_queue_pair_wait(forward_queue, index);
            continue;
        }
        if (!pair->in_turn)
            pair->deficit += FORWARD_QUEUE_QUANTUM_UNITS;
        pair->in_turn = true;
        if (relay_frame_units(forward_queue_head_size(forward_queue, pair)) <= pair->deficit)
            return index;
        pair->in_turn = false;
        queue_rotate(&member->ready, forward_queue->pair_turn);
    }
    return 0;
}

bool forward_queue_next(struct forward_queue *forward_queue, struct forward_queue_frame *ret_frame)
{
    while (forward_queue->active.first != 0) {
        uint32_t from = forward_queue->active.first;
        struct forward_queue_member *member = &forward_queue->members[from];
        uint32_t index = forward_queue_next_pair(forward_queue, member);
        if (index == 0) {
            queue_remove(&forward_queue->active, forward_queue->member_active, from);
            continue;
        }
        const struct forward_queue_pair *pair = &forward_queue->pairs[index];
        size_t size = forward_queue_head_size(forward_queue, pair);
        if (!member->in_turn)
            member->deficit += FORWARD_QUEUE_QUANTUM_UNITS;
        member->in_turn = true;
        if (relay_frame_units(size) <= member->deficit) {
            *ret_frame = (struct forward_queue_frame){
                .pair = index, .from = from, .to = pair->to, .size = size};
            return true;
        }
        member->in_turn = false;
        queue_rotate(&forward_queue->active, forward_queue->member_active);
    }
    return false;
}

void forward_queue_copy(const struct forward_queue *forward_queue,
                        const struct forward_queue_frame *frame, uint8_t *out)
{
    forward_queue_walk(forward_queue, forward_queue->pairs[frame->pair].first_block, NULL, out,
                       frame->size);
}

static void forward_queue_owe(struct forward_queue *forward_queue, uint32_t index, uint32_t units,
                              struct mono now)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    struct forward_queue_member *member = &forward_queue->members[pair->from];
    pair->owed += units;
    member->owed += units;
    if (!forward_queue->pair_owing[index].linked)
        queue_append(&member->owing, forward_queue->pair_owing, index);
    if (!forward_queue->member_owing[pair->from].linked && !member->flush) {
        member->owed_since = now;
        queue_append(&forward_queue->owing, forward_queue->member_owing, pair->from);
    }
    if (pair->owed >= forward_queue->limits.pair_units / FORWARD_QUEUE_CREDIT_SHARE ||
        member->owed >= forward_queue->limits.member_units / FORWARD_QUEUE_CREDIT_SHARE) {
        member->flush = true;
        forward_queue_notify(forward_queue, pair->from);
    }
}

void forward_queue_taken(struct forward_queue *forward_queue,
                         const struct forward_queue_frame *frame, struct mono now)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[frame->pair];
    struct forward_queue_member *member = &forward_queue->members[frame->from];
    uint32_t units = relay_frame_units(frame->size);
    assert(pair->queued >= units && pair->deficit >= units && member->deficit >= units);
    forward_queue_release(forward_queue, pair, units);
    pair->deficit -= units;
    member->deficit -= units;
    if (pair->queued == 0) {
        forward_queue_pair_rest(forward_queue, frame->pair);
        pair->deficit = 0;
        pair->in_turn = false;
    }
    if (member->queued == 0) {
        member->deficit = 0;
        member->in_turn = false;
    }
    forward_queue_owe(forward_queue, frame->pair, units, now);
}

void forward_queue_block(struct forward_queue *forward_queue, uint32_t to)
{
    forward_queue_member(forward_queue, to)->blocked = true;
}

void forward_queue_unblock(struct forward_queue *forward_queue, uint32_t to)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, to);
    member->blocked = false;
    while (member->waiting.first != 0)
        forward_queue_pair_wait(forward_queue, member->waiting.first);
}

/* Frames in flight to a member that left: charged to the sender until it takes the status. */
static void forward_queue_return(struct forward_queue *forward_queue, uint32_t index)
{
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    uint32_t units = pair->queued;
    if (units > 0) {
        forward_queue_pair_rest(forward_queue, index);
        forward_queue_release(forward_queue, pair, units);
        pair->returned += units;
    }
    pair->deficit = 0;
    pair->in_turn = false;
    pair->gone = true;
    forward_queue_pair_address(forward_queue, index, 0);
    forward_queue_pair_tell(forward_queue, index);
}

void forward_queue_leave(struct forward_queue *forward_queue, uint32_t leaving)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, leaving);
    while (member->sent.first != 0) {
        uint32_t index = member->sent.first;
        forward_queue_pair_rest(forward_queue, index);
        forward_queue_release(forward_queue, &forward_queue->pairs[index],
                              forward_queue->pairs[index].queued);
        forward_queue_pair_free(forward_queue, index);
    }
    while (member->addressed.first != 0)
        forward_queue_return(forward_queue, member->addressed.first);
    if (forward_queue->member_active[leaving].linked)
        queue_remove(&forward_queue->active, forward_queue->member_active, leaving);
    if (forward_queue->member_owing[leaving].linked)
        queue_remove(&forward_queue->owing, forward_queue->member_owing, leaving);
    if (forward_queue->member_notified[leaving].linked)
        queue_remove(&forward_queue->notified, forward_queue->member_notified, leaving);
    *member = (struct forward_queue_member){.charged = 0};
}

/* ---- credit and statuses ---- */

uint32_t forward_queue_pop_notified(struct forward_queue *forward_queue)
{
    uint32_t member = forward_queue->notified.first;
    if (member != 0)
        queue_remove(&forward_queue->notified, forward_queue->member_notified, member);
    return member;
}

uint16_t forward_queue_take_credit(struct forward_queue *forward_queue, uint32_t from,
                                   struct relay_entry *entries, uint16_t count_max)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, from);
    uint16_t count = 0;
    while (member->flush && count < count_max && member->owing.first != 0) {
        uint32_t index = member->owing.first;
        struct forward_queue_pair *pair = &forward_queue->pairs[index];
        entries[count++] = (struct relay_entry){.key = pair->key, .value = pair->owed};
        member->owed -= pair->owed;
        member->charged -= pair->owed;
        pair->owed = 0;
        queue_remove(&member->owing, forward_queue->pair_owing, index);
        forward_queue_pair_forget(forward_queue, index);
    }
    if (member->owing.first == 0) {
        member->flush = false;
        if (forward_queue->member_owing[from].linked)
            queue_remove(&forward_queue->owing, forward_queue->member_owing, from);
    }
    return count;
}

bool forward_queue_take_status(struct forward_queue *forward_queue, uint32_t from,
                               struct forward_queue_status *ret_status)
{
    struct forward_queue_member *member = forward_queue_member(forward_queue, from);
    uint32_t index = member->telling.first;
    if (index == 0)
        return false;
    struct forward_queue_pair *pair = &forward_queue->pairs[index];
    *ret_status = (struct forward_queue_status){.code = pair->gone ? RELAY_GONE : RELAY_BUSY,
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
        queue_remove(&member->telling, forward_queue->pair_telling, index);
    forward_queue_pair_forget(forward_queue, index);
    return true;
}

void forward_queue_on_time(struct forward_queue *forward_queue, struct mono now)
{
    while (forward_queue_deadline(forward_queue).ms <= now.ms) {
        uint32_t member = forward_queue->owing.first;
        forward_queue->members[member].flush = true;
        queue_remove(&forward_queue->owing, forward_queue->member_owing, member);
        forward_queue_notify(forward_queue, member);
    }
}

struct mono forward_queue_deadline(const struct forward_queue *forward_queue)
{
    uint32_t first = forward_queue->owing.first;
    if (first == 0)
        return (struct mono){UINT64_MAX};
    return (struct mono){forward_queue->members[first].owed_since.ms + FORWARD_QUEUE_CREDIT_MS};
}

uint32_t forward_queue_queued_units(const struct forward_queue *forward_queue)
{
    return forward_queue->block_places.used;
}

uint32_t forward_queue_pair_count(const struct forward_queue *forward_queue)
{
    return forward_queue->pair_places.used;
}
