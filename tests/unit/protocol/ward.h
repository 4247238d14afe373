/* One core with a shell of the test's own around it: what is checked, sealed, kept and read comes
 * back at once, from memory; what is sent lies there to be looked at. Include after cmocka.
 *
 * The node is hospital 1 of federation.h. The test speaks for all others. */
#ifndef CONSILIUM_TESTS_WARD_H
#define CONSILIUM_TESTS_WARD_H

#include "protocol/core/core_state.h"
#include "protocol/core/examination.h"
#include "protocol/link/frame.h"
#include "protocol/record/statement.h"
#include "tests/unit/protocol/federation.h"

enum {
    WARD_KEPT_MAX = 256,
    WARD_PENDING_MAX = 64,
    WARD_SENT_MAX = 2048,
    WARD_ROUNDS_MAX = 5000,
    WARD_CASES_MAX = 64
};

struct ward_kept {
    struct stream_id stream;
    uint64_t sequence;
    struct step_record record; /* owns its bytes */
};

struct ward_sent {
    struct link_id link;
    uint8_t *data;
    size_t size;
};

/* An answer that is due, with memory of its own. */
struct ward_pending {
    struct event event;
    uint8_t *memory;
    struct step_run *runs;
    struct step_record *records;
};

/* The row of a case, as the last EFFECT_REST gave it. */
struct ward_row {
    struct case_id case_id;
    uint8_t *data;
    size_t size;
};

struct ward {
    struct federation society;
    struct roster roster; /* the node's own */
    void *roster_memory;
    void *core_memory;
    struct core *core;
    struct step step;
    uint64_t now_ms;
    struct ward_kept kept[WARD_KEPT_MAX];
    size_t kept_count;
    struct ward_pending pending[WARD_PENDING_MAX];
    size_t pending_count;
    struct ward_sent sent[WARD_SENT_MAX];
    size_t sent_count;
    err done; /* of the last post */
    struct record_id done_record;
    unsigned forked_count; /* EFFECT_FORKED */
    unsigned destroyed_count;
    unsigned loaded_count;              /* EFFECT_LOAD */
    uint8_t forks[FORK_COUNT_MAX * 61]; /* the last EFFECT_FORKS */
    size_t forks_size;
    struct ward_row rows[WARD_CASES_MAX];
    size_t row_count;
    unsigned woken_count;                    /* EFFECT_WAKE */
    unsigned rested_count;                   /* EFFECT_REST */
    bool is_slow;                            /* rows are not answered: the test does */
    uint32_t case_count_max, case_awake_max; /* of the next core */
    uint64_t case_idle_ms;
    bool is_full;             /* what is to be kept is refused, unless it releases */
    bool is_packed;           /* then too */
    unsigned releasing_count; /* what is to be kept and releases */
    err seal;                 /* what comes of the next seal */
};

static inline struct event ward_event(const struct ward *ward, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .now = {ward->now_ms},
                          .wall = {FEDERATION_START_MS + 2 * FEDERATION_HOUR_MS + ward->now_ms}};
}

/* ---- the shell ---- */

static inline struct ward_pending *ward_answer(struct ward *ward, enum event_kind kind,
                                               const struct step_batch *batch)
{
    struct ward_pending *pending = &ward->pending[ward->pending_count++];
    assert_true(ward->pending_count < WARD_PENDING_MAX);
    size_t size = 1, used = 0;
    for (size_t i = 0; i < batch->record_count; i++)
        size += 2 * batch->records[i].record.size + batch->records[i].plaintext.size;
    pending->event = ward_event(ward, kind);
    pending->memory = malloc(size);
    pending->runs = calloc(batch->run_count + 1, sizeof *pending->runs);
    pending->records = calloc(batch->record_count + 1, sizeof *pending->records);
    for (size_t i = 0; i < batch->run_count; i++)
        pending->runs[i] = batch->runs[i];
    for (size_t i = 0; i < batch->record_count; i++) {
        struct bytes *parts[] = {&pending->records[i].record, &pending->records[i].plaintext};
        pending->records[i] = batch->records[i];
        for (int j = 0; j < 2; j++) {
            if (parts[j]->size > 0)
                memcpy(pending->memory + used, parts[j]->data, parts[j]->size);
            parts[j]->data = pending->memory + used;
            used += parts[j]->size;
        }
    }
    pending->event.batch =
        (struct step_batch){pending->runs, batch->run_count, pending->records, batch->record_count};
    if (kind == EVENT_CHECKED) {
        struct buffer rest = buffer_over(pending->memory + used, size - used);
        examination_batch(&pending->event.batch, &rest);
    }
    return pending;
}

