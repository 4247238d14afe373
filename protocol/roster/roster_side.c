#include "protocol/roster/roster_side.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/merkle.h"
#include "protocol/member/tag.h"

/* ---- the walk over base and items, both ascending ---- */

struct side_build {
    const struct roster *roster;
    const struct roster_side *base; /* NULL: nothing */
    const struct roster_change *change;
    struct roster_side *next;
    enum delta_kind stage; /* kind of the last item */
    bool started;          /* there was an item */
    uint32_t base_index;   /* members of base handled so far */
    size_t base_cut;       /* bytes of base's cuts handled so far */
    bool boards_kept;      /* the settings are base's, so the boards of its entries stay */
};

static uint64_t side_boards(const struct roster_side *side, const struct member *member)
{
    uint64_t boards = 0;
    for (uint32_t i = 0; i < side->settings.board_count; i++) {
        if (member_serves_since(member, side->settings.boards[i].tag) != 0)
            boards |= UINT64_C(1) << i;
    }
    return boards;
}

/* Appends packed bytes and an entry; the caller fills the entry's fields. */
static struct roster_entry *side_append(struct side_build *build, struct bytes packed)
{
    struct roster_side *next = build->next;
    const struct roster_plan *plan = &build->roster->plan;
    if (next->member_count == plan->member_count ||
        packed.size > plan->member_bytes - next->packed_size)
        return NULL;
    struct roster_entry *entry = &next->entries[next->member_count++];
    memcpy(next->packed + next->packed_size, packed.data, packed.size);
    entry->packed_offset = next->packed_size;
    entry->packed_size = (uint32_t)packed.size;
    next->packed_size += (uint32_t)packed.size;
    return entry;
}

static struct bytes side_packed(const struct roster_side *side, const struct roster_entry *entry)
{
    return (struct bytes){side->packed + entry->packed_offset, entry->packed_size};
}

static err side_keep_member(struct side_build *build)
{
    const struct roster_entry *old = &build->base->entries[build->base_index];
    uint32_t index = build->next->member_count;
    struct roster_entry *entry = side_append(build, side_packed(build->base, old));
    if (entry == NULL)
        return ERR_FULL;
    uint32_t offset = entry->packed_offset;
    *entry = *old;
    entry->packed_offset = offset;
    build->next->leaves[index] = build->base->leaves[build->base_index];
    build->base_index++;
    if (build->boards_kept)
        return OK;
    struct member member;
    err failure = member_read(side_packed(build->next, entry), &member);
    if (failure == OK)
        entry->boards = side_boards(build->next, &member);
    return failure;
}

/* Copies the members of base before `node_id` (NULL: the rest). ROSTER-23: a listed member stays
 * listed, so a snapshot without one of them is wrong. */
static err side_pass_members(struct side_build *build, const struct node_id *node_id)
{
    while (build->base != NULL && build->base_index < build->base->member_count) {
        const struct roster_entry *old = &build->base->entries[build->base_index];
        if (node_id != NULL && memcmp(old->node_id.bytes, node_id->bytes, NODE_ID_SIZE) >= 0)
            break;
        if (build->change->snapshot)
            return ERR_MALFORMED;
        err failure = side_keep_member(build);
        if (failure != OK)
            return failure;
    }
    return OK;
}

static void side_fill_entry(const struct roster_side *next, struct roster_entry *entry,
                            const struct member *member, bool proved)
{
    entry->node_id = member->node_id;
    entry->sign_key = member->sign_key;
    entry->transport_key = member->transport_key;
    entry->state = member->state;
    entry->admitted_epoch = member->admitted_epoch;
    entry->state_since_epoch = member->state_since_epoch;
    entry->keys_since_epoch = member->keys_since_epoch;
    entry->keys_proved = proved;
    entry->successor = member->successor;
    entry->boards = side_boards(next, member);
}

/* The entry of base with this node_id, when it is the next one. */
static const struct roster_entry *side_before(const struct side_build *build,
                                              const struct node_id *node_id)
{
    if (build->base == NULL || build->base_index == build->base->member_count)
        return NULL;
    const struct roster_entry *old = &build->base->entries[build->base_index];
    return ID_EQUAL(old->node_id, *node_id) ? old : NULL;
}

