#include "protocol/roster/roster.h"

#include <assert.h>
#include <string.h>

#include "protocol/member/tag.h"
#include "protocol/roster/roster_entitled.h"
#include "protocol/roster/roster_side.h"

_Static_assert(MEMBER_COUNT_MAX <= UINT16_MAX, "indexes of members are 16 bits");
_Static_assert(BOARD_COUNT_MAX <= 64, "boards of a member are a mask of 64 bits");

/* ---- memory ---- */

struct roster_plan roster_plan_full(void)
{
    return (struct roster_plan){
        .member_count = MEMBER_COUNT_MAX,
        .member_bytes = 8 * 1024 * 1024,
        .cut_count = CUT_COUNT_MAX,
        .head_count = HEAD_COUNT_MAX,
        .officer_set_count = OFFICER_SET_COUNT_MAX,
    };
}

struct roster_plan roster_plan_small(void)
{
    return (struct roster_plan){
        .member_count = 64,
        .member_bytes = 32 * 1024,
        .cut_count = 256,
        .head_count = 256,
        .officer_set_count = 8,
    };
}

enum { ROSTER_ALIGN = 16 };

/* Divides `base` into pieces or, when it is NULL, only adds up their sizes. */
struct roster_pieces {
    uint8_t *base;
    size_t used;
};

static void *roster_piece(struct roster_pieces *pieces, size_t count, size_t size)
{
    size_t at = pieces->used;
    pieces->used += (count * size + ROSTER_ALIGN - 1) / ROSTER_ALIGN * ROSTER_ALIGN;
    return pieces->base == NULL ? NULL : pieces->base + at;
}

static void roster_lay_side(struct roster_pieces *pieces, const struct roster_plan *plan,
                            struct roster_side *side)
{
    memset(side, 0, sizeof *side);
    size_t keys = plan->member_count + (size_t)PUBLISHER_COUNT_MAX + RELAY_COUNT_MAX;
    side->entries = roster_piece(pieces, plan->member_count, sizeof *side->entries);
    side->leaves = roster_piece(pieces, plan->member_count, sizeof *side->leaves);
    side->by_transport = roster_piece(pieces, plan->member_count, sizeof *side->by_transport);
    side->by_sign = roster_piece(pieces, plan->member_count, sizeof *side->by_sign);
    side->packed = roster_piece(pieces, plan->member_bytes, 1);
    side->transport_list = roster_piece(pieces, keys, TRANSPORT_ENTRY_SIZE);
    side->cuts = roster_piece(pieces, plan->cut_count, CUT_SIZE);
    side->settings_packed = roster_piece(pieces, SETTINGS_SIZE_MAX, 1);
    side->board_scopes = roster_piece(pieces, BOARD_COUNT_MAX, sizeof *side->board_scopes);
}

static size_t roster_lay(struct roster *roster, const struct roster_plan *plan, uint8_t *memory)
{
    struct roster_pieces pieces = {.base = memory, .used = 0};
    roster_lay_side(&pieces, plan, &roster->sides[0]);
    roster_lay_side(&pieces, plan, &roster->sides[1]);
    struct chain *chain = &roster->chain;
    chain->links = roster_piece(&pieces, plan->head_count, sizeof *chain->links);
    chain->capacity = plan->head_count;
    chain->officer_sets =
        roster_piece(&pieces, plan->officer_set_count, sizeof *chain->officer_sets);
    chain->officer_set_capacity = plan->officer_set_count;
    return pieces.used;
}

size_t roster_size(const struct roster_plan *plan)
{
    struct roster nowhere;
    return roster_lay(&nowhere, plan, NULL);
}

void roster_init(struct roster *roster, const struct roster_plan *plan, void *memory,
                 const struct node_id *self, const struct federation_id *federation)
{
    assert(plan->member_count <= MEMBER_COUNT_MAX && plan->cut_count <= CUT_COUNT_MAX);
    assert((uintptr_t)memory % ROSTER_ALIGN == 0);
    memset(roster, 0, sizeof *roster);
    roster->plan = *plan;
    roster->self = *self;
    (void)roster_lay(roster, plan, memory);
    chain_init(&roster->chain, federation);
}

/* ---- changing it ---- */