static inline struct ward_kept *ward_find(struct ward *ward, const struct stream_id *stream,
                                          uint64_t sequence)
{
    for (size_t i = 0; i < ward->kept_count; i++) {
        if (stream_id_equal(&ward->kept[i].stream, stream) && ward->kept[i].sequence == sequence)
            return &ward->kept[i];
    }
    return NULL;
}

static inline void ward_write(struct ward *ward, const struct step_batch *batch)
{
    for (size_t i = 0; i < batch->record_count; i++) {
        struct record_claim claim;
        assert_int_equal(OK, record_parse(batch->records[i].record, &claim));
        struct ward_kept *kept = ward_find(ward, &claim.header.stream, claim.header.sequence);
        if (kept == NULL)
            kept = &ward->kept[ward->kept_count++];
        assert_true(ward->kept_count < WARD_KEPT_MAX);
        uint8_t *copy = malloc(batch->records[i].record.size);
        memcpy(copy, batch->records[i].record.data, batch->records[i].record.size);
        free((void *)(uintptr_t)kept->record.record.data);
        *kept = (struct ward_kept){claim.header.stream, claim.header.sequence, batch->records[i]};
        kept->record.record.data = copy;
        kept->record.plaintext = BYTES_NONE;
    }
}

static inline void ward_seal(struct ward *ward, const struct effect *effect)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    static uint8_t number;
    uint8_t public_key[32], secret[64];
    federation_key(1, 2, public_key, secret);
    struct record_secrets secrets = {.sign_secret = secret, .key = {{++number, 5}}};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    struct step_record record = {.flags = RECORD_OWN, .plaintext = effect->seal.plaintext};
    assert_int_equal(
        OK, record_seal(&effect->seal.header, effect->seal.plaintext, &secrets, &out, &id));
    record.record = buffer_bytes(&out);
    record.has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    record.key = secrets.key;
    struct step_run run = {.stream = effect->seal.stream, .count = 1};
    struct step_batch batch = {&run, 1, &record, 1};
    struct ward_pending *pending = ward_answer(ward, EVENT_SEALED, &batch);
    pending->event.token = effect->token;
    pending->event.verdict = ward->seal;
    if (ward->seal != OK)
        pending->event.batch.records[0].record = BYTES_NONE;
    ward->seal = OK;
}

static inline void ward_load(struct ward *ward, const struct effect *effect)
{
    static struct step_record records[WARD_KEPT_MAX];
    struct step_run run = {.stream = effect->load.slot, .first = effect->load.from};
    struct step_batch batch = {&run, 1, records, 0};
    ward->loaded_count++;
    for (size_t i = 0; effect->load.is_by_id && i < ward->kept_count; i++) {
        struct record_claim claim;
        assert_int_equal(OK, record_parse(ward->kept[i].record.record, &claim));
        if (ID_EQUAL(claim.id, effect->load.id))
            records[batch.record_count++] = ward->kept[i].record;
    }
    for (uint64_t i = 0; i < effect->load.count; i++) {
        const struct ward_kept *kept = ward_find(ward, &effect->load.stream, effect->load.from + i);
        if (kept == NULL)
            break;
        records[batch.record_count++] = kept->record;
    }
    struct ward_pending *pending = ward_answer(ward, EVENT_LOADED, &batch);
    pending->event.link = effect->link;
    pending->event.token = effect->token;
    static uint8_t opened[4 * RECORD_SIZE_MAX];
    struct buffer memory = buffer_over(opened, sizeof opened);
    for (size_t i = 0; effect->link.value == 0 && i < batch.record_count; i++)
        examination_open(&pending->records[i], &memory);
}

static inline void ward_send(struct ward *ward, const struct effect *effect)
{
    for (size_t i = 0; i < effect->send.link_count; i++) {
        struct ward_sent *sent = &ward->sent[ward->sent_count++];
        assert_true(ward->sent_count < WARD_SENT_MAX);
        sent->link = effect->send.links[i];
        sent->size = effect->send.frame.size;
        sent->data = malloc(sent->size);
        memcpy(sent->data, effect->send.frame.data, sent->size);
    }
}

static inline struct ward_row *ward_row(struct ward *ward, const struct case_id *case_id)
{
    size_t n = 0;
    while (n < ward->row_count && !ID_EQUAL(ward->rows[n].case_id, *case_id))
        n++;
    assert_true(n < WARD_CASES_MAX);
    ward->rows[n].case_id = *case_id;
    ward->row_count += n == ward->row_count ? 1 : 0;
    return &ward->rows[n];
}

