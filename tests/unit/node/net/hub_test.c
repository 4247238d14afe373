/* Links over real sockets of the loopback: what arrives, and what ends a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/hub_sides.h"

static void a_listed_key_gets_in_and_frames_go_both_ways(void **state)
{
    (void)state;
    struct place place;
    struct side server = {.echo = true};
    struct side client = {0};
    place_open(&place);
    link_up(&place, &server, &client);
    assert_true(ID_EQUAL(server.peer, client.key));
    assert_true(ID_EQUAL(client.peer, server.key));
    for (uint32_t i = 1; i <= 50; i++)
        assert_int_equal(send_number(&client, client.link, i, 5 + i), OK);
    UNTIL(&place, client.frames == 50);
    assert_int_equal(server.frames, 50);
    assert_false(server.out_of_order || client.out_of_order);
    assert_int_equal(send_number(&client, client.link, 51, FRAME_MAX), OK);
    UNTIL(&place, client.frames == 51);
    assert_int_equal(client.last_size, FRAME_MAX);
    assert_int_equal(
        hub_send_two(client.hub, client.link, bytes_of_text("ab"), bytes_of_text("cd")), OK);
    UNTIL(&place, client.frames == 52);
    assert_int_equal(client.last_size, 4);
    assert_int_equal(hub_counts(server.hub).frames_in, 52);
    hub_free(client.hub);
    UNTIL(&place, server.downs == 1);
    assert_int_equal(server.reason, HUB_DISCONNECTED);
    hub_free(server.hub);
    place_close(&place);
}

/* ---- what ends a link ---- */

static void an_oversize_frame_ends_only_the_link_it_came_by(void **state)
{
    (void)state;
    static uint8_t big[70000] = {7};
    struct place place;
    struct side server = {0};
    struct side honest = {0};
    struct side hostile = {0};
    place_open(&place);
    link_up(&place, &server, &honest);
    void *socket = stray(&place, &hostile, &server);
    struct transport_key both[] = {honest.key, hostile.key};
    assert_int_equal(hub_allow(server.hub, both, 2), OK);
    stray_connect(socket, &server);
    UNTIL(&place, stray_sends(socket, hello, sizeof hello));
    UNTIL(&place, server.ups == 2);
    assert_true(stray_sends(socket, big, sizeof big));
    UNTIL(&place, server.downs == 1);
    assert_int_equal(server.reason, HUB_DISCONNECTED);
    assert_int_equal(server.frames, 0);
    assert_int_equal(send_number(&honest, honest.link, 1, 5), OK);
    UNTIL(&place, server.frames == 1);
    assert_int_equal(honest.downs, 0);
    assert_int_equal(zmq_close(socket), 0);
    hub_free(server.hub);
    hub_free(honest.hub);
    place_close(&place);
}

static void who_breaks_the_rules_is_cut(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side hostile = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    for (unsigned route = 0; route < 4; route++) {
        void *socket = stray(&place, &hostile, &server);
        assert_int_equal(hub_allow(server.hub, &hostile.key, 1), OK);
        stray_connect(socket, &server);
        unsigned ups = server.ups;
        if (route < 2) {
            UNTIL(&place, stray_sends(socket, hello, sizeof hello));
            UNTIL(&place, server.ups == ups + 1);
        }
        if (route == 0)
            UNTIL(&place, zmq_send(socket, "ab", 2, ZMQ_DONTWAIT | ZMQ_SNDMORE) == 2);
        /* two parts; nothing at all; no hello; one of another version */
        UNTIL(&place, stray_sends(socket, route == 2 ? "ab" : "\0\1\77",
                                  route == 1   ? 0
                                  : route == 2 ? 2
                                               : 3));
        UNTIL(&place, hub_counts(server.hub).violations == route + 1);
        assert_int_equal(server.frames, 0);
        assert_int_equal(zmq_close(socket), 0);
    }
    assert_int_equal(server.ups, 2);
    assert_int_equal(server.downs, 2);
    hub_free(server.hub);
    place_close(&place);
}

