/* Two processes with one transport key learn of each other, and nobody else makes them believe it.
 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_with_one_key_are_told_of_each_other),
        cmocka_unit_test(a_node_that_was_restarted_or_cut_off_is_no_second_one),
        cmocka_unit_test(only_a_holder_of_the_key_that_is_alive_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