static err side_take_member(struct side_build *build, struct bytes packed)
{
    struct member member, before;
    struct roster_side *next = build->next;
    bool proved = false;
    err failure = member_read(packed, &member);
    if (failure != OK)
        return failure;
    uint32_t index = next->member_count; /* the last entry, if any, came from an item */
    if (index > 0 &&
        memcmp(next->entries[index - 1].node_id.bytes, member.node_id.bytes, NODE_ID_SIZE) >= 0)
        return ERR_NOT_CANONICAL;
    failure = side_pass_members(build, &member.node_id);
    if (failure != OK)
        return failure;
    const struct roster_entry *old = side_before(build, &member.node_id);
    if (old != NULL) {
        failure = member_read(side_packed(build->base, old), &before);
        proved = old->keys_proved;
        build->base_index++;
    }
    if (failure == OK)
        failure = roster_change_check(&build->roster->chain.federation, build->change,
                                      old == NULL ? NULL : &before, &member, &proved);
    if (failure != OK)
        return failure;
    index = next->member_count;
    struct roster_entry *entry = side_append(build, packed);
    if (entry == NULL)
        return ERR_FULL;
    next->leaves[index] = merkle_leaf(packed);
    side_fill_entry(next, entry, &member, proved);
    return OK;
}

/* ---- settings and cuts ---- */

static err side_take_settings(struct side_build *build, struct bytes packed)
{
    struct roster_side *next = build->next;
    if (packed.size > SETTINGS_SIZE_MAX)
        return ERR_TOO_LARGE;
    memcpy(next->settings_packed, packed.data, packed.size);
    next->settings_size = (uint32_t)packed.size;
    return settings_read((struct bytes){next->settings_packed, packed.size}, &next->settings);
}

static err side_append_cut(struct side_build *build, const uint8_t *cut)
{
    struct roster_side *next = build->next;
    if (next->cuts_size == build->roster->plan.cut_count * (uint32_t)CUT_SIZE)
        return ERR_FULL;
    memcpy(next->cuts + next->cuts_size, cut, CUT_SIZE);
    next->cuts_size += CUT_SIZE;
    return OK;
}

/* Copies base's cuts before the stream of `cut` (NULL: the rest). */
static err side_pass_cuts(struct side_build *build, const uint8_t *cut)
{
    while (build->base != NULL && build->base_cut < build->base->cuts_size) {
        const uint8_t *old = build->base->cuts + build->base_cut;
        int order = cut == NULL ? -1 : memcmp(old, cut, STREAM_ID_SIZE);
        if (order > 0)
            break;
        /* ROSTER-24: a cut stays as it was signed; a snapshot repeats it, a delta must not. */
        if (build->change->snapshot != (order == 0))
            return ERR_MALFORMED;
        build->base_cut += CUT_SIZE;
        if (order == 0)
            return memcmp(old, cut, CUT_SIZE) == 0 ? OK : ERR_MALFORMED;
        err failure = side_append_cut(build, old);
        if (failure != OK)
            return failure;
    }
    return OK;
}

static err side_take_cuts(struct side_build *build, struct bytes added)
{
    struct roster_side *next = build->next;
    err failure = cuts_check(added);
    for (size_t at = 0; failure == OK && at < added.size; at += CUT_SIZE) {
        failure = side_pass_cuts(build, added.data + at);
        if (failure == OK && next->cuts_size > 0 &&
            memcmp(next->cuts + next->cuts_size - CUT_SIZE, added.data + at, STREAM_ID_SIZE) >= 0)
            failure = ERR_NOT_CANONICAL;
        if (failure == OK)
            failure = side_append_cut(build, added.data + at);
    }
    return failure;
}

/* ---- all items ---- */

