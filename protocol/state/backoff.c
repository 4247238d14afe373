#include "protocol/state/backoff.h"

#include "protocol/base/planted.h"

static struct backoff *backoff_place(struct backoffs *backoffs, uint32_t slot)
{
    struct backoff *place = &backoffs->all[0];
    for (int i = 0; i < BACKOFF_COUNT; i++) {
        struct backoff *each = &backoffs->all[i];
        if (each->reason != OK && each->slot == slot)
            return each;
        if (each->until.ms < place->until.ms)
            place = each;
    }
    *place = (struct backoff){.slot = slot};
    return place;
}

void backoff_refused(struct backoffs *backoffs, uint32_t slot, err reason, struct mono now)
{
    struct backoff *backoff = backoff_place(backoffs, slot);
    bool is_again =
        backoff->reason == reason && now.ms < backoff->until.ms + 4 * (uint64_t)BACKOFF_MS_MAX;
    if (is_again && now.ms < backoff->until.ms)
        return; /* of the same answer, or asked for before */
    uint64_t pause = is_again ? 2 * backoff->pause_ms : BACKOFF_MS;
    backoff->reason = reason;
    backoff->pause_ms = pause < BACKOFF_MS_MAX ? pause : BACKOFF_MS_MAX;
    backoff->until.ms = now.ms + backoff->pause_ms;
}

bool backoff_holds(const struct backoffs *backoffs, uint32_t slot, struct mono now)
{
    for (int i = 0; i < BACKOFF_COUNT; i++) {
        const struct backoff *backoff = &backoffs->all[i];
        if (backoff->reason != OK && backoff->slot == slot)
            return now.ms < backoff->until.ms && !PLANTED(REFUSED_ASKED_AT_ONCE);
    }
    return false;
}

void backoff_end(struct backoff *backoff)
{
    *backoff = (struct backoff){.reason = OK};
}