static struct roster_side *roster_now(struct roster *roster)
{
    return roster->filled ? &roster->sides[roster->current] : NULL;
}

static struct roster_side *roster_spare(struct roster *roster)
{
    return &roster->sides[roster->filled ? 1 - roster->current : 0];
}

/* ROSTER-32: lowering the cooling-off just before a malicious admission must not help the
 * attacker. */
static void roster_hold_cooling_off(struct roster *roster, uint64_t next_ms, struct wall received)
{
    uint64_t old_ms = roster_settings(roster)->cooling_off_ms;
    if (next_ms >= old_ms)
        return;
    uint64_t until_ms = received.ms + old_ms;
    roster->held_cooling_off_ms = roster_cooling_off_ms(roster, received);
    if (until_ms > roster->held_until.ms)
        roster->held_until.ms = until_ms;
}

static void roster_put_in_force(struct roster *roster, struct roster_side *next,
                                const struct chain_link *link)
{
    if (roster->filled)
        roster_hold_cooling_off(roster, next->settings.cooling_off_ms, link->received);
    next->id = link->id;
    roster->current = (uint32_t)(next - roster->sides);
    roster->filled = true;
    const struct roster_entry *self = roster_find(roster, &roster->self);
    if (self != NULL && roster->self_admitted_epoch == 0)
        roster->self_admitted_epoch = self->admitted_epoch;
}

/* The link that `delta` fills. It is always the last one. A delta that is no snapshot must lead to
 * it from the head in force directly, because only the last head's roots are in memory. */
static err roster_fillable(const struct roster *roster, const struct delta *delta,
                           const struct chain_link **ret_link)
{
    const struct chain_link *last = chain_last(&roster->chain);
    if (last == NULL || !ID_EQUAL(last->id, delta->head))
        return ERR_OUT_OF_ORDER;
    if (roster->filled && ID_EQUAL(roster->sides[roster->current].id, last->id))
        return ERR_DUPLICATE;
    if (!ID_IS_ZERO(delta->base) &&
        (!roster->filled || !ID_EQUAL(roster->sides[roster->current].id, delta->base)))
        return ERR_OUT_OF_ORDER;
    *ret_link = last;
    return OK;
}

err roster_fill(struct roster *roster, const struct delta *delta)
{
    const struct chain_link *link;
    err failure = roster_fillable(roster, delta, &link);
    if (failure != OK)
        return failure;
    const struct roster_side *now = roster_now(roster);
    struct roster_side *next = roster_spare(roster);
    struct roster_change change = {
        .items = delta->items,
        .snapshot = ID_IS_ZERO(delta->base),
        .split_recovery = now != NULL && roster->chain.healed_epoch > now->head.epoch,
        .low = now == NULL ? 0 : now->head.epoch,
        .high = link->epoch,
    };
    failure = roster_side_build(roster, now, &change, next);
    if (failure != OK)
        return failure;
    /* ROSTER-16 */
    if (!roster_head_same_content(&next->head, &roster->chain.tip))
        return ERR_BAD_HASH;
    next->head = roster->chain.tip;
    roster_put_in_force(roster, next, link);
    return OK;
}

err roster_learn(struct roster *roster, struct bytes signed_head, struct wall received)
{
    return chain_learn(&roster->chain, signed_head, received);
}

/* Fills the head that was just learned, or removes it again. */
static err roster_settle(struct roster *roster, const struct delta *delta, uint32_t count,
                         const struct roster_head *tip)
{
    struct federation_id none = {{0}};
    err failure = roster_fill(roster, delta);
    if (failure == OK)
        return OK;
    chain_unlearn(&roster->chain, count, tip);
    if (count == 0)
        roster->chain.federation = none;
    return failure;
}

err roster_apply(struct roster *roster, struct bytes signed_head, const struct delta *delta,
                 struct wall received)
{
    uint32_t count = roster->chain.count;
    struct roster_head tip = roster->chain.tip;
    err failure = roster_learn(roster, signed_head, received);
    return failure == OK ? roster_settle(roster, delta, count, &tip) : failure;
}

