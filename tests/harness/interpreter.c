#include "tests/harness/interpreter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/replication/batch_verify.h"
#include "protocol/wire/frame.h"

static void interpreter_must(bool holds, const char *promise)
{
    if (holds)
        return;
    (void)fprintf(stderr, "interpreter: broken promise: %s\n", promise);
    abort();
}

void interpreter_init(struct interpreter *interpreter, struct engine *engine, struct step *step,
                      const struct interpreter_calls *calls, void *arg)
{
    *interpreter = (struct interpreter){.engine = engine, .step = step, .calls = calls, .arg = arg};
    interpreter->end = &interpreter->first;
}

void interpreter_clear(struct interpreter *interpreter)
{
    while (interpreter->first != NULL)
        free(interpreter_take(interpreter));
}

struct interpreter_answer *interpreter_take(struct interpreter *interpreter)
{
    struct interpreter_answer *answer = interpreter->first;
    if (answer == NULL)
        return NULL;
    interpreter->first = answer->next;
    if (answer->next == NULL)
        interpreter->end = &interpreter->first;
    answer->next = NULL;
    return answer;
}

/* ---- answers ---- */

/* A new answer with `size` bytes of memory. */
static struct interpreter_answer *interpreter_answer_new(const struct event *event, size_t size)
{
    struct interpreter_answer *answer = calloc(1, sizeof *answer + size);
    interpreter_must(answer != NULL, "there is memory");
    answer->event = *event;
    return answer;
}

/* The answer is due now, unless the shell gives it later. */
static void interpreter_queue(struct interpreter *interpreter, struct interpreter_answer *answer)
{
    if (interpreter->calls->delay != NULL && interpreter->calls->delay(interpreter->arg, answer))
        return;
    *interpreter->end = answer;
    interpreter->end = &answer->next;
}

static struct bytes interpreter_copy(struct buffer *out, struct bytes bytes)
{
    struct bytes copy = {out->data + out->size, bytes.size};
    if (bytes.size > 0)
        buffer_put(out, bytes.data, bytes.size);
    return copy;
}

static struct interpreter_answer *interpreter_batch_new(struct interpreter *interpreter,
                                                        const struct event *event)
{
    const struct step_batch *batch = &event->batch;
    size_t runs_size = batch->run_count * sizeof *batch->runs;
    size_t records_size = batch->record_count * sizeof *batch->records;
    size_t size = runs_size + records_size;
    for (size_t i = 0; i < batch->record_count; i++) /* twice: room for the opened bodies */
        size += 2 * batch->records[i].record.size + batch->records[i].plaintext.size;
    struct interpreter_answer *answer = interpreter_answer_new(event, size);
    struct step_run *runs = (void *)answer->memory;
    struct step_record *records = (void *)(answer->memory + runs_size);
    struct buffer out =
        buffer_over(answer->memory + runs_size + records_size, size - runs_size - records_size);
    for (size_t i = 0; i < batch->run_count; i++)
        runs[i] = batch->runs[i];
    for (size_t i = 0; i < batch->record_count; i++) {
        records[i] = batch->records[i];
        records[i].record = interpreter_copy(&out, batch->records[i].record);
        records[i].plaintext = interpreter_copy(&out, batch->records[i].plaintext);
    }
    answer->event.batch = (struct step_batch){runs, batch->run_count, records, batch->record_count};
    struct buffer rest = buffer_over(out.data + out.size, out.capacity - out.size);
    if (event->kind == EVENT_CHECKED)
        interpreter->calls->check(interpreter->arg, &answer->event.batch, &rest);
    bool is_opened = event->kind == EVENT_LOADED && event->link.value == 0;
    for (size_t i = 0; is_opened && i < batch->record_count; i++)
        batch_verify_open(&records[i], &rest);
    return answer;
}