/* ROSTER-26: settings come first, because reading the entries depends on them. */
static err side_settle(struct side_build *build)
{
    struct roster_side *next = build->next;
    err failure = OK;
    if (next->settings_size == 0) {
        if (build->base == NULL || build->change->snapshot)
            return ERR_MALFORMED;
        const struct roster_side *base = build->base;
        failure =
            side_take_settings(build, (struct bytes){base->settings_packed, base->settings_size});
    }
    build->boards_kept =
        build->base != NULL &&
        bytes_equal((struct bytes){next->settings_packed, next->settings_size},
                    (struct bytes){build->base->settings_packed, build->base->settings_size});
    for (uint32_t i = 0; failure == OK && i < next->settings.board_count; i++)
        next->board_scopes[i] =
            scope_board(&build->roster->chain.federation, next->settings.boards[i].tag);
    return failure;
}

static err side_take_item(struct side_build *build, enum delta_kind kind, struct bytes content)
{
    err failure = OK;
    if (build->started && (kind < build->stage || (kind == DELTA_SETTINGS)))
        return ERR_NOT_CANONICAL;
    if (kind == DELTA_SETTINGS)
        failure = side_take_settings(build, content);
    if (failure == OK && !build->started)
        failure = side_settle(build);
    if (failure == OK && kind == DELTA_CUTS)
        failure = side_take_cuts(build, content);
    if (failure == OK && kind == DELTA_MEMBER)
        failure = side_take_member(build, content);
    build->started = true;
    build->stage = kind;
    return failure;
}

static err side_take_all(struct side_build *build)
{
    struct reader reader = reader_of(build->change->items);
    enum delta_kind kind;
    struct bytes content;
    err failure;
    while ((failure = delta_item_read(&reader, &kind, &content)) == OK) {
        failure = side_take_item(build, kind, content);
        if (failure != OK)
            return failure;
    }
    if (failure != ERR_NOT_FOUND)
        return failure;
    failure = build->started ? OK : side_settle(build);
    if (failure == OK)
        failure = side_pass_cuts(build, NULL);
    if (failure == OK)
        failure = side_pass_members(build, NULL);
    return failure;
}

/* ---- indexes: heap sort, in place and without surprises ---- */

struct side_order {
    const struct roster_entry *entries;
    uint16_t *index;
    bool by_sign;
};

static const uint8_t *side_key(const struct side_order *order, uint32_t place)
{
    const struct roster_entry *entry = &order->entries[order->index[place]];
    return order->by_sign ? entry->sign_key.bytes : entry->transport_key.bytes;
}

static void side_swap(const struct side_order *order, uint32_t a, uint32_t b)
{
    uint16_t held = order->index[a];
    order->index[a] = order->index[b];
    order->index[b] = held;
}

static void side_sift(const struct side_order *order, uint32_t top, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * top + 1;
        if (child >= count)
            return;
        if (child + 1 < count &&
            memcmp(side_key(order, child), side_key(order, child + 1), KEY_SIZE) < 0)
            child++;
        if (memcmp(side_key(order, top), side_key(order, child), KEY_SIZE) >= 0)
            return;
        side_swap(order, top, child);
        top = child;
    }
}

/* ROSTER-25: ERR_MALFORMED when two members have the same key. */
static err side_sort(const struct side_order *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        order->index[i] = (uint16_t)i;
    for (uint32_t i = count / 2; i > 0; i--)
        side_sift(order, i - 1, count);
    for (uint32_t end = count; end > 1; end--) {
        side_swap(order, 0, end - 1);
        side_sift(order, 0, end - 1);
    }
    for (uint32_t i = 1; i < count; i++) {
        if (memcmp(side_key(order, i - 1), side_key(order, i), KEY_SIZE) == 0)
            return ERR_MALFORMED;
    }
    return OK;
}

/* ---- the transport list: members, publishers and relays merged ---- */

struct side_merge {
    const struct roster_side *side;
    uint32_t member, publisher, relay; /* next of each */
};

