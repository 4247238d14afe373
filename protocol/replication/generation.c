#include "protocol/replication/generation.h"

#include <string.h>

#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

#define GENERATION_YEAR_MS ((uint64_t)365 * 24 * 60 * 60 * 1000)
enum {
    GENERATION_TOLD_A_STEP = 64,
    GENERATION_SEEK_TOKEN = 1,
};

/* ---- how many ---- */

static struct stream *generation_before(const struct engine *engine, const struct stream_id *id,
                                        uint32_t *ret_slot)
{
    struct stream_id before = *id;
    before.generation--;
    *ret_slot = streams_find(&engine->streams, &before);
    return *ret_slot == STREAM_NONE ? NULL : &engine->streams.all[*ret_slot];
}

bool generation_is_after_fork(const struct engine *engine, const struct stream_id *id)
{
    struct stream_id before = *id;
    before.generation--;
    return before.generation > 0 && equivocation_is_forked(engine, &before);
}

/* (T-12) When a generation counts as opened: at the time that it names, but not before the one
 * before it, so that nobody gains years by writing old ones, and not after it came here, so that
 * one that was opened with a clock that was ahead stops none of those after it. */
static struct wall generation_opened_at(const struct engine *engine, const struct stream_id *id,
                                        struct wall time)
{
    uint32_t slot;
    const struct stream *before = generation_before(engine, id, &slot);
    uint64_t ms = time.ms < engine->wall.ms ? time.ms : engine->wall.ms;
    return (struct wall){before != NULL && before->opened_at.ms > ms ? before->opened_at.ms : ms};
}

static err generation_in_year(const struct engine *engine, const struct stream_id *id,
                              struct wall time)
{
    struct wall opened = generation_opened_at(engine, id, time);
    uint64_t count = 0;
    uint32_t slot;
    struct stream_id at = *id;
    for (; at.generation > 2; at.generation--) {
        const struct stream *before = generation_before(engine, &at, &slot);
        if (before == NULL || before->opened_at.ms + GENERATION_YEAR_MS <= opened.ms)
            break;
        count++;
    }
    const struct settings *settings = roster_settings(engine->roster);
    bool is_over = settings == NULL || count >= settings->generation_count_max ||
                   id->generation > (uint32_t)GENERATION_COUNT_MAX;
    return is_over ? ERR_OVER_BUDGET : OK;
}

/* ---- our own ---- */

static bool generation_is_own(const struct engine *engine, const struct stream *stream)
{
    return ID_EQUAL(stream->id.writer, engine->config.self);
}

/* Whatever we write from now on stands in a new generation. */
static void generation_end_all(struct engine *engine, struct step *step)
{
    for (uint32_t i = 0; i < engine->streams.count; i++) {
        struct stream *stream = &engine->streams.all[i];
        if (generation_is_own(engine, stream) && stream->tail > 0)
            stream->flags |= STREAM_ENDED;
    }
    engine->is_older = true;
    engine->generations->is_restored = true;
    engine->generations->telling = 0;
    step_effect(step, EFFECT_LOG)->log.event = "store-is-older";
}

void generation_restore(struct engine *engine, const struct event *event)
{
    uint32_t slot = streams_find(&engine->streams, &event->generation.stream);
    if (slot == STREAM_NONE)
        return;
    struct stream *stream = &engine->streams.all[slot];
    stream->opened_at = event->generation.opened_at;
    if (!event->generation.is_ended || !generation_is_own(engine, stream))
        return;
    stream->flags |= STREAM_ENDED | STREAM_END_TOLD;
    engine->generations->was_restored = true;
}

void generation_marker(struct engine *engine, const struct event *event)
{
    const struct stream_id *id = &event->marker.stream;
    if (!ID_EQUAL(id->writer, engine->config.self))
        return;
    uint32_t slot = equivocation_add_stream(engine, id);
    if (slot == STREAM_NONE)
        return;
    engine->streams.all[slot].lost_to = event->marker.sequence;
    if (engine->streams.all[slot].tail < event->marker.sequence)
        engine->generations->is_restored = true;
}

void generation_start(struct engine *engine, enum event_marker marker, struct step *step)
{
    struct generations *generations = engine->generations;
    bool is_older = generations->is_restored || marker == MARKER_OTHER;
    generations->telling = engine->streams.count;
    engine->is_proven = engine->config.survey_ms == 0 || (marker == MARKER_HERE && !is_older);
    generations->has_marker = marker == MARKER_HERE;
    if (is_older)
        generation_end_all(engine, step);
    generations->is_restored = is_older || generations->was_restored;
}

/* One member's word proves nothing: it may say what it likes of what others hold. Where a marker
 * names what was written it is enough that somebody is there. */
static void generation_prove(struct engine *engine)
{
    struct generations *generations = engine->generations;
    uint32_t needed = generations->has_marker ? 1 : peers_compared_needed(engine), count = 0;
    for (uint32_t i = 0; i < generations->heard_count; i++) {
        const struct roster_entry *member = roster_find(engine->roster, &generations->heard[i]);
        count += member != NULL && member->state == MEMBER_ADMITTED ? 1 : 0;
    }
    engine->is_proven = engine->is_proven || (count > 0 && count >= needed);
}

