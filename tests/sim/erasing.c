#include "tests/sim/erasing.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "tests/sim/hospital.h"

struct erasing {
    struct erasing *next;
    struct scope scope;
    struct record_id erase;
    uint64_t record_count;
};

static struct erasing **erasing_last(struct hospital *hospital)
{
    struct erasing **end = &hospital->erasing;
    while (*end != NULL)
        end = &(*end)->next;
    return end;
}

void erasing_begin(struct hospital *hospital, const struct scope *scope,
                   const struct record_id *erase)
{
    for (const struct erasing *other = hospital->erasing; other != NULL; other = other->next) {
        if (scope_equal(&other->scope, scope))
            return;
    }
    struct erasing *erasing = calloc(1, sizeof *erasing);
    if (erasing == NULL)
        abort();
    erasing->scope = *scope;
    erasing->erase = *erase;
    *erasing_last(hospital) = erasing;
    if (hospital->erasing != erasing)
        return; /* one after the other */
    hospital_plan(hospital, AGENDA_ERASE,
                  hospital->world->now + chance_below(&hospital->world->chance, 20));
}

/* In the order of the batches: what was to be kept before is kept. */
static bool erasing_must_wait(const struct hospital *hospital)
{
    const struct parcel *parcel = hospital->keeping;
    while (parcel != NULL && parcel->is_written)
        parcel = parcel->next;
    return parcel != NULL;
}

static void erasing_remember(struct hospital *hospital, struct disk_case *row)
{
    static uint8_t memory[CORE_CASE_SIZE_MAX];
    struct case_id case_id;
    memcpy(case_id.bytes, row->scope.id, HASH_SIZE);
    struct buffer exported = buffer_over(memory, sizeof memory);
    WORLD_CHECK(hospital->world, core_case_export(hospital->core, &case_id, &exported) == OK);
    disk_case_put(row, buffer_bytes(&exported));
    row->is_remembered = true;
}

static void erasing_tell(struct hospital *hospital, const struct erasing *erasing)
{
    struct event event = hospital_event(hospital, EVENT_DESTROYED);
    event.destroyed.scope = erasing->scope;
    event.destroyed.erase = erasing->erase;
    event.destroyed.record_count = erasing->record_count;
    event.destroyed.backups_until.ms = event.wall.ms + 30 * DAY_MS;
    hospital_step(hospital, &event);
}

void erasing_go_on(struct hospital *hospital)
{
    struct world *world = hospital->world;
    struct erasing *erasing = hospital->erasing;
    struct disk_case *row = disk_case(&hospital->disk, &erasing->scope);
    uint64_t soon = world->now + 1 + chance_below(&world->chance, 20);
    if (!row->is_remembered && erasing_must_wait(hospital)) {
        hospital_plan(hospital, AGENDA_ERASE, soon);
    } else if (!row->is_remembered) {
        erasing_remember(hospital, row);
        hospital_plan(hospital, AGENDA_ERASE, soon);
    } else if (!row->is_buried) {
        erasing->record_count = disk_destroy(&hospital->disk, &erasing->scope);
        row->is_buried = true;
        hospital_plan(hospital, AGENDA_ERASE, soon);
    } else {
        hospital->erasing = erasing->next;
        if (hospital->erasing != NULL)
            hospital_plan(hospital, AGENDA_ERASE, soon);
        erasing_tell(hospital, erasing);
        free(erasing);
    }
}

void erasing_resume(struct hospital *hospital)
{
    struct core_case_brief brief;
    for (uint32_t n = 0; core_case_at(hospital->core, n, &brief); n++) {
        const struct consult *consult = core_case(hospital->core, &brief.case_id);
        struct scope scope = scope_case(&brief.case_id);
        if (consult != NULL && consult->state == CASE_ERASED)
            erasing_begin(hospital, &scope, &consult->erase);
    }
}

void erasing_forget(struct hospital *hospital)
{
    while (hospital->erasing != NULL) {
        struct erasing *erasing = hospital->erasing;
        hospital->erasing = erasing->next;
        free(erasing);
    }
}
