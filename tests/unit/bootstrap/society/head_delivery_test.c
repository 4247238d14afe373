/* The delivery carries a new head to members through a relay that may lose, refuse or be slow: a
 * member that was at the head before gets the delta, one that is far behind a snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "bootstrap/directory/society_pending.h"
#include "bootstrap/society/head_delivery.h"
#include "bootstrap/society/society_invite.h"
#include "protocol/wire/frame.h"

enum { BOX_COUNT_MAX = 256, CREDIT = 4 };

struct box {
    uint8_t *data;
    size_t size;
};

/* One hospital with its roster, behind a relay that is the test itself. */
struct hospital {
    struct roster roster;
    void *memory;
    struct tunnel tunnel;
    struct tunnel_identity identity;
    uint8_t transport_secret[KEY_SIZE];
    struct delta_assembly assembly;
    uint8_t *items;
    uint32_t parts;
    bool by_delta;
};

struct story {
    char path[64];
    struct society society;
    uint8_t officer_secret[64];
    struct transport_key relay, publisher;
    uint8_t publisher_secret[KEY_SIZE];
    struct hospital hospital;
    struct box tunnels[BOX_COUNT_MAX]; /* from the delivery, to the hospital */
    uint32_t box_count;
    uint32_t credit;
    struct mono now;
    uint64_t epochs[8];
    struct head_delivery *delivery;
    struct tunnel_step step;
};

/* ---- a society with three heads ---- */

static void sign(struct story *s)
{
    struct society_pending *pending = &s->society.pending;
    struct bytes body = {pending->body, pending->body_size};
    pending->signature_count = 1;
    pending->signatures[0].officer = 0;
    roster_head_sign(body, s->officer_secret, &pending->signatures[0].signature);
    assert_true(society_directory_commit(&s->society));
}

static struct member member_of(struct story *s, uint8_t number, uint64_t epoch)
{
    uint8_t secret[64];
    uint8_t seed[32] = {number};
    struct member member = {
        .node_id = {{number}},
        .name = bytes_of_text("Klinikum"),
        .country = {'A', 'T'},
        .state = MEMBER_ADMITTED,
        .admitted_epoch = epoch,
        .state_since_epoch = epoch,
        .keys_since_epoch = epoch,
    };
    crypto_sign_seed_keypair(member.sign_key.bytes, secret, seed);
    crypto_box_seed_keypair(member.transport_key.bytes, s->hospital.transport_secret, seed);
    return member;
}

static void admit(struct story *s, uint8_t number)
{
    struct member member = member_of(s, number, society_pending_epoch(&s->society));
    assert_true(society_pending_begin(&s->society));
    assert_true(society_pending_put_member(&s->society, &member));
    assert_true(society_directory_finish(&s->society, 30));
    sign(s);
}

static void found(struct story *s)
{
    struct settings settings;
    settings_init(&settings);
    settings.name = bytes_of_text("Society");
    settings.publisher_count = 1;
    settings.publishers[0] = s->publisher;
    assert_true(society_directory_open(&s->society, s->path, true));
    assert_true(society_pending_begin(&s->society));
    struct officers *officers = &s->society.pending.head.officers;
    officers->count = officers->threshold = 1;
    crypto_sign_keypair(officers->keys[0].bytes, s->officer_secret);
    assert_true(society_pending_put_settings(&s->society, &settings));
    assert_true(society_directory_finish(&s->society, 30));
    sign(s);
}

/* ---- the hospital's side ---- */

static void give(struct story *s, const struct tunnel_step *step);

static void hospital_event(struct story *s, struct tunnel_event *event)
{
    uint8_t secret[KEY_SIZE];
    event->now = s->now;
    randombytes_buf(secret, sizeof secret);
    event->secret = secret;
    tunnel_on_event(&s->hospital.tunnel, event, &s->step);
    give(s, &s->step);
}

static void ask(struct story *s)
{
    const struct roster *roster = &s->hospital.roster;
    const struct chain_link *last = chain_last(&roster->chain);
    struct frame_heads_want want = {.epoch = last == NULL ? 0 : last->epoch};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    if (roster->filled)
        want.base = roster_current_id(roster);
    frame_heads_want_write(&frame, &want);
    struct tunnel_event event = {.kind = TUNNEL_EVENT_SEND, .bytes = buffer_bytes(&frame)};
    hospital_event(s, &event);
}

static void take_heads(struct story *s, struct bytes frame)
{
    struct reader reader;
    struct bytes head;
    assert_int_equal(frame_heads_open(frame, &reader), OK);
    while (frame_head_read(&reader, &head) == OK)
        assert_int_equal(roster_learn(&s->hospital.roster, head, (struct wall){1}), OK);
}

static void take_part(struct story *s, struct bytes frame)
{
    struct hospital *h = &s->hospital;
    struct bytes bytes;
    struct delta_part part;
    assert_int_equal(frame_roster_part_read(frame, &bytes), OK);
    assert_int_equal(delta_part_read(bytes, &part), OK);
    if (part.index == 0)
        delta_assembly_begin(&h->assembly, &part.head, &part.base, h->items, DELTA_SIZE_MAX);
    assert_int_equal(delta_assembly_add(&h->assembly, &part), OK);
    h->by_delta = !ID_IS_ZERO(part.base);
    h->parts++;
    if (!h->assembly.complete)
        return;
    struct delta delta = delta_assembly_delta(&h->assembly);
    assert_int_equal(roster_fill(&h->roster, &delta), OK);
    ask(s);
}