static bool generation_has_heard(const struct engine *engine, const struct node_id *node)
{
    for (uint32_t i = 0; i < engine->generations->heard_count; i++) {
        if (ID_EQUAL(engine->generations->heard[i], *node))
            return true;
    }
    return false;
}

void generation_heard(struct engine *engine, struct peer *peer)
{
    struct generations *generations = engine->generations;
    if (peer->relation != CHAIN_SAME)
        return; /* (T-22) */
    if (!peer->has_told_tails)
        generations->heard_at = engine->now;
    peer->has_told_tails = true;
    if (generation_has_heard(engine, &peer->node) || generations->heard_count == LINK_COUNT_MAX)
        return;
    generations->heard[generations->heard_count++] = peer->node;
    generation_prove(engine);
}

/* Has one who would hold what we wrote there told where our streams stand? */
static bool generation_is_heard(const struct engine *engine, const struct stream_id *id)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct peer *peer = &engine->peers[i];
        if (peer->is_greeted && peer->has_told_tails && access_shares(engine, &peer->node, id))
            return true;
    }
    return false;
}

/* Is anybody left who might hold what we wrote there? */
static bool generation_has_holders(const struct engine *engine, const struct stream_id *id)
{
    struct case_id case_id;
    struct node_id recipient;
    case_id = scope_case_id(&id->scope);
    recipient = scope_recipient(&id->scope);
    for (uint32_t i = 0; i < roster_count(engine->roster); i++) {
        const struct roster_entry *member = roster_at(engine->roster, i);
        if (member->state == MEMBER_REMOVED || ID_EQUAL(member->node_id, engine->config.self) ||
            (id->scope.kind == SCOPE_MAIL && !ID_EQUAL(member->node_id, recipient)) ||
            (id->scope.kind == SCOPE_CASE &&
             !case_table_includes(engine, &case_id, &member->node_id)))
            continue;
        return true;
    }
    return false;
}

/* After a restore: might we have begun this generation of a stream, and know nothing of it? A case
 * of our own has a new id. A marker that was begun after a restore does not name what was lost
 * then. */
static bool generation_may_be_lost(const struct engine *engine, const struct stream_id *id)
{
    const struct generations *generations = engine->generations;
    struct case_id case_id = scope_case_id(&id->scope);
    bool is_new = id->scope.kind == SCOPE_CASE && id->generation == 1 &&
                  !case_table_is_of_others(engine, &case_id);
    bool knows_all = generations->has_marker && !generations->was_restored;
    return generations->is_restored && !knows_all && !is_new && !generation_is_heard(engine, id) &&
           generation_has_holders(engine, id);
}

/* Everybody who may hold what the marker names was heard since the start, and nobody says that it
 * does: it was lost before it left, or with who had it. */
static bool generation_is_gone(const struct engine *engine, uint32_t slot)
{
    const struct stream_id *id = &engine->streams.all[slot].id;
    if (streams_is_spoken_of(&engine->streams, slot))
        return false;
    for (uint32_t i = 0; i < roster_count(engine->roster); i++) {
        const struct node_id *node = &roster_at(engine->roster, i)->node_id;
        if (!ID_EQUAL(*node, engine->config.self) && access_shares(engine, node, id) &&
            !generation_has_heard(engine, node))
            return false;
    }
    return true;
}

/* Others hold what we wrote and lost, and may give it back: it comes first. Who claims so and does
 * not give it holds us up for a minute after a start; what the marker says, until it is back or
 * known to be gone. */
static bool generation_is_due(const struct engine *engine, const struct stream *stream)
{
    bool is_new = engine->now.ms - engine->started_at.ms < SURVEY_MS_MAX;
    /* who was away when we started speaks of it later: then too it has a minute to give it back */
    bool is_told_late = engine->generations->is_restored && stream->tail == 0 &&
                        engine->now.ms - engine->generations->heard_at.ms < SURVEY_MS_MAX;
    bool is_claimed = ((engine->config.survey_ms > 0 && is_new) || is_told_late) &&
                      stream->want_to > stream->kept;
    return is_claimed || (stream->tail == 0 && stream->lost_to > 0 &&
                          !generation_is_gone(engine, (uint32_t)(stream - engine->streams.all)));
}

static err generation_next(const struct engine *engine, const struct stream *stream,
                           struct stream_id *ret_next)
{
    struct stream_id next = stream->id;
    next.generation++;
    uint32_t slot = streams_find(&engine->streams, &next);
    bool is_empty = slot == STREAM_NONE || engine->streams.all[slot].tail == 0;
    bool is_due = (slot != STREAM_NONE && generation_is_due(engine, &engine->streams.all[slot])) ||
                  (is_empty && generation_may_be_lost(engine, &next));
    *ret_next = next;
    return is_due || stream->kept != stream->tail ? ERR_BUSY
                                                  : generation_in_year(engine, &next, engine->wall);
}

