#include "tests/harness/single.h"

#include "protocol/replication/batch_verify.h"

void single_must(bool holds)
{
    if (!holds)
        abort();
}

struct event single_event(const struct single *single, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .now = {single->now_ms},
                          .wall = {FEDERATION_START_MS + FEDERATION_HOUR_MS + single->now_ms}};
}

/* ---- the disk ---- */

struct single_record *single_kept(struct single *single, const struct stream_id *stream,
                                  uint64_t sequence)
{
    for (size_t i = 0; i < single->kept_count; i++) {
        if (single->kept[i].sequence == sequence &&
            stream_id_equal(&single->kept[i].stream, stream))
            return &single->kept[i];
    }
    return NULL;
}

/* What is kept follows what was kept; what is filled was there. */
static void single_write(struct single *single, const struct step_run *run,
                         const struct step_record *record)
{
    struct record_claim claim;
    single_must(record_parse(record->record, &claim) == OK);
    const struct record_header *header = &claim.header;
    struct single_record *place = single_kept(single, &header->stream, header->sequence);
    single_must(step_run_fills(run) == (place != NULL));
    single_must(step_run_fills(run) || header->sequence == 1 ||
                single_kept(single, &header->stream, header->sequence - 1) != NULL);
    if (place == NULL)
        place = &single->kept[single->kept_count++];
    else if (place->flags & RECORD_DESTROYED)
        return;
    size_t size = (record->flags & RECORD_BARE) ? (size_t)RECORD_BARE_SIZE : record->record.size;
    uint8_t *bytes = malloc(size);
    single_must(bytes != NULL);
    memcpy(bytes, record->record.data, size);
    free(place->bytes);
    *place = (struct single_record){header->stream,  header->sequence, bytes,        size,
                                    record->has_key, record->key,      record->flags};
}

static err single_store(void *arg, const struct effect *effect)
{
    struct single *single = arg;
    const struct step_batch *batch = &effect->batch;
    const struct step_record *record = batch->records;
    if (single->has_no_room || single->kept_count + batch->record_count > SINGLE_KEPT_MAX)
        return ERR_FULL;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++)
            single_write(single, &batch->runs[i], record++);
    }
    return OK;
}

static bool single_load(void *arg, const struct effect *effect, uint64_t sequence,
                        struct step_record *ret_record)
{
    struct single *single = arg;
    const struct single_record *from = single_kept(single, &effect->load.stream, sequence);
    if (from == NULL || effect->load.is_by_id)
        return false;
    *ret_record = (struct step_record){.record = {from->bytes, from->size},
                                       .has_key = from->has_key,
                                       .key = from->key,
                                       .flags = from->flags};
    return true;
}

static void single_destroy(struct single *single, const struct effect *effect)
{
    struct event event = single_event(single, EVENT_DESTROYED);
    event.destroyed.scope = effect->destroy.scope;
    event.destroyed.erase = effect->destroy.erase;
    event.destroyed.backups_until.ms = event.wall.ms + 1000;
    for (size_t i = 0; i < single->kept_count; i++) {
        struct single_record *record = &single->kept[i];
        struct record_claim claim;
        if (!scope_equal(&record->stream.scope, &effect->destroy.scope) ||
            record_parse((struct bytes){record->bytes, record->size}, &claim) != OK ||
            claim.header.audience == AUDIENCE_CLEAR)
            continue;
        record->size = RECORD_BARE_SIZE;
        record->has_key = false;
        record->flags |= RECORD_DESTROYED | RECORD_BARE;
        event.destroyed.record_count++;
    }
    interpreter_answer(&single->interpreter, &event);
}

/* ---- effects ---- */

static void single_check(void *arg, struct step_batch *batch, struct buffer *memory)
{
    struct single *single = arg;
    single->counts.checked += batch->run_count;
    batch_verify_batch(batch, memory);
}

static err single_seal(void *arg, const struct effect *effect, struct record_secrets *ret_secrets)
{
    struct single *single = arg;
    (void)effect;
    single->sealed++;
    ret_secrets->sign_secret = single->hospitals[SINGLE_SELF].sign_secret;
    memcpy(ret_secrets->key.bytes, &single->sealed, sizeof single->sealed);
    return OK;
}

