/* Cases that leave a core's memory, and come back: as node/driver/case_pager.c. */
#include <string.h>

#include "tests/sim/determinism.h"
#include "tests/sim/hospital.h"

void case_paging_rows_keep(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    struct schedule_item item = {.at = world->now + 1 + prng_below(&world->prng, 20),
                                 .kind = SCHEDULE_REST,
                                 .hospital = hospital->index,
                                 .boot = hospital->boot};
    uint8_t memory[HASH_SIZE + ENGINE_CASE_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    buffer_put(&frame, effect->rest.case_id.bytes, HASH_SIZE);
    buffer_put(&frame, effect->rest.row.data, effect->rest.row.size);
    schedule_frame(&item, buffer_bytes(&frame));
    schedule_add(&world->schedule, &item);
}

void case_paging_kept(struct hospital *hospital, const struct schedule_item *item)
{
    struct disk *disk = &hospital->disk;
    struct event event = hospital_event(hospital, EVENT_RESTED);
    memcpy(event.rest.case_id.bytes, item->frame, HASH_SIZE);
    struct scope scope = scope_case(&event.rest.case_id);
    bool is_refused = disk->is_full || (disk->refuse_percent > 0 &&
                                        prng_of(&hospital->world->prng, disk->refuse_percent));
    event.verdict = is_refused ? ERR_FULL : OK;
    if (!is_refused)
        disk_case_put(disk_case(disk, &scope),
                      (struct bytes){item->frame + HASH_SIZE, item->frame_size - HASH_SIZE});
    hospital_step(hospital, &event);
}

static struct bytes case_paging_row(const struct hospital *hospital, const struct case_id *case_id)
{
    struct scope scope = scope_case(case_id);
    for (size_t i = 0; i < hospital->disk.case_count; i++) {
        const struct disk_case *row = &hospital->disk.cases[i];
        if (scope_equal(&row->scope, &scope))
            return (struct bytes){row->bytes, row->size};
    }
    return BYTES_NONE;
}

void case_paging_rows_wake(struct hospital *hospital)
{
    static struct case_id called[STEP_EFFECT_COUNT_MAX];
    struct step *step = &hospital->world->step;
    size_t count = 0;
    for (size_t i = 0; i < step->effect_count; i++) {
        if (step->effects[i].kind == EFFECT_WAKE)
            called[count++] = step->effects[i].wake;
    }
    for (size_t i = 0; i < count; i++) {
        struct event event = hospital_event(hospital, EVENT_WOKEN);
        event.rest.case_id = called[i];
        event.rest.row = case_paging_row(hospital, &called[i]);
        WORLD_CHECK(hospital->world, event.rest.row.size > 0);
        world_note(hospital->world, hospital, "wakes", called[i].bytes[0]);
        engine_step(hospital->engine, &event, step);
        determinism_step(hospital, &event);
        WORLD_CHECK(hospital->world, engine_case(hospital->engine, &called[i]) != NULL);
    }
}

void case_paging_rows_step(struct hospital *hospital, const struct event *event)
{
    struct step *step = &hospital->world->step;
    engine_step(hospital->engine, event, step);
    determinism_step(hospital, event);
    while (step->comes_again) {
        case_paging_rows_wake(hospital);
        engine_step(hospital->engine, event, step);
        determinism_step(hospital, event);
    }
}

const struct consult *hospital_case(const struct hospital *hospital, const struct case_id *case_id)
{
    static struct consult places[4];
    static size_t next;
    const struct consult *awake = engine_case(hospital->engine, case_id);
    if (awake != NULL || !engine_case_rests(hospital->engine, case_id))
        return awake;
    struct consult *place = &places[next++ % 4];
    err failure = engine_case_read(case_paging_row(hospital, case_id), place);
    return failure == OK ? place : NULL;
}
