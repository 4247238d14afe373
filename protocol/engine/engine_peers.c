/* Who is connected, what may go to them, and whether we may write. */
#include <assert.h>

#include "protocol/engine/engine_state.h"

#include "protocol/base/planted.h"

struct peer *engine_peer_of_link(struct engine *engine, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].link.value == link.value)
            return &engine->peers[i];
    }
    return NULL;
}

struct peer *engine_peer_of_node(struct engine *engine, const struct node_id *node)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].is_greeted && ID_EQUAL(engine->peers[i].node, *node))
            return &engine->peers[i];
    }
    return NULL;
}

struct buffer engine_frame(struct step *step, size_t capacity)
{
    return buffer_over(step_reserve(step, capacity), capacity);
}

void engine_send(struct step *step, struct link_id link, const struct buffer *frame)
{
    assert(!frame->failed && frame->size <= (size_t)FRAME_SIZE_MAX);
    struct link_id *links = step_reserve(step, sizeof *links);
    *links = link;
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = links;
    effect->send.link_count = 1;
    effect->send.frame = buffer_bytes(frame);
}

void engine_refuse(struct engine *engine, const struct peer *peer, struct step *step,
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

static uint32_t engine_compared_count(const struct engine *engine)
{
    return engine->is_relay_compared ? COMPARED_COUNT : engine->compared_count;
}

/* How many comparisons are enough: a relay's, or two members', or all there are. */
uint32_t engine_compared_needed(const struct engine *engine)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < roster_count(engine->roster) && others < COMPARED_COUNT; i++) {
        const struct roster_entry *entry = roster_at(engine->roster, i);
        if (entry->state == MEMBER_ADMITTED && !ID_EQUAL(entry->node_id, engine->config.self))
            others++;
    }
    return others;
}

bool engine_has_others(const struct engine *engine)
{
    return engine_compared_needed(engine) > 0;
}

bool engine_is_proven(const struct engine *engine)
{
    return engine->generations.is_proven || !engine_has_others(engine);
}

/* (T-10), (W-8) */
bool engine_may_hand_keys(const struct engine *engine)
{
    return engine->is_started && !roster_is_behind(engine->roster) && engine_is_proven(engine) &&
           (engine_compared_count(engine) >= engine_compared_needed(engine) ||
            PLANTED(KEY_BEFORE_COMPARISON));
}

/* ROSTER-47 */
bool engine_may_hand_to(const struct engine *engine, const struct peer *peer)
{
    bool is_ours = peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND ||
                   PLANTED(KEY_ACROSS_SPLIT);
    return engine_may_hand_keys(engine) && peer->is_greeted && is_ours;
}

static uint32_t engine_skewed_count(const struct engine *engine)
{
    uint32_t count = 0;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++)
        count += engine->peers[i].is_greeted && engine->peers[i].is_skewed ? 1 : 0;
    return count;
}

bool engine_is_surveying(const struct engine *engine)
{
    uint64_t since = engine->now.ms - engine->started_at.ms;
    if (engine->config.survey_ms == 0 || since >= SURVEY_MS_MAX)
        return false;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &engine->peers[i];
        if (peer->is_greeted && !peer->is_surveyed)
            return true;
    }
    return since < engine->config.survey_ms;
}

/* (W-5) a clock that two peers contradict writes nothing */
err engine_may_post(const struct engine *engine)
{
    if (!engine->is_started || roster_current_head(engine->roster) == NULL)
        return ERR_BUSY;
    if (engine_skewed_count(engine) >= (PLANTED(ONE_CLOCK_BELIEVED) ? 1 : 2))
        return ERR_FUTURE;
    bool is_seen = !engine_is_surveying(engine) && engine_is_proven(engine);
    if (!is_seen && !PLANTED(SIGNED_BEFORE_SEEN)) /* (T-13) */
        return ERR_BUSY;
    return engine->is_full ? ERR_FULL : OK;
}

struct stream_id engine_own_stream(const struct engine *engine, const struct scope *scope)
{
    struct stream_id id = {.scope = *scope, .writer = engine->config.self, .generation = 1};
    struct stream_id later = id;
    for (later.generation = 2;; later.generation++) {
        uint32_t slot = streams_find(&engine->streams, &later);
        /* one that somebody only speaks of is none */
        if (slot == STREAM_NONE || engine->streams.all[slot].tail == 0)
            return id;
        id.generation = later.generation;
    }
}

err engine_check_statement(const struct engine *engine, const struct record_header *header,
                           const struct statement *statement)
{
    struct statement_place place = statement_place_of(header);
    if (!statement->is_signed)
        return ERR_NOT_FOUND;
    if (PLANTED(CLINICIAN_NOT_CHECKED))
        return OK;
    err failure = clinicians_check(&engine->clinicians, &statement->author.cert_id,
                                   &header->stream.writer, statement->author.time);
    if (failure != OK)
        return failure;
    const struct clinician *clinician =
        clinicians_find(&engine->clinicians, &statement->author.cert_id);
    return statement_verify(statement, &place, &clinician->key);
}