/* The next key in order and its role; NULL at the end. */
static const uint8_t *side_next_key(struct side_merge *merge, enum transport_role *ret_role)
{
    const struct roster_side *side = merge->side;
    const uint8_t *best = NULL;
    while (merge->member < side->member_count &&
           side->entries[side->by_transport[merge->member]].state != MEMBER_ADMITTED)
        merge->member++;
    if (merge->member < side->member_count) {
        best = side->entries[side->by_transport[merge->member]].transport_key.bytes;
        *ret_role = TRANSPORT_MEMBER;
    }
    if (merge->publisher < side->settings.publisher_count) {
        const uint8_t *key = side->settings.publishers[merge->publisher].bytes;
        if (best == NULL || memcmp(key, best, KEY_SIZE) < 0) {
            best = key;
            *ret_role = TRANSPORT_PUBLISHER;
        }
    }
    if (merge->relay < side->settings.relay_count) {
        const uint8_t *key = side->settings.relays[merge->relay].key.bytes;
        if (best == NULL || memcmp(key, best, KEY_SIZE) < 0) {
            best = key;
            *ret_role = TRANSPORT_RELAY;
        }
    }
    if (best != NULL) {
        merge->member += *ret_role == TRANSPORT_MEMBER;
        merge->publisher += *ret_role == TRANSPORT_PUBLISHER;
        merge->relay += *ret_role == TRANSPORT_RELAY;
    }
    return best;
}

static err side_list_transport(const struct roster_plan *plan, struct roster_side *next)
{
    size_t capacity =
        (plan->member_count + PUBLISHER_COUNT_MAX + RELAY_COUNT_MAX) * (size_t)TRANSPORT_ENTRY_SIZE;
    struct buffer list = buffer_over(next->transport_list, capacity);
    struct side_merge merge = {.side = next};
    enum transport_role role = TRANSPORT_MEMBER;
    const uint8_t *key;
    while ((key = side_next_key(&merge, &role)) != NULL) {
        buffer_put(&list, key, KEY_SIZE);
        buffer_u8(&list, (uint8_t)role);
    }
    assert(!list.failed);
    next->transport_list_size = (uint32_t)list.size;
    return transport_list_check(buffer_bytes(&list)) == OK ? OK : ERR_MALFORMED;
}

/* ---- the whole ---- */

static err side_check_successors(const struct roster_side *side)
{
    for (uint32_t i = 0; i < side->member_count; i++) {
        const struct roster_entry *entry = &side->entries[i];
        if (!ID_IS_ZERO(entry->successor) &&
            roster_side_find(side, &entry->successor) == side->member_count)
            return ERR_MALFORMED;
    }
    return OK;
}

static void side_hash(struct roster_side *side)
{
    struct merkle merkle;
    merkle_begin(&merkle);
    for (uint32_t i = 0; i < side->member_count; i++)
        merkle_add(&merkle, &side->leaves[i]);
    side->head.members_root = merkle_root(&merkle);
    side->head.member_count = side->member_count;
    side->head.settings_hash =
        settings_hash((struct bytes){side->settings_packed, side->settings_size});
    side->head.transport_hash =
        transport_list_hash((struct bytes){side->transport_list, side->transport_list_size});
    side->head.cuts_hash = cuts_hash((struct bytes){side->cuts, side->cuts_size});
}

err roster_side_build(const struct roster *roster, const struct roster_side *base,
                      const struct roster_change *change, struct roster_side *next)
{
    struct side_build build = {.roster = roster, .base = base, .change = change, .next = next};
    next->member_count = 0;
    next->packed_size = 0;
    next->transport_list_size = 0;
    next->cuts_size = 0;
    next->settings_size = 0;
    memset(&next->head, 0, sizeof next->head);
    err failure = side_take_all(&build);
    if (failure == OK)
        failure = side_check_successors(next);
    struct side_order by_sign = {next->entries, next->by_sign, true};
    struct side_order by_transport = {next->entries, next->by_transport, false};
    if (failure == OK)
        failure = side_sort(&by_sign, next->member_count);
    if (failure == OK)
        failure = side_sort(&by_transport, next->member_count);
    if (failure == OK)
        failure = side_list_transport(&roster->plan, next);
    if (failure == OK)
        side_hash(next);
    return failure;
}

uint32_t roster_side_find(const struct roster_side *side, const struct node_id *node_id)
{
    uint32_t low = 0, high = side->member_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(side->entries[middle].node_id.bytes, node_id->bytes, NODE_ID_SIZE);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return side->member_count;
}