static inline void ward_rest(struct ward *ward, const struct effect *effect)
{
    struct ward_row *row = ward_row(ward, &effect->rest.case_id);
    struct step_batch none = {NULL, 0, NULL, 0};
    ward->rested_count++;
    if (ward->is_slow)
        return;
    struct ward_pending *pending = ward_answer(ward, EVENT_RESTED, &none);
    pending->event.rest.case_id = effect->rest.case_id;
    pending->event.rest.row = BYTES_NONE;
    pending->event.verdict = ward->is_full ? ERR_FULL : OK;
    if (ward->is_full)
        return;
    free(row->data);
    row->data = malloc(effect->rest.row.size);
    row->size = effect->rest.row.size;
    memcpy(row->data, effect->rest.row.data, row->size);
}

static inline void ward_perform(struct ward *ward, const struct effect *effect)
{
    if (effect->kind == EFFECT_CHECK || effect->kind == EFFECT_KEEP) {
        bool is_check = effect->kind == EFFECT_CHECK;
        struct ward_pending *pending =
            ward_answer(ward, is_check ? EVENT_CHECKED : EVENT_KEPT, &effect->batch);
        pending->event.link = effect->link;
        pending->event.token = effect->token;
        if (!is_check && effect->is_releasing)
            ward->releasing_count++;
        if (!is_check && ward->is_full && (!effect->is_releasing || ward->is_packed))
            pending->event.verdict = ERR_FULL;
        else if (!is_check)
            ward_write(ward, &effect->batch);
    } else if (effect->kind == EFFECT_SEAL) {
        ward_seal(ward, effect);
    } else if (effect->kind == EFFECT_LOAD) {
        ward_load(ward, effect);
    } else if (effect->kind == EFFECT_SEND) {
        ward_send(ward, effect);
    } else if (effect->kind == EFFECT_REST) {
        ward_rest(ward, effect);
    } else if (effect->kind == EFFECT_DONE) {
        ward->done = effect->done.verdict;
        ward->done_record = effect->done.record;
    } else if (effect->kind == EFFECT_FORKED) {
        ward->forked_count++;
    } else if (effect->kind == EFFECT_DESTROY) {
        ward->destroyed_count++;
    } else if (effect->kind == EFFECT_FORKS) {
        memcpy(ward->forks, effect->forks.data, effect->forks.size);
        ward->forks_size = effect->forks.size;
    }
}

static inline void ward_wake(struct ward *ward)
{
    struct case_id called[WARD_CASES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ward->step.effect_count; i++)
        if (ward->step.effects[i].kind == EFFECT_WAKE)
            called[count++] = ward->step.effects[i].wake;
    for (size_t i = 0; i < count; i++) {
        struct event event = ward_event(ward, EVENT_WOKEN);
        const struct ward_row *row = ward_row(ward, &called[i]);
        event.rest.case_id = called[i];
        event.rest.row = (struct bytes){row->data, row->size};
        ward->woken_count++;
        core_step(ward->core, &event, &ward->step);
    }
}

static inline void ward_step(struct ward *ward, const struct event *event)
{
    core_step(ward->core, event, &ward->step);
    while (ward->step.comes_again) {
        ward_wake(ward);
        core_step(ward->core, event, &ward->step);
    }
    for (size_t i = 0; i < ward->step.effect_count; i++)
        ward_perform(ward, &ward->step.effects[i]);
    ward_wake(ward);
}

/* Takes the event, and all that follows from it. */
static inline void ward_give(struct ward *ward, const struct event *event)
{
    unsigned rounds = 0;
    ward_step(ward, event);
    while (ward->pending_count > 0) {
        assert_true(rounds++ < WARD_ROUNDS_MAX); /* it comes to rest */
        struct ward_pending pending = ward->pending[0];
        memmove(ward->pending, ward->pending + 1, --ward->pending_count * sizeof pending);
        ward_step(ward, &pending.event);
        free(pending.memory);
        free(pending.runs);
        free(pending.records);
    }
}

static inline void ward_pass(struct ward *ward, uint64_t ms)
{
    ward->now_ms += ms;
    struct event event = ward_event(ward, EVENT_TICK);
    ward_give(ward, &event);
}

/* ---- life ---- */

