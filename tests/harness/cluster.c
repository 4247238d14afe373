#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/replication/batch_verify.h"
#include "tests/harness/cluster.h"

/* The right time. */
static uint64_t cluster_wall_ms(const struct cluster *cluster)
{
    return FEDERATION_START_MS + 2 * FEDERATION_HOUR_MS + cluster->now_ms;
}

struct event cluster_event(const struct cluster *cluster, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .now = {cluster->now_ms},
                          .wall = {cluster_wall_ms(cluster) + (uint64_t)cluster->ahead_ms}};
}

/* ---- the shell ---- */

struct cluster_kept *cluster_find(struct cluster *cluster, const struct stream_id *stream,
                                  uint64_t sequence)
{
    for (size_t i = 0; i < cluster->kept_count; i++) {
        if (stream_id_equal(&cluster->kept[i].stream, stream) &&
            cluster->kept[i].sequence == sequence)
            return &cluster->kept[i];
    }
    return NULL;
}

static void cluster_write(struct cluster *cluster, const struct step_batch *batch)
{
    for (size_t i = 0; i < batch->record_count; i++) {
        struct record_claim claim;
        assert_int_equal(OK, record_parse(batch->records[i].record, &claim));
        struct cluster_kept *kept =
            cluster_find(cluster, &claim.header.stream, claim.header.sequence);
        if (kept == NULL)
            kept = &cluster->kept[cluster->kept_count++];
        assert_true(cluster->kept_count < CLUSTER_KEPT_MAX);
        uint8_t *copy = malloc(batch->records[i].record.size);
        memcpy(copy, batch->records[i].record.data, batch->records[i].record.size);
        free((void *)(uintptr_t)kept->record.record.data);
        *kept =
            (struct cluster_kept){claim.header.stream, claim.header.sequence, batch->records[i]};
        kept->record.record.data = copy;
        kept->record.plaintext = BYTES_NONE;
    }
}

static err cluster_store(void *arg, const struct effect *effect)
{
    struct cluster *cluster = arg;
    if (effect->is_releasing)
        cluster->releasing_count++;
    if (cluster->is_full && (!effect->is_releasing || cluster->is_packed))
        return ERR_FULL;
    cluster_write(cluster, &effect->batch);
    return OK;
}

static bool cluster_load(void *arg, const struct effect *effect, uint64_t sequence,
                         struct step_record *ret_record)
{
    struct cluster *cluster = arg;
    const struct cluster_kept *found = NULL;
    if (!effect->load.is_by_id)
        found = cluster_find(cluster, &effect->load.stream, sequence);
    for (size_t i = 0; effect->load.is_by_id && found == NULL && i < cluster->kept_count; i++) {
        struct record_claim claim;
        assert_int_equal(OK, record_parse(cluster->kept[i].record.record, &claim));
        if (ID_EQUAL(claim.id, effect->load.id))
            found = &cluster->kept[i];
    }
    cluster->loaded_count += sequence == effect->load.from ? 1 : 0;
    if (found == NULL)
        return false;
    *ret_record = found->record;
    return true;
}

static void cluster_check(void *arg, struct step_batch *batch, struct buffer *memory)
{
    (void)arg;
    batch_verify_batch(batch, memory);
}

static err cluster_seal(void *arg, const struct effect *effect, struct record_secrets *ret_secrets)
{
    struct cluster *cluster = arg;
    uint8_t public_key[32];
    err verdict = cluster->seal;
    (void)effect;
    federation_key(1, 2, public_key, cluster->sign_secret);
    ret_secrets->sign_secret = cluster->sign_secret;
    ret_secrets->key = (struct record_key){{++cluster->sealed_count, 5}};
    cluster->seal = OK;
    return verdict;
}

