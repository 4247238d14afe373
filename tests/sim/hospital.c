#include "tests/sim/hospital.h"

#include <string.h>

#include "protocol/record/statement.h"
#include "protocol/replication/batch_verify.h"
#include "protocol/state/streams.h"
#include "tests/sim/acceptance.h"
#include "tests/sim/determinism.h"
#include "tests/sim/erasing.h"
#include "tests/sim/fork_proofs.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/resends.h"
#include "tests/sim/society.h"

static const char *const hospital_names[WORLD_HOSPITALS_MAX] = {
    "Aarau",   "Basel",    "Chur",    "Davos",   "Emmental", "Fribourg", "Geneva",
    "Herisau", "Ilanz",    "Jegens",  "Kerzers", "Lugano",   "Martigny", "Nyon",
    "Olten",   "Pully",    "Quinten", "Rapper",  "Sion",     "Thun",     "Uster",
    "Vevey",   "Winter",   "Xaver",   "Yverdon", "Zurich",   "Altdorf",  "Brig",
    "Cham",    "Delemont", "Erlach",  "Flims",   "Glarus",   "Horgen",
};

enum {
    HOSPITAL_STREAMS = 4096,
    HOSPITAL_CASES = 128,
    HOSPITAL_CASES_AWAKE = 24,
    HOSPITAL_IDLE_MS = 3000, /* short, so that cases rest and wake all the time */
    HOSPITAL_ASK_MS = 20,
};

struct hospital *hospital_of(const struct world *world, const struct node_id *node)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (ID_EQUAL(world->hospitals[i].node, *node))
            return (struct hospital *)(uintptr_t)&world->hospitals[i];
    }
    return NULL;
}

struct wall hospital_wall(const struct hospital *hospital)
{
    return (struct wall){(uint64_t)((int64_t)(FEDERATION_START_MS + DAY_MS + hospital->world->now) +
                                    hospital->skew_ms)};
}

struct event hospital_event(const struct hospital *hospital, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .now = {hospital->world->now - hospital->booted_at + 1},
                          .wall = hospital_wall(hospital)};
}

void hospital_plan(struct hospital *hospital, enum schedule_kind kind, uint64_t at)
{
    struct schedule_item item = {
        .at = at, .kind = kind, .hospital = hospital->index, .boot = hospital->boot};
    schedule_add(&hospital->world->schedule, &item);
}

/* ---- the disk and the keys ---- */

static bool hospital_load(void *arg, const struct effect *effect, uint64_t sequence,
                          struct step_record *ret_record)
{
    struct hospital *hospital = arg;
    const struct stream_id *stream = &effect->load.stream;
    if (effect->load.is_by_id)
        sequence = disk_seek(&hospital->disk, stream, &effect->load.id);
    const struct disk_record *from = disk_at(&hospital->disk, stream, sequence);
    if (from == NULL)
        return false;
    *ret_record = (struct step_record){.record = {from->bytes, from->size},
                                       .has_key = from->has_key,
                                       .key = from->key,
                                       .flags = from->flags};
    return true;
}

static void hospital_check(void *arg, struct step_batch *batch, struct buffer *memory)
{
    acceptance_taken(arg, batch);
    batch_verify_batch(batch, memory);
}

static err hospital_seal(void *arg, const struct effect *effect, struct record_secrets *ret_secrets)
{
    struct hospital *hospital = arg;
    (void)effect;
    ret_secrets->sign_secret = hospital->sign_secret;
    prng_bytes(&hospital->world->prng, ret_secrets->key.bytes, KEY_SIZE);
    prng_bytes(&hospital->world->prng, ret_secrets->nonce, sizeof ret_secrets->nonce);
    return OK;
}

/* ---- answers that take time ---- */

static void hospital_queue(struct interpreter_answer **queue, struct interpreter_answer *answer)
{
    while (*queue != NULL)
        queue = &(*queue)->next;
    *queue = answer;
}

