/* What screens ask of the core: it changes nothing. */
#include "protocol/core/casework.h"
#include "protocol/core/core_state.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/equivocation.h"

void core_status(const struct core *core, struct core_status *ret_status)
{
    struct core_status status = {.stream_count = core->streams.count,
                                 .case_count = casework_count(core),
                                 .awake_count = casework_awake_count(core),
                                 .keys_wait = !core_may_hand_keys(core),
                                 .disk_full = core->is_full,
                                 .refused = core->refused};
    for (uint32_t i = 0; i < core->streams.count; i++) {
        status.behind_count += core->streams.all[i].is_behind ? 1 : 0;
        status.forked_count += (core->streams.all[i].flags & STREAM_FORKED) != 0 ? 1 : 0;
    }
    for (uint32_t i = 0; i < core->streams.lack_count; i++) {
        const struct lack *lack = &core->streams.lacks[i];
        if (lack->stream == STREAM_NONE || lack->is_sealed)
            continue;
        const struct node_id *writer = &core->streams.all[lack->stream].id.writer;
        status.lack_count++;
        status.lost_count += lack->is_lost ? 1 : 0;
        status.lost_own_count += lack->is_lost && ID_EQUAL(*writer, core->config.self) ? 1 : 0;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        status.peer_count += core->peers[i].is_greeted ? 1 : 0;
        status.skewed_count += core->peers[i].is_greeted && core->peers[i].is_skewed ? 1 : 0;
        status.split_count +=
            core->peers[i].is_greeted && core->peers[i].relation == CHAIN_SPLIT ? 1 : 0;
    }
    for (uint32_t i = 0; i < core->config.deposit_count_max; i++) {
        const struct deposit *deposit = &core->deposits.all[i];
        bool is_due = deposit->is_used && !deposit->is_over;
        status.left_count += is_due && deposit->held != 0 ? 1 : 0;
        status.leaving_count += is_due && deposit->held == 0 ? 1 : 0;
    }
    status.held_count = core->custody.count;
    status.posting_waits = core_may_post(core) != OK;
    *ret_status = status;
}

bool core_position(const struct core *core, const struct stream_id *id, uint64_t *ret_tail,
                   uint64_t *ret_had)
{
    uint32_t slot = streams_find(&core->streams, id);
    if (slot == STREAM_NONE)
        return false;
    *ret_tail = core->streams.all[slot].tail;
    *ret_had = streams_had(&core->streams, slot);
    return true;
}

err core_may_read(const struct core *core, const struct node_id *node,
                  const struct record_claim *claim)
{
    return entitlement_read(core, node, claim);
}

bool core_is_frozen(const struct core *core, const struct node_id *node)
{
    return equivocation_is_frozen(core, node);
}

bool core_peer(const struct core *core, uint32_t n, struct core_peer *ret_peer)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &core->peers[i];
        if (!peer->is_greeted || n-- > 0)
            continue;
        const struct chain_link *last = chain_last(&core->roster->chain);
        ret_peer->link = peer->link;
        ret_peer->node = peer->node;
        ret_peer->epoch = peer->epoch;
        ret_peer->head = peer->head;
        ret_peer->is_same_head = last != NULL && ID_EQUAL(last->id, peer->head);
        ret_peer->is_split = peer->relation == CHAIN_SPLIT;
        ret_peer->is_skewed = peer->is_skewed;
        return true;
    }
    return false;
}

/* As core_may_hand_to; who is not connected cannot be given anything. */
static err core_may_have_anything(const struct core *core, const struct node_id *node)
{
    if (ID_EQUAL(core->config.self, *node))
        return OK;
    const struct peer *peer = NULL;
    for (size_t i = 0; i < LINK_COUNT_MAX && peer == NULL; i++)
        peer = core->peers[i].is_greeted && ID_EQUAL(core->peers[i].node, *node) ? &core->peers[i]
                                                                                 : NULL;
    if (peer != NULL && peer->relation == CHAIN_SPLIT)
        return ERR_FORKED;
    return core_may_hand_keys(core) && (peer == NULL || core_may_hand_to(core, peer)) ? OK
                                                                                      : ERR_BUSY;
}

/* (W-9) */
err core_may_have_items(const struct core *core, const struct node_id *node,
                        const struct case_id *case_id)
{
    err part = casework_may_have(core, node, case_id);
    if (part == ERR_NOT_FOUND || part == ERR_DESTROYED)
        return part;
    err failure = roster_entitled_member(core->roster, node, core->wall);
    if (failure == OK)
        failure = part;
    return failure != OK ? failure : core_may_have_anything(core, node);
}

const struct clinician *core_clinician(const struct core *core, const struct cert_id *cert_id)
{
    return clinicians_find(&core->clinicians, cert_id);
}

const struct consult *core_case(const struct core *core, const struct case_id *case_id)
{
    return casework_find(core, case_id);
}

bool core_case_at(const struct core *core, uint32_t n, struct core_case_brief *ret_brief)
{
    return casework_brief(core, n, ret_brief);
}

err core_case_export(const struct core *core, const struct case_id *case_id, struct buffer *out)
{
    return casework_export(core, case_id, out);
}

err core_case_read(struct bytes row, struct consult *ret_consult)
{
    return casework_read(row, ret_consult);
}

bool core_case_rests(const struct core *core, const struct case_id *case_id)
{
    return casework_rests(core, case_id);
}
