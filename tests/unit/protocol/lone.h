/* One core, and a shell around it that does at once whatever it is asked to: for those who sit at
 * the other end of a link, with keys of their own, and say what they like. Hospital 1 runs the
 * core; hospitals 2 and 3 are whoever the test makes them. Their keys are those of federation.h.
 *
 * Memory: the core's own, and what the shell holds, which `lone_save` and `lone_restore` put back
 * to what it was, so that one federation serves many runs. A broken promise ends the program. */
#ifndef CONSILIUM_TESTS_UNIT_PROTOCOL_LONE_H
#define CONSILIUM_TESTS_UNIT_PROTOCOL_LONE_H

#include "protocol/core/core_state.h"
#include "protocol/core/examination.h"
#include "tests/unit/protocol/federation.h"

#define LONE_UNUSED __attribute__((unused))

enum {
    LONE_SELF = 1,
    LONE_HOSPITALS = 3,
    LONE_KEPT_MAX = 1024,
    LONE_ROUNDS_MAX = 100000,
    LONE_SAID_MAX = 4096
};

struct lone_record {
    struct stream_id stream;
    uint64_t sequence;
    uint8_t *bytes;
    size_t size;
    bool has_key;
    struct record_key key;
    uint32_t flags;
};

/* A batch on its way back to the core. */
struct lone_parcel {
    struct lone_parcel *next;
    struct event event;
    uint8_t *memory;
};

struct lone_hospital {
    struct node_id node;
    struct sign_key sign_key, clinician_key;
    uint8_t sign_secret[64], clinician_secret[64];
    struct cert_id cert_id;
};

/* What the core left to be done since the last lone_forget. */
struct lone_counts {
    size_t sent, logged, hung_up, checked, told, forwarded, acked;
    size_t sent_types[256]; /* by the frame's type, to however many */
};

/* The last frame of its type that the core sent, and to whom. */
struct lone_said {
    uint8_t bytes[LONE_SAID_MAX]; /* its beginning */
    size_t size;
    uint32_t links; /* bit n: to link n */
};

struct lone {
    struct federation federation;
    struct core_config config;
    struct core *core;
    uint8_t *core_memory, *saved_memory;
    size_t core_size;
    struct lone_hospital hospitals[LONE_HOSPITALS + 1]; /* from 1 */
    struct step step;
    uint64_t now_ms, saved_ms;
    struct lone_record kept[LONE_KEPT_MAX];
    size_t kept_count, saved_count;
    struct lone_parcel *first;
    struct lone_counts counts;
    struct lone_said said[FRAME_TYPE_LAST + 1];
    uint32_t sealed, saved_sealed; /* so many keys were drawn */
    struct record_id done;         /* the last record that a post became */
    err done_verdict;
    bool has_no_room; /* the disk is full */
    /* whoever tests custody carries it out; NULL: nobody */
    void (*on_custody)(struct lone *lone, const struct effect *effect);
};

static LONE_UNUSED void lone_must(bool holds)
{
    if (!holds)
        abort();
}

static LONE_UNUSED struct event lone_event(const struct lone *lone, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .now = {lone->now_ms},
                          .wall = {FEDERATION_START_MS + FEDERATION_HOUR_MS + lone->now_ms}};
}

/* ---- parcels ---- */

static LONE_UNUSED void lone_later(struct lone *lone, const struct event *event,
                                   const struct step_batch *batch)
{
    struct lone_parcel *parcel = calloc(1, sizeof *parcel);
    size_t size = batch->run_count * sizeof *batch->runs, count = batch->record_count;
    size_t room = size + count * sizeof *batch->records;
    for (size_t i = 0; i < count; i++)
        room += 2 * batch->records[i].record.size + batch->records[i].plaintext.size;
    uint8_t *memory = calloc(1, room + 1);
    lone_must(parcel != NULL && memory != NULL);
    parcel->event = *event;
    parcel->memory = memory;
    parcel->event.batch =
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
        examination_batch(&parcel->event.batch, &rest);
    for (size_t i = 0; event->kind == EVENT_LOADED && event->link.value == 0 && i < count; i++)
        examination_open(&records[i], &rest);
    struct lone_parcel **end = &lone->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = parcel;
}

/* ---- the disk ---- */

static LONE_UNUSED struct lone_record *lone_kept(struct lone *lone, const struct stream_id *stream,
                                                 uint64_t sequence)
{
    for (size_t i = 0; i < lone->kept_count; i++) {
        if (lone->kept[i].sequence == sequence && stream_id_equal(&lone->kept[i].stream, stream))
            return &lone->kept[i];
    }
    return NULL;
}