static struct interpreter_answer *hospital_unqueue(struct interpreter_answer **queue)
{
    struct interpreter_answer *answer = *queue;
    if (answer == NULL)
        return NULL;
    *queue = answer->next;
    answer->next = NULL;
    return answer;
}

/* A check takes a while, and so does a commit. */
static bool hospital_delay(void *arg, struct interpreter_answer *answer)
{
    struct hospital *hospital = arg;
    struct world *world = hospital->world;
    if (answer->event.kind == EVENT_CHECKED) {
        hospital_queue(&hospital->checking, answer);
        uint64_t at = world->now + prng_below(&world->prng, 8);
        hospital->checked_at = at > hospital->checked_at ? at : hospital->checked_at;
        hospital_plan(hospital, SCHEDULE_CHECKED, hospital->checked_at);
    } else if (answer->event.kind == EVENT_KEPT) {
        hospital_queue(&hospital->writing, answer);
        uint64_t at = world->now + 1 + prng_below(&world->prng, 20);
        hospital->kept_at = at > hospital->kept_at ? at : hospital->kept_at;
        hospital_plan(hospital, SCHEDULE_WRITTEN, hospital->kept_at);
        hospital->kept_at += prng_below(&world->prng, 3);
        hospital_plan(hospital, SCHEDULE_KEPT, hospital->kept_at);
    } else {
        return false;
    }
    return true;
}

/* ---- effects ---- */

/* The earliest moment holds that was asked for. */
static void hospital_ask_soon(struct hospital *hospital, uint64_t ms)
{
    struct schedule_item item = {.at = hospital->world->now + ms,
                                 .kind = SCHEDULE_POSTS,
                                 .hospital = hospital->index,
                                 .boot = hospital->boot,
                                 .number = hospital->world->now + ms};
    if (hospital->ask_at != 0 && hospital->ask_at <= item.at)
        return;
    hospital->ask_at = item.at;
    schedule_add(&hospital->world->schedule, &item);
}

static void hospital_done(struct hospital *hospital, const struct effect *effect)
{
    for (struct post **link = &hospital->posts; *link != NULL; link = &(*link)->next) {
        struct post *post = *link;
        if (post->token.value != effect->token.value)
            continue;
        post->is_asked = false;
        if (effect->done.verdict == ERR_BUSY) {
            hospital_ask_soon(hospital, hospital->patience_ms);
            return;
        }
        hospital->world->outcomes[post->token.value] =
            (struct outcome){effect->done.verdict, effect->done.record, effect->done.sequence};
        if (effect->done.verdict == OK)
            oracle_promise(hospital, &effect->done.record);
        fork_proofs_done(hospital, effect->token, effect->done.verdict);
        *link = post->next;
        free(post);
        return;
    }
}

static void hospital_forks(struct hospital *hospital, struct bytes forks)
{
    acceptance_forks(hospital, forks);
    memcpy(hospital->disk.forks, forks.data, forks.size);
    hospital->disk.forks_size = forks.size;
}

static void hospital_acked(struct hospital *hospital, const struct effect *effect)
{
    oracle_acked(hospital, effect);
    held_mail_acked(hospital, effect);
}

static void hospital_told(struct hospital *hospital, const struct effect *effect)
{
    /* a notice of access is mail, and a reason to ask for its case */
    bool is_notice = effect->told.kind == KIND_GRANT_NOTICE;
    resends_learned(hospital, is_notice ? NULL : &effect->told.scope);
    world_note(hospital->world, hospital, kind_name(effect->told.kind),
               effect->told.record.bytes[0]);
}

static void hospital_send(void *arg, const struct effect *effect)
{
    struct hospital *hospital = arg;
    for (size_t i = 0; i < effect->send.link_count; i++)
        route_send(hospital, effect->send.links[i], effect->send.frame);
}

