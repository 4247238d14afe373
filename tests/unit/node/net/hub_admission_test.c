/* Who gets in, as whom, and who no longer does: over real sockets of the loopback. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/hub_sides.h"

static void a_stranger_who_knows_the_servers_key_is_refused(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side listed = {0};
    struct side stranger = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    only_dial(&place, &stranger);
    (void)side_config(&listed);
    (void)dial(&stranger, &server);
    UNTIL(&place, stranger.fails == 1); /* nobody is listed */
    assert_int_equal(stranger.reason, HUB_REFUSED);
    assert_int_equal(hub_allow(server.hub, &listed.key, 1), OK);
    unsigned before = stranger.fails;
    UNTIL(&place, stranger.fails >= before + 2); /* another is */
    assert_int_equal(stranger.reason, HUB_REFUSED);
    assert_true(hub_counts(server.hub).refused >= 3);
    assert_int_equal(server.ups, 0);
    assert_int_equal(stranger.ups, 0);
    hub_free(server.hub);
    hub_free(stranger.hub);
    place_close(&place);
}

static void who_does_not_have_the_pinned_key_is_not_believed(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    only_dial(&place, &client);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    struct address address = hub_address(server.hub, 0);
    assert_int_equal(hub_dial(client.hub, &address, &client.key, &link), OK);
    UNTIL(&place, client.fails == 1);
    assert_int_equal(client.reason, HUB_BAD_PEER);
    assert_int_equal(server.ups + client.ups, 0);
    hub_close(client.hub, link);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

static void who_leaves_the_list_is_disconnected(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side leaves = {0};
    struct side stays = {0};
    place_open(&place);
    link_up(&place, &server, &leaves);
    only_dial(&place, &stays);
    struct transport_key both[] = {leaves.key, stays.key};
    assert_int_equal(hub_allow(server.hub, both, 2), OK);
    (void)dial(&stays, &server);
    UNTIL(&place, stays.ups == 1 && server.ups == 2);
    assert_int_equal(hub_allow(server.hub, &stays.key, 1), OK);
    assert_int_equal(server.downs, 1);
    assert_int_equal(server.reason, HUB_DISALLOWED);
    UNTIL(&place, leaves.downs == 1 && leaves.fails >= 1);
    assert_int_equal(leaves.reason, HUB_REFUSED);
    assert_int_equal(send_number(&stays, stays.link, 1, 5), OK);
    UNTIL(&place, server.frames == 1);
    assert_int_equal(stays.downs, 0);
    hub_free(server.hub);
    hub_free(leaves.hub);
    hub_free(stays.hub);
    place_close(&place);
}

static void a_routing_id_of_ones_own_choice_gets_nobody_in(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side honest = {0};
    struct side squatter = {0};
    place_open(&place);
    link_up(&place, &server, &honest);
    void *socket = stray(&place, &squatter, &server);
    struct transport_key both[] = {honest.key, squatter.key};
    assert_int_equal(hub_allow(server.hub, both, 2), OK);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_ROUTING_ID, honest.key.bytes, 32), 0);
    stray_connect(socket, &server);
    UNTIL(&place, stray_sends(socket, hello, sizeof hello));
    UNTIL(&place, hub_counts(server.hub).violations == 1);
    assert_int_equal(server.ups, 1);
    assert_int_equal(zmq_close(socket), 0);
    /* with an id that the ROUTER gives, a key is itself and nobody else */
    socket = stray(&place, &squatter, &server);
    stray_connect(socket, &server);
    UNTIL(&place, stray_sends(socket, hello, sizeof hello));
    UNTIL(&place, server.ups == 2);
    assert_true(ID_EQUAL(server.peer, squatter.key));
    assert_int_equal(server.downs, 0);
    assert_int_equal(zmq_close(socket), 0);
    UNTIL(&place, server.downs == 1);
    hub_free(server.hub);
    hub_free(honest.hub);
    place_close(&place);
}

static void a_second_connection_of_a_key_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side first = {0};
    place_open(&place);
    link_up(&place, &server, &first);
    struct hub_link old = server.link;
    struct side second = first;
    second.ups = 0;
    void *socket = stray(&place, &second, &server);
    stray_connect(socket, &server);
    UNTIL(&place, stray_sends(socket, hello, sizeof hello));
    UNTIL(&place, server.ups == 2);
    assert_int_equal(server.downs, 1);
    assert_int_equal(server.reason, HUB_REPLACED);
    assert_false(hub_link_up(server.hub, old));
    UNTIL(&place, first.downs == 1);
    assert_int_equal(first.reason, HUB_DISCONNECTED);
    assert_int_equal(zmq_close(socket), 0);
    hub_free(server.hub);
    hub_free(first.hub);
    place_close(&place);
}

