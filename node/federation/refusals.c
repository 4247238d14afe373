#include "node/federation/refusals.h"

/* The place of `link`, or the one that is given up for it. */
static size_t refusals_place(const struct refusals *refusals, struct link_id link)
{
    size_t least = 0;
    for (size_t i = 0; i < REFUSALS_LINK_COUNT; i++) {
        if (refusals->of[i].count > 0 && refusals->of[i].link.value == link.value)
            return i;
        if (refusals->of[i].count < refusals->of[least].count)
            least = i;
    }
    return least;
}

void refusals_add(struct refusals *refusals, struct link_id link)
{
    size_t place = refusals_place(refusals, link);
    if (refusals->of[place].link.value != link.value)
        refusals->of[place].count = 0;
    refusals->of[place].link = link;
    if (refusals->of[place].count < REFUSALS_MAX)
        refusals->of[place].count++;
}

bool refusals_spent(const struct refusals *refusals, struct link_id link)
{
    size_t place = refusals_place(refusals, link);
    return refusals->of[place].link.value == link.value &&
           refusals->of[place].count >= REFUSALS_MAX;
}

void refusals_tick(struct refusals *refusals)
{
    for (size_t i = 0; i < REFUSALS_LINK_COUNT; i++)
        refusals->of[i].count -= refusals->of[i].count > 0;
}
