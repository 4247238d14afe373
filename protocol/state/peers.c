#include "protocol/state/peers.h"

#include <assert.h>

#include "protocol/base/planted.h"
#include "protocol/state/engine_state.h"

struct peer *peers_of_link(struct engine *engine, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].link.value == link.value)
            return &engine->peers[i];
    }
    return NULL;
}

struct peer *peers_of_node(struct engine *engine, const struct node_id *node)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].is_greeted && ID_EQUAL(engine->peers[i].node, *node))
            return &engine->peers[i];
    }
    return NULL;
}

struct buffer peers_frame(struct step *step, size_t capacity)
{
    return buffer_over(step_reserve(step, capacity), capacity);
}

void peers_send(struct step *step, struct link_id link, const struct buffer *frame)
{
    assert(!frame->failed && frame->size <= (size_t)FRAME_SIZE_MAX);
    struct link_id *links = step_reserve(step, sizeof *links);
    *links = link;
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = links;
    effect->send.link_count = 1;
    effect->send.frame = buffer_bytes(frame);
}

void peers_refuse(struct engine *engine, const struct peer *peer, struct step *step,
                  const char *event, err verdict)
{
    engine->refused++;
    if (!step_has_room(step, 64, 0))
        return;
    struct effect *effect = step_effect(step, EFFECT_LOG);
    effect->log.event = event;
    effect->log.verdict = verdict;
    if (peer != NULL)
        effect->log.peer = peer->node;
}

static uint32_t peers_compared_count(const struct engine *engine)
{
    return engine->is_relay_compared ? COMPARED_COUNT : engine->compared_count;
}

uint32_t peers_compared_needed(const struct engine *engine)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < roster_count(engine->roster) && others < COMPARED_COUNT; i++) {
        const struct roster_entry *entry = roster_at(engine->roster, i);
        if (entry->state == MEMBER_ADMITTED && !ID_EQUAL(entry->node_id, engine->config.self))
            others++;
    }
    return others;
}

bool peers_has_others(const struct engine *engine)
{
    return peers_compared_needed(engine) > 0;
}

bool peers_is_proven(const struct engine *engine)
{
    return engine->is_proven || !peers_has_others(engine);
}

/* (T-32) Does an older copy still lack what it wrote itself? It may have ended an access there, or
 * erased a case. */
static bool peers_awaits_own(const struct engine *engine)
{
    uint64_t since = engine->now.ms - engine->started_at.ms;
    if (!engine->is_older || engine->config.survey_ms == 0 || since >= SURVEY_MS_MAX)
        return false;
    for (uint32_t i = 0; i < engine->streams.count; i++) {
        const struct stream *stream = &engine->streams.all[i];
        /* submitted is not enough: what a record means counts when it is durable */
        bool is_short = stream->want_to > stream->kept || stream->kept > stream->tail;
        if (is_short && ID_EQUAL(stream->id.writer, engine->config.self))
            return true;
    }
    return false;
}

/* (T-10), (W-8) */
bool peers_may_release_keys(const struct engine *engine)
{
    return engine->is_started && !roster_is_behind(engine->roster) && peers_is_proven(engine) &&
           !peers_awaits_own(engine) &&
           (peers_compared_count(engine) >= peers_compared_needed(engine) ||
            PLANTED(KEY_BEFORE_COMPARISON));
}

/* ROSTER-47 */
bool peers_may_release_to(const struct engine *engine, const struct peer *peer)
{
    bool is_ours = peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND ||
                   PLANTED(KEY_ACROSS_SPLIT);
    return peers_may_release_keys(engine) && peer->is_greeted && is_ours;
}

bool peers_is_surveying(const struct engine *engine)
{
    uint64_t since = engine->now.ms - engine->started_at.ms;
    if (engine->config.survey_ms == 0 || since >= SURVEY_MS_MAX)
        return false;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &engine->peers[i];
        if (peer->is_greeted && !peer->has_told_tails)
            return true;
    }
    return since < engine->config.survey_ms;
}

err peers_may_post(const struct engine *engine)
{
    if (!engine->is_started || roster_current_head(engine->roster) == NULL)
        return ERR_BUSY;
    if (engine->has_second) /* (T-35) */
        return ERR_BUSY;
    if (engine->clock.view.stops_posting)
        return ERR_FUTURE;
    bool is_seen = !peers_is_surveying(engine) && peers_is_proven(engine);
    if (!is_seen && !PLANTED(SIGNED_BEFORE_SEEN)) /* (T-13) */
        return ERR_BUSY;
    return engine->is_full ? ERR_FULL : OK;
}
