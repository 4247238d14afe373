/* What a core was told, as bytes: every kind of event comes back as it went, and nothing shorter
 * does; the hash of a step's effects tells each field of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/engine/event_codec.h"

enum { EVENT_KINDS = EVENT_RESTORE_WRITER + 1, EFFECT_KINDS = EFFECT_FORGER + 1 };

static uint64_t prng = 1;

/* Bytes that are 0 or 1: good for flags as for numbers. */
static void scatter(void *memory, size_t size)
{
    uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++) {
        prng = prng * UINT64_C(6364136223846793005) + 1442695040888963407u;
        bytes[i] = (uint8_t)(prng >> 63);
    }
}

static uint8_t span[5] = {5, 4, 3, 2, 1};
static const struct bytes some = {span, sizeof span};

static struct step_batch batch_of(struct step_run *runs, struct step_record *records)
{
    scatter(runs, 2 * sizeof *runs);
    scatter(records, 3 * sizeof *records);
    runs[0].purpose = RUN_REPAIR;
    runs[1].purpose = RUN_LOOKUP;
    for (size_t i = 0; i < 3; i++) {
        records[i].record = some;
        records[i].plaintext = i == 1 ? BYTES_NONE : some;
    }
    return (struct step_batch){runs, 2, records, 3};
}

static bool event_has_batch(enum event_kind kind)
{
    return kind == EVENT_CHECKED || kind == EVENT_SEALED || kind == EVENT_KEPT ||
           kind == EVENT_LOADED;
}

static struct event event_of(enum event_kind kind, const struct step_batch *batch)
{
    struct event event;
    scatter(&event, sizeof event);
    event.kind = kind;
    if (event_has_batch(kind))
        event.batch = *batch;
    if (kind == EVENT_REPLAY)
        event.replay.batch = *batch;
    if (kind == EVENT_RESTORE_FORKS)
        event.forks = some;
    if (kind == EVENT_RESTORE_CASE || kind == EVENT_WOKEN || kind == EVENT_RESTED)
        event.rest.row = some;
    if (kind == EVENT_FRAME)
        event.frame = some;
    if (kind == EVENT_POST)
        event.post.plaintext = some;
    return event;
}

static void every_event_comes_back_and_no_part_of_it_does(void **state)
{
    static struct event_codec_room room;
    static uint8_t first[4096], second[4096];
    struct step_run runs[2];
    struct step_record records[3];
    struct step_batch batch = batch_of(runs, records);
    (void)state;
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        struct event event = event_of((enum event_kind)kind, &batch), again;
        struct buffer out = buffer_over(first, sizeof first);
        struct buffer out_again = buffer_over(second, sizeof second);
        event_codec_event_write(&event, &out);
        assert_false(out.failed);
        assert_int_equal(event_codec_event_read(buffer_bytes(&out), &room, &again), OK);
        event_codec_event_write(&again, &out_again);
        assert_int_equal(out.size, out_again.size);
        assert_memory_equal(first, second, out.size);
        for (size_t size = 0; size < out.size; size++)
            assert_int_equal(event_codec_event_read((struct bytes){first, size}, &room, &again),
                             ERR_MALFORMED);
        first[out.size] = 0;
        assert_int_equal(event_codec_event_read((struct bytes){first, out.size + 1}, &room, &again),
                         ERR_MALFORMED);
    }
}

/* Recordings of before say it with six flags: fill, conflict, alternate, detached, lookup, repair.
 */
static void a_purpose_is_six_flags_and_comes_back(void **state)
{
    enum { FLAG_COUNT = 6 };
    static const struct {
        enum run_purpose purpose;
        uint8_t flags[FLAG_COUNT];
    } rows[] = {
        {RUN_EXTEND, {0, 0, 0, 0, 0, 0}},    {RUN_FILL, {1, 0, 0, 0, 0, 0}},
        {RUN_REPAIR, {1, 0, 0, 0, 0, 1}},    {RUN_CONFLICT, {0, 1, 0, 0, 0, 0}},
        {RUN_ALTERNATE, {0, 0, 1, 0, 0, 0}}, {RUN_DETACHED, {0, 0, 0, 1, 0, 0}},
        {RUN_LOOKUP, {0, 0, 0, 0, 1, 0}},
    };
    static struct event_codec_room room;
    uint8_t memory[4096];
    struct step_run run = {.stream = 7, .first = 9, .count = 1};
    struct step_batch batch = {&run, 1, NULL, 0};
    (void)state;
    _Static_assert(sizeof rows / sizeof *rows == RUN_PURPOSE_COUNT, "each purpose");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = buffer_over(memory, sizeof memory);
        struct event event = event_of(EVENT_KEPT, &batch), again;
        run.purpose = rows[i].purpose;
        event_codec_event_write(&event, &out);
        uint8_t *flags = memory + out.size - 1 - sizeof run.verdict - sizeof run.key - FLAG_COUNT;
        assert_memory_equal(flags, rows[i].flags, FLAG_COUNT);
        assert_int_equal(event_codec_event_read(buffer_bytes(&out), &room, &again), OK);
        assert_int_equal(again.batch.runs->purpose, rows[i].purpose);
        flags[1] = flags[4] = 1; /* no purpose is both */
        assert_int_equal(event_codec_event_read(buffer_bytes(&out), &room, &again), ERR_MALFORMED);
    }
}

