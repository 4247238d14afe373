/* Two processes with one transport key learn of each other, and nobody else makes them believe it;
 * and a version that says nothing of its process speaks with this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "node/net/hub_instance.h"
#include "tests/harness/hub_sides.h"

/* Another process with the side's keys. */
static struct side copy_of(const struct side *side)
{
    struct side copy = {.key = side->key};
    memcpy(copy.secret, side->secret, sizeof copy.secret);
    return copy;
}

static void two_nodes_with_one_key_are_told_of_each_other(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    place_open(&place);
    link_up(&place, &server, &client);
    struct side copy = copy_of(&client);
    only_dial(&place, &copy);
    (void)dial(&copy, &server);
    UNTIL(&place, client.seconds > 0 && copy.seconds > 0);
    hub_free(copy.hub);
    hub_free(client.hub);
    hub_free(server.hub);
    place_close(&place);
}

static void a_node_that_was_restarted_or_cut_off_is_no_second_one(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    place_open(&place);
    link_up(&place, &server, &client);
    hub_free(client.hub);
    UNTIL(&place, server.downs == 1);
    struct side again = copy_of(&client);
    only_dial(&place, &again);
    (void)dial(&again, &server);
    for (unsigned ups = 2; ups < 5; ups++) {
        UNTIL(&place, server.ups == ups && again.ups == ups - 1);
        unsigned frames = server.frames;
        assert_int_equal(send_number(&again, again.link, ups, 5), OK);
        UNTIL(&place, server.frames == frames + 1);
        hub_close(server.hub, server.link);
    }
    UNTIL(&place, server.ups == 5);
    assert_int_equal(again.seconds, 0);
    hub_free(again.hub);
    hub_free(server.hub);
    place_close(&place);
}

/* A peer hands on what it likes. */
static void only_a_holder_of_the_key_that_is_alive_is_believed(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    uint8_t said[HUB_INSTANCE_SIZE], own[HUB_INSTANCE_SIZE], earlier[HUB_INSTANCE_SIZE];
    place_open(&place);
    listen_at(&place, &server, 0);
    only_dial(&place, &client);
    hub_instance_write(client.hub, &server.key, earlier);
    struct side copy = copy_of(&client);
    only_dial(&place, &copy);
    copy.hub->began_ms = client.hub->began_ms + 1000; /* it was started after that was said */
    hub_instance_write(copy.hub, &server.key, said);
    hub_instance_write(client.hub, &server.key, own);
    struct bytes all = {said, sizeof said};
    assert_true(hub_instance_is_second(client.hub, &server.key, all));
    assert_false(hub_instance_is_second(client.hub, &client.key, all));
    assert_false(
        hub_instance_is_second(client.hub, &server.key, (struct bytes){said, sizeof said - 1}));
    assert_false(hub_instance_is_second(client.hub, &server.key, (struct bytes){own, sizeof own}));
    assert_false(
        hub_instance_is_second(copy.hub, &server.key, (struct bytes){earlier, sizeof earlier}));
    for (size_t i = 0; i < sizeof said; i += 7) {
        said[i] ^= 1;
        assert_false(hub_instance_is_second(client.hub, &server.key, all));
        said[i] ^= 1;
    }
    hub_free(copy.hub);
    hub_free(client.hub);
    hub_free(server.hub);
    place_close(&place);
}

/* A node of the version before says three bytes, and is told of no second process. */
static void the_hello_of_the_version_before_is_enough(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side before = {0};
    uint8_t frame[64];
    place_open(&place);
    listen_at(&place, &server, 0);
    for (unsigned ups = 1; ups <= 3; ups++) { /* as two processes that come in turn would */
        void *socket = stray(&place, &before, &server);
        assert_int_equal(hub_allow(server.hub, &before.key, 1), OK);
        stray_connect(socket, &server);
        UNTIL(&place, stray_sends(socket, hello, sizeof hello));
        UNTIL(&place, server.ups == ups);
        assert_true(ID_EQUAL(server.peer, before.key));
        assert_int_equal(send_number(&server, server.link, ups, 5), OK);
        int size = -1;
        UNTIL(&place, (size = zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0);
        assert_int_equal(size, 5);
        assert_int_not_equal(frame[0], HUB_CONTROL);
        assert_int_equal(zmq_close(socket), 0);
        UNTIL(&place, server.downs == ups);
    }
    assert_int_equal(hub_counts(server.hub).violations, 0);
    hub_free(server.hub);
    place_close(&place);
}

static bool admits_anyone(void *user, const struct transport_key *key)
{
    (void)user;
    (void)key;
    return true;
}

/* What the version before reads of a hello, and how it takes the rest: spec/links.md, L-42. */
static void the_version_before_understands_the_hello(void **state)
{
    (void)state;
    struct place place;
    struct side before = {0};
    struct side client = {0};
    char text[ADDRESS_TEXT_MAX];
    size_t text_size = sizeof text;
    struct address address;
    struct hub_link link;
    uint8_t frame[128];
    static const uint8_t later[] = {HUB_CONTROL, 0x7f, 1, 2, 3}, content[] = {1, 0, 0, 0, 7};
    place_open(&place);
    struct hub_config config = side_config(&before);
    config.queue_count_max = 10;
    config.pace.handshake_ms = 5000;
    struct zap_authenticator_door door = {.admits = admits_anyone};
    zap_authenticator_open(place.zap_authenticator, &door);
    void *socket =
        hub_socket_server(zap_authenticator_context(place.zap_authenticator), &config, door.domain);
    assert_non_null(socket);
    assert_int_equal(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text, &text_size), 0);
    assert_int_equal(address_parse(bytes_of_text(text), &address), OK);
    only_dial(&place, &client);
    assert_int_equal(hub_dial(client.hub, &address, &before.key, &link), OK);
    uint8_t routing[HUB_ROUTING_SIZE];
    UNTIL(&place, zmq_recv(socket, routing, sizeof routing, ZMQ_DONTWAIT) == sizeof routing);
    int size = zmq_recv(socket, frame, sizeof frame, 0);
    assert_true(size >= (int)sizeof hello);
    assert_memory_equal(frame, hello, sizeof hello);
    int more = -1;
    size_t more_size = sizeof more;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size), 0);
    assert_int_equal(more, 0);
    UNTIL(&place, client.ups == 1);
    /* and a word of our own that is not known yet is passed over */
    assert_int_equal(zmq_send(socket, routing, sizeof routing, ZMQ_SNDMORE), sizeof routing);
    assert_int_equal(zmq_send(socket, later, sizeof later, 0), sizeof later);
    assert_int_equal(zmq_send(socket, routing, sizeof routing, ZMQ_SNDMORE), sizeof routing);
    assert_int_equal(zmq_send(socket, content, sizeof content, 0), sizeof content);
    UNTIL(&place, client.frames == 1);
    assert_int_equal(client.downs, 0);
    assert_int_equal(client.seconds, 0);
    assert_int_equal(zmq_close(socket), 0);
    hub_free(client.hub);
    zap_authenticator_shut(place.zap_authenticator, &door);
    zap_authenticator_close(place.zap_authenticator);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_with_one_key_are_told_of_each_other),
        cmocka_unit_test(a_node_that_was_restarted_or_cut_off_is_no_second_one),
        cmocka_unit_test(only_a_holder_of_the_key_that_is_alive_is_believed),
        cmocka_unit_test(the_hello_of_the_version_before_is_enough),
        cmocka_unit_test(the_version_before_understands_the_hello),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