/* Whatever the core says is well formed. */
static void single_send(void *arg, const struct effect *effect)
{
    struct single *single = arg;
    struct bytes frame = effect->send.frame;
    struct reader reader;
    uint16_t count;
    struct frame_hello hello;
    struct frame_want want;
    struct frame_summary summary;
    struct frame_status status;
    single_must(frame.size > 0 && frame.size <= (size_t)FRAME_SIZE_MAX);
    single->counts.sent++;
    single->counts.sent_types[frame.data[0]]++;
    single_must(frame.data[0] <= FRAME_TYPE_LAST);
    struct single_said *said = &single->said[frame.data[0]];
    said->size = frame.size < SINGLE_SAID_MAX ? frame.size : (size_t)SINGLE_SAID_MAX;
    memcpy(said->bytes, frame.data, said->size);
    said->links = 0;
    for (size_t i = 0; i < effect->send.link_count; i++)
        said->links |= 1u << effect->send.links[i].value;
    if (frame.data[0] == FRAME_HELLO)
        single_must(frame_hello_read(frame, &hello) == OK);
    else if (frame.data[0] == FRAME_WANT)
        single_must(frame_want_read(frame, &want) == OK);
    else if (frame.data[0] == FRAME_SUMMARY)
        single_must(frame_summary_read(frame, &summary) == OK);
    else if (frame.data[0] == FRAME_STATUS)
        single_must(frame_status_read(frame, &status) == OK);
    else if (frame.data[0] == FRAME_RECORDS)
        single_must(frame_records_open(frame, &reader, &count) == OK);
    else if (frame.data[0] == FRAME_STREAMS || frame.data[0] == FRAME_ACK)
        single_must(frame_positions_open(frame, &reader, &count) == OK);
    else
        single_must(frame.data[0] == FRAME_HEADS_WANT || frame.data[0] >= FRAME_CUSTODY_LEAVE);
}

static void single_notify(void *arg, const struct effect *effect)
{
    struct single *single = arg;
    if (effect->kind == EFFECT_HANGUP) {
        single->counts.hung_up++;
    } else if (effect->kind == EFFECT_DONE) {
        single->done = effect->done.record;
        single->done_verdict = effect->done.verdict;
    } else if (effect->kind == EFFECT_DESTROY) {
        single_destroy(single, effect);
    } else if (effect->kind == EFFECT_TOLD) {
        single->counts.told++;
    } else if (effect->kind == EFFECT_ITEMS || effect->kind == EFFECT_HEADS) {
        single->counts.forwarded++;
    } else if (effect->kind == EFFECT_LOG || effect->kind == EFFECT_REST) {
        single->counts.logged++; /* no EFFECT_REST is answered: all cases stay awake */
    } else if (effect->kind == EFFECT_ACKED) {
        single->counts.acked++;
    } else if (effect->kind == EFFECT_CUSTODY && single->on_custody != NULL) {
        single->on_custody(single, effect);
    }
}

static struct event single_now(const void *arg, enum event_kind kind)
{
    return single_event(arg, kind);
}

static const struct interpreter_calls single_calls = {.event = single_now,
                                                      .store = single_store,
                                                      .load = single_load,
                                                      .check = single_check,
                                                      .seal = single_seal,
                                                      .send = single_send,
                                                      .notify = single_notify};

void single_start(struct single *single, struct engine *engine)
{
    struct event event = single_event(single, EVENT_START);
    single->engine = engine;
    interpreter_init(&single->interpreter, engine, &single->step, &single_calls, single);
    single_give(single, &event);
}

void single_give(struct single *single, const struct event *event)
{
    interpreter_give(&single->interpreter, event);
}

void single_tick(struct single *single, uint64_t ms)
{
    single->now_ms += ms;
    struct event event = single_event(single, EVENT_TICK);
    single_give(single, &event);
    for (unsigned i = 0; engine_busy(single->engine) && i < 100; i++)
        single_give(single, &event);
}

void single_hear(struct single *single, uint32_t link, struct bytes frame)
{
    struct event event = single_event(single, EVENT_FRAME);
    event.link.value = link;
    event.frame = frame;
    single_give(single, &event);
}