static void cluster_send(void *arg, const struct effect *effect)
{
    struct cluster *cluster = arg;
    for (size_t i = 0; i < effect->send.link_count; i++) {
        struct cluster_sent *sent = &cluster->sent[cluster->sent_count++];
        assert_true(cluster->sent_count < CLUSTER_SENT_MAX);
        sent->link = effect->send.links[i];
        sent->size = effect->send.frame.size;
        sent->data = malloc(sent->size);
        memcpy(sent->data, effect->send.frame.data, sent->size);
    }
}

static struct cluster_row *cluster_row(struct cluster *cluster, const struct case_id *case_id)
{
    size_t n = 0;
    while (n < cluster->row_count && !ID_EQUAL(cluster->rows[n].case_id, *case_id))
        n++;
    assert_true(n < CLUSTER_CASES_MAX);
    cluster->rows[n].case_id = *case_id;
    cluster->row_count += n == cluster->row_count ? 1 : 0;
    return &cluster->rows[n];
}

static void cluster_rest(struct cluster *cluster, const struct effect *effect)
{
    struct cluster_row *row = cluster_row(cluster, &effect->rest.case_id);
    struct event event = cluster_event(cluster, EVENT_RESTED);
    cluster->rested_count++;
    if (cluster->is_slow)
        return;
    event.rest.case_id = effect->rest.case_id;
    event.rest.row = BYTES_NONE;
    event.verdict = cluster->is_full ? ERR_FULL : OK;
    interpreter_answer(&cluster->interpreter, &event);
    if (cluster->is_full)
        return;
    free(row->data);
    row->data = malloc(effect->rest.row.size);
    row->size = effect->rest.row.size;
    memcpy(row->data, effect->rest.row.data, row->size);
}

static struct bytes cluster_wake(void *arg, const struct case_id *case_id)
{
    struct cluster *cluster = arg;
    const struct cluster_row *row = cluster_row(cluster, case_id);
    cluster->woken_count++;
    return (struct bytes){row->data, row->size};
}

static void cluster_notify(void *arg, const struct effect *effect)
{
    struct cluster *cluster = arg;
    if (effect->kind == EFFECT_REST) {
        cluster_rest(cluster, effect);
    } else if (effect->kind == EFFECT_DONE) {
        cluster->done = effect->done.verdict;
        cluster->done_record = effect->done.record;
    } else if (effect->kind == EFFECT_FORKED) {
        cluster->forked_count++;
    } else if (effect->kind == EFFECT_DESTROY) {
        cluster->destroyed_count++;
    } else if (effect->kind == EFFECT_FORKS) {
        assert_true(effect->forks.size <= CLUSTER_FORKS_SIZE_MAX);
        memcpy(cluster->forks, effect->forks.data, effect->forks.size);
        cluster->forks_size = effect->forks.size;
    }
}

static struct event cluster_now(const void *arg, enum event_kind kind)
{
    return cluster_event(arg, kind);
}

static const struct interpreter_calls cluster_calls = {.event = cluster_now,
                                                       .store = cluster_store,
                                                       .load = cluster_load,
                                                       .check = cluster_check,
                                                       .seal = cluster_seal,
                                                       .send = cluster_send,
                                                       .wake = cluster_wake,
                                                       .notify = cluster_notify};

void cluster_perform(struct cluster *cluster, const struct effect *effect)
{
    interpreter_perform(&cluster->interpreter, effect);
}

void cluster_give(struct cluster *cluster, const struct event *event)
{
    interpreter_give(&cluster->interpreter, event);
}

void cluster_pass(struct cluster *cluster, uint64_t ms)
{
    cluster->now_ms += ms;
    struct event event = cluster_event(cluster, EVENT_TICK);
    cluster_give(cluster, &event);
}

/* ---- life ---- */