struct interpreter_answer *interpreter_merge(struct interpreter *interpreter,
                                             struct interpreter_answer *const *answers,
                                             size_t count)
{
    struct step_record records[RUN_COUNT_MAX];
    struct step_run run = *answers[0]->event.batch.runs;
    struct event event = answers[0]->event;
    event.batch = (struct step_batch){&run, 1, records, 0};
    for (size_t i = 0; i < count; i++) {
        const struct step_batch *batch = &answers[i]->event.batch;
        interpreter_must(event.batch.record_count + batch->record_count <= RUN_COUNT_MAX,
                         "a run is bounded");
        for (size_t j = 0; j < batch->record_count; j++) {
            struct step_record *record = &records[event.batch.record_count++];
            *record = batch->records[j];
            record->plaintext = BYTES_NONE;
        }
    }
    run.count = (uint16_t)event.batch.record_count;
    return interpreter_batch_new(interpreter, &event);
}

void interpreter_answer(struct interpreter *interpreter, const struct event *event)
{
    bool has_letter = event->kind == EVENT_CUSTODY &&
                      (event->custody == CUSTODY_OPEN || event->custody == CUSTODY_ENCLOSE ||
                       event->custody == CUSTODY_FETCH);
    if (event->kind == EVENT_CHECKED || event->kind == EVENT_KEPT || event->kind == EVENT_LOADED ||
        event->kind == EVENT_SEALED) {
        interpreter_queue(interpreter, interpreter_batch_new(interpreter, event));
        return;
    }
    size_t size = has_letter ? event->letter.size : 0;
    struct interpreter_answer *answer = interpreter_answer_new(event, size);
    struct buffer out = buffer_over(answer->memory, size);
    if (has_letter)
        answer->event.letter = interpreter_copy(&out, event->letter);
    interpreter_queue(interpreter, answer);
}

/* ---- effects ---- */

/* The event that answers this effect. */
static struct event interpreter_event(const struct interpreter *interpreter, enum event_kind kind,
                                      const struct effect *effect)
{
    struct event event = interpreter->calls->event(interpreter->arg, kind);
    event.link = effect->link;
    event.token = effect->token;
    return event;
}

static void interpreter_seal(struct interpreter *interpreter, const struct effect *effect)
{
    uint8_t *memory = malloc(RECORD_SIZE_MAX);
    interpreter_must(memory != NULL, "there is memory");
    struct buffer out = buffer_over(memory, RECORD_SIZE_MAX);
    struct record_secrets secrets = {.sign_secret = NULL};
    struct record_id id;
    struct step_record record = {.flags = RECORD_OWN, .plaintext = effect->seal.plaintext};
    struct step_run run = {.stream = effect->seal.stream, .count = 1};
    struct event event = interpreter_event(interpreter, EVENT_SEALED, effect);
    event.verdict = interpreter->calls->seal(interpreter->arg, effect, &secrets);
    if (event.verdict == OK)
        event.verdict =
            record_seal(&effect->seal.header, effect->seal.plaintext, &secrets, &out, &id);
    if (event.verdict == OK)
        record.record = buffer_bytes(&out);
    record.has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record.has_key)
        record.key = secrets.key;
    event.batch = (struct step_batch){&run, 1, &record, 1};
    interpreter_answer(interpreter, &event);
    free(memory);
}

static void interpreter_load(struct interpreter *interpreter, const struct effect *effect)
{
    uint64_t count = effect->load.is_by_id ? 1 : effect->load.count;
    struct step_record *records = calloc(STEP_RECORD_COUNT_MAX, sizeof *records);
    interpreter_must(records != NULL, "there is memory");
    struct step_run run = {.stream = effect->load.slot, .first = effect->load.from};
    struct event event = interpreter_event(interpreter, EVENT_LOADED, effect);
    event.batch = (struct step_batch){&run, 1, records, 0};
    size_t size = 0;
    for (uint64_t i = 0; i < count && i < STEP_RECORD_COUNT_MAX; i++) {
        struct step_record *record = &records[i];
        if (!interpreter->calls->load(interpreter->arg, effect, effect->load.from + i, record))
            break;
        size += record->record.size + FRAME_RECORD_OVERHEAD;
        if (i > 0 && size > effect->load.size_max)
            break;
        event.batch.record_count++;
    }
    if (effect->load.has_signer)
        batch_verify_answer(records, event.batch.record_count, &effect->load.signer);
    interpreter_answer(interpreter, &event);
    free(records);
}