err roster_heal(struct roster *roster, struct bytes signed_head, const struct delta *snapshot,
                struct wall received)
{
    uint32_t count = roster->chain.count;
    struct roster_head tip = roster->chain.tip;
    if (!ID_IS_ZERO(snapshot->base))
        return ERR_OUT_OF_ORDER;
    err failure = chain_heal(&roster->chain, signed_head, received);
    return failure == OK ? roster_settle(roster, snapshot, count, &tip) : failure;
}

err roster_draft(struct roster *roster, struct bytes items, struct roster_head *ret_head)
{
    struct roster_side *now = roster_now(roster);
    struct roster_side *next = roster_spare(roster);
    uint64_t low = now == NULL ? 0 : now->head.epoch;
    struct roster_change change = {.items = items,
                                   .snapshot = now == NULL,
                                   .split_recovery = false,
                                   .low = low,
                                   .high = low + 1};
    err failure = roster_side_build(roster, now, &change, next);
    if (failure != OK)
        return failure;
    next->head.epoch = low + 1;
    if (now != NULL) {
        next->head.federation = roster->chain.federation;
        next->head.previous = now->id;
    }
    *ret_head = next->head;
    return OK;
}

err roster_draft_healing(struct roster *roster, struct bytes snapshot,
                         const struct roster_split *split, struct roster_head *ret_head)
{
    struct roster_side *now = roster_now(roster);
    struct roster_side *next = roster_spare(roster);
    if (now == NULL || chain_find(&roster->chain, &split->common) == NULL)
        return ERR_UNKNOWN_HEAD;
    uint64_t low = now->head.epoch;
    uint64_t high = (low > split->other_epoch ? low : split->other_epoch) + 1;
    struct roster_change change = {
        .items = snapshot, .snapshot = true, .split_recovery = true, .low = low, .high = high};
    err failure = roster_side_build(roster, now, &change, next);
    if (failure != OK)
        return failure;
    bool ours_first = memcmp(now->id.bytes, split->other.bytes, HASH_SIZE) < 0;
    next->head.federation = roster->chain.federation;
    next->head.epoch = high;
    next->head.previous = split->common;
    next->head.heal_count = ROSTER_HEAD_HEALS_COUNT;
    next->head.heals[0] = ours_first ? now->id : split->other;
    next->head.heals[1] = ours_first ? split->other : now->id;
    *ret_head = next->head;
    return OK;
}

/* ---- reading it ---- */

static const struct roster_side *roster_in_force(const struct roster *roster)
{
    return &roster->sides[roster->current];
}

bool roster_is_behind(const struct roster *roster)
{
    const struct chain_link *last = chain_last(&roster->chain);
    return !roster->filled || !ID_EQUAL(roster_in_force(roster)->id, last->id);
}

const struct roster_head *roster_current_head(const struct roster *roster)
{
    return roster->filled ? &roster_in_force(roster)->head : NULL;
}

struct head_id roster_current_id(const struct roster *roster)
{
    return roster_in_force(roster)->id;
}

const struct settings *roster_settings(const struct roster *roster)
{
    return &roster_in_force(roster)->settings;
}

struct federation_id roster_federation(const struct roster *roster)
{
    return roster->chain.federation;
}

bool roster_expired(const struct roster *roster, struct wall now)
{
    return !roster->filled || now.ms > roster_in_force(roster)->head.valid_until.ms;
}

uint32_t roster_count(const struct roster *roster)
{
    return roster_in_force(roster)->member_count;
}

const struct roster_entry *roster_at(const struct roster *roster, uint32_t index)
{
    assert(index < roster_count(roster));
    return &roster_in_force(roster)->entries[index];
}

uint32_t roster_index(const struct roster *roster, const struct roster_entry *entry)
{
    return (uint32_t)(entry - roster_in_force(roster)->entries);
}

const struct roster_entry *roster_find(const struct roster *roster, const struct node_id *node_id)
{
    const struct roster_side *side = roster_in_force(roster);
    uint32_t index = roster_side_find(side, node_id);
    return index < side->member_count ? &side->entries[index] : NULL;
}

