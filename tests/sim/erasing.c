#include "tests/sim/erasing.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "tests/sim/hospital.h"

struct case_erasure {
    struct case_erasure *next;
    struct scope scope;
    struct record_id erase;
    uint64_t record_count;
};

static struct case_erasure **erasing_last(struct hospital *hospital)
{
    struct case_erasure **end = &hospital->case_erasure;
    while (*end != NULL)
        end = &(*end)->next;
    return end;
}

void erasing_begin(struct hospital *hospital, const struct scope *scope,
                   const struct record_id *erase)
{
    for (const struct case_erasure *other = hospital->case_erasure; other != NULL;
         other = other->next) {
        if (scope_equal(&other->scope, scope))
            return;
    }
    struct case_erasure *case_erasure = calloc(1, sizeof *case_erasure);
    if (case_erasure == NULL)
        abort();
    case_erasure->scope = *scope;
    case_erasure->erase = *erase;
    *erasing_last(hospital) = case_erasure;
    if (hospital->case_erasure != case_erasure)
        return; /* one after the other */
    hospital_plan(hospital, SCHEDULE_ERASE,
                  hospital->world->now + prng_below(&hospital->world->prng, 20));
}

/* In the order of the batches: what was to be kept before is kept. */
static bool erasing_must_wait(const struct hospital *hospital)
{
    return hospital->writing != NULL;
}

static void case_erasure_remember(struct hospital *hospital, struct disk_case *row)
{
    static uint8_t memory[ENGINE_CASE_SIZE_MAX];
    struct case_id case_id;
    memcpy(case_id.bytes, row->scope.id, HASH_SIZE);
    struct buffer exported = buffer_over(memory, sizeof memory);
    WORLD_CHECK(hospital->world, engine_case_export(hospital->engine, &case_id, &exported) == OK);
    disk_case_put(row, buffer_bytes(&exported));
    row->is_remembered = true;
}

static void case_erasure_tell(struct hospital *hospital, const struct case_erasure *case_erasure)
{
    struct event event = hospital_event(hospital, EVENT_DESTROYED);
    event.destroyed.scope = case_erasure->scope;
    event.destroyed.erase = case_erasure->erase;
    event.destroyed.record_count = case_erasure->record_count;
    event.destroyed.backups_until.ms = event.wall.ms + 30 * DAY_MS;
    hospital_step(hospital, &event);
}

void erasing_go_on(struct hospital *hospital)
{
    struct world *world = hospital->world;
    struct case_erasure *case_erasure = hospital->case_erasure;
    struct disk_case *row = disk_case(&hospital->disk, &case_erasure->scope);
    uint64_t soon = world->now + 1 + prng_below(&world->prng, 20);
    if (!row->is_remembered && erasing_must_wait(hospital)) {
        hospital_plan(hospital, SCHEDULE_ERASE, soon);
    } else if (!row->is_remembered) {
        case_erasure_remember(hospital, row);
        hospital_plan(hospital, SCHEDULE_ERASE, soon);
    } else if (!row->is_buried) {
        case_erasure->record_count = disk_destroy(&hospital->disk, &case_erasure->scope);
        row->is_buried = true;
        hospital_plan(hospital, SCHEDULE_ERASE, soon);
    } else {
        hospital->case_erasure = case_erasure->next;
        if (hospital->case_erasure != NULL)
            hospital_plan(hospital, SCHEDULE_ERASE, soon);
        case_erasure_tell(hospital, case_erasure);
        free(case_erasure);
    }
}

void case_erasure_resume(struct hospital *hospital)
{
    struct engine_case_brief brief;
    for (uint32_t n = 0; engine_case_at(hospital->engine, n, &brief); n++) {
        const struct consult *consult = engine_case(hospital->engine, &brief.case_id);
        struct scope scope = scope_case(&brief.case_id);
        if (consult != NULL && consult->state == CASE_ERASED)
            erasing_begin(hospital, &scope, &consult->erase);
    }
}

void erasing_forget(struct hospital *hospital)
{
    while (hospital->case_erasure != NULL) {
        struct case_erasure *case_erasure = hospital->case_erasure;
        hospital->case_erasure = case_erasure->next;
        free(case_erasure);
    }
}