static inline void ward_core(struct ward *ward)
{
    struct core_config config;
    core_config_defaults(&config);
    config.federation = roster_federation(&ward->society.roster);
    config.self = federation_node(1);
    config.roster = &ward->roster;
    config.stream_count_max = config.mark_count_max = config.clinician_count_max = 1024;
    config.case_count_max = ward->case_count_max;
    config.case_awake_max = ward->case_awake_max;
    config.case_idle_ms = ward->case_idle_ms;
    free(ward->core_memory);
    ward->core_memory = calloc(1, core_memory_size(&config) + 16);
    ward->core = core_new(ward->core_memory, &config);
}

/* The head that the society has drafted comes to the node. */
static inline void ward_head(struct ward *ward)
{
    struct event event = ward_event(ward, EVENT_ROSTER);
    assert_int_equal(OK, federation_draft(&ward->society));
    assert_int_equal(OK, roster_apply(&ward->roster, ward->society.signed_head,
                                      &ward->society.delta, event.wall));
    assert_int_equal(OK, federation_take(&ward->society));
    ward_give(ward, &event);
}

static inline void ward_lack(struct ward *ward, const struct ward_kept *kept,
                             const struct record_claim *claim)
{
    struct event event = ward_event(ward, EVENT_RESTORE_LACK);
    event.lack.id = kept->stream;
    event.lack.sequence = kept->sequence;
    event.lack.record = claim->id;
    event.lack.flags = kept->record.flags;
    if ((kept->record.flags & (RECORD_BARE | RECORD_KEYLESS)) != 0)
        core_step(ward->core, &event, &ward->step);
}

/* The node restarts with what it kept, as node/restore.c does. */
static inline void ward_restart(struct ward *ward)
{
    static uint8_t opened[4 * RECORD_SIZE_MAX];
    struct event forks = ward_event(ward, EVENT_RESTORE_FORKS);
    struct event start = ward_event(ward, EVENT_START);
    ward_core(ward);
    forks.forks = (struct bytes){ward->forks, ward->forks_size};
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < ward->kept_count; i++) {
            struct ward_kept *kept = &ward->kept[i];
            struct event event = ward_event(ward, pass == 0 ? EVENT_RESTORE_STREAM : EVENT_REPLAY);
            struct step_record record = kept->record;
            struct record_claim claim;
            struct buffer memory = buffer_over(opened, sizeof opened);
            examination_open(&record, &memory);
            assert_int_equal(OK, record_parse(record.record, &claim));
            const struct chain_link *head = chain_find(&ward->roster.chain, &claim.header.head);
            if (pass == 0) {
                event.stream.id = kept->stream;
                event.stream.tail = kept->sequence;
                event.stream.tail_id = claim.id;
                event.stream.epoch = head == NULL ? 0 : head->epoch;
            } else {
                event.replay.batch = (struct step_batch){NULL, 0, &record, 1};
                event.replay.is_again = pass == 2;
            }
            struct case_id case_id;
            memcpy(case_id.bytes, kept->stream.scope.id, HASH_SIZE);
            bool rests =
                kept->stream.scope.kind == SCOPE_CASE && core_case_rests(ward->core, &case_id);
            if (pass == 0 || (record.plaintext.size > 0 && !rests))
                core_step(ward->core, &event, &ward->step);
            if (pass == 0)
                ward_lack(ward, kept, &claim);
        }
        if (pass == 0)
            core_step(ward->core, &forks, &ward->step);
        for (size_t i = 0; pass == 0 && i < ward->row_count; i++) {
            struct event event = ward_event(ward, EVENT_RESTORE_CASE);
            event.rest.row = (struct bytes){ward->rows[i].data, ward->rows[i].size};
            core_step(ward->core, &event, &ward->step);
        }
    }
    ward_give(ward, &start);
}

/* `count` hospitals, founded long enough ago. */
static inline struct ward *ward_new(uint32_t count)
{
    struct ward *ward = calloc(1, sizeof *ward);
    assert_non_null(ward);
    ward->now_ms = 1000;
    ward->case_count_max = ward->case_awake_max = 16;
    ward->case_idle_ms = 600 * 1000;
    ward->step.arena = malloc(STEP_ARENA_SIZE);
    federation_found(&ward->society, roster_plan_small(), count);
    struct federation_id federation = roster_federation(&ward->society.roster);
    ward->roster = federation_roster(roster_plan_small(), federation_node(1), &federation,
                                     &ward->roster_memory);
    assert_int_equal(OK, roster_apply(&ward->roster, ward->society.signed_head,
                                      &ward->society.delta, ward->society.now));
    ward_core(ward);
    struct event event = ward_event(ward, EVENT_START);
    ward_give(ward, &event);
    return ward;
}