static void hospital_notify(void *arg, const struct effect *effect)
{
    struct hospital *hospital = arg;
    struct world *world = hospital->world;
    switch (effect->kind) {
    case EFFECT_HANGUP:
        route_hang_up(hospital, effect->link);
        break;
    case EFFECT_DONE:
        hospital_done(hospital, effect);
        break;
    case EFFECT_TOLD:
        hospital_told(hospital, effect);
        break;
    case EFFECT_FORKED:
        fork_proofs_found(hospital, effect);
        break;
    case EFFECT_FORKS:
        hospital_forks(hospital, effect->forks);
        break;
    case EFFECT_ACKED:
        hospital_acked(hospital, effect);
        break;
    case EFFECT_GENERATION:
        reboot_note(hospital, effect);
        break;
    case EFFECT_DESTROY:
        erasing_begin(hospital, &effect->destroy.scope, &effect->destroy.erase);
        break;
    case EFFECT_REST:
        case_paging_rows_keep(hospital, effect);
        break;
    case EFFECT_RETRACT:
    case EFFECT_ITEMS:
    case EFFECT_WAKE:  /* when the others are done */
    case EFFECT_CHECK: /* the interpreter's own */
    case EFFECT_SEAL:
    case EFFECT_KEEP:
    case EFFECT_LOAD:
    case EFFECT_SEND:
        break;
    case EFFECT_CUSTODY:
        held_mail_perform(hospital, effect);
        break;
    case EFFECT_HEADS:
        society_frame(hospital, effect);
        break;
    case EFFECT_LOG:
        world_note(world, hospital, effect->log.event, effect->log.verdict);
        break;
    case EFFECT_FORGER:
        world_note(world, hospital, "forger", effect->forger.count);
        break;
    }
}

static struct event hospital_now(const void *arg, enum event_kind kind)
{
    return hospital_event(arg, kind);
}

static const struct interpreter_calls hospital_calls = {.event = hospital_now,
                                                        .load = hospital_load,
                                                        .check = hospital_check,
                                                        .seal = hospital_seal,
                                                        .send = hospital_send,
                                                        .delay = hospital_delay,
                                                        .notify = hospital_notify};

static void hospital_turn(struct hospital *hospital, const struct event *event)
{
    struct step *step = &hospital->world->step;
    WORLD_CHECK(hospital->world, !hospital->is_turning);
    case_paging_rows_step(hospital, event);
    if (hospital->is_restoring)
        return; /* as node/driver/restore.c: too early */
    hospital->is_turning = true;
    for (size_t i = 0; i < step->effect_count; i++) {
        enum effect_kind kind = step->effects[i].kind;
        if (kind == EFFECT_CHECK || kind == EFFECT_SEAL || kind == EFFECT_KEEP)
            hospital->patience_ms = HOSPITAL_ASK_MS;
        interpreter_perform(&hospital->interpreter, &step->effects[i]);
    }
    case_paging_rows_wake(hospital);
    hospital->is_turning = false;
}

/* The answer is given now, whenever it was made. */
static void hospital_answer(struct hospital *hospital, struct interpreter_answer *answer,
                            void (*give)(struct hospital *hospital, const struct event *event))
{
    struct event now = hospital_event(hospital, answer->event.kind);
    answer->event.now = now.now;
    answer->event.wall = now.wall;
    give(hospital, &answer->event);
    free(answer);
}

void hospital_step(struct hospital *hospital, const struct event *event)
{
    if (!hospital->is_running || hospital->is_puppet)
        return;
    hospital_turn(hospital, event);
    struct interpreter_answer *answer;
    do {
        while ((answer = interpreter_take(&hospital->interpreter)) != NULL)
            hospital_answer(hospital, answer, hospital_turn);
    } while (held_mail_answer(hospital, hospital_turn));
    if (engine_busy(hospital->engine) && !hospital->is_restoring)
        hospital_ask_soon(hospital, hospital->patience_ms);
}

/* ---- the agenda ---- */

