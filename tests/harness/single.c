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

/* ---- parcels ---- */

static void single_later(struct single *single, const struct event *event,
                         const struct step_batch *batch)
{
    struct single_batch_buffer *batch_buffer = calloc(1, sizeof *batch_buffer);
    size_t size = batch->run_count * sizeof *batch->runs, count = batch->record_count;
    size_t room = size + count * sizeof *batch->records;
    for (size_t i = 0; i < count; i++)
        room += 2 * batch->records[i].record.size + batch->records[i].plaintext.size;
    uint8_t *memory = calloc(1, room + 1);
    single_must(batch_buffer != NULL && memory != NULL);
    batch_buffer->event = *event;
    batch_buffer->memory = memory;
    batch_buffer->event.batch =
        (struct step_batch){(void *)memory, batch->run_count, (void *)(memory + size), count};
    if (size > 0)
        memcpy(memory, batch->runs, size);
    struct buffer out = buffer_over(memory + size, room - size);
    struct step_record *records = (void *)buffer_reserve(&out, count * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        records[i] = batch->records[i];
        records[i].record.data = out.data + out.size;
        buffer_put(&out, batch->records[i].record.data, records[i].record.size);
        records[i].plaintext.data = out.data + out.size;
        buffer_put(&out, batch->records[i].plaintext.data, records[i].plaintext.size);
    }
    struct buffer rest = buffer_over(out.data + out.size, out.capacity - out.size);
    if (event->kind == EVENT_CHECKED)
        batch_verify_batch(&batch_buffer->event.batch, &rest);
    for (size_t i = 0; event->kind == EVENT_LOADED && event->link.value == 0 && i < count; i++)
        batch_verify_open(&records[i], &rest);
    struct single_batch_buffer **end = &single->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = batch_buffer;
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

static err single_keep(struct single *single, const struct step_batch *batch)
{
    const struct step_record *record = batch->records;
    if (single->has_no_room || single->kept_count + batch->record_count > SINGLE_KEPT_MAX)
        return ERR_FULL;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++)
            single_write(single, &batch->runs[i], record++);
    }
    return OK;
}

static void single_load(struct single *single, const struct effect *effect)
{
    static struct step_record records[STEP_RECORD_COUNT_MAX];
    struct step_batch batch = {NULL, 0, records, 0};
    size_t size = 0;
    for (uint64_t i = 0; i < effect->load.count && i < STEP_RECORD_COUNT_MAX; i++) {
        const struct single_record *from =
            single_kept(single, &effect->load.stream, effect->load.from + i);
        size += from == NULL ? 0 : from->size + FRAME_RECORD_OVERHEAD;
        if (from == NULL || (batch.record_count > 0 && size > effect->load.size_max))
            break;
        records[batch.record_count++] = (struct step_record){.record = {from->bytes, from->size},
                                                             .has_key = from->has_key,
                                                             .key = from->key,
                                                             .flags = from->flags};
    }
    struct event event = single_event(single, EVENT_LOADED);
    event.link = effect->link;
    event.token = effect->token;
    single_later(single, &event, &batch);
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
    struct single_batch_buffer *batch_buffer = calloc(1, sizeof *batch_buffer);
    single_must(batch_buffer != NULL);
    batch_buffer->event = event;
    struct single_batch_buffer **end = &single->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = batch_buffer;
}

/* ---- effects ---- */

static void single_seal(struct single *single, const struct effect *effect)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_secrets secrets = {.sign_secret = single->hospitals[SINGLE_SELF].sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    struct step_record record = {.flags = RECORD_OWN, .plaintext = effect->seal.plaintext};
    struct step_batch batch = {NULL, 0, &record, 1};
    struct event event = single_event(single, EVENT_SEALED);
    single->sealed++;
    memcpy(secrets.key.bytes, &single->sealed, sizeof single->sealed);
    event.token = effect->token;
    event.verdict = record_seal(&effect->seal.header, effect->seal.plaintext, &secrets, &out, &id);
    record.record = buffer_bytes(&out);
    record.has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record.has_key)
        record.key = secrets.key;
    single_later(single, &event, &batch);
}

/* Whatever the core says is well formed. */
static void single_sent(struct single *single, const struct effect *effect)
{
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

static void single_custody(struct single *single, const struct effect *effect)
{
    if (single->on_custody != NULL)
        single->on_custody(single, effect);
}

static void single_perform(struct single *single, const struct effect *effect)
{
    struct event event;
    switch (effect->kind) {
    case EFFECT_CHECK:
        event = single_event(single, EVENT_CHECKED);
        event.link = effect->link;
        single->counts.checked += effect->batch.run_count;
        single_later(single, &event, &effect->batch);
        break;
    case EFFECT_KEEP:
        event = single_event(single, EVENT_KEPT);
        event.link = effect->link;
        event.token = effect->token;
        event.verdict = single_keep(single, &effect->batch);
        single_later(single, &event, &effect->batch);
        break;
    case EFFECT_SEAL:
        single_seal(single, effect);
        break;
    case EFFECT_LOAD:
        single_load(single, effect);
        break;
    case EFFECT_SEND:
        single_sent(single, effect);
        break;
    case EFFECT_HANGUP:
        single->counts.hung_up++;
        break;
    case EFFECT_DONE:
        single->done = effect->done.record;
        single->done_verdict = effect->done.verdict;
        break;
    case EFFECT_DESTROY:
        single_destroy(single, effect);
        break;
    case EFFECT_TOLD:
        single->counts.told++;
        break;
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
        single->counts.forwarded++;
        break;
    case EFFECT_REST: /* nothing answers: all stay awake */
    case EFFECT_WAKE:
    case EFFECT_LOG:
        single->counts.logged++;
        break;
    case EFFECT_ACKED:
        single->counts.acked++;
        break;
    case EFFECT_CUSTODY:
        single_custody(single, effect);
        break;
    case EFFECT_FORKED:
    case EFFECT_FORKS:
    case EFFECT_GENERATION:
    case EFFECT_RETRACT:
        break;
    }
}

void single_give(struct single *single, const struct event *given)
{
    struct single_batch_buffer *batch_buffer = NULL;
    struct event event = *given;
    for (unsigned rounds = 0; rounds < SINGLE_ROUNDS_MAX; rounds++) {
        engine_step(single->engine, &event, &single->step);
        for (size_t i = 0; i < single->step.effect_count; i++)
            single_perform(single, &single->step.effects[i]);
        if (batch_buffer != NULL)
            free(batch_buffer->memory);
        free(batch_buffer);
        batch_buffer = single->first;
        if (batch_buffer == NULL)
            return;
        single->first = batch_buffer->next;
        event = batch_buffer->event;
    }
    abort(); /* it never comes to rest */
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
