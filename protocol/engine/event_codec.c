#include "protocol/engine/event_codec.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/hash.h"

/* A field that is added there is added to its walk below, and only then counted here. */
#define TAPE_KNOWS(type, size) static_assert(sizeof(void *) != 8 || sizeof(type) == (size), #type)
TAPE_KNOWS(struct step_run, 64);
TAPE_KNOWS(struct step_record, 120);
TAPE_KNOWS(struct record_header, 256);
TAPE_KNOWS(struct engine_config, 168);
TAPE_KNOWS(struct step_held, 80);
TAPE_KNOWS(((struct effect *)NULL)->enclose, 56);
TAPE_KNOWS(((struct event *)NULL)->stream, 112);
TAPE_KNOWS(((struct event *)NULL)->missing, 104);
TAPE_KNOWS(((struct event *)NULL)->replay, 40);
TAPE_KNOWS(((struct event *)NULL)->post, 64);
TAPE_KNOWS(((struct event *)NULL)->destroyed, 112);
TAPE_KNOWS(((struct effect *)NULL)->seal, 280);
TAPE_KNOWS(((struct effect *)NULL)->load, 160);
TAPE_KNOWS(((struct effect *)NULL)->done, 48);
TAPE_KNOWS(((struct effect *)NULL)->told, 88);
TAPE_KNOWS(((struct effect *)NULL)->log, 32);

/* One walk over each event serves writing, reading and hashing, so that the three cannot differ. */
enum tape_mode { TAPE_WRITE, TAPE_READ, TAPE_HASH };

struct tape {
    enum tape_mode mode;
    struct buffer *out;
    struct reader in;
    struct hash sum; /* of what was hashed before `block` */
    uint8_t block[512];
    size_t block_size;
    bool failed;
};

static void tape_hash_more(struct tape *tape, struct bytes more)
{
    struct bytes parts[] = {{tape->sum.bytes, HASH_SIZE}, {tape->block, tape->block_size}, more};
    tape->sum = hash_parts(CONTEXT_TRANSCRIPT, parts, 3);
    tape->block_size = 0;
}

static void tape_raw(struct tape *tape, void *data, size_t size)
{
    switch (tape->mode) {
    case TAPE_WRITE:
        buffer_put(tape->out, data, size);
        break;
    case TAPE_READ:
        reader_copy(&tape->in, data, size);
        break;
    case TAPE_HASH:
        if (tape->block_size + size > sizeof tape->block)
            tape_hash_more(tape, BYTES_NONE);
        assert(size <= sizeof tape->block);
        memcpy(tape->block + tape->block_size, data, size);
        tape->block_size += size;
        break;
    }
}

/* A bool, an enum or an unsigned integer, as this machine keeps it. */
#define TAPE(tape, field) tape_raw(tape, &(field), sizeof(field))
#define TAPE_ID(tape, id) tape_raw(tape, (id).bytes, sizeof(id).bytes)

/* A bool that is read is 0 or 1, whatever the file says. */
static void tape_bool(struct tape *tape, bool *flag)
{
    uint8_t value = *flag ? 1 : 0;
    tape_raw(tape, &value, 1);
    *flag = value != 0;
}

static void tape_bytes(struct tape *tape, struct bytes *span)
{
    uint32_t size = (uint32_t)span->size;
    TAPE(tape, size);
    switch (tape->mode) {
    case TAPE_WRITE:
        if (size > 0)
            buffer_put(tape->out, span->data, size);
        break;
    case TAPE_READ:
        *span = reader_take(&tape->in, size);
        break;
    case TAPE_HASH:
        tape_hash_more(tape, *span);
        break;
    }
}

static void tape_scope(struct tape *tape, struct scope *scope)
{
    TAPE(tape, scope->kind);
    tape_raw(tape, scope->id, sizeof scope->id);
}

static void tape_stream(struct tape *tape, struct stream_id *stream)
{
    tape_scope(tape, &stream->scope);
    TAPE_ID(tape, stream->writer);
    TAPE(tape, stream->generation);
}

static void tape_header(struct tape *tape, struct record_header *header)
{
    TAPE_ID(tape, header->federation);
    tape_stream(tape, &header->stream);
    TAPE(tape, header->audience);
    TAPE(tape, header->sequence);
    TAPE_ID(tape, header->previous);
    TAPE_ID(tape, header->head);
    TAPE(tape, header->time.ms);
    TAPE(tape, header->expires.ms);
    TAPE_ID(tape, header->key_commitment);
    TAPE(tape, header->body_size);
    TAPE_ID(tape, header->body_hash);
}

