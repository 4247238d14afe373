#include "tests/sim/society.h"

#include <string.h>

#include "protocol/wire/noise.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/resends.h"

/* How the head in force lists a hospital, for the oracle. */
static void society_note(struct world *world, uint32_t index)
{
    const struct roster *roster = &world->society.roster;
    struct node_id node = federation_node(index + 1);
    const struct roster_entry *entry = roster_find(roster, &node);
    struct world_member *row = &world->heads[world->society.head.epoch - 1].members[index];
    struct member member;
    *row = (struct world_member){0};
    if (entry == NULL)
        return;
    roster_member(roster, entry, &member);
    *row = (struct world_member){member.state,
                                 member.admitted_epoch,
                                 member.state_since_epoch,
                                 member.keys_since_epoch,
                                 0,
                                 entry->keys_proved};
    for (uint32_t i = 0; i < member.board_count; i++) {
        if (bytes_equal(member.boards[i].tag, bytes_of_text("hematology")))
            row->board_since = member.boards[i].since_epoch;
    }
}

static void society_keep_head(struct world *world)
{
    struct federation *f = &world->society;
    uint64_t epoch = f->head.epoch;
    WORLD_CHECK(world, epoch <= WORLD_HEADS_MAX);
    memcpy(world->heads[epoch - 1].signed_head, f->signed_head.data, f->signed_head.size);
    world->heads[epoch - 1].size = f->signed_head.size;
    world->heads[epoch - 1].items = malloc(f->delta.items.size);
    if (world->heads[epoch - 1].items == NULL)
        abort();
    memcpy(world->heads[epoch - 1].items, f->delta.items.data, f->delta.items.size);
    world->heads[epoch - 1].delta = f->delta;
    world->heads[epoch - 1].delta.items.data = world->heads[epoch - 1].items;
    world->heads[epoch - 1].id = f->delta.head;
    for (uint32_t i = 0; i < WORLD_HOSPITALS_MAX; i++)
        society_note(world, i);
    world->epoch = epoch;
}

struct transport_key society_transport_key(uint32_t index, uint8_t ret_secret[static KEY_SIZE])
{
    struct transport_key key;
    memset(ret_secret, 0, KEY_SIZE);
    ret_secret[0] = 3;
    ret_secret[1] = (uint8_t)(index + 1);
    noise_public(ret_secret, &key);
    return key;
}

struct transport_key society_relay_key(uint32_t index)
{
    return (struct transport_key){{0xee, (uint8_t)(index + 1)}};
}

struct member society_newcomer(uint32_t index, uint64_t epoch)
{
    uint8_t secret[KEY_SIZE];
    struct member member = federation_member(index + 1, epoch);
    member.transport_key = society_transport_key(index, secret);
    return member;
}

struct member society_member(const struct world *world, uint32_t index)
{
    const struct roster *roster = &world->society.roster;
    struct member member;
    roster_member(roster, roster_find(roster, &world->hospitals[index].node), &member);
    return member;
}

static void society_put_settings(struct world *world, bool allows_custody)
{
    struct settings settings;
    federation_settings(&settings);
    settings.custody_allowed = world->allows_custody = allows_custody;
    for (uint32_t i = 0; i < world->relay_count; i++) {
        settings.relays[i] = settings.relays[0];
        settings.relays[i].key = society_relay_key(i);
        settings.relay_count = i + 1;
    }
    federation_put_settings(&world->society, &settings);
}

void society_found(struct world *world, uint32_t admitted)
{
    struct federation *f = &world->society;
    federation_begin(f, roster_plan_small());
    society_put_settings(world, true);
    for (uint32_t i = 0; i < admitted; i++) {
        struct member member = society_newcomer(i, 1);
        federation_put_member(f, &member);
    }
    WORLD_CHECK(world, federation_draft(f) == OK);
    WORLD_CHECK(world, roster_apply(&f->roster, f->signed_head, &f->delta, f->now) == OK);
    society_keep_head(world);
    f->draft.size = 0;
}

void society_end(struct world *world)
{
    for (uint64_t i = 0; i < world->epoch; i++)
        free(world->heads[i].items);
    federation_end(&world->society);
}

