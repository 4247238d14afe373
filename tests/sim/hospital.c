#include "tests/sim/hospital.h"

#include <string.h>

#include "protocol/core/examination.h"
#include "protocol/core/streams.h"
#include "protocol/record/statement.h"
#include "protocol/record/witness.h"
#include "tests/sim/erasing.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/parcel.h"
#include "tests/sim/society.h"
#include "tests/sim/twin.h"
#include "tests/sim/vault.h"

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

void hospital_plan(struct hospital *hospital, enum agenda_kind kind, uint64_t at)
{
    struct agenda_item item = {
        .at = at, .kind = kind, .hospital = hospital->index, .boot = hospital->boot};
    agenda_add(&hospital->world->agenda, &item);
}

/* ---- crypto ---- */

static void hospital_seal(struct hospital *hospital, const struct effect *effect)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_secrets secrets = {.sign_secret = hospital->sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    struct step_record record = {.flags = RECORD_OWN, .plaintext = effect->seal.plaintext};
    struct step_run run = {.stream = effect->seal.stream, .count = 1};
    struct step_batch batch = {&run, 1, &record, 1};
    chance_bytes(&hospital->world->chance, secrets.key.bytes, KEY_SIZE);
    chance_bytes(&hospital->world->chance, secrets.nonce, sizeof secrets.nonce);
    err verdict = record_seal(&effect->seal.header, effect->seal.plaintext, &secrets, &out, &id);
    record.record = buffer_bytes(&out);
    record.has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record.has_key)
        record.key = secrets.key;
    struct parcel *parcel = parcel_of_batch(&batch);
    parcel->token = effect->token;
    parcel->verdict = verdict;
    parcel->is_written = true; /* here: sealed, not loaded */
    parcel_queue(&hospital->followers, parcel);
}

static void hospital_load(struct hospital *hospital, const struct effect *effect)
{
    static struct step_record records[STEP_RECORD_COUNT_MAX];
    struct step_run run = {.stream = effect->load.slot, .first = effect->load.from};
    struct step_batch batch = {&run, 1, records, 0};
    size_t size = 0;
    uint64_t first = effect->load.is_by_id
                         ? disk_seek(&hospital->disk, &effect->load.stream, &effect->load.id)
                         : effect->load.from;
    for (uint64_t i = 0; i < effect->load.count || (i == 0 && effect->load.is_by_id); i++) {
        const struct disk_record *from = disk_at(&hospital->disk, &effect->load.stream, first + i);
        if (from == NULL)
            break;
        size += from->size + FRAME_RECORD_OVERHEAD;
        if (batch.record_count > 0 && size > effect->load.size_max)
            break;
        records[batch.record_count++] = (struct step_record){.record = {from->bytes, from->size},
                                                             .has_key = from->has_key,
                                                             .key = from->key,
                                                             .flags = from->flags};
    }
    struct parcel *parcel = parcel_of_batch(&batch);
    parcel->link = effect->link;
    parcel->token = effect->token;
    if (effect->link.value == 0)
        parcel_open(parcel);
    parcel_queue(&hospital->followers, parcel);
}

static void hospital_check(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    struct parcel *parcel = parcel_of_batch(&effect->batch);
    parcel->link = effect->link;
    parcel_queue(&hospital->checking, parcel);
    uint64_t at = world->now + chance_below(&world->chance, 8);
    hospital->checked_at = at > hospital->checked_at ? at : hospital->checked_at;
    hospital_plan(hospital, AGENDA_CHECKED, hospital->checked_at);
}

static void hospital_keep(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    struct parcel *parcel = parcel_of_batch(&effect->batch);
    parcel->link = effect->link;
    parcel->token = effect->token;
    parcel_queue(&hospital->keeping, parcel);
    uint64_t at = world->now + 1 + chance_below(&world->chance, 20);
    hospital->kept_at = at > hospital->kept_at ? at : hospital->kept_at;
    hospital_plan(hospital, AGENDA_WRITTEN, hospital->kept_at);
    hospital->kept_at += chance_below(&world->chance, 3);
    hospital_plan(hospital, AGENDA_KEPT, hospital->kept_at);
}

/* ---- effects ---- */