/* A purpose is six flags in a recording, in this order: fill, conflict, alternate, detached,
 * lookup, repair; a repair is a fill, too. */
static void tape_purpose(struct tape *tape, enum run_purpose *purpose)
{
    enum { FLAG_COUNT = 6 };
    static const bool flags_of[RUN_PURPOSE_COUNT][FLAG_COUNT] = {
        [RUN_EXTEND] = {false},
        [RUN_FILL] = {true},
        [RUN_CONFLICT] = {false, true},
        [RUN_ALTERNATE] = {false, false, true},
        [RUN_DETACHED] = {false, false, false, true},
        [RUN_LOOKUP] = {false, false, false, false, true},
        [RUN_REPAIR] = {true, false, false, false, false, true},
    };
    bool flags[FLAG_COUNT] = {false};
    if (tape->mode != TAPE_READ)
        memcpy(flags, flags_of[*purpose], sizeof flags);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        tape_bool(tape, &flags[i]);
    if (tape->mode != TAPE_READ)
        return;
    for (size_t i = 0; i < RUN_PURPOSE_COUNT; i++) {
        if (memcmp(flags, flags_of[i], sizeof flags) == 0) {
            *purpose = (enum run_purpose)i;
            return;
        }
    }
    tape->failed = true;
}

/* Two flags in one byte, the first of which older recordings have alone. */
static void tape_sender(struct tape *tape, struct step_run *run)
{
    enum { IS_FROM_WRITER = 1, IS_VOUCHED = 2 };
    uint8_t flags =
        (uint8_t)((run->is_from_writer ? IS_FROM_WRITER : 0) | (run->is_vouched ? IS_VOUCHED : 0));
    tape_raw(tape, &flags, 1);
    run->is_from_writer = (flags & IS_FROM_WRITER) != 0;
    run->is_vouched = (flags & IS_VOUCHED) != 0;
}

static void tape_run(struct tape *tape, struct step_run *run)
{
    TAPE(tape, run->stream);
    TAPE(tape, run->speculation);
    TAPE(tape, run->first);
    TAPE(tape, run->count);
    tape_purpose(tape, &run->purpose);
    TAPE_ID(tape, run->key);
    TAPE(tape, run->verdict);
    tape_sender(tape, run);
}

static void tape_record(struct tape *tape, struct step_record *record)
{
    tape_bytes(tape, &record->record);
    TAPE_ID(tape, record->id);
    tape_bool(tape, &record->has_key);
    TAPE_ID(tape, record->key);
    TAPE(tape, record->flags);
    TAPE(tape, record->verdict);
    tape_bytes(tape, &record->plaintext);
    TAPE(tape, record->charge);
}

/* `room` is NULL but for reading. */
static void tape_batch(struct tape *tape, struct step_batch *batch, struct event_codec_room *room)
{
    uint32_t runs = (uint32_t)batch->run_count, records = (uint32_t)batch->record_count;
    TAPE(tape, runs);
    TAPE(tape, records);
    if (tape->mode == TAPE_READ) {
        if (runs > STEP_RUN_COUNT_MAX || records > STEP_RECORD_COUNT_MAX) {
            tape->failed = true;
            return;
        }
        memset(room, 0, sizeof *room);
        *batch = (struct step_batch){room->runs, runs, room->records, records};
    }
    for (size_t i = 0; i < runs; i++)
        tape_run(tape, &batch->runs[i]);
    for (size_t i = 0; i < records; i++)
        tape_record(tape, &batch->records[i]);
}

static void tape_rest(struct tape *tape, struct case_id *case_id, struct bytes *row)
{
    TAPE_ID(tape, *case_id);
    tape_bytes(tape, row);
}

/* ---- events ---- */

static void tape_restored_stream(struct tape *tape, struct event *event)
{
    tape_stream(tape, &event->stream.id);
    TAPE(tape, event->stream.tail);
    TAPE_ID(tape, event->stream.tail_id);
    TAPE(tape, event->stream.epoch);
    TAPE(tape, event->stream.flags);
}

static void tape_restored_missing(struct tape *tape, struct event *event)
{
    tape_stream(tape, &event->missing.id);
    TAPE(tape, event->missing.sequence);
    TAPE_ID(tape, event->missing.record);
    TAPE(tape, event->missing.flags);
    tape_bool(tape, &event->missing.is_sealed);
}