static bool admits_all(void *user, const struct transport_key *key)
{
    (void)user;
    (void)key;
    return true;
}

static void the_proof_at_the_start_finds_an_open_door(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    place_open(&place);
    struct hub_config config = side_config(&server);
    config.queue_count_max = 1;
    config.pace.handshake_ms = 5000;
    struct zap_authenticator_door door = {.admits = admits_all};
    zap_authenticator_open(place.zap_authenticator, &door);
    void *open =
        hub_socket_server(zap_authenticator_context(place.zap_authenticator), &config, door.domain);
    assert_non_null(open);
    assert_int_equal(curve_selftest(place.zap_authenticator, open, &server.key), ERR_NOT_ENTITLED);
    assert_int_equal(zmq_close(open), 0);
    zap_authenticator_shut(place.zap_authenticator, &door);
    zap_authenticator_close(place.zap_authenticator);
    void *shut =
        hub_socket_server(zap_authenticator_context(place.zap_authenticator), &config, door.domain);
    assert_int_equal(curve_selftest(place.zap_authenticator, shut, &server.key), OK);
    assert_int_equal(zmq_close(shut), 0);
    place_close(&place);
}

static int connect_from(uint32_t host, const struct sockaddr_in *server)
{
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof source), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)server, sizeof *server), 0);
    return fd;
}

static bool is_open(int fd)
{
    char greeting[256];
    ssize_t size = 0;
    while ((size = recv(fd, greeting, sizeof greeting, MSG_DONTWAIT)) > 0)
        continue;
    return size < 0 && errno == EAGAIN;
}

/* Connections that say nothing, and one that says nonsense; one more from another host, which pays
 * nothing for them. */
static void idle_strangers_do_not_keep_a_member_out(void **state)
{
    (void)state;
    enum { STRANGER_COUNT = 700 };
    static int strangers[STRANGER_COUNT];
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct address any = loopback(0);
    place_open(&place);
    struct hub_config config = side_config(&server);
    config.listen = &any;
    config.listen_count = 1;
    config.pace.handshake_ms = 60000; /* so that it is not time that ends them */
    assert_int_equal(hub_new(place.zap_authenticator, &config, &server.hub), OK);
    only_dial(&place, &client);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(hub_address(server.hub, 0).port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int other = connect_from(INADDR_LOOPBACK + 1, &address);
    for (int i = 0; i < STRANGER_COUNT; i++) {
        strangers[i] = connect_from(INADDR_LOOPBACK, &address);
        (void)uv_run(&place.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(send(strangers[STRANGER_COUNT - 1], "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    (void)dial(&client, &server);
    UNTIL(&place, client.ups == 1 && server.ups == 1);
    UNTIL(&place, hub_counts(server.hub).failed >= STRANGER_COUNT - HANDSHAKE_EACH_COUNT_MAX);
    int open_count = 0;
    for (int i = 0; i < STRANGER_COUNT; i++)
        open_count += is_open(strangers[i]);
    assert_in_range(open_count, 1, HANDSHAKE_EACH_COUNT_MAX);
    assert_true(is_open(other));
    assert_int_equal(close(other), 0);
    for (int i = 0; i < STRANGER_COUNT; i++)
        assert_int_equal(close(strangers[i]), 0);
    UNTIL(&place, hub_counts(server.hub).failed >= STRANGER_COUNT);
    assert_int_equal(client.downs, 0);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side other = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    struct address address = hub_address(server.hub, 0);
    struct hub_config config = side_config(&other);
    config.listen = &address;
    config.listen_count = 1;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &other.hub), ERR_EXISTS);
    hub_free(server.hub);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_who_knows_the_servers_key_is_refused),
        cmocka_unit_test(who_does_not_have_the_pinned_key_is_not_believed),
        cmocka_unit_test(who_leaves_the_list_is_disconnected),
        cmocka_unit_test(a_routing_id_of_ones_own_choice_gets_nobody_in),
        cmocka_unit_test(a_second_connection_of_a_key_takes_the_place_of_the_first),
        cmocka_unit_test(the_proof_at_the_start_finds_an_open_door),
        cmocka_unit_test(idle_strangers_do_not_keep_a_member_out),
        cmocka_unit_test(a_port_in_use_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