/* The answers in the queue that continue the first one, with that one; their number. */
static size_t hospital_continuing(const struct hospital *hospital,
                                  struct interpreter_answer *ret_answers[static RUN_COUNT_MAX])
{
    size_t count = 1, record_count = hospital->checking->event.batch.record_count;
    ret_answers[0] = hospital->checking;
    for (struct interpreter_answer *next = hospital->checking->next; next != NULL;
         next = next->next) {
        const struct step_batch *batch = &next->event.batch;
        if (next->event.link.value == ret_answers[0]->event.link.value &&
            record_count + batch->record_count <= RUN_COUNT_MAX &&
            batch_verify_continues(&ret_answers[count - 1]->event.batch, batch)) {
            ret_answers[count++] = next;
            record_count += batch->record_count;
        }
    }
    return count;
}

static void hospital_unlink(struct interpreter_answer **queue,
                            const struct interpreter_answer *answer)
{
    while (*queue != answer)
        queue = &(*queue)->next;
    *queue = answer->next;
}

/* (T-29) What waits behind the first answer and continues it may be checked with it. */
static void hospital_merge(struct hospital *hospital)
{
    struct interpreter_answer *answers[RUN_COUNT_MAX];
    size_t count = hospital_continuing(hospital, answers);
    if (count == 1 || !prng_of(&hospital->world->prng, 75))
        return;
    struct interpreter_answer *merged = interpreter_merge(&hospital->interpreter, answers, count);
    if (merged->event.batch.runs->verdict != OK) {
        free(merged); /* each on its own */
        return;
    }
    hospital->world->merged_count++;
    for (size_t i = 0; i < count; i++) {
        hospital_unlink(&hospital->checking, answers[i]);
        free(answers[i]);
    }
    merged->next = hospital->checking;
    hospital->checking = merged;
}

void hospital_checked(struct hospital *hospital)
{
    if (hospital->checking == NULL)
        return; /* it went with an earlier one */
    hospital_merge(hospital);
    hospital_answer(hospital, hospital_unqueue(&hospital->checking), hospital_step);
}

void hospital_written(struct hospital *hospital)
{
    static uint64_t epochs[STEP_RECORD_COUNT_MAX];
    struct interpreter_answer *answer = hospital_unqueue(&hospital->writing);
    if (answer == NULL)
        abort();
    const struct step_batch *batch = &answer->event.batch;
    for (size_t i = 0; i < batch->record_count; i++) {
        struct record_claim claim;
        const struct chain_link *head = NULL;
        if (record_parse(batch->records[i].record, &claim) == OK)
            head = chain_find(&hospital->roster.chain, &claim.header.head);
        epochs[i] = head == NULL ? 0 : head->epoch;
    }
    hospital_queue(&hospital->keeping, answer);
    bool is_refused = hospital->disk.refuse_percent > 0 &&
                      prng_of(&hospital->world->prng, hospital->disk.refuse_percent);
    answer->event.verdict = is_refused ? ERR_FULL : disk_write(&hospital->disk, batch, epochs);
    /* the core orders what it keeps: a place is refused only behind what was refused before */
    hospital->has_refused = hospital->has_refused || answer->event.verdict == ERR_FULL;
    if (answer->event.verdict != OK && answer->event.verdict != ERR_FULL &&
        !(answer->event.verdict == ERR_OUT_OF_ORDER && hospital->has_refused))
        world_fail(hospital->world, "a batch that does not fit", err_name(answer->event.verdict));
    if (answer->event.verdict == OK)
        oracle_written(hospital, batch);
}

void hospital_kept(struct hospital *hospital)
{
    hospital_answer(hospital, hospital_unqueue(&hospital->keeping), hospital_step);
}

