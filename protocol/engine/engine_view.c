#include "protocol/engine/engine_view.h"

#include "protocol/cases/case_paging.h"
#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_store.h"
#include "protocol/engine/engine.h"
#include "protocol/replication/generation.h"
#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

void engine_status(const struct engine *engine, struct engine_status *ret_status)
{
    struct engine_status status = {.stream_count = engine->streams.count,
                                   .case_count = case_table_count(engine),
                                   .awake_count = case_table_awake_count(engine),
                                   .keys_wait = !peers_may_release_keys(engine),
                                   .forked_count = equivocation_count(engine),
                                   .disk_full = engine->is_full,
                                   .refused = engine->refused};
    for (uint32_t i = 0; i < engine->streams.count; i++)
        status.behind_count += engine->streams.all[i].is_behind ? 1 : 0;
    for (uint32_t i = 0; i < engine->streams.missing_count; i++) {
        const struct missing *missing = &engine->streams.missing[i];
        if (missing->stream == STREAM_NONE || missing->is_sealed)
            continue;
        const struct node_id *writer = &engine->streams.all[missing->stream].id.writer;
        status.missing_count++;
        status.lost_count += missing->is_lost ? 1 : 0;
        status.lost_own_count += missing->is_lost && ID_EQUAL(*writer, engine->config.self) ? 1 : 0;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        status.peer_count += engine->peers[i].is_greeted ? 1 : 0;
        status.skewed_count +=
            engine->peers[i].is_greeted && clock_check_differs(engine, &engine->peers[i]) ? 1 : 0;
        status.split_count +=
            engine->peers[i].is_greeted && engine->peers[i].relation == CHAIN_SPLIT ? 1 : 0;
    }
    for (uint32_t i = 0; i < engine->config.deposit_count_max; i++) {
        const struct deposit *deposit = &engine->custody_outbox->all[i];
        bool is_due = deposit->is_used && !deposit->is_over;
        status.left_count += is_due && deposit->held != 0 ? 1 : 0;
        status.leaving_count += is_due && deposit->held == 0 ? 1 : 0;
    }
    status.held_count = engine->custody_store->count;
    status.posting_waits = peers_may_post(engine) != OK;
    *ret_status = status;
}

uint64_t engine_writer_used(const struct engine *engine, const struct node_id *writer)
{
    return writer_quota_used(&engine->writer_quota, writer);
}

bool engine_position(const struct engine *engine, const struct stream_id *id, uint64_t *ret_tail,
                     uint64_t *ret_had)
{
    uint32_t slot = streams_find(&engine->streams, id);
    if (slot == STREAM_NONE)
        return false;
    *ret_tail = engine->streams.all[slot].tail;
    *ret_had = streams_had(&engine->streams, slot);
    return true;
}

err engine_may_read(const struct engine *engine, const struct node_id *node,
                    const struct record_claim *claim)
{
    return access_read(engine, node, claim);
}

const struct clock_view *engine_clock(const struct engine *engine)
{
    return &engine->clock.view;
}

bool engine_is_frozen(const struct engine *engine, const struct node_id *node)
{
    return equivocation_is_frozen(engine, node);
}

enum engine_standing engine_standing(const struct engine *engine)
{
    const struct roster_entry *self = roster_find(engine->roster, &engine->config.self);
    if (self != NULL && self->state == MEMBER_REMOVED)
        return STANDING_REMOVED;
    if (self != NULL && self->state == MEMBER_SUSPENDED)
        return STANDING_SUSPENDED;
    if (engine->has_second)
        return STANDING_DOUBLED;
    return equivocation_is_frozen(engine, &engine->config.self) ? STANDING_FROZEN : STANDING_GOOD;
}