struct stream_id generation_own_stream(const struct engine *engine, const struct scope *scope)
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

err generation_own(const struct engine *engine, const struct scope *scope,
                   struct stream_id *ret_stream, struct record_id *ret_previous)
{
    struct stream_id id = generation_own_stream(engine, scope);
    uint32_t slot = streams_find(&engine->streams, &id);
    const struct stream *stream = slot == STREAM_NONE ? NULL : &engine->streams.all[slot];
    bool is_empty = stream == NULL || stream->tail == 0;
    *ret_stream = id;
    *ret_previous = stream == NULL ? (struct record_id){{0}} : stream->kept_id;
    if ((stream != NULL && generation_is_due(engine, stream)) ||
        (is_empty && generation_may_be_lost(engine, &id)))
        return ERR_BUSY;
    /* (T-33) the officers took us back, and what was forked stays as it is */
    bool is_forked = stream != NULL && stream->tail > 0 && (stream->flags & STREAM_FORKED) != 0 &&
                     !equivocation_is_frozen(engine, &id.writer);
    bool is_ended = is_forked || (stream != NULL && (stream->flags & STREAM_ENDED) != 0);
    return is_ended ? generation_next(engine, stream, ret_stream) : OK;
}

void generation_returned(struct engine *engine, uint32_t slot, struct step *step)
{
    engine->streams.all[slot].flags |= STREAM_ENDED;
    engine->generations->telling = 0;
    if (!engine->generations->is_restored)
        generation_end_all(engine, step);
}

/* ---- anybody's ---- */

err generation_follows(const struct engine *engine, const struct record_claim *claim)
{
    uint32_t slot;
    const struct record_header *header = &claim->header;
    const struct stream *before = generation_before(engine, &header->stream, &slot);
    bool is_forked = generation_is_after_fork(engine, &header->stream);
    if (!is_forked && (before == NULL || before->tail == 0))
        return ERR_OUT_OF_ORDER;
    err failure = generation_in_year(engine, &header->stream, header->time);
    if (failure != OK || is_forked)
        return failure; /* (T-33) */
    if (ID_EQUAL(before->tail_id, header->previous) ||
        ID_EQUAL(before->kept_id, header->previous) || ID_EQUAL(before->end_id, header->previous))
        return OK;
    return ERR_NOT_FOUND;
}

/* One look at an index: what it costs, the one signature that was checked for it costs as well. */
void generation_seek(struct engine *engine, const struct step_run *run,
                     const struct record_claim *claim, struct link_id link, struct step *step)
{
    struct effect *effect = step_effect(step, EFFECT_LOAD);
    effect->token.value = GENERATION_SEEK_TOKEN;
    effect->load.is_by_id = true;
    effect->load.id = claim->header.previous;
    effect->load.slot = run->stream;
    effect->load.stream = engine->streams.all[run->stream].id;
    effect->load.from = link.value;
}

bool generation_loaded(struct engine *engine, const struct event *event, struct stream_id *ret_next,
                       struct link_id *ret_link)
{
    struct record_claim claim;
    const struct step_run *run = event->batch.runs;
    if (event->batch.run_count != 1 || event->batch.record_count != 1 ||
        run->stream >= engine->streams.count ||
        record_parse(event->batch.records->record, &claim) != OK)
        return false;
    struct stream *stream = &engine->streams.all[run->stream];
    if (!stream_id_equal(&claim.header.stream, &stream->id))
        return false;
    stream->end_id = claim.id;
    *ret_next = stream->id;
    ret_next->generation++;
    ret_link->value = (uint32_t)run->first;
    return true;
}

void generation_opened(struct engine *engine, uint32_t slot, const struct record_claim *claim,
                       struct step *step)
{
    struct stream *stream = &engine->streams.all[slot];
    if (claim->header.sequence != 1 || stream->id.generation == 1)
        return;
    stream->opened_at = generation_opened_at(engine, &stream->id, claim->header.time);
    struct effect *effect = step_effect(step, EFFECT_GENERATION);
    effect->generation.stream = stream->id;
    effect->generation.opened_at = stream->opened_at;
}

void generation_react(struct engine *engine, struct step *step)
{
    uint32_t *telling = &engine->generations->telling;
    for (int budget = GENERATION_TOLD_A_STEP;
         budget > 0 && *telling < engine->streams.count && step_has_room(step, 256, 0);
         ++*telling) {
        struct stream *stream = &engine->streams.all[*telling];
        uint32_t ended = stream->flags & (STREAM_ENDED | STREAM_END_TOLD);
        if (ended != STREAM_ENDED)
            continue;
        stream->flags |= STREAM_END_TOLD;
        struct effect *effect = step_effect(step, EFFECT_GENERATION);
        effect->generation.stream = stream->id;
        effect->generation.opened_at = stream->opened_at;
        effect->generation.is_ended = true;
        budget--;
    }
}

bool generation_busy(const struct engine *engine)
{
    return engine->generations->telling < engine->streams.count;
}