static const struct roster_entry *roster_find_key(const struct roster_side *side,
                                                  const uint8_t *key, bool by_sign)
{
    uint32_t low = 0, high = side->member_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint16_t index = by_sign ? side->by_sign[middle] : side->by_transport[middle];
        const struct roster_entry *entry = &side->entries[index];
        int order =
            memcmp(by_sign ? entry->sign_key.bytes : entry->transport_key.bytes, key, KEY_SIZE);
        if (order == 0)
            return entry;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct sign_key *roster_signer(const struct roster *roster, const struct node_id *node_id,
                                     const struct head_id *head)
{
    const struct roster_entry *entry = roster_find(roster, node_id);
    const struct chain_link *link = chain_find(&roster->chain, head);
    bool has_changed = entry != NULL && link != NULL && link->epoch < entry->keys_since_epoch;
    return entry == NULL || has_changed ? NULL : &entry->sign_key;
}

const struct roster_entry *roster_find_transport(const struct roster *roster,
                                                 const struct transport_key *key)
{
    return roster_find_key(roster_in_force(roster), key->bytes, false);
}

const struct roster_entry *roster_find_sign(const struct roster *roster, const struct sign_key *key)
{
    return roster_find_key(roster_in_force(roster), key->bytes, true);
}

struct bytes roster_packed(const struct roster *roster, const struct roster_entry *entry)
{
    const struct roster_side *side = roster_in_force(roster);
    return (struct bytes){side->packed + entry->packed_offset, entry->packed_size};
}

const struct hash *roster_leaves(const struct roster *roster)
{
    return roster_in_force(roster)->leaves;
}

void roster_member(const struct roster *roster, const struct roster_entry *entry,
                   struct member *ret_member)
{
    err failure = member_read(roster_packed(roster, entry), ret_member);
    assert(failure == OK); /* it was parsed when it was accepted */
    (void)failure;
}

struct bytes roster_name(const struct roster *roster, const struct roster_entry *entry)
{
    struct member member;
    roster_member(roster, entry, &member);
    return member.name;
}

const struct settings_relay *roster_relay(const struct roster *roster,
                                          const struct transport_key *key)
{
    const struct settings *settings = roster_settings(roster);
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        if (ID_EQUAL(settings->relays[i].key, *key))
            return &settings->relays[i];
    }
    return NULL;
}

int roster_board(const struct roster *roster, const struct scope *scope)
{
    const struct roster_side *side = roster_in_force(roster);
    for (uint32_t i = 0; i < side->settings.board_count; i++) {
        if (scope_equal(&side->board_scopes[i], scope))
            return (int)i;
    }
    return -1;
}

int roster_board_of_tag(const struct roster *roster, struct bytes tag)
{
    const struct settings *settings = roster_settings(roster);
    for (uint32_t i = 0; i < settings->board_count; i++) {
        if (bytes_equal(settings->boards[i].tag, tag))
            return (int)i;
    }
    return -1;
}

struct scope roster_board_scope(const struct roster *roster, uint32_t board)
{
    const struct roster_side *side = roster_in_force(roster);
    assert(board < side->settings.board_count);
    return side->board_scopes[board];
}

bool roster_serves(const struct roster *roster, const struct roster_entry *entry,
                   const struct scope *scope)
{
    int board = roster_board(roster, scope);
    return board >= 0 && (entry->boards >> board & 1) != 0;
}

struct bytes roster_cuts(const struct roster *roster)
{
    const struct roster_side *side = roster_in_force(roster);
    return (struct bytes){side->cuts, side->cuts_size};
}

bool roster_cut(const struct roster *roster, const struct stream_id *stream, struct cut *ret_cut)
{
    return cuts_find(roster_cuts(roster), stream, ret_cut);
}

struct bytes roster_transport_list(const struct roster *roster)
{
    const struct roster_side *side = roster_in_force(roster);
    return (struct bytes){side->transport_list, side->transport_list_size};
}

struct bytes roster_settings_packed(const struct roster *roster)
{
    const struct roster_side *side = roster_in_force(roster);
    return (struct bytes){side->settings_packed, side->settings_size};
}

uint64_t roster_cooling_off_ms(const struct roster *roster, struct wall now)
{
    uint64_t ms = roster_settings(roster)->cooling_off_ms;
    bool held = now.ms < roster->held_until.ms && roster->held_cooling_off_ms > ms;
    return held ? roster->held_cooling_off_ms : ms;
}
