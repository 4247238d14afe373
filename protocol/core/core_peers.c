/* Who is connected, what may go to them, and whether we may write. */
#include <assert.h>

#include "protocol/core/core_state.h"

struct peer *core_peer_of_link(struct core *core, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (core->peers[i].link.value == link.value)
            return &core->peers[i];
    }
    return NULL;
}

struct peer *core_peer_of_node(struct core *core, const struct node_id *node)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (core->peers[i].is_greeted && ID_EQUAL(core->peers[i].node, *node))
            return &core->peers[i];
    }
    return NULL;
}

struct buffer core_frame(struct step *step, size_t capacity)
{
    return buffer_over(step_reserve(step, capacity), capacity);
}

void core_send(struct step *step, struct link_id link, const struct buffer *frame)
{
    assert(!frame->failed && frame->size <= (size_t)FRAME_SIZE_MAX);
    struct link_id *links = step_reserve(step, sizeof *links);
    *links = link;
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = links;
    effect->send.link_count = 1;
    effect->send.frame = buffer_bytes(frame);
}

void core_refuse(struct core *core, const struct peer *peer, struct step *step, const char *event,
                 err verdict)
{
    core->refused++;
    if (!step_has_room(step, 64, 0))
        return;
    struct effect *effect = step_effect(step, EFFECT_LOG);
    effect->log.event = event;
    effect->log.verdict = verdict;
    if (peer != NULL)
        effect->log.peer = peer->node;
}

static uint32_t core_compared_count(const struct core *core)
{
    return core->is_relay_compared ? COMPARED_COUNT : core->compared_count;
}

/* How many comparisons are enough: a relay's, or two members', or all there are. */
uint32_t core_compared_needed(const struct core *core)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < roster_count(core->roster) && others < COMPARED_COUNT; i++) {
        const struct roster_entry *entry = roster_at(core->roster, i);
        if (entry->state == MEMBER_ADMITTED && !ID_EQUAL(entry->node_id, core->config.self))
            others++;
    }
    return others;
}

bool core_has_others(const struct core *core)
{
    return core_compared_needed(core) > 0;
}

bool core_is_proven(const struct core *core)
{
    return core->generations.is_proven || !core_has_others(core);
}

/* (T-10), (W-8) */
bool core_may_hand_keys(const struct core *core)
{
    return core->is_started && !roster_is_behind(core->roster) && core_is_proven(core) &&
           core_compared_count(core) >= core_compared_needed(core);
}

/* ROSTER-47 */
bool core_may_hand_to(const struct core *core, const struct peer *peer)
{
    bool is_ours = peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND;
    return core_may_hand_keys(core) && peer->is_greeted && is_ours;
}

static uint32_t core_skewed_count(const struct core *core)
{
    uint32_t count = 0;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++)
        count += core->peers[i].is_greeted && core->peers[i].is_skewed ? 1 : 0;
    return count;
}

bool core_is_surveying(const struct core *core)
{
    uint64_t since = core->now.ms - core->started_at.ms;
    if (core->config.survey_ms == 0 || since >= SURVEY_MS_MAX)
        return false;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &core->peers[i];
        if (peer->is_greeted && !peer->is_surveyed)
            return true;
    }
    return since < core->config.survey_ms;
}

/* (W-5) a clock that two peers contradict writes nothing */
err core_may_post(const struct core *core)
{
    if (!core->is_started || roster_current_head(core->roster) == NULL)
        return ERR_BUSY;
    if (core_skewed_count(core) >= 2)
        return ERR_FUTURE;
    if (core_is_surveying(core) || !core_is_proven(core)) /* (T-13) */
        return ERR_BUSY;
    return core->is_full ? ERR_FULL : OK;
}

struct stream_id core_own_stream(const struct core *core, const struct scope *scope)
{
    struct stream_id id = {.scope = *scope, .writer = core->config.self, .generation = 1};
    struct stream_id later = id;
    for (later.generation = 2;; later.generation++) {
        uint32_t slot = streams_find(&core->streams, &later);
        /* one that somebody only speaks of is none */
        if (slot == STREAM_NONE || core->streams.all[slot].tail == 0)
            return id;
        id.generation = later.generation;
    }
}

err core_check_statement(const struct core *core, const struct record_header *header,
                         const struct statement *statement)
{
    struct statement_place place = statement_place_of(header);
    if (!statement->is_signed)
        return ERR_NOT_FOUND;
    err failure = clinicians_check(&core->clinicians, &statement->author.cert_id,
                                   &header->stream.writer, statement->author.time);
    if (failure != OK)
        return failure;
    const struct clinician *clinician =
        clinicians_find(&core->clinicians, &statement->author.cert_id);
    return statement_verify(statement, &place, &clinician->key);
}