/* What is kept follows what was kept; what is filled was there. */
static LONE_UNUSED void lone_write(struct lone *lone, const struct step_run *run,
                                   const struct step_record *record)
{
    struct record_claim claim;
    lone_must(record_parse(record->record, &claim) == OK);
    const struct record_header *header = &claim.header;
    struct lone_record *place = lone_kept(lone, &header->stream, header->sequence);
    lone_must(run->is_fill == (place != NULL));
    lone_must(run->is_fill || header->sequence == 1 ||
              lone_kept(lone, &header->stream, header->sequence - 1) != NULL);
    if (place == NULL)
        place = &lone->kept[lone->kept_count++];
    else if (place->flags & RECORD_DESTROYED)
        return;
    size_t size = (record->flags & RECORD_BARE) ? (size_t)RECORD_BARE_SIZE : record->record.size;
    uint8_t *bytes = malloc(size);
    lone_must(bytes != NULL);
    memcpy(bytes, record->record.data, size);
    free(place->bytes);
    *place = (struct lone_record){header->stream,  header->sequence, bytes,        size,
                                  record->has_key, record->key,      record->flags};
}

static LONE_UNUSED err lone_keep(struct lone *lone, const struct step_batch *batch)
{
    const struct step_record *record = batch->records;
    if (lone->has_no_room || lone->kept_count + batch->record_count > LONE_KEPT_MAX)
        return ERR_FULL;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++)
            lone_write(lone, &batch->runs[i], record++);
    }
    return OK;
}

static LONE_UNUSED void lone_load(struct lone *lone, const struct effect *effect)
{
    static struct step_record records[STEP_RECORD_COUNT_MAX];
    struct step_batch batch = {NULL, 0, records, 0};
    size_t size = 0;
    for (uint64_t i = 0; i < effect->load.count && i < STEP_RECORD_COUNT_MAX; i++) {
        const struct lone_record *from =
            lone_kept(lone, &effect->load.stream, effect->load.from + i);
        size += from == NULL ? 0 : from->size + FRAME_RECORD_OVERHEAD;
        if (from == NULL || (batch.record_count > 0 && size > effect->load.size_max))
            break;
        records[batch.record_count++] = (struct step_record){.record = {from->bytes, from->size},
                                                             .has_key = from->has_key,
                                                             .key = from->key,
                                                             .flags = from->flags};
    }
    struct event event = lone_event(lone, EVENT_LOADED);
    event.link = effect->link;
    event.token = effect->token;
    lone_later(lone, &event, &batch);
}

static LONE_UNUSED void lone_destroy(struct lone *lone, const struct effect *effect)
{
    struct event event = lone_event(lone, EVENT_DESTROYED);
    event.destroyed.scope = effect->destroy.scope;
    event.destroyed.erase = effect->destroy.erase;
    event.destroyed.backups_until.ms = event.wall.ms + 1000;
    for (size_t i = 0; i < lone->kept_count; i++) {
        struct lone_record *record = &lone->kept[i];
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
    struct lone_parcel *parcel = calloc(1, sizeof *parcel);
    lone_must(parcel != NULL);
    parcel->event = event;
    struct lone_parcel **end = &lone->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = parcel;
}

/* ---- effects ---- */

static LONE_UNUSED void lone_seal(struct lone *lone, const struct effect *effect)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_secrets secrets = {.sign_secret = lone->hospitals[LONE_SELF].sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    struct step_record record = {.flags = RECORD_OWN, .plaintext = effect->seal.plaintext};
    struct step_batch batch = {NULL, 0, &record, 1};
    struct event event = lone_event(lone, EVENT_SEALED);
    lone->sealed++;
    memcpy(secrets.key.bytes, &lone->sealed, sizeof lone->sealed);
    event.token = effect->token;
    event.verdict = record_seal(&effect->seal.header, effect->seal.plaintext, &secrets, &out, &id);
    record.record = buffer_bytes(&out);
    record.has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record.has_key)
        record.key = secrets.key;
    lone_later(lone, &event, &batch);
}

