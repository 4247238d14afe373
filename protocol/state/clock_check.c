#include "protocol/state/clock_check.h"

#include "protocol/base/planted.h"
#include "protocol/state/engine_state.h"

#define CLOCK_CHECK_HEARD_MS ((uint64_t)60 * 60 * 1000) /* how long who has left is counted */
enum {
    CLOCK_CHECK_CONTRADICTING = 2, /* one member alone stops nobody */
    CLOCK_CHECK_MS = 1000,
};

static const int64_t clock_check_skew = (int64_t)CLOCK_SKEW_MS_MAX;

/* The far ends of what a stranger may tell, so that differences stay numbers. */
static int64_t clock_check_number(uint64_t ms)
{
    return ms > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ms;
}

/* How far our clock is ahead of the one that told `reading`, by now. */
static int64_t clock_check_ahead(const struct engine *engine, const struct clock_reading *reading)
{
    int64_t theirs =
        clock_check_number(reading->told.ms) + clock_check_number(engine->now.ms - reading->at.ms);
    return clock_check_number(engine->wall.ms) - theirs;
}

static bool clock_check_is_far(int64_t ahead_ms)
{
    return ahead_ms > clock_check_skew || ahead_ms < -clock_check_skew;
}

/* Where the member's reading is, or may be put: a free place, or the one of the oldest reading. */
static struct clock_heard *clock_check_place(struct clock_check *check, const struct node_id *node)
{
    struct clock_heard *oldest = &check->heard[0];
    for (uint32_t i = 0; i < check->heard_count; i++) {
        if (ID_EQUAL(check->heard[i].node, *node))
            return &check->heard[i];
        if (check->heard[i].reading.at.ms < oldest->reading.at.ms)
            oldest = &check->heard[i];
    }
    return check->heard_count < LINK_COUNT_MAX ? &check->heard[check->heard_count++] : oldest;
}

void clock_check_heard(struct engine *engine, struct peer *peer, struct wall told)
{
    peer->clock = (struct clock_reading){.told = told, .at = engine->now};
    *clock_check_place(&engine->clock, &peer->node) = (struct clock_heard){peer->node, peer->clock};
    clock_check_refresh(engine);
}

void clock_check_wrote(struct engine *engine, struct wall time)
{
    engine->clock.wrote = time;
}

void clock_check_replayed(struct engine *engine, const struct stream_id *stream, struct wall time)
{
    struct clock_check *check = &engine->clock;
    if (!stream_id_equal(&check->replaying, stream)) {
        check->replaying = *stream;
        check->replayed = check->wrote;
    }
    check->wrote = time.ms > check->replayed.ms ? time : check->replayed;
}

/* Distinct members, admitted, not frozen, connected or gone for less than an hour. */
static bool clock_check_counts(struct engine *engine, const struct clock_heard *heard)
{
    const struct roster_entry *member = roster_find(engine->roster, &heard->node);
    if (member == NULL || member->state != MEMBER_ADMITTED ||
        equivocation_is_frozen(engine, &heard->node))
        return false;
    return engine->now.ms - heard->reading.at.ms < CLOCK_CHECK_HEARD_MS ||
           peers_of_node(engine, &heard->node) != NULL;
}

/* Adds one, in ascending order. */
static void clock_check_sort_in(int64_t *sorted, uint32_t count, int64_t one)
{
    for (; count > 0 && sorted[count - 1] > one; count--)
        sorted[count] = sorted[count - 1];
    sorted[count] = one;
}

/* Of an even number the middle one that is nearer to our own clock: who is contradicted by half is
 * not contradicted by most. */
static int64_t clock_check_median(const int64_t *sorted, uint32_t count)
{
    int64_t low = count == 0 ? 0 : sorted[(count - 1) / 2];
    int64_t high = count == 0 ? 0 : sorted[count / 2];
    return low > 0 ? low : high < 0 ? high : 0;
}

/* (W-31) A record that was written with a clock that was ahead must not stop the clock that is
 * right: the members that agree with it decide. */
static void clock_check_behind(const struct engine *engine, struct clock_view *view)
{
    const struct roster_head *head = roster_current_head(engine->roster);
    uint64_t now = engine->wall.ms + CLOCK_SKEW_MS_MAX;
    struct wall issued = {head == NULL ? 0 : head->issued.ms};
    uint32_t agreeing = view->heard_count - view->differing_count;
    bool is_confirmed =
        view->state != CLOCK_ONE_DIFFERS && agreeing >= peers_compared_needed(engine);
    if (is_confirmed || (issued.ms <= now && engine->clock.wrote.ms <= now))
        return;
    view->state = issued.ms > now ? CLOCK_BEHIND_HEAD : CLOCK_BEHIND_RECORD;
    view->reference = issued.ms > now ? issued : engine->clock.wrote;
    view->ahead_ms = clock_check_number(engine->wall.ms) - clock_check_number(view->reference.ms);
}

void clock_check_refresh(struct engine *engine)
{
    struct clock_check *check = &engine->clock;
    check->base = engine->wall.ms - engine->now.ms;
    check->judged_at = engine->now;
    int64_t ahead[LINK_COUNT_MAX];
    struct clock_view view = {.state = CLOCK_UNCHECKED};
    uint32_t over = 0, under = 0;
    for (uint32_t i = 0; i < check->heard_count; i++) {
        if (!clock_check_counts(engine, &check->heard[i]))
            continue;
        int64_t one = clock_check_ahead(engine, &check->heard[i].reading);
        clock_check_sort_in(ahead, view.heard_count++, one);
        over += one > clock_check_skew ? 1 : 0;
        under += one < -clock_check_skew ? 1 : 0;
    }
    view.differing_count = over + under;
    view.ahead_ms = clock_check_median(ahead, view.heard_count);
    uint32_t against = view.ahead_ms > 0 ? over : under;
    if (view.heard_count > 0)
        view.state = !clock_check_is_far(view.ahead_ms)    ? CLOCK_AGREES
                     : against < CLOCK_CHECK_CONTRADICTING ? CLOCK_ONE_DIFFERS
                                                           : CLOCK_CONTRADICTED;
    if (PLANTED(ONE_CLOCK_BELIEVED) && view.differing_count > 0)
        view.state = CLOCK_CONTRADICTED;
    if (view.state != CLOCK_CONTRADICTED)
        clock_check_behind(engine, &view);
    view.stops_posting = view.state >= CLOCK_CONTRADICTED;
    check->view = view;
}

void clock_check_step(struct engine *engine)
{
    const struct clock_check *check = &engine->clock;
    uint64_t base = engine->wall.ms - engine->now.ms;
    bool was_set = base - check->base + CLOCK_CHECK_MS > 2 * CLOCK_CHECK_MS; /* either way */
    if (was_set || engine->now.ms - check->judged_at.ms >= CLOCK_CHECK_MS)
        clock_check_refresh(engine);
}

bool clock_check_differs(const struct engine *engine, const struct peer *peer)
{
    return peer->clock.told.ms != 0 && clock_check_is_far(clock_check_ahead(engine, &peer->clock));
}