/* The earliest moment holds that was asked for. */
static void hospital_ask_soon(struct hospital *hospital, uint64_t ms)
{
    struct agenda_item item = {.at = hospital->world->now + ms,
                               .kind = AGENDA_POSTS,
                               .hospital = hospital->index,
                               .boot = hospital->boot,
                               .number = hospital->world->now + ms};
    if (hospital->ask_at != 0 && hospital->ask_at <= item.at)
        return;
    hospital->ask_at = item.at;
    agenda_add(&hospital->world->agenda, &item);
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
        *link = post->next;
        free(post);
        return;
    }
}

/* As keeping_forked: the mark is kept, and the proof goes into our federation stream. */
static void hospital_forked(struct hospital *hospital, const struct effect *effect)
{
    struct disk_stream *stream = disk_find(&hospital->disk, &effect->forked.stream);
    const struct disk_record *ours =
        disk_at(&hospital->disk, &effect->forked.stream, effect->forked.sequence);
    struct witness_fork_proof proof;
    uint8_t content[2048], body[2560];
    struct buffer inner = buffer_over(content, sizeof content);
    struct buffer outer = buffer_over(body, sizeof body);
    world_note(hospital->world, hospital, "forked", effect->forked.sequence);
    WORLD_CHECK(hospital->world, ours != NULL);
    stream->flags |= STREAM_FORKED;
    proof.header_a = (struct bytes){ours->bytes, RECORD_HEADER_SIZE};
    proof.header_b = (struct bytes){effect->forked.other.data, RECORD_HEADER_SIZE};
    memcpy(proof.signature_a.bytes, ours->bytes + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    memcpy(proof.signature_b.bytes, effect->forked.other.data + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    struct statement statement = {.kind = KIND_FORK_PROOF};
    err failure = witness_fork_proof_write(&proof, &inner);
    statement.content = buffer_bytes(&inner);
    if (failure == OK)
        failure = statement_write(&statement, &outer);
    WORLD_CHECK(hospital->world, failure == OK);
    struct posting posting = {scope_federation(), AUDIENCE_CLEAR, buffer_bytes(&outer), {0}};
    (void)hospital_post(hospital, &posting);
}

static void hospital_forks(struct hospital *hospital, struct bytes forks)
{
    memcpy(hospital->disk.forks, forks.data, forks.size);
    hospital->disk.forks_size = forks.size;
}

static void hospital_acked(struct hospital *hospital, const struct effect *effect)
{
    oracle_acked(hospital, effect);
    vault_acked(hospital, effect);
}

static void hospital_send(struct hospital *hospital, const struct effect *effect)
{
    for (size_t i = 0; i < effect->send.link_count; i++)
        way_send(hospital, effect->send.links[i], effect->send.frame);
}

static void hospital_perform(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    switch (effect->kind) {
    case EFFECT_CHECK:
        hospital_check(hospital, effect);
        break;
    case EFFECT_SEAL:
        hospital_seal(hospital, effect);
        break;
    case EFFECT_KEEP:
        hospital_keep(hospital, effect);
        break;
    case EFFECT_LOAD:
        hospital_load(hospital, effect);
        break;
    case EFFECT_SEND:
        hospital_send(hospital, effect);
        break;
    case EFFECT_HANGUP:
        way_hang_up(hospital, effect->link);
        break;
    case EFFECT_DONE:
        hospital_done(hospital, effect);
        break;
    case EFFECT_TOLD:
        world_note(world, hospital, kind_name(effect->told.kind), effect->told.record.bytes[0]);
        break;
    case EFFECT_FORKED:
        hospital_forked(hospital, effect);
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
        resting_keep(hospital, effect);
        break;
    case EFFECT_RETRACT:
    case EFFECT_ITEMS:
    case EFFECT_WAKE: /* when the others are done */
        break;
    case EFFECT_CUSTODY:
        vault_perform(hospital, effect);
        break;
    case EFFECT_HEADS:
        society_frame(hospital, effect);
        break;
    case EFFECT_LOG:
        world_note(world, hospital, effect->log.event, effect->log.verdict);
        break;
    }
}

static void hospital_turn(struct hospital *hospital, const struct event *event)
{
    struct step *step = &hospital->world->step;
    WORLD_CHECK(hospital->world, !hospital->is_turning);
    resting_step(hospital, event);
    if (hospital->is_restoring)
        return; /* as node/federation/restore.c: too early */
    hospital->is_turning = true;
    for (size_t i = 0; i < step->effect_count; i++) {
        enum effect_kind kind = step->effects[i].kind;
        if (kind == EFFECT_CHECK || kind == EFFECT_SEAL || kind == EFFECT_KEEP)
            hospital->patience_ms = HOSPITAL_ASK_MS;
        hospital_perform(hospital, &step->effects[i]);
    }
    resting_wake(hospital);
    hospital->is_turning = false;
}

static void hospital_follow(struct hospital *hospital, struct parcel *parcel)
{
    struct event event = hospital_event(hospital, parcel->is_written ? EVENT_SEALED : EVENT_LOADED);
    event.link = parcel->link;
    event.token = parcel->token;
    event.verdict = parcel->verdict;
    event.batch = parcel->batch;
    hospital_turn(hospital, &event);
    parcel_drop(parcel);
}

void hospital_step(struct hospital *hospital, const struct event *event)
{
    if (!hospital->is_running || hospital->is_puppet)
        return;
    hospital_turn(hospital, event);
    struct parcel *parcel;
    do {
        while ((parcel = parcel_unqueue(&hospital->followers)) != NULL)
            hospital_follow(hospital, parcel);
    } while (vault_answer(hospital, hospital_turn));
    if (core_busy(hospital->core) && !hospital->is_restoring)
        hospital_ask_soon(hospital, hospital->patience_ms);
}

/* ---- the agenda ---- */

void hospital_checked(struct hospital *hospital)
{
    struct parcel *parcel = parcel_unqueue(&hospital->checking);
    struct event event = hospital_event(hospital, EVENT_CHECKED);
    examination_batch(&parcel->batch, &parcel->room);
    event.link = parcel->link;
    event.batch = parcel->batch;
    hospital_step(hospital, &event);
    parcel_drop(parcel);
}

void hospital_written(struct hospital *hospital)
{
    static uint64_t epochs[STEP_RECORD_COUNT_MAX];
    struct parcel *parcel = hospital->keeping;
    while (parcel != NULL && parcel->is_written)
        parcel = parcel->next;
    if (parcel == NULL)
        abort();
    for (size_t i = 0; i < parcel->batch.record_count; i++) {
        struct record_claim claim;
        const struct chain_link *head = NULL;
        if (record_parse(parcel->batch.records[i].record, &claim) == OK)
            head = chain_find(&hospital->roster.chain, &claim.header.head);
        epochs[i] = head == NULL ? 0 : head->epoch;
    }
    parcel->is_written = true;
    bool is_refused = hospital->disk.refuse_percent > 0 &&
                      chance_of(&hospital->world->chance, hospital->disk.refuse_percent);
    parcel->verdict = is_refused ? ERR_FULL : disk_write(&hospital->disk, &parcel->batch, epochs);
    /* the core orders what it keeps: a place is refused only behind what was refused before */
    hospital->has_refused = hospital->has_refused || parcel->verdict == ERR_FULL;
    if (parcel->verdict != OK && parcel->verdict != ERR_FULL &&
        !(parcel->verdict == ERR_OUT_OF_ORDER && hospital->has_refused))
        world_fail(hospital->world, "a batch that does not fit", err_name(parcel->verdict));
    if (parcel->verdict == OK)
        oracle_written(hospital, &parcel->batch);
}

void hospital_kept(struct hospital *hospital)
{
    struct parcel *parcel = parcel_unqueue(&hospital->keeping);
    struct event event = hospital_event(hospital, EVENT_KEPT);
    event.link = parcel->link;
    event.token = parcel->token;
    event.verdict = parcel->verdict;
    event.batch = parcel->batch;
    hospital_step(hospital, &event);
    parcel_drop(parcel);
}

static void hospital_plan_again(struct hospital *hospital, enum agenda_kind kind, uint64_t ms)
{
    struct agenda_item item = {.at = hospital->world->now + ms,
                               .kind = kind,
                               .hospital = hospital->index,
                               .boot = hospital->boot,
                               .number = hospital->pace};
    agenda_add(&hospital->world->agenda, &item);
}

void hospital_pace(struct hospital *hospital)
{
    hospital->pace++;
    hospital->patience_ms = HOSPITAL_ASK_MS;
    if (hospital->ask_at != 0)
        hospital_ask_soon(hospital, HOSPITAL_ASK_MS);
    hospital_plan_again(hospital, AGENDA_TICK, 1);
    if (hospital->world->relay_count > 0)
        hospital_plan_again(hospital, AGENDA_WAYS, 1);
}

void hospital_tick(struct hospital *hospital, uint64_t pace)
{
    if (pace != hospital->pace)
        return;
    struct event event = hospital_event(hospital, EVENT_TICK);
    hospital_step(hospital, &event);
    hospital_plan_again(hospital, AGENDA_TICK, hospital->world->tick_ms);
}

void hospital_ways(struct hospital *hospital, uint64_t pace)
{
    uint64_t ms = hospital->world->tick_ms;
    if (pace != hospital->pace)
        return;
    way_tick(hospital);
    hospital_plan_again(hospital, AGENDA_WAYS, ms > SECOND_MS ? ms : WAY_TICK_MS);
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
    memset(hospital->core_memory, 0, core_memory_size(&hospital->config));
    chance_bytes(&world->chance, hospital->config.hash_key, sizeof hospital->config.hash_key);
    hospital->core = core_new(hospital->core_memory, &hospital->config);
    twin_begin(hospital);
    hospital->booted_at = world->now;
    hospital->is_running = true;
    hospital->is_restoring = true;
    hospital->ask_at = 0;
    hospital->patience_ms = HOSPITAL_ASK_MS;
    world_note(world, hospital, "starts", 0);
    reboot_restore(hospital);
    hospital->is_restoring = false;
    struct event event = hospital_event(hospital, EVENT_START);
    event.start = hospital->is_put_back ? MARKER_OTHER : MARKER_HERE;
    hospital->is_put_back = false;
    hospital_step(hospital, &event);
    erasing_resume(hospital);
    hospital_pace(hospital);
}

void hospital_crash(struct hospital *hospital)
{
    struct parcel *parcel;
    world_note(hospital->world, hospital, "crashes", 0);
    hospital->boot++;
    hospital->is_running = false;
    hospital->checked_at = hospital->kept_at = 0;
    while ((parcel = parcel_unqueue(&hospital->checking)) != NULL ||
           (parcel = parcel_unqueue(&hospital->keeping)) != NULL ||
           (parcel = parcel_unqueue(&hospital->followers)) != NULL)
        parcel_drop(parcel);
    while (hospital->posts != NULL) {
        struct post *post = hospital->posts;
        hospital->posts = post->next;
        free(post);
    }
    erasing_forget(hospital);
    vault_forget(hospital);
    line_cut_hospital(hospital);
    relay_cut_hospital(hospital);
    for (uint32_t i = 0; i < WAY_RELAYS_MAX; i++)
        hospital->wires[i].is_known[0] = false;
    way_reset(hospital);
}

void hospital_init(struct world *world, uint32_t index)
{
    struct hospital *hospital = &world->hospitals[index];
    uint8_t public_key[32];
    *hospital = (struct hospital){.world = world,
                                  .index = index,
                                  .name = hospital_names[index],
                                  .node = federation_node(index + 1)};
    federation_key(index + 1, 2, public_key, hospital->sign_secret);
    hospital->transport_key = society_transport_key(index, hospital->transport_secret);
    federation_key(index + 1, 9, hospital->clinician_key.bytes, hospital->clinician_secret);
    struct federation_id federation = roster_federation(&world->society.roster);
    hospital->identity =
        (struct boxed_identity){federation, hospital->transport_key, hospital->transport_secret};
    hospital->roster = federation_roster(roster_plan_small(), hospital->node, &federation,
                                         &hospital->roster_memory);
    struct core_config *config = &hospital->config;
    core_config_defaults(config);
    config->federation = federation;
    config->self = hospital->node;
    config->roster = &hospital->roster;
    config->stream_count_max = HOSPITAL_STREAMS;
    config->lack_count_max = 4096;
    config->mark_count_max = 4096;
    config->case_count_max = HOSPITAL_CASES;
    config->case_awake_max = world->cases_awake == 0 ? HOSPITAL_CASES_AWAKE : world->cases_awake;
    config->case_idle_ms = HOSPITAL_IDLE_MS;
    config->clinician_count_max = 128;
    config->survey_ms = world->survey_ms;
    vault_configure(hospital);
    hospital->core_memory = aligned_alloc(16, (core_memory_size(config) + 15) & ~(size_t)15);
    if (hospital->core_memory == NULL)
        abort();
}

void hospital_free(struct hospital *hospital)
{
    if (hospital->is_running)
        hospital_crash(hospital);
    twin_end(hospital);
    disk_free(&hospital->disk);
    disk_free(&hospital->backup);
    vault_free(hospital);
    free(hospital->roster_memory);
    free(hospital->core_memory);
}