void interpreter_perform(struct interpreter *interpreter, const struct effect *effect)
{
    struct event event;
    switch (effect->kind) {
    case EFFECT_CHECK:
        event = interpreter_event(interpreter, EVENT_CHECKED, effect);
        event.batch = effect->batch;
        interpreter_answer(interpreter, &event);
        break;
    case EFFECT_KEEP:
        event = interpreter_event(interpreter, EVENT_KEPT, effect);
        if (interpreter->calls->store != NULL)
            event.verdict = interpreter->calls->store(interpreter->arg, effect);
        event.batch = effect->batch;
        interpreter_answer(interpreter, &event);
        break;
    case EFFECT_SEAL:
        interpreter_seal(interpreter, effect);
        break;
    case EFFECT_LOAD:
        interpreter_load(interpreter, effect);
        break;
    case EFFECT_SEND:
        interpreter->calls->send(interpreter->arg, effect);
        break;
    case EFFECT_WAKE: /* once the others of the step are carried out */
        break;
    case EFFECT_HANGUP:
    case EFFECT_DONE:
    case EFFECT_TOLD:
    case EFFECT_FORKED:
    case EFFECT_FORKS:
    case EFFECT_ACKED:
    case EFFECT_GENERATION:
    case EFFECT_DESTROY:
    case EFFECT_RETRACT:
    case EFFECT_REST:
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
    case EFFECT_CUSTODY:
    case EFFECT_LOG:
    case EFFECT_FORGER:
        interpreter->calls->notify(interpreter->arg, effect);
        break;
    }
}

/* ---- steps ---- */

/* Carries out the step, and wakes the cases that it names; each of these is a step of its own. */
static void interpreter_carry_out(struct interpreter *interpreter)
{
    const struct step *step = interpreter->step;
    struct case_id woken[STEP_EFFECT_COUNT_MAX];
    size_t count = 0;
    for (size_t i = 0; i < step->effect_count; i++) {
        interpreter_perform(interpreter, &step->effects[i]);
        if (step->effects[i].kind != EFFECT_WAKE)
            continue;
        interpreter_must(interpreter->calls->wake != NULL, "a case without a row is not woken");
        woken[count++] = step->effects[i].wake;
    }
    for (size_t i = 0; i < count; i++) {
        struct event event = interpreter->calls->event(interpreter->arg, EVENT_WOKEN);
        event.rest.case_id = woken[i];
        event.rest.row = interpreter->calls->wake(interpreter->arg, &woken[i]);
        engine_step(interpreter->engine, &event, interpreter->step);
        interpreter_must(!step->comes_again, "EVENT_WOKEN needs no other case");
        interpreter_carry_out(interpreter);
    }
}

static void interpreter_step(struct interpreter *interpreter, const struct event *event)
{
    engine_step(interpreter->engine, event, interpreter->step);
    for (unsigned rounds = 0; interpreter->step->comes_again; rounds++) {
        interpreter_must(rounds < INTERPRETER_ROUNDS_MAX, "an event is taken at last");
        interpreter_carry_out(interpreter);
        engine_step(interpreter->engine, event, interpreter->step);
    }
    interpreter_carry_out(interpreter);
}

void interpreter_give(struct interpreter *interpreter, const struct event *event)
{
    struct interpreter_answer *answer;
    interpreter_step(interpreter, event);
    for (unsigned rounds = 0; (answer = interpreter_take(interpreter)) != NULL; rounds++) {
        interpreter_must(rounds < INTERPRETER_ROUNDS_MAX, "the engine comes to rest");
        interpreter_step(interpreter, &answer->event);
        free(answer);
    }
}