static void give(struct story *s, const struct tunnel_step *step)
{
    enum tunnel_change change = step->change;
    uint8_t *opened = NULL;
    struct bytes frame = {NULL, step->opened.size};
    if (step->send.size > 0) {
        uint8_t *copy = malloc(step->send.size);
        assert_non_null(copy);
        memcpy(copy, step->send.data, step->send.size);
        struct bytes box = {copy, step->send.size};
        if (frame.size > 0) {
            opened = malloc(frame.size);
            assert_non_null(opened);
            memcpy(opened, step->opened.data, frame.size);
        }
        head_delivery_box(s->delivery, 0, &s->hospital.identity.local, box);
        free(copy);
    } else if (frame.size > 0) {
        opened = malloc(frame.size);
        assert_non_null(opened);
        memcpy(opened, step->opened.data, frame.size);
    }
    if (change == TUNNEL_UP)
        ask(s);
    frame.data = opened;
    if (frame.size > 0 && opened[0] == FRAME_HEADS)
        take_heads(s, frame);
    else if (frame.size > 0 && opened[0] == FRAME_ROSTER_PART)
        take_part(s, frame);
    free(opened);
}

/* ---- the relay ---- */

static struct mono now(void *arg)
{
    struct story *s = arg;
    return s->now;
}

static bool may_send(void *arg, uint32_t relay, const struct transport_key *to, size_t size)
{
    struct story *s = arg;
    (void)relay;
    (void)to;
    (void)size;
    if (s->credit == 0)
        return false;
    s->credit--;
    return true;
}

static void forward(void *arg, uint32_t relay, const struct transport_key *to, struct bytes box)
{
    struct story *s = arg;
    assert_int_equal(relay, 0);
    assert_true(ID_EQUAL(*to, s->hospital.identity.local));
    assert_true(s->box_count < BOX_COUNT_MAX);
    uint8_t *copy = malloc(box.size);
    assert_non_null(copy);
    memcpy(copy, box.data, box.size);
    s->tunnels[s->box_count++] = (struct box){copy, box.size};
}

/* Delivers what is under way, gives credit back, and goes on; `lose` drops it instead. */
static void turn(struct story *s, bool lose)
{
    uint32_t count = s->box_count;
    struct box tunnels[BOX_COUNT_MAX];
    memcpy(tunnels, s->tunnels, sizeof tunnels);
    s->box_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct tunnel_event event = {.kind = TUNNEL_EVENT_FRAME,
                                     .bytes = {tunnels[i].data, tunnels[i].size}};
        if (!lose)
            hospital_event(s, &event);
        free(tunnels[i].data);
    }
    s->credit = CREDIT;
    s->now.ms += 100;
    head_delivery_go_on(s->delivery);
}

/* ---- stories ---- */

/* The hospital holds the heads up to `epoch`; the society has three. */
static void begin(struct story *s, uint64_t epoch)
{
    struct hospital *h = &s->hospital;
    struct roster_plan plan = roster_plan_small();
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "/tmp/consilium-delivery-XXXXXX");
    assert_non_null(mkdtemp(s->path));
    s->relay = (struct transport_key){{0x77}};
    crypto_box_keypair(s->publisher.bytes, s->publisher_secret);
    found(s);
    admit(s, 1);
    struct member member = member_of(s, 9, 3);
    admit(s, 8);
    member = member_of(s, 1, 2);
    h->identity.local = member.transport_key;
    h->identity.local_secret = h->transport_secret;
    h->identity.federation = roster_federation(&s->society.roster);
    h->memory = malloc(roster_size(&plan));
    h->items = malloc(DELTA_SIZE_MAX);
    roster_init(&h->roster, &plan, h->memory, &member.node_id, NULL);
    for (uint64_t at = 1; at <= epoch; at++) {
        uint8_t *head, *items;
        size_t head_size, items_size;
        struct roster_head_signed read;
        assert_true(society_directory_read_head(&s->society, at, &head, &head_size));
        assert_true(society_directory_read_delta(&s->society, at, &items, &items_size));
        struct delta delta = {.items = {items, items_size}};
        assert_int_equal(roster_head_signed_read((struct bytes){head, head_size}, &read), OK);
        delta.head = roster_head_id(read.body);
        if (h->roster.filled)
            delta.base = roster_current_id(&h->roster);
        assert_int_equal(
            roster_apply(&h->roster, (struct bytes){head, head_size}, &delta, (struct wall){1}),
            OK);
        free(head);
        free(items);
    }
    tunnel_init(&h->tunnel, &h->identity, &s->relay, &s->publisher);
    struct head_delivery_config config = {
        .society = &s->society,
        .epochs = s->epochs,
        .epoch_count = society_directory_epochs(&s->society, s->epochs),
        .identity = {h->identity.federation, s->publisher, s->publisher_secret},
        .relays = &s->relay,
        .relay_count = 1,
        .may_send = may_send,
        .send = forward,
        .now = now,
        .arg = s,
    };
    assert_int_equal(config.epoch_count, 3);
    s->delivery = head_delivery_new(&config);
    assert_non_null(s->delivery);
    s->credit = CREDIT;
}

