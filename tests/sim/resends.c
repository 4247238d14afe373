#include "tests/sim/resends.h"

#include <string.h>

#include "tests/sim/hospital.h"

enum {
    RESENDS_PLACES = 1 << 16,
    RESENDS_SCOPES = 1 << 10, /* scopes that meet in a place are told apart by nobody */
    /* Of one record over one link, without news. The pauses of T-23 allow 7 a minute and those of
     * T-26 allow 7 more when they start again in that minute; without pauses it is 13 in 48 s and
     * more. */
    RESENDS_A_MINUTE = 12,
};

struct resends_place {
    struct record_id record;
    uint32_t link; /* the sender's: of one connection, and never used again */
    uint32_t count;
    uint64_t since;
    uint64_t learned; /* how much the receiver had, about the scope */
};

struct resends {
    uint64_t learned[WORLD_HOSPITALS_MAX][RESENDS_SCOPES];
    uint64_t learned_of_all[WORLD_HOSPITALS_MAX];
    struct resends_place places[RESENDS_PLACES];
};

struct resends *resends_new(void)
{
    struct resends *resends = calloc(1, sizeof *resends);
    if (resends == NULL)
        abort();
    return resends;
}

void resends_free(struct resends *resends)
{
    free(resends);
}

/* What was counted last in that place, also of others, yields: it is sent seldom. */
static struct resends_place *resends_place(struct resends *resends, const struct record_id *record,
                                           uint32_t link)
{
    uint32_t place;
    memcpy(&place, record->bytes, sizeof place);
    place = (place ^ link * UINT32_C(2654435769)) % RESENDS_PLACES;
    struct resends_place *found = &resends->places[place];
    if (found->link != link || !ID_EQUAL(found->record, *record))
        *found = (struct resends_place){.record = *record, .link = link};
    return found;
}

static uint32_t resends_scope(const struct scope *scope)
{
    uint32_t place;
    memcpy(&place, scope->id, sizeof place);
    return (place ^ (uint32_t)scope->kind) % RESENDS_SCOPES;
}

void resends_learned(const struct hospital *hospital, const struct scope *scope)
{
    struct resends *resends = hospital->world->resends;
    if (scope == NULL)
        resends->learned_of_all[hospital->index]++;
    else
        resends->learned[hospital->index][resends_scope(scope)]++;
}

void resends_count(const struct hospital *from, const struct hospital *to,
                   const struct record_claim *claim)
{
    struct world *world = from->world;
    struct resends_place *place =
        resends_place(world->resends, &claim->id, from->ways[to->index].link.value);
    char text[160];
    if (place->count == 0 || world->now - place->since >= MINUTE_MS) {
        place->since = world->now;
        place->count = 0;
    }
    uint64_t learned =
        world->resends->learned_of_all[to->index] +
        world->resends->learned[to->index][resends_scope(&claim->header.stream.scope)];
    bool has_reason = place->count > 0 && place->learned != learned;
    place->learned = learned;
    place->count += has_reason ? 0 : 1;
    if (place->count <= RESENDS_A_MINUTE)
        return;
    (void)snprintf(text, sizeof text, "%s to %s, position %llu, %u times in %.1f s", from->name,
                   to->name, (unsigned long long)claim->header.sequence, (unsigned)place->count,
                   (double)(world->now - place->since) / 1000);
    world_fail(world, "one record is sent again and again", text);
}