static void hospital_plan_again(struct hospital *hospital, enum schedule_kind kind, uint64_t ms)
{
    struct schedule_item item = {.at = hospital->world->now + ms,
                                 .kind = kind,
                                 .hospital = hospital->index,
                                 .boot = hospital->boot,
                                 .number = hospital->pace};
    schedule_add(&hospital->world->schedule, &item);
}

void hospital_pace(struct hospital *hospital)
{
    hospital->pace++;
    hospital->patience_ms = HOSPITAL_ASK_MS;
    if (hospital->ask_at != 0)
        hospital_ask_soon(hospital, HOSPITAL_ASK_MS);
    hospital_plan_again(hospital, SCHEDULE_TICK, 1);
    if (hospital->world->relay_count > 0)
        hospital_plan_again(hospital, SCHEDULE_WAYS, 1);
}

void hospital_tick(struct hospital *hospital, uint64_t pace)
{
    if (pace != hospital->pace)
        return;
    struct event event = hospital_event(hospital, EVENT_TICK);
    hospital_step(hospital, &event);
    fork_proofs_tick(hospital);
    hospital_plan_again(hospital, SCHEDULE_TICK, hospital->world->tick_ms);
}

void hospital_ways(struct hospital *hospital, uint64_t pace)
{
    uint64_t ms = hospital->world->tick_ms;
    if (pace != hospital->pace)
        return;
    route_tick(hospital);
    hospital_plan_again(hospital, SCHEDULE_WAYS, ms > SECOND_MS ? ms : ROUTE_TICK_MS);
}

void hospital_ask(struct hospital *hospital, uint64_t at)
{
    if (at != hospital->ask_at)
        return;
    struct event tick = hospital_event(hospital, EVENT_TICK);
    hospital->ask_at = 0;
    /* where time goes in long steps, what makes no progress is tried ever more seldom */
    if (hospital->world->tick_ms > MINUTE_MS && hospital->patience_ms < hospital->world->tick_ms)
        hospital->patience_ms *= 2;
    hospital_step(hospital, &tick);
    uint64_t tried = 0;
    for (struct post *post = hospital->posts; post != NULL && hospital->is_running;) {
        if (post->is_asked || post->token.value <= tried) {
            post = post->next;
            continue;
        }
        tried = post->token.value;
        post->is_asked = true;
        struct event event = hospital_event(hospital, EVENT_POST);
        event.token = post->token;
        event.post.scope = post->scope;
        event.post.audience = post->audience;
        event.post.plaintext = (struct bytes){post->body, post->body_size};
        event.post.expires = post->expires;
        hospital_step(hospital, &event);
        post = hospital->posts; /* answers change the list */
    }
}

uint64_t hospital_post(struct hospital *hospital, const struct posting *posting)
{
    struct world *world = hospital->world;
    struct post *post = calloc(1, sizeof *post);
    struct post **end = &hospital->posts;
    if (post == NULL || posting->body.size > sizeof post->body)
        abort();
    post->token.value = ++world->token_last;
    WORLD_CHECK(world, world->token_last < 65536);
    post->scope = posting->scope;
    post->audience = posting->audience;
    memcpy(post->body, posting->body.data, posting->body.size);
    post->body_size = posting->body.size;
    post->expires = posting->expires;
    world->outcomes[post->token.value].verdict = ERR_STATE;
    while (*end != NULL)
        end = &(*end)->next;
    *end = post;
    hospital_ask_soon(hospital, 0);
    return post->token.value;
}

/* ---- start and end ---- */