static void tape_post(struct tape *tape, struct event *event)
{
    tape_scope(tape, &event->post.scope);
    TAPE(tape, event->post.audience);
    tape_bytes(tape, &event->post.plaintext);
    TAPE(tape, event->post.expires.ms);
}

static void tape_destroyed(struct tape *tape, struct event *event)
{
    tape_scope(tape, &event->destroyed.scope);
    TAPE_ID(tape, event->destroyed.erase);
    TAPE(tape, event->destroyed.record_count);
    TAPE(tape, event->destroyed.item_count);
    TAPE(tape, event->destroyed.chunk_count);
    TAPE(tape, event->destroyed.index_count);
    TAPE(tape, event->destroyed.backups_until.ms);
}

static void tape_held(struct tape *tape, struct step_held *held)
{
    TAPE_ID(tape, held->depositor);
    TAPE_ID(tape, held->recipient);
    TAPE_ID(tape, held->id);
    TAPE(tape, held->until.ms);
    TAPE(tape, held->size);
}

static void tape_report(struct tape *tape, struct event *event)
{
    TAPE_ID(tape, event->report.peer);
    tape_stream(tape, &event->report.stream);
    TAPE(tape, event->report.had);
}

static void tape_custody(struct tape *tape, struct event *event)
{
    TAPE(tape, event->custody);
    if (event->kind == EVENT_RESTORE_REPORT)
        tape_report(tape, event);
    else if (event->kind == EVENT_RESTORE_HELD)
        tape_held(tape, &event->held);
    else if (event->kind == EVENT_RESTORE_MAILBOX || event->custody == CUSTODY_MAILBOX)
        TAPE_ID(tape, event->mailbox);
    else if (event->custody != CUSTODY_HOLD)
        tape_bytes(tape, &event->letter);
}

static void tape_generation(struct tape *tape, struct event *event)
{
    tape_stream(tape, &event->generation.stream);
    TAPE(tape, event->generation.opened_at.ms);
    tape_bool(tape, &event->generation.is_ended);
}

static void tape_link(struct tape *tape, struct event *event)
{
    if (event->kind == EVENT_LINK_UP) {
        TAPE_ID(tape, event->peer);
        return;
    }
    TAPE(tape, event->relay_head.epoch);
    TAPE_ID(tape, event->relay_head.head);
}

static void tape_marker(struct tape *tape, struct event *event)
{
    tape_stream(tape, &event->marker.stream);
    TAPE(tape, event->marker.sequence);
}

static void tape_event_body(struct tape *tape, struct event *event, struct event_codec_room *room)
{
    switch (event->kind) {
    case EVENT_RESTORE_STREAM:
        tape_restored_stream(tape, event);
        break;
    case EVENT_RESTORE_MISSING:
        tape_restored_missing(tape, event);
        break;
    case EVENT_RESTORE_WRITER:
        TAPE_ID(tape, event->writer.node);
        TAPE(tape, event->writer.used_kib);
        break;
    case EVENT_RESTORE_FORKS:
        tape_bytes(tape, &event->forks);
        break;
    case EVENT_RESTORE_CASE:
    case EVENT_WOKEN:
    case EVENT_RESTED:
        tape_rest(tape, &event->rest.case_id, &event->rest.row);
        break;
    case EVENT_RESTORE_GENERATION:
        tape_generation(tape, event);
        break;
    case EVENT_RESTORE_MARKER:
        tape_marker(tape, event);
        break;
    case EVENT_RESTORE_REPORT:
    case EVENT_RESTORE_MAILBOX:
    case EVENT_RESTORE_HELD:
    case EVENT_CUSTODY:
        tape_custody(tape, event);
        break;
    case EVENT_LINK_UP:
    case EVENT_RELAY_HEAD:
        tape_link(tape, event);
        break;
    case EVENT_REPLAY:
        tape_batch(tape, &event->replay.batch, room);
        tape_bool(tape, &event->replay.is_again);
        break;
    case EVENT_START:
        TAPE(tape, event->start);
        break;
    case EVENT_FRAME:
        tape_bytes(tape, &event->frame);
        break;
    case EVENT_CHECKED:
    case EVENT_SEALED:
    case EVENT_KEPT:
    case EVENT_LOADED:
        tape_batch(tape, &event->batch, room);
        break;
    case EVENT_POST:
        tape_post(tape, event);
        break;
    case EVENT_DESTROYED:
        tape_destroyed(tape, event);
        break;
    case EVENT_TICK:
    case EVENT_LINK_DOWN:
    case EVENT_ROSTER:
    case EVENT_SECOND:
        break;
    }
}