static void a_batch_of_too_many_is_refused(void **state)
{
    static struct event_codec_room room;
    uint8_t memory[4096];
    struct step_batch none = {0};
    struct event event = event_of(EVENT_KEPT, &none), again;
    struct buffer out = buffer_over(memory, sizeof memory);
    (void)state;
    event_codec_event_write(&event, &out);
    uint32_t many = STEP_RECORD_COUNT_MAX + 1;
    memcpy(memory + out.size - sizeof many, &many, sizeof many);
    assert_int_equal(event_codec_event_read(buffer_bytes(&out), &room, &again), ERR_MALFORMED);
}

static void spell_out(struct effect *effect, const struct step_batch *batch)
{
    if (effect->kind == EFFECT_CHECK || effect->kind == EFFECT_KEEP)
        effect->batch = *batch;
    if (effect->kind == EFFECT_SEAL)
        effect->seal.plaintext = some;
    if (effect->kind == EFFECT_SEND) {
        static const struct link_id links[] = {{7}, {9}};
        effect->send.links = links;
        effect->send.link_count = 2;
        effect->send.frame = some;
    }
    if (effect->kind == EFFECT_FORKED)
        effect->forked.other = some;
    if (effect->kind == EFFECT_REST)
        effect->rest.row = some;
    if (effect->kind == EFFECT_FORKS)
        effect->forks = some;
    if (effect->kind == EFFECT_ITEMS || effect->kind == EFFECT_HEADS)
        effect->frame = some;
    if (effect->kind == EFFECT_LOG)
        effect->log.event = "text";
}

static void the_hash_tells_every_kind_and_its_order_and_what_a_span_holds(void **state)
{
    static struct step step;
    struct step_run runs[2];
    struct step_record records[3];
    struct step_batch batch = batch_of(runs, records);
    struct hash sums[EFFECT_KINDS];
    (void)state;
    step.effect_count = 1;
    for (int kind = 0; kind < EFFECT_KINDS; kind++) {
        prng = 5; /* the same numbers in each */
        scatter(&step.effects[0], sizeof step.effects[0]);
        step.effects[0].kind = (enum effect_kind)kind;
        spell_out(&step.effects[0], &batch);
        sums[kind] = event_codec_effects(&step);
        for (int other = 0; other < kind; other++)
            assert_memory_not_equal(sums[kind].bytes, sums[other].bytes, HASH_SIZE);
    }
    struct hash one = event_codec_effects(&step); /* the last: a line of the log */
    step.effects[0].log.event = "texu";
    assert_memory_not_equal(event_codec_effects(&step).bytes, one.bytes, HASH_SIZE);
    step.effects[1] = step.effects[0];
    step.effects[0].log.event = "text";
    step.effect_count = 2;
    struct hash two = event_codec_effects(&step);
    step.effects[0].log.event = "texu";
    step.effects[1].log.event = "text";
    assert_memory_not_equal(event_codec_effects(&step).bytes, two.bytes, HASH_SIZE);
}

static void a_configuration_comes_back(void **state)
{
    uint8_t first[512], second[512];
    struct engine_config config, again = {.roster = NULL};
    struct buffer out = buffer_over(first, sizeof first);
    struct buffer out_again = buffer_over(second, sizeof second);
    (void)state;
    scatter(&config, sizeof config);
    event_codec_config_write(&config, &out);
    assert_int_equal(event_codec_config_read(buffer_bytes(&out), &again), OK);
    assert_null(again.roster);
    event_codec_config_write(&again, &out_again);
    assert_int_equal(out.size, out_again.size);
    assert_memory_equal(first, second, out.size);
    assert_int_equal(event_codec_config_read((struct bytes){first, out.size - 1}, &again),
                     ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_back_and_no_part_of_it_does),
        cmocka_unit_test(a_purpose_is_six_flags_and_comes_back),
        cmocka_unit_test(a_batch_of_too_many_is_refused),
        cmocka_unit_test(the_hash_tells_every_kind_and_its_order_and_what_a_span_holds),
        cmocka_unit_test(a_configuration_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