void hospital_boot(struct hospital *hospital)
{
    struct world *world = hospital->world;
    memset(hospital->engine_memory, 0, engine_memory_size(&hospital->config));
    prng_bytes(&world->prng, hospital->config.hash_key, sizeof hospital->config.hash_key);
    hospital->engine = engine_new(hospital->engine_memory, &hospital->config);
    determinism_begin(hospital);
    hospital->booted_at = world->now;
    memset(hospital->told_heads, 0, sizeof hospital->told_heads);
    hospital->is_relay_told = false;
    hospital->is_running = true;
    hospital->is_restoring = true;
    hospital->ask_at = 0;
    hospital->patience_ms = HOSPITAL_ASK_MS;
    world_note(world, hospital, "starts", 0);
    reboot_restore(hospital);
    hospital->is_restoring = false;
    struct event event = hospital_event(hospital, EVENT_START);
    event.start = !hospital->is_put_back  ? MARKER_HERE
                  : hospital->is_unmarked ? MARKER_NONE
                                          : MARKER_OTHER;
    hospital->is_put_back = false;
    hospital_step(hospital, &event);
    acceptance_started(hospital);
    case_erasure_resume(hospital);
    hospital_pace(hospital);
}

void hospital_crash(struct hospital *hospital)
{
    struct interpreter_answer *answer;
    world_note(hospital->world, hospital, "crashes", 0);
    hospital->boot++;
    hospital->is_running = false;
    hospital->checked_at = hospital->kept_at = 0;
    while ((answer = hospital_unqueue(&hospital->checking)) != NULL ||
           (answer = hospital_unqueue(&hospital->writing)) != NULL ||
           (answer = hospital_unqueue(&hospital->keeping)) != NULL ||
           (answer = interpreter_take(&hospital->interpreter)) != NULL)
        free(answer);
    while (hospital->posts != NULL) {
        struct post *post = hospital->posts;
        hospital->posts = post->next;
        free(post);
    }
    erasing_forget(hospital);
    fork_proofs_forget(hospital);
    held_mail_forget(hospital);
    line_cut_hospital(hospital);
    relay_cut_hospital(hospital);
    for (uint32_t i = 0; i < ROUTE_RELAYS_MAX; i++)
        hospital->wires[i].is_known[0] = false;
    route_reset(hospital);
}

void hospital_init(struct world *world, uint32_t index)
{
    struct hospital *hospital = &world->hospitals[index];
    uint8_t public_key[32];
    *hospital = (struct hospital){.world = world,
                                  .index = index,
                                  .name = hospital_names[index],
                                  .node = federation_node(index + 1)};
    interpreter_init(&hospital->interpreter, NULL, NULL, &hospital_calls, hospital);
    federation_key(index + 1, 2, public_key, hospital->sign_secret);
    hospital->transport_key = society_transport_key(index, hospital->transport_secret);
    federation_key(index + 1, 9, hospital->clinician_key.bytes, hospital->clinician_secret);
    struct federation_id federation = roster_federation(&world->society.roster);
    hospital->identity =
        (struct tunnel_identity){federation, hospital->transport_key, hospital->transport_secret};
    hospital->roster = federation_roster(roster_plan_small(), hospital->node, &federation,
                                         &hospital->roster_memory);
    struct engine_config *config = &hospital->config;
    engine_config_defaults(config);
    config->federation = federation;
    config->self = hospital->node;
    config->roster = &hospital->roster;
    config->stream_count_max = HOSPITAL_STREAMS;
    config->missing_count_max = 4096;
    config->mark_count_max = 4096;
    config->case_count_max = HOSPITAL_CASES;
    config->case_awake_max = world->cases_awake == 0 ? HOSPITAL_CASES_AWAKE : world->cases_awake;
    config->case_idle_ms = HOSPITAL_IDLE_MS;
    config->clinician_count_max = 128;
    config->survey_ms = world->survey_ms;
    held_mail_configure(hospital);
    hospital->engine_memory = aligned_alloc(16, (engine_memory_size(config) + 15) & ~(size_t)15);
    if (hospital->engine_memory == NULL)
        abort();
}

void hospital_free(struct hospital *hospital)
{
    if (hospital->is_running)
        hospital_crash(hospital);
    determinism_end(hospital);
    disk_free(&hospital->disk);
    disk_free(&hospital->backup);
    held_mail_free(hospital);
    free(hospital->roster_memory);
    free(hospital->engine_memory);
}