bool engine_peer(const struct engine *engine, uint32_t n, struct engine_peer *ret_peer)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &engine->peers[i];
        if (!peer->is_greeted || n-- > 0)
            continue;
        const struct chain_link *last = chain_last(&engine->roster->chain);
        ret_peer->link = peer->link;
        ret_peer->node = peer->node;
        ret_peer->epoch = peer->epoch;
        ret_peer->head = peer->head;
        ret_peer->is_same_head = last != NULL && ID_EQUAL(last->id, peer->head);
        ret_peer->is_split = peer->relation == CHAIN_SPLIT;
        ret_peer->is_skewed = clock_check_differs(engine, peer);
        const struct forger *forger = forgers_find(&engine->forgers, &peer->node);
        ret_peer->forged_count = forger == NULL ? 0 : forger->total;
        return true;
    }
    return false;
}

bool engine_forger(const struct engine *engine, uint32_t n, struct engine_forger *ret_forger)
{
    for (size_t i = 0; i < FORGER_COUNT_MAX; i++) {
        const struct forger *forger = &engine->forgers.all[i];
        if (forger->total == 0 || n-- > 0)
            continue;
        bool is_refused = forger->refused_until.ms > engine->now.ms;
        *ret_forger = (struct engine_forger){
            .node = forger->node,
            .count = forger->total,
            .cut_count = forger->cut_count,
            .refused_ms = is_refused ? forger->refused_until.ms - engine->now.ms : 0};
        return true;
    }
    return false;
}

/* As peers_may_release_to; who is not connected cannot be given anything. */
static err engine_may_have_anything(const struct engine *engine, const struct node_id *node)
{
    if (ID_EQUAL(engine->config.self, *node))
        return OK;
    const struct peer *peer = NULL;
    for (size_t i = 0; i < LINK_COUNT_MAX && peer == NULL; i++)
        peer = engine->peers[i].is_greeted && ID_EQUAL(engine->peers[i].node, *node)
                   ? &engine->peers[i]
                   : NULL;
    if (peer != NULL && peer->relation == CHAIN_SPLIT)
        return ERR_FORKED;
    return peers_may_release_keys(engine) && (peer == NULL || peers_may_release_to(engine, peer))
               ? OK
               : ERR_BUSY;
}

/* (W-9) */
err engine_may_have_items(const struct engine *engine, const struct node_id *node,
                          const struct case_id *case_id)
{
    err part = case_table_may_have(engine, node, case_id);
    if (part == ERR_NOT_FOUND || part == ERR_DESTROYED)
        return part;
    err failure = roster_entitled_member(engine->roster, node, engine->wall);
    if (failure == OK)
        failure = part;
    return failure != OK ? failure : engine_may_have_anything(engine, node);
}

const struct clinician *engine_clinician(const struct engine *engine, const struct cert_id *cert_id)
{
    return clinicians_find(&engine->clinicians, cert_id);
}

const struct consult *engine_case(const struct engine *engine, const struct case_id *case_id)
{
    return case_table_find(engine, case_id);
}

bool engine_case_at(const struct engine *engine, uint32_t n, struct engine_case_brief *ret_brief)
{
    const struct case_table_row *row = case_table_row_at(engine, n);
    if (row == NULL)
        return false;
    *ret_brief = (struct engine_case_brief){
        row->case_id, row->asked_by, (enum case_state)row->state, row->awake == CASE_TABLE_NONE};
    return true;
}

err engine_case_export(const struct engine *engine, const struct case_id *case_id,
                       struct buffer *out)
{
    return case_paging_export(engine, case_id, out);
}

err engine_case_read(struct bytes row, struct consult *ret_consult)
{
    return case_paging_read(row, ret_consult);
}

bool engine_case_rests(const struct engine *engine, const struct case_id *case_id)
{
    return case_paging_rests(engine, case_id);
}

bool engine_has_told_ends(const struct engine *engine)
{
    return !generation_busy(engine);
}

bool engine_is_proven(const struct engine *engine)
{
    return peers_is_proven(engine);
}

struct stream_id engine_own_stream(const struct engine *engine, const struct scope *scope)
{
    return generation_own_stream(engine, scope);
}

err engine_check_statement(const struct engine *engine, const struct record_header *header,
                           const struct statement *statement)
{
    return clinicians_check_statement(&engine->clinicians, header, statement);
}