static void end(struct story *s)
{
    char command_path[128];
    for (uint32_t i = 0; i < s->box_count; i++)
        free(s->tunnels[i].data);
    head_delivery_free(s->delivery);
    tunnel_clear(&s->hospital.tunnel);
    society_directory_close(&s->society);
    for (uint64_t at = 1; at <= 3; at++) {
        snprintf(command_path, sizeof command_path, "%s/heads/%08u.head", s->path, (unsigned)at);
        unlink(command_path);
        snprintf(command_path, sizeof command_path, "%s/heads/%08u.delta", s->path, (unsigned)at);
        unlink(command_path);
    }
    snprintf(command_path, sizeof command_path, "%s/heads", s->path);
    rmdir(command_path);
    snprintf(command_path, sizeof command_path, "%s/pending", s->path);
    rmdir(command_path);
    rmdir(s->path);
    free(s->hospital.memory);
    free(s->hospital.items);
}

static void run_until_settled(struct story *s)
{
    for (int i = 0; i < 50 && head_delivery_counts(s->delivery).pending > 0; i++)
        turn(s, false);
    turn(s, false);
}

static void assert_reached(struct story *s)
{
    struct head_delivery_counts counts = head_delivery_counts(s->delivery);
    assert_int_equal(counts.reached, 1);
    assert_int_equal(counts.connected, 1);
    assert_int_equal(counts.pending, 0);
    struct head_id here = roster_current_id(&s->hospital.roster);
    struct head_id there = roster_current_id(&s->society.roster);
    assert_true(ID_EQUAL(here, there));
    assert_false(roster_is_behind(&s->hospital.roster));
}

static void who_is_one_head_behind_gets_the_delta(void **state)
{
    static struct story s;
    (void)state;
    begin(&s, 2);
    head_delivery_present(s.delivery, 0, &s.hospital.identity.local, true);
    run_until_settled(&s);
    assert_reached(&s);
    assert_true(s.hospital.by_delta);
    end(&s);
}

static void who_is_far_behind_gets_a_snapshot(void **state)
{
    static struct story s;
    (void)state;
    begin(&s, 1);
    head_delivery_present(s.delivery, 0, &s.hospital.identity.local, true);
    run_until_settled(&s);
    assert_reached(&s);
    assert_false(s.hospital.by_delta);
    end(&s);
}

static void who_has_it_gets_nothing(void **state)
{
    static struct story s;
    (void)state;
    begin(&s, 3);
    head_delivery_present(s.delivery, 0, &s.hospital.identity.local, true);
    run_until_settled(&s);
    assert_reached(&s);
    assert_int_equal(s.hospital.parts, 0);
    end(&s);
}

static void little_credit_only_makes_it_slow(void **state)
{
    static struct story s;
    (void)state;
    begin(&s, 1);
    head_delivery_present(s.delivery, 0, &s.hospital.identity.local, true);
    for (int i = 0; i < 200 && head_delivery_counts(s.delivery).pending > 0; i++) {
        turn(&s, false);
        s.credit = (uint32_t)(i & 1);
    }
    assert_reached(&s);
    end(&s);
}

static void strangers_and_the_absent_are_not_dialled(void **state)
{
    static struct story s;
    (void)state;
    struct transport_key stranger = {{1, 2, 3}};
    begin(&s, 2);
    head_delivery_present(s.delivery, 0, &stranger, true);
    head_delivery_present(s.delivery, 0, &s.hospital.identity.local, false);
    turn(&s, false);
    assert_int_equal(s.box_count, 0);
    assert_int_equal(head_delivery_counts(s.delivery).connected, 0);
    end(&s);
}

static void a_member_that_never_answers_is_given_up(void **state)
{
    static struct story s;
    (void)state;
    begin(&s, 2);
    for (int i = 0; i < 3; i++) {
        head_delivery_present(s.delivery, 0, &s.hospital.identity.local, true);
        turn(&s, true);
        head_delivery_lost(s.delivery, 0, &s.hospital.identity.local);
        if (i < 2) {
            assert_int_equal(head_delivery_counts(s.delivery).pending, 1);
            s.now.ms += 3000;
        }
    }
    struct head_delivery_counts counts = head_delivery_counts(s.delivery);
    assert_int_equal(counts.pending, 0);
    assert_int_equal(counts.reached, 0);
    assert_int_equal(counts.connected, 1);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_one_head_behind_gets_the_delta),
        cmocka_unit_test(who_is_far_behind_gets_a_snapshot),
        cmocka_unit_test(who_has_it_gets_nothing),
        cmocka_unit_test(little_credit_only_makes_it_slow),
        cmocka_unit_test(strangers_and_the_absent_are_not_dialled),
        cmocka_unit_test(a_member_that_never_answers_is_given_up),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