static void who_falls_silent_is_given_up(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side mute = {0};
    struct side honest = {0};
    struct address address = loopback(0);
    place_open(&place);
    struct hub_config config = side_config(&server);
    config.listen = &address;
    config.listen_count = 1;
    config.pace.ask_ms = 300;
    config.pace.silent_ms = 2500;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &server.hub), OK);
    void *socket = stray(&place, &mute, &server);
    only_dial(&place, &honest);
    struct transport_key both[] = {honest.key, mute.key};
    assert_int_equal(hub_allow(server.hub, both, 2), OK);
    (void)dial(&honest, &server);
    stray_connect(socket, &server);
    UNTIL(&place, stray_sends(socket, hello, sizeof hello));
    UNTIL(&place, server.ups == 2);
    UNTIL(&place, server.downs == 1);
    assert_int_equal(server.reason, HUB_SILENT);
    assert_int_equal(honest.downs, 0); /* it answers when asked */
    uint8_t asked[8];
    assert_int_equal(zmq_recv(socket, asked, sizeof asked, ZMQ_DONTWAIT), 2);
    assert_memory_equal(asked, "\0\2", 2);
    assert_int_equal(zmq_close(socket), 0);
    hub_free(server.hub);
    hub_free(honest.hub);
    place_close(&place);
}

static void a_link_comes_back_when_the_server_restarts(void **state)
{
    (void)state;
    struct place here;
    struct place there;
    struct side server = {0};
    struct side client = {0};
    place_open(&here);
    place_open(&there);
    listen_at(&there, &server, 0);
    only_dial(&here, &client);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    uint16_t port = hub_address(server.hub, 0).port;
    struct hub_link link = dial(&client, &server);
    UNTIL(&here, ((void)uv_run(&there.loop, UV_RUN_NOWAIT), client.ups == 1 && server.ups == 1));
    hub_free(server.hub);
    place_close(&there);
    UNTIL(&here, client.downs == 1 && client.fails >= 2);
    assert_int_equal(client.reason, HUB_UNREACHABLE);
    assert_int_equal(send_number(&client, link, 1, 5), ERR_NOT_FOUND);
    place_open(&there);
    listen_at(&there, &server, port);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    UNTIL(&here, ((void)uv_run(&there.loop, UV_RUN_NOWAIT), client.ups == 2 && server.ups == 2));
    assert_true(client.link.id == link.id);
    assert_int_equal(send_number(&client, link, 1, 5), OK);
    UNTIL(&there, server.frames == 1);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&here);
    place_close(&there);
}

static void a_closed_link_is_closed_at_both_ends(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    place_open(&place);
    link_up(&place, &server, &client);
    hub_close(server.hub, server.link);
    assert_int_equal(server.reason, HUB_CLOSED);
    UNTIL(&place, client.downs == 1);
    UNTIL(&place, client.ups == 2 && server.ups == 2); /* who dials, dials again */
    hub_close(client.hub, client.link);
    hub_close(client.hub, client.link);
    assert_int_equal(client.downs, 2);
    assert_int_equal(client.reason, HUB_CLOSED);
    UNTIL(&place, server.downs == 2);
    assert_int_equal(send_number(&client, client.link, 1, 5), ERR_NOT_FOUND);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

/* Nothing that ends holds up what begins (the proof's own connection, its monitor, its port). */
static void a_hub_may_be_made_again_and_again(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    for (unsigned i = 0; i < 40; i++) {
        struct side server = {0};
        struct side client = {0};
        link_up(&place, &server, &client);
        hub_free(server.hub);
        hub_free(client.hub);
    }
    place_close(&place);
}

/* Every callback pulls the rug from under the hub. */
static void rude_up(void *user, struct hub_link link, const struct transport_key *peer,
                    enum hub_direction direction)
{
    struct side *side = user;
    on_up(user, link, peer, direction);
    if (side->ups == 1)
        hub_close(side->hub, link);
    else
        assert_int_equal(hub_send(side->hub, link, bytes_of_text("hello")), OK);
}

static void rude_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct side *side = user;
    on_frame(user, link, frame);
    hub_close(side->hub, link);
    assert_int_equal(hub_send(side->hub, link, frame), ERR_NOT_FOUND);
}

static void rude_down(void *user, struct hub_link link, enum hub_reason reason)
{
    struct side *side = user;
    on_down(user, link, reason);
    hub_close(side->hub, link);
    assert_int_equal(hub_allow(side->hub, NULL, 0), OK);
    assert_int_equal(hub_allow(side->hub, &side->peer, 1), OK);
}