static inline void ward_forget_sent(struct ward *ward)
{
    for (size_t i = 0; i < ward->sent_count; i++)
        free(ward->sent[i].data);
    ward->sent_count = 0;
}

static inline void ward_free(struct ward *ward)
{
    ward_forget_sent(ward);
    for (size_t i = 0; i < ward->kept_count; i++)
        free((void *)(uintptr_t)ward->kept[i].record.record.data);
    for (size_t i = 0; i < ward->row_count; i++)
        free(ward->rows[i].data);
    free(ward->core_memory);
    free(ward->roster_memory);
    free(ward->step.arena);
    federation_end(&ward->society);
    free(ward);
}

/* This node writes a record; what became of it. */
static inline err ward_post(struct ward *ward, struct scope scope, enum audience audience,
                            struct bytes plaintext)
{
    struct event event = ward_event(ward, EVENT_POST);
    event.token.value = 1;
    event.post.scope = scope;
    event.post.audience = audience;
    event.post.plaintext = plaintext;
    ward->done = ERR_STATE;
    ward_give(ward, &event);
    return ward->done;
}

/* ---- others ---- */

static inline void ward_hear(struct ward *ward, uint32_t link, struct bytes frame)
{
    struct event event = ward_event(ward, EVENT_FRAME);
    event.link.value = link;
    event.frame = frame;
    ward_give(ward, &event);
}

/* Hospital `number` connects on the link of its number and greets, at our last head. */
static inline void ward_meet(struct ward *ward, uint32_t number)
{
    struct member member = federation_member(number, 1);
    struct event event = ward_event(ward, EVENT_LINK_UP);
    const struct chain_link *last = chain_last(&ward->roster.chain);
    event.link.value = number;
    event.peer = member.transport_key;
    ward_give(ward, &event);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(&ward->roster),
                                .epoch = last->epoch,
                                .head = last->id,
                                .time = event.wall};
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_hello_write(&frame, &hello);
    ward_hear(ward, number, buffer_bytes(&frame));
}

/* A writer's stream, as the test goes on with it. */
struct ward_pen {
    uint32_t number;
    struct record_header header;
    uint8_t key_number; /* of federation_key: 2, until the institution changes it */
};

static inline struct ward_pen ward_pen(struct ward *ward, uint32_t number, struct scope scope,
                                       enum audience audience)
{
    struct event now = ward_event(ward, EVENT_TICK);
    struct ward_pen pen = {.number = number, .key_number = 2};
    pen.header = (struct record_header){.federation = roster_federation(&ward->roster),
                                        .stream = {scope, federation_node(number), 1},
                                        .audience = audience,
                                        .sequence = 1,
                                        .head = roster_current_id(&ward->roster),
                                        .time = now.wall};
    return pen;
}

/* The next record of the stream, in a frame of its own. */
static inline struct bytes ward_write_frame(struct ward_pen *pen, struct bytes plaintext,
                                            struct buffer *frame)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    static uint8_t number;
    uint8_t public_key[32], secret[64];
    federation_key(pen->number, pen->key_number, public_key, secret);
    struct record_secrets secrets = {.sign_secret = secret, .key = {{++number, 7}}};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    assert_int_equal(OK, record_seal(&pen->header, plaintext, &secrets, &out, &id));
    struct frame_record record = {pen->header.audience != AUDIENCE_CLEAR, secrets.key,
                                  buffer_bytes(&out)};
    frame_records_begin(frame);
    frame_record_write(frame, &record);
    frame_records_end(frame, 1);
    pen->header.sequence++;
    pen->header.previous = id;
    return buffer_bytes(frame);
}

/* It is written and comes by link `link`. */
static inline void ward_say(struct ward *ward, struct ward_pen *pen, struct bytes plaintext,
                            uint32_t link)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    ward_hear(ward, link, ward_write_frame(pen, plaintext, &frame));
}

static inline uint64_t ward_tail(struct ward *ward, const struct ward_pen *pen)
{
    uint64_t tail = 0, had = 0;
    (void)core_position(ward->core, &pen->header.stream, &tail, &had);
    return tail;
}

/* A statement of a kind that is not known: kept, and nothing else. */
static inline struct bytes ward_words(uint8_t what)
{
    static uint8_t memory[64];
    struct buffer body = buffer_over(memory, sizeof memory);
    const uint8_t content[] = {0x81, 0x01, what};
    struct statement statement = {.kind = 0x01f0, .content = {content, sizeof content}};
    assert_int_equal(OK, statement_write(&statement, &body));
    return buffer_bytes(&body);
}

#endif