void cluster_engine(struct cluster *cluster)
{
    struct engine_config config;
    engine_config_defaults(&config);
    config.federation = roster_federation(&cluster->society.roster);
    config.self = federation_node(1);
    config.roster = &cluster->roster;
    config.stream_count_max = config.mark_count_max = config.clinician_count_max = 1024;
    config.case_count_max = cluster->case_count_max;
    config.case_awake_max = cluster->case_awake_max;
    config.case_idle_ms = cluster->case_idle_ms;
    interpreter_clear(&cluster->interpreter);
    free(cluster->engine_memory);
    cluster->engine_memory = calloc(1, engine_memory_size(&config) + 16);
    cluster->engine = engine_new(cluster->engine_memory, &config);
    interpreter_init(&cluster->interpreter, cluster->engine, &cluster->step, &cluster_calls,
                     cluster);
}

void cluster_head(struct cluster *cluster)
{
    struct event event = cluster_event(cluster, EVENT_ROSTER);
    assert_int_equal(OK, federation_draft(&cluster->society));
    assert_int_equal(OK, roster_apply(&cluster->roster, cluster->society.signed_head,
                                      &cluster->society.delta, event.wall));
    assert_int_equal(OK, federation_take(&cluster->society));
    cluster_give(cluster, &event);
}

static void cluster_missing(struct cluster *cluster, const struct cluster_kept *kept,
                            const struct record_claim *claim)
{
    struct event event = cluster_event(cluster, EVENT_RESTORE_MISSING);
    event.missing.id = kept->stream;
    event.missing.sequence = kept->sequence;
    event.missing.record = claim->id;
    event.missing.flags = kept->record.flags;
    if ((kept->record.flags & (RECORD_BARE | RECORD_KEYLESS)) != 0)
        engine_step(cluster->engine, &event, &cluster->step);
}

void cluster_restart(struct cluster *cluster)
{
    static uint8_t opened[4 * RECORD_SIZE_MAX];
    struct event forks = cluster_event(cluster, EVENT_RESTORE_FORKS);
    struct event start = cluster_event(cluster, EVENT_START);
    cluster_engine(cluster);
    forks.forks = (struct bytes){cluster->forks, cluster->forks_size};
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < cluster->kept_count; i++) {
            struct cluster_kept *kept = &cluster->kept[i];
            struct event event =
                cluster_event(cluster, pass == 0 ? EVENT_RESTORE_STREAM : EVENT_REPLAY);
            struct step_record record = kept->record;
            struct record_claim claim;
            struct buffer memory = buffer_over(opened, sizeof opened);
            batch_verify_open(&record, &memory);
            assert_int_equal(OK, record_parse(record.record, &claim));
            const struct chain_link *head = chain_find(&cluster->roster.chain, &claim.header.head);
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
            bool rests = kept->stream.scope.kind == SCOPE_CASE &&
                         engine_case_rests(cluster->engine, &case_id);
            if (pass == 0 || (record.plaintext.size > 0 && !rests))
                engine_step(cluster->engine, &event, &cluster->step);
            if (pass == 0)
                cluster_missing(cluster, kept, &claim);
        }
        if (pass == 0)
            engine_step(cluster->engine, &forks, &cluster->step);
        for (size_t i = 0; pass == 0 && i < cluster->row_count; i++) {
            struct event event = cluster_event(cluster, EVENT_RESTORE_CASE);
            event.rest.row = (struct bytes){cluster->rows[i].data, cluster->rows[i].size};
            engine_step(cluster->engine, &event, &cluster->step);
        }
    }
    cluster_give(cluster, &start);
}

struct cluster *cluster_new(uint32_t count)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    assert_non_null(cluster);
    cluster->now_ms = 1000;
    cluster->case_count_max = cluster->case_awake_max = 16;
    cluster->case_idle_ms = 600 * 1000;
    cluster->step.arena = malloc(STEP_ARENA_SIZE);
    federation_found(&cluster->society, roster_plan_small(), count);
    struct federation_id federation = roster_federation(&cluster->society.roster);
    cluster->roster = federation_roster(roster_plan_small(), federation_node(1), &federation,
                                        &cluster->roster_memory);
    assert_int_equal(OK, roster_apply(&cluster->roster, cluster->society.signed_head,
                                      &cluster->society.delta, cluster->society.now));
    cluster_engine(cluster);
    struct event event = cluster_event(cluster, EVENT_START);
    cluster_give(cluster, &event);
    return cluster;
}