static void callbacks_may_change_everything(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct address address = loopback(0);
    place_open(&place);
    struct hub_config config = side_config(&server);
    config.listen = &address;
    config.listen_count = 1;
    config.calls.on_up = rude_up;
    config.calls.on_frame = rude_frame;
    config.calls.on_down = rude_down;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &server.hub), OK);
    config = side_config(&client);
    config.calls.on_frame = rude_frame;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &client.hub), OK);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    (void)dial(&client, &server);
    UNTIL(&place, client.frames == 1 && server.downs == 2);
    (void)dial(&client, &server);
    UNTIL(&place, client.frames == 2 && server.downs == 3);
    assert_int_equal(hub_send(client.hub, dial(&client, &server), bytes_of_text("x")),
                     ERR_NOT_FOUND);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

/* ---- full queues ---- */

/* Sends 1,000 large frames to a side whose loop stands still, then lets it run. */
static void fill(struct place *here, struct side *sender, struct place *there,
                 struct side *receiver)
{
    unsigned busy = 0;
    uint32_t next = 1;
    for (unsigned i = 0; i < 1000; i++) {
        err result = send_number(sender, sender->link, next, 60000);
        assert_true(result == OK || result == ERR_BUSY);
        if (result == OK)
            next++;
        else
            busy++;
        (void)uv_run(&here->loop, UV_RUN_NOWAIT);
    }
    assert_true(busy > 100);
    assert_int_equal(hub_counts(sender->hub).busy, busy);
    unsigned drains = sender->drains;
    while (next <= 2000) {
        if (send_number(sender, sender->link, next, 60000) == OK)
            next++;
        else
            UNTIL(there, ((void)uv_run(&here->loop, UV_RUN_NOWAIT), sender->drains > drains));
        drains = sender->drains;
    }
    UNTIL(there, ((void)uv_run(&here->loop, UV_RUN_NOWAIT), receiver->frames == 2000));
    assert_false(receiver->out_of_order);
    assert_int_equal(receiver->last_number, 2000);
    assert_int_equal(sender->downs + receiver->downs, 0);
}

static void a_full_queue_says_so_and_loses_nothing(void **state)
{
    (void)state;
    struct place here;
    struct place there;
    struct side server = {0};
    struct side client = {0};
    place_open(&here);
    place_open(&there);
    listen_at(&there, &server, 0);
    only_dial(&here, &client);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    (void)dial(&client, &server);
    UNTIL(&here, ((void)uv_run(&there.loop, UV_RUN_NOWAIT), client.ups == 1 && server.ups == 1));
    fill(&here, &client, &there, &server);
    fill(&there, &server, &here, &client);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&here);
    place_close(&there);
}

static void frames_that_are_none_are_not_sent(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link nowhere = {12345};
    static const uint8_t much[FRAME_MAX + 1] = {1};
    place_open(&place);
    link_up(&place, &server, &client);
    assert_int_equal(hub_send(client.hub, client.link, BYTES_NONE), ERR_INVALID);
    assert_int_equal(hub_send(client.hub, client.link, (struct bytes){hello, 3}), ERR_INVALID);
    assert_int_equal(hub_send(client.hub, client.link, (struct bytes){much, sizeof much}),
                     ERR_INVALID);
    assert_int_equal(hub_send(client.hub, nowhere, bytes_of_text("x")), ERR_NOT_FOUND);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listed_key_gets_in_and_frames_go_both_ways),
        cmocka_unit_test(an_oversize_frame_ends_only_the_link_it_came_by),
        cmocka_unit_test(who_breaks_the_rules_is_cut),
        cmocka_unit_test(who_falls_silent_is_given_up),
        cmocka_unit_test(a_link_comes_back_when_the_server_restarts),
        cmocka_unit_test(a_closed_link_is_closed_at_both_ends),
        cmocka_unit_test(a_hub_may_be_made_again_and_again),
        cmocka_unit_test(callbacks_may_change_everything),
        cmocka_unit_test(a_full_queue_says_so_and_loses_nothing),
        cmocka_unit_test(frames_that_are_none_are_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
