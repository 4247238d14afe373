#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/hub_sides.h"

void on_up(void *user, struct hub_link link, const struct transport_key *peer,
           enum hub_direction direction)
{
    struct side *side = user;
    (void)direction;
    side->ups++;
    side->link = link;
    side->peer = *peer;
}

void on_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct side *side = user;
    side->frames++;
    side->last_size = frame.size;
    if (frame.size >= 5) {
        uint32_t number = 0;
        memcpy(&number, frame.data + 1, sizeof number);
        side->out_of_order = side->out_of_order || number != side->last_number + 1;
        side->last_number = number;
    }
    if (side->echo)
        assert_int_equal(hub_send(side->hub, link, frame), OK);
}

void on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    struct side *side = user;
    assert_false(hub_link_up(side->hub, link));
    side->downs++;
    side->reason = reason;
}

static void on_drained(void *user, struct hub_link link)
{
    struct side *side = user;
    (void)link;
    side->drains++;
}

static void on_failed(void *user, struct hub_link link, enum hub_reason reason)
{
    struct side *side = user;
    (void)link;
    side->fails++;
    side->reason = reason;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

void place_open(struct place *place)
{
    assert_true(sodium_init() >= 0);
    assert_int_equal(uv_loop_init(&place->loop), 0);
    assert_int_equal(zap_authenticator_new(&place->loop, &place->zap_authenticator), OK);
    assert_int_equal(uv_timer_init(&place->loop, &place->tick), 0);
    assert_int_equal(uv_timer_start(&place->tick, on_tick, 50, 50), 0);
}

void place_close(struct place *place)
{
    zap_authenticator_free(place->zap_authenticator);
    uv_close((uv_handle_t *)&place->tick, NULL);
    (void)uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&place->loop), 0);
}

static void on_second(void *user, struct hub_link link)
{
    struct side *side = user;
    (void)link;
    side->seconds++;
}

struct hub_config side_config(struct side *side)
{
    static const struct hub_calls calls = {.on_up = on_up,
                                           .on_frame = on_frame,
                                           .on_down = on_down,
                                           .on_drained = on_drained,
                                           .on_failed = on_failed,
                                           .on_second = on_second};
    if (ID_IS_ZERO(side->key))
        assert_int_equal(crypto_box_keypair(side->key.bytes, side->secret), 0);
    return (struct hub_config){.public_key = side->key,
                               .secret_key = side->secret,
                               .calls = calls,
                               .user = side,
                               .pace = {.retry_ms_min = 20, .retry_ms_max = 100}};
}

struct address loopback(uint16_t port)
{
    return (struct address){.host = "127.0.0.1", .port = port, .literal = true};
}

void listen_at(struct place *place, struct side *side, uint16_t port)
{
    struct address address = loopback(port);
    struct hub_config config = side_config(side);
    config.listen = &address;
    config.listen_count = 1;
    assert_int_equal(hub_new(place->zap_authenticator, &config, &side->hub), OK);
    assert_int_not_equal(hub_address(side->hub, 0).port, 0);
}

void only_dial(struct place *place, struct side *side)
{
    struct hub_config config = side_config(side);
    assert_int_equal(hub_new(place->zap_authenticator, &config, &side->hub), OK);
}

struct hub_link dial(struct side *side, struct side *server)
{
    struct hub_link link = {0};
    struct address address = hub_address(server->hub, 0);
    assert_int_equal(hub_dial(side->hub, &address, &server->key, &link), OK);
    return link;
}

err send_number(struct side *side, struct hub_link link, uint32_t number, size_t size)
{
    static uint8_t memory[FRAME_MAX];
    memory[0] = 7;
    memcpy(memory + 1, &number, sizeof number);
    return hub_send(side->hub, link, (struct bytes){memory, size});
}

void link_up(struct place *place, struct side *server, struct side *client)
{
    listen_at(place, server, 0);
    only_dial(place, client);
    assert_int_equal(hub_allow(server->hub, &client->key, 1), OK);
    (void)dial(client, server);
    UNTIL(place, server->ups == 1 && client->ups == 1);
}

void *stray(struct place *place, struct side *self, struct side *server)
{
    char text[ADDRESS_TEXT_MAX];
    struct hub_config config = side_config(self);
    config.queue_count_max = 10;
    config.pace.handshake_ms = 5000;
    void *socket = hub_socket_client(zap_authenticator_context(place->zap_authenticator), &config,
                                     &server->key);
    assert_non_null(socket);
    struct address address = hub_address(server->hub, 0);
    address_format(&address, text);
    const int64_t any = -1;
    assert_int_equal(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &any, sizeof any), 0);
    return socket;
}

void stray_connect(void *socket, struct side *server)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address = hub_address(server->hub, 0);
    address_format(&address, text);
    assert_int_equal(zmq_connect(socket, text), 0);
}

const uint8_t hello[] = {0, 1, 1};

bool stray_sends(void *socket, const void *data, size_t size)
{
    return zmq_send(socket, data, size, ZMQ_DONTWAIT) == (int)size;
}