/* Whatever the core says is well formed. */
static LONE_UNUSED void lone_sent(struct lone *lone, const struct effect *effect)
{
    struct bytes frame = effect->send.frame;
    struct reader reader;
    uint16_t count;
    struct frame_hello hello;
    struct frame_want want;
    struct frame_summary summary;
    struct frame_status status;
    lone_must(frame.size > 0 && frame.size <= (size_t)FRAME_SIZE_MAX);
    lone->counts.sent++;
    lone->counts.sent_types[frame.data[0]]++;
    lone_must(frame.data[0] <= FRAME_TYPE_LAST);
    struct lone_said *said = &lone->said[frame.data[0]];
    said->size = frame.size < LONE_SAID_MAX ? frame.size : (size_t)LONE_SAID_MAX;
    memcpy(said->bytes, frame.data, said->size);
    said->links = 0;
    for (size_t i = 0; i < effect->send.link_count; i++)
        said->links |= 1u << effect->send.links[i].value;
    if (frame.data[0] == FRAME_HELLO)
        lone_must(frame_hello_read(frame, &hello) == OK);
    else if (frame.data[0] == FRAME_WANT)
        lone_must(frame_want_read(frame, &want) == OK);
    else if (frame.data[0] == FRAME_SUMMARY)
        lone_must(frame_summary_read(frame, &summary) == OK);
    else if (frame.data[0] == FRAME_STATUS)
        lone_must(frame_status_read(frame, &status) == OK);
    else if (frame.data[0] == FRAME_RECORDS)
        lone_must(frame_records_open(frame, &reader, &count) == OK);
    else if (frame.data[0] == FRAME_STREAMS || frame.data[0] == FRAME_ACK)
        lone_must(frame_positions_open(frame, &reader, &count) == OK);
    else
        lone_must(frame.data[0] == FRAME_HEADS_WANT || frame.data[0] >= FRAME_CUSTODY_LEAVE);
}

static LONE_UNUSED void lone_custody(struct lone *lone, const struct effect *effect)
{
    if (lone->on_custody != NULL)
        lone->on_custody(lone, effect);
}

static LONE_UNUSED void lone_perform(struct lone *lone, const struct effect *effect)
{
    struct event event;
    switch (effect->kind) {
    case EFFECT_CHECK:
        event = lone_event(lone, EVENT_CHECKED);
        event.link = effect->link;
        lone->counts.checked += effect->batch.run_count;
        lone_later(lone, &event, &effect->batch);
        break;
    case EFFECT_KEEP:
        event = lone_event(lone, EVENT_KEPT);
        event.link = effect->link;
        event.token = effect->token;
        event.verdict = lone_keep(lone, &effect->batch);
        lone_later(lone, &event, &effect->batch);
        break;
    case EFFECT_SEAL:
        lone_seal(lone, effect);
        break;
    case EFFECT_LOAD:
        lone_load(lone, effect);
        break;
    case EFFECT_SEND:
        lone_sent(lone, effect);
        break;
    case EFFECT_HANGUP:
        lone->counts.hung_up++;
        break;
    case EFFECT_DONE:
        lone->done = effect->done.record;
        lone->done_verdict = effect->done.verdict;
        break;
    case EFFECT_DESTROY:
        lone_destroy(lone, effect);
        break;
    case EFFECT_TOLD:
        lone->counts.told++;
        break;
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
        lone->counts.forwarded++;
        break;
    case EFFECT_REST: /* nothing answers: all stay awake */
    case EFFECT_WAKE:
    case EFFECT_LOG:
        lone->counts.logged++;
        break;
    case EFFECT_ACKED:
        lone->counts.acked++;
        break;
    case EFFECT_CUSTODY:
        lone_custody(lone, effect);
        break;
    case EFFECT_FORKED:
    case EFFECT_FORKS:
    case EFFECT_GENERATION:
    case EFFECT_RETRACT:
        break;
    }
}

/* One event, and all that follows from it. */
static LONE_UNUSED void lone_give(struct lone *lone, const struct event *given)
{
    struct lone_parcel *parcel = NULL;
    struct event event = *given;
    for (unsigned rounds = 0; rounds < LONE_ROUNDS_MAX; rounds++) {
        core_step(lone->core, &event, &lone->step);
        for (size_t i = 0; i < lone->step.effect_count; i++)
            lone_perform(lone, &lone->step.effects[i]);
        if (parcel != NULL)
            free(parcel->memory);
        free(parcel);
        parcel = lone->first;
        if (parcel == NULL)
            return;
        lone->first = parcel->next;
        event = parcel->event;
    }
    abort(); /* it never comes to rest */
}

static LONE_UNUSED void lone_tick(struct lone *lone, uint64_t ms)
{
    lone->now_ms += ms;
    struct event event = lone_event(lone, EVENT_TICK);
    lone_give(lone, &event);
    for (unsigned i = 0; core_busy(lone->core) && i < 100; i++)
        lone_give(lone, &event);
}

static LONE_UNUSED void lone_hear(struct lone *lone, uint32_t link, struct bytes frame)
{
    struct event event = lone_event(lone, EVENT_FRAME);
    event.link.value = link;
    event.frame = frame;
    lone_give(lone, &event);
}

#endif
