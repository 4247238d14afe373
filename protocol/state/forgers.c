#include "protocol/state/forgers.h"

#include "protocol/base/planted.h"

enum { FORGERS_DAY_MS = 24 * 60 * 60 * 1000 };

static struct forger *forgers_get(struct forgers *forgers, const struct node_id *node)
{
    for (size_t i = 0; i < FORGER_COUNT_MAX; i++) {
        if (ID_EQUAL(forgers->all[i].node, *node))
            return &forgers->all[i];
    }
    return NULL;
}

/* A full table gives up the member that has not forged for the longest time: more members than it
 * has places would have to forge by turns. */
static struct forger *forgers_add(struct forgers *forgers, const struct node_id *node)
{
    struct forger *place = &forgers->all[0];
    for (size_t i = 0; i < FORGER_COUNT_MAX && !ID_IS_ZERO(place->node); i++) {
        struct forger *forger = &forgers->all[i];
        if (ID_IS_ZERO(forger->node) || forger->last_at.ms < place->last_at.ms)
            place = forger;
    }
    *place = (struct forger){.node = *node};
    return place;
}

static uint64_t forgers_pause_ms(uint32_t cut_count)
{
    uint64_t pause = FORGER_REFUSED_MS;
    for (uint32_t i = 1; i < cut_count && pause < FORGER_REFUSED_MS_MAX; i++)
        pause *= 2;
    return pause < FORGER_REFUSED_MS_MAX ? pause : FORGER_REFUSED_MS_MAX;
}

/* Did the member forge nothing for an hour? */
static bool forgers_is_over(const struct forger *forger, struct mono now)
{
    return now.ms - forger->last_at.ms >= FORGER_WATCHED_MS;
}

enum forgery forgers_note(struct forgers *forgers, const struct node_id *node, struct mono now)
{
    struct forger *forger = forgers_get(forgers, node);
    if (forger == NULL)
        forger = forgers_add(forgers, node);
    bool is_first = forger->total == 0 || forgers_is_over(forger, now);
    /* the time that a link was refused does not count as a day without a forgery */
    struct mono since =
        forger->refused_until.ms > forger->last_at.ms ? forger->refused_until : forger->last_at;
    if (now.ms > since.ms && now.ms - since.ms >= FORGERS_DAY_MS)
        forger->cut_count = 0;
    if (is_first) {
        forger->recent = 0;
        forger->checks_left = FORGER_CHECK_COUNT;
        forger->checks_at = now;
    }
    forger->total++;
    forger->last_at = now;
    if (forger->refused_until.ms > now.ms)
        return FORGERY_ANOTHER; /* what was under way when the link was cut */
    if (++forger->recent < FORGERY_COUNT_MAX || PLANTED(FORGER_IS_NOT_CUT))
        return is_first ? FORGERY_FIRST : FORGERY_ANOTHER;
    forger->recent = 0;
    forger->cut_count++;
    forger->refused_until.ms = now.ms + forgers_pause_ms(forger->cut_count);
    return FORGERY_CUT;
}

const struct forger *forgers_find(const struct forgers *forgers, const struct node_id *node)
{
    for (size_t i = 0; i < FORGER_COUNT_MAX; i++) {
        if (ID_EQUAL(forgers->all[i].node, *node))
            return &forgers->all[i];
    }
    return NULL;
}

bool forgers_refuses(const struct forgers *forgers, const struct node_id *node, struct mono now)
{
    const struct forger *forger = forgers_find(forgers, node);
    return forger != NULL && forger->refused_until.ms > now.ms;
}

bool forgers_may_check(struct forgers *forgers, const struct node_id *node, struct mono now)
{
    struct forger *forger = forgers_get(forgers, node);
    if (forger == NULL || forgers_is_over(forger, now))
        return true;
    uint64_t more = (now.ms - forger->checks_at.ms) / FORGER_CHECK_MS;
    forger->checks_at.ms += more * FORGER_CHECK_MS;
    int64_t left = forger->checks_left + (int64_t)more;
    forger->checks_left = left < FORGER_CHECK_COUNT ? (int32_t)left : FORGER_CHECK_COUNT;
    return forger->checks_left > 0;
}

void forgers_checks(struct forgers *forgers, const struct node_id *node, uint32_t run_count)
{
    struct forger *forger = forgers_get(forgers, node);
    if (forger != NULL)
        forger->checks_left -= (int32_t)run_count;
}