static void tape_event(struct tape *tape, struct event *event, struct event_codec_room *room)
{
    TAPE(tape, event->kind);
    TAPE(tape, event->now.ms);
    TAPE(tape, event->wall.ms);
    TAPE(tape, event->link.value);
    TAPE(tape, event->token.value);
    TAPE(tape, event->verdict);
    tape_event_body(tape, event, room);
}

void event_codec_event_write(const struct event *event, struct buffer *buffer)
{
    struct tape tape = {.mode = TAPE_WRITE, .out = buffer};
    struct event copy = *event;
    tape_event(&tape, &copy, NULL);
}

err event_codec_event_read(struct bytes all, struct event_codec_room *room, struct event *ret_event)
{
    struct tape tape = {.mode = TAPE_READ, .in = reader_of(all)};
    struct event event = {0};
    tape_event(&tape, &event, room);
    if (tape.failed || !reader_done(&tape.in))
        return ERR_MALFORMED;
    *ret_event = event;
    return OK;
}

/* ---- effects ---- */

static void tape_send(struct tape *tape, struct effect *effect)
{
    uint32_t count = (uint32_t)effect->send.link_count;
    TAPE(tape, count);
    for (size_t i = 0; i < count; i++) {
        struct link_id link = effect->send.links[i];
        TAPE(tape, link.value);
    }
    tape_bytes(tape, &effect->send.frame);
}

static void tape_log(struct tape *tape, struct effect *effect)
{
    struct bytes event = bytes_of_text(effect->log.event);
    tape_bytes(tape, &event);
    TAPE_ID(tape, effect->log.peer);
    TAPE(tape, effect->log.verdict);
}

static void tape_load(struct tape *tape, struct effect *effect)
{
    TAPE(tape, effect->load.slot);
    tape_stream(tape, &effect->load.stream);
    TAPE(tape, effect->load.from);
    tape_bool(tape, &effect->load.is_by_id);
    TAPE_ID(tape, effect->load.id);
    TAPE(tape, effect->load.count);
    TAPE(tape, effect->load.size_max);
    tape_bool(tape, &effect->load.has_signer);
    TAPE_ID(tape, effect->load.signer);
}

static void tape_told(struct tape *tape, struct effect *effect)
{
    tape_scope(tape, &effect->told.scope);
    TAPE_ID(tape, effect->told.record);
    TAPE_ID(tape, effect->told.writer);
    TAPE(tape, effect->told.kind);
}

static void tape_seal(struct tape *tape, struct effect *effect)
{
    TAPE(tape, effect->seal.stream);
    tape_header(tape, &effect->seal.header);
    tape_bytes(tape, &effect->seal.plaintext);
}

static void tape_forked(struct tape *tape, struct effect *effect)
{
    tape_stream(tape, &effect->forked.stream);
    TAPE(tape, effect->forked.sequence);
    tape_bytes(tape, &effect->forked.other);
}

static void tape_retract(struct tape *tape, struct effect *effect)
{
    tape_scope(tape, &effect->retract.scope);
    TAPE_ID(tape, effect->retract.writer);
    TAPE_ID(tape, effect->retract.case_id);
}

static void tape_acked(struct tape *tape, struct effect *effect)
{
    TAPE_ID(tape, effect->acked.peer);
    tape_stream(tape, &effect->acked.stream);
    TAPE(tape, effect->acked.had);
}

static void tape_done(struct tape *tape, struct effect *effect)
{
    TAPE(tape, effect->done.verdict);
    TAPE_ID(tape, effect->done.record);
    TAPE(tape, effect->done.sequence);
}

static void tape_generation_kept(struct tape *tape, struct effect *effect)
{
    tape_stream(tape, &effect->generation.stream);
    TAPE(tape, effect->generation.opened_at.ms);
    tape_bool(tape, &effect->generation.is_ended);
}

static void tape_custody_wish(struct tape *tape, struct effect *effect)
{
    TAPE(tape, effect->custody);
    if (effect->custody == CUSTODY_FORGET)
        TAPE_ID(tape, effect->mailbox);
    if (effect->custody == CUSTODY_OPEN)
        tape_bytes(tape, &effect->envelope);
    if (effect->custody == CUSTODY_HOLD) {
        tape_held(tape, &effect->hold.held);
        tape_bytes(tape, &effect->hold.envelope);
    }
    if (effect->custody == CUSTODY_ENCLOSE) {
        TAPE_ID(tape, effect->enclose.to);
        tape_bytes(tape, &effect->enclose.letter);
        TAPE(tape, effect->enclose.signed_from);
    }
}