void society_teach(struct hospital *hospital, uint64_t epoch)
{
    struct world *world = hospital->world;
    if (hospital->epoch >= epoch)
        return;
    while (hospital->epoch < epoch) {
        struct bytes head = {world->heads[hospital->epoch].signed_head,
                             world->heads[hospital->epoch].size};
        err failure = roster_apply(&hospital->roster, head, &world->heads[hospital->epoch].delta,
                                   hospital_wall(hospital));
        if (failure != OK)
            world_fail(world, "a head that is not taken", err_name(failure));
        hospital->received[hospital->epoch++] = hospital_wall(hospital).ms;
    }
    world_note(world, hospital, "head", epoch);
    resends_learned(hospital, NULL);
    struct event event = hospital_event(hospital, EVENT_ROSTER);
    if (!hospital->is_running)
        return;
    hospital_step(hospital, &event);
    route_refresh(hospital);
}

static void society_issue(struct world *world)
{
    struct federation *f = &world->society;
    f->now.ms = FEDERATION_START_MS + DAY_MS + world->now - HOUR_MS;
    err failure = federation_draft(f);
    if (failure == OK)
        failure = roster_apply(&f->roster, f->signed_head, &f->delta, f->now);
    if (failure != OK)
        world_fail(world, "a head that cannot be", err_name(failure));
    society_keep_head(world);
    f->draft.size = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        struct schedule_item item = {.at = world->now + prng_below(&world->prng, 1000),
                                     .kind = SCHEDULE_HEADS,
                                     .hospital = i,
                                     .number = world->epoch};
        if (world->hospitals[i].is_running && world->side[i] == 0)
            schedule_add(&world->schedule, &item);
    }
}

void society_change(struct world *world, const struct member *member)
{
    world_note(world, &world->hospitals[0], "a member becomes", (uint64_t)member->state);
    federation_put_member(&world->society, member);
    society_issue(world);
}

/* The longest that anybody holds of a stream. */
static void society_cut(struct world *world, struct cut *cut)
{
    for (uint32_t i = 0; i < world->count; i++) {
        const struct disk_stream *stream = disk_find(&world->hospitals[i].disk, &cut->stream);
        if (stream == NULL || stream->tail <= cut->sequence || world->hospitals[i].is_puppet ||
            ID_EQUAL(world->hospitals[i].node, cut->stream.writer))
            continue;
        cut->sequence = stream->tail;
        cut->record = stream->tail_id;
    }
}

static bool society_has(const struct world *world, const struct stream_id *stream)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (disk_find(&world->hospitals[i].disk, stream) != NULL)
            return true;
    }
    return false;
}

void society_remove(struct world *world, uint32_t index)
{
    world_note(world, &world->hospitals[index], "is removed", world->epoch + 1);
    struct member member = society_member(world, index);
    const struct scope scopes[] = {scope_federation(), clinic_board(world)};
    for (int i = 0; i < 2; i++) {
        struct cut cut = {.stream = {scopes[i], member.node_id, 1}};
        do {
            society_cut(world, &cut);
            federation_put_cut(&world->society, &cut);
            WORLD_CHECK(world, world->cut_count < WORLD_CUTS_MAX);
            world->cuts[world->cut_count++] =
                (struct world_cut){world->epoch + 1, cut.stream, cut.sequence};
            cut = (struct cut){.stream = {scopes[i], member.node_id, cut.stream.generation + 1}};
        } while (society_has(world, &cut.stream));
    }
    member.state = MEMBER_REMOVED;
    member.state_since_epoch = world->epoch + 1;
    federation_put_member(&world->society, &member);
    society_issue(world);
}

void society_allow_custody(struct world *world, bool is_allowed)
{
    world_note(world, &world->hospitals[0], "custody is allowed", is_allowed ? 1 : 0);
    society_put_settings(world, is_allowed);
    society_issue(world);
}

void society_renew(struct world *world)
{
    society_issue(world);
}

void society_frame(struct hospital *hospital, const struct effect *effect)
{
    struct world *world = hospital->world;
    struct frame_heads_want want;
    if (frame_heads_want_read(effect->frame, &want) != OK)
        return;
    struct schedule_item item = {.at = world->now + 5 + prng_below(&world->prng, 60),
                                 .kind = SCHEDULE_HEADS,
                                 .hospital = route_peer(hospital, effect->link),
                                 .number = hospital->epoch};
    if (item.hospital != ROUTE_NOBODY)
        schedule_add(&world->schedule, &item);
}