void cluster_forget_sent(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->sent_count; i++)
        free(cluster->sent[i].data);
    cluster->sent_count = 0;
}

void cluster_free(struct cluster *cluster)
{
    cluster_forget_sent(cluster);
    interpreter_clear(&cluster->interpreter);
    for (size_t i = 0; i < cluster->kept_count; i++)
        free((void *)(uintptr_t)cluster->kept[i].record.record.data);
    for (size_t i = 0; i < cluster->row_count; i++)
        free(cluster->rows[i].data);
    free(cluster->engine_memory);
    free(cluster->roster_memory);
    free(cluster->step.arena);
    federation_end(&cluster->society);
    free(cluster);
}

err cluster_post(struct cluster *cluster, struct scope scope, enum audience audience,
                 struct bytes plaintext)
{
    struct event event = cluster_event(cluster, EVENT_POST);
    event.token.value = 1;
    event.post.scope = scope;
    event.post.audience = audience;
    event.post.plaintext = plaintext;
    cluster->done = ERR_STATE;
    cluster_give(cluster, &event);
    return cluster->done;
}

/* ---- others ---- */

void cluster_hear(struct cluster *cluster, uint32_t link, struct bytes frame)
{
    struct event event = cluster_event(cluster, EVENT_FRAME);
    event.link.value = link;
    event.frame = frame;
    cluster_give(cluster, &event);
}

void cluster_greet(struct cluster *cluster, uint32_t number, int64_t ahead_ms)
{
    const struct chain_link *last = chain_last(&cluster->roster.chain);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(&cluster->roster),
                                .epoch = last->epoch,
                                .head = last->id,
                                .time = {cluster_wall_ms(cluster) + (uint64_t)ahead_ms}};
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_hello_write(&frame, &hello);
    cluster_hear(cluster, number, buffer_bytes(&frame));
}

void cluster_meet(struct cluster *cluster, uint32_t number)
{
    struct member member = federation_member(number, 1);
    struct event event = cluster_event(cluster, EVENT_LINK_UP);
    event.link.value = number;
    event.peer = member.transport_key;
    cluster_give(cluster, &event);
    cluster_greet(cluster, number, 0);
}

struct cluster_pen cluster_pen(struct cluster *cluster, uint32_t number, struct scope scope,
                               enum audience audience)
{
    struct event now = cluster_event(cluster, EVENT_TICK);
    struct cluster_pen pen = {.number = number, .key_number = 2};
    pen.header = (struct record_header){.federation = roster_federation(&cluster->roster),
                                        .stream = {scope, federation_node(number), 1},
                                        .audience = audience,
                                        .sequence = 1,
                                        .head = roster_current_id(&cluster->roster),
                                        .time = now.wall};
    return pen;
}

struct bytes cluster_write_frame(struct cluster_pen *pen, struct bytes plaintext,
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

void cluster_say(struct cluster *cluster, struct cluster_pen *pen, struct bytes plaintext,
                 uint32_t link)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    cluster_hear(cluster, link, cluster_write_frame(pen, plaintext, &frame));
}

uint64_t cluster_tail(struct cluster *cluster, const struct cluster_pen *pen)
{
    uint64_t tail = 0, had = 0;
    (void)engine_position(cluster->engine, &pen->header.stream, &tail, &had);
    return tail;
}

struct bytes cluster_words(uint8_t what)
{
    static uint8_t memory[64];
    struct buffer body = buffer_over(memory, sizeof memory);
    const uint8_t content[] = {0x81, 0x01, what};
    struct statement statement = {.kind = 0x01f0, .content = {content, sizeof content}};
    assert_int_equal(OK, statement_write(&statement, &body));
    return buffer_bytes(&body);
}