static void tape_destroy(struct tape *tape, struct effect *effect)
{
    tape_scope(tape, &effect->destroy.scope);
    TAPE_ID(tape, effect->destroy.erase);
}

static void tape_effect_body(struct tape *tape, struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_CHECK:
    case EFFECT_KEEP:
        tape_bool(tape, &effect->is_releasing);
        tape_batch(tape, &effect->batch, NULL);
        break;
    case EFFECT_SEAL:
        tape_seal(tape, effect);
        break;
    case EFFECT_LOAD:
        tape_load(tape, effect);
        break;
    case EFFECT_SEND:
        tape_send(tape, effect);
        break;
    case EFFECT_DONE:
        tape_done(tape, effect);
        break;
    case EFFECT_TOLD:
        tape_told(tape, effect);
        break;
    case EFFECT_FORKED:
        tape_forked(tape, effect);
        break;
    case EFFECT_FORKS:
        tape_bytes(tape, &effect->forks);
        break;
    case EFFECT_ACKED:
        tape_acked(tape, effect);
        break;
    case EFFECT_GENERATION:
        tape_generation_kept(tape, effect);
        break;
    case EFFECT_DESTROY:
        tape_destroy(tape, effect);
        break;
    case EFFECT_RETRACT:
        tape_retract(tape, effect);
        break;
    case EFFECT_REST:
        tape_rest(tape, &effect->rest.case_id, &effect->rest.row);
        break;
    case EFFECT_WAKE:
        TAPE_ID(tape, effect->wake);
        break;
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
        tape_bytes(tape, &effect->frame);
        break;
    case EFFECT_CUSTODY:
        tape_custody_wish(tape, effect);
        break;
    case EFFECT_LOG:
        tape_log(tape, effect);
        break;
    case EFFECT_FORGER:
        TAPE_ID(tape, effect->forger.peer);
        TAPE(tape, effect->forger.count);
        TAPE(tape, effect->forger.refused_ms);
        break;
    case EFFECT_HANGUP:
        break;
    }
}

struct hash event_codec_effects(const struct step *step)
{
    struct tape tape = {.mode = TAPE_HASH};
    for (size_t i = 0; i < step->effect_count; i++) {
        struct effect effect = step->effects[i];
        TAPE(&tape, effect.kind);
        TAPE(&tape, effect.link.value);
        TAPE(&tape, effect.token.value);
        tape_effect_body(&tape, &effect);
    }
    tape_hash_more(&tape, BYTES_NONE);
    return tape.sum;
}

/* ---- configuration ---- */

static void tape_config(struct tape *tape, struct engine_config *config)
{
    TAPE_ID(tape, config->federation);
    TAPE_ID(tape, config->self);
    tape_raw(tape, config->hash_key, sizeof config->hash_key);
    TAPE(tape, config->stream_count_max);
    TAPE(tape, config->missing_count_max);
    TAPE(tape, config->mark_count_max);
    TAPE(tape, config->case_count_max);
    TAPE(tape, config->case_awake_max);
    TAPE(tape, config->case_idle_ms);
    TAPE(tape, config->clinician_count_max);
    TAPE(tape, config->writer_count_max);
    TAPE(tape, config->held_count_max);
    TAPE(tape, config->deposit_count_max);
    TAPE(tape, config->reach_count_max);
    tape_raw(tape, config->deposit_secret, sizeof config->deposit_secret);
    tape_bool(tape, &config->grants_by_hand);
    TAPE(tape, config->survey_ms);
}

void event_codec_config_write(const struct engine_config *config, struct buffer *buffer)
{
    struct tape tape = {.mode = TAPE_WRITE, .out = buffer};
    struct engine_config copy = *config;
    tape_config(&tape, &copy);
}

err event_codec_config_read(struct bytes all, struct engine_config *config)
{
    struct tape tape = {.mode = TAPE_READ, .in = reader_of(all)};
    struct engine_config read = *config;
    tape_config(&tape, &read);
    if (!reader_done(&tape.in))
        return ERR_MALFORMED;
    *config = read;
    return OK;
}
