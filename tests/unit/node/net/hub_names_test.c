/* Dialing by name and by several addresses: what is looked up, which addresses are tried, and that
 * a peer which moved is found. The names are the test's own: what the machine knows of names, in
 * /etc/hosts or by DNS, changes nothing. */
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "tests/harness/hub_sides.h"

/* ---- the names ---- */

enum { ANSWER_COUNT_MAX = 4 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    const char *addresses[ANSWER_COUNT_MAX]; /* of the name `peer.test`, in this order */
    bool is_held;                            /* no answer for now */
    unsigned asked;
} names = {.mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static void name_is_at(const char *first, const char *second)
{
    pthread_mutex_lock(&names.mutex);
    names.addresses[0] = first;
    names.addresses[1] = second;
    names.addresses[2] = NULL;
    names.asked = 0;
    pthread_mutex_unlock(&names.mutex);
}

static void hold_answers(bool held)
{
    pthread_mutex_lock(&names.mutex);
    names.is_held = held;
    pthread_cond_broadcast(&names.change);
    pthread_mutex_unlock(&names.mutex);
}

static unsigned asked(void)
{
    pthread_mutex_lock(&names.mutex);
    unsigned count = names.asked;
    pthread_mutex_unlock(&names.mutex);
    return count;
}

typedef int lookup(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found);

static lookup *libc_lookup(void)
{
    /* ISO C knows no way from the one kind of pointer to the other */
    union {
        void *symbol;
        lookup *function;
    } found = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
    return found.function;
}

static struct addrinfo *answer_of(const char *text)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *answer = NULL;
    assert_int_equal(libc_lookup()(text, NULL, &hints, &answer), 0);
    return answer;
}

static bool is_of_numbers(const char *node)
{
    uint8_t raw[sizeof(struct in6_addr)];
    return node == NULL || inet_pton(AF_INET, node, raw) == 1 ||
           inet_pton(AF_INET6, node, raw) == 1;
}

/* Takes the place of libc's, for libuv and libzmq too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    struct addrinfo **last = found;
    if (is_of_numbers(node))
        return libc_lookup()(node, service, hints, found);
    *found = NULL;
    pthread_mutex_lock(&names.mutex);
    names.asked++;
    while (names.is_held)
        pthread_cond_wait(&names.change, &names.mutex);
    for (size_t i = 0; strcmp(node, "peer.test") == 0 && names.addresses[i] != NULL; i++) {
        *last = answer_of(names.addresses[i]);
        last = &(*last)->ai_next;
    }
    pthread_mutex_unlock(&names.mutex);
    return *found == NULL ? EAI_NONAME : 0;
}

static struct address named(uint16_t port)
{
    return (struct address){.host = "peer.test", .port = port};
}

/* ---- who listens ---- */

static void listen_host(struct place *place, struct side *side, const char *host, uint16_t port)
{
    struct address address = {.port = port, .literal = true, .v6 = strchr(host, ':') != NULL};
    struct hub_config config = side_config(side);
    (void)snprintf(address.host, sizeof address.host, "%s", host);
    config.listen = &address;
    config.listen_count = 1;
    assert_int_equal(hub_new(place->zap_authenticator, &config, &side->hub), OK);
}

/* Takes connections and never says a word. Its descriptor. */
static int listen_mute(const char *host, uint16_t port)
{
    struct addrinfo *at = answer_of(host);
    const int on = 1;
    if (at->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)at->ai_addr)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)at->ai_addr)->sin_port = htons(port);
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (at->ai_family == AF_INET6)
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    assert_int_equal(bind(fd, at->ai_addr, at->ai_addrlen), 0);
    assert_int_equal(listen(fd, 16), 0);
    freeaddrinfo(at);
    return fd;
}

static void dial_name(struct side *client, struct side *server, struct hub_link *ret_link)
{
    struct address address = named(hub_address(server->hub, 0).port);
    assert_int_equal(hub_allow(server->hub, &client->key, 1), OK);
    assert_int_equal(hub_dial(client->hub, &address, &server->key, ret_link), OK);
}

/* ---- the tests ---- */

static void names_are_looked_up(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    only_dial(&place, &client);
    name_is_at("127.0.0.1", NULL);
    dial_name(&client, &server, &link);
    UNTIL(&place, client.ups == 1);
    assert_int_equal(client.fails, 0);
    hub_close(client.hub, link);
    struct address nowhere = {.host = "nowhere.invalid", .port = 1};
    assert_int_equal(hub_dial(client.hub, &nowhere, &server.key, &link), OK);
    UNTIL(&place, client.fails >= 1);
    assert_int_equal(client.reason, HUB_NO_NAME);
    struct address anywhere = {.host = "*", .any = true, .port = 1};
    assert_int_equal(hub_dial(client.hub, &anywhere, &server.key, &link), ERR_INVALID);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

/* `live` answers, `dead` is named first and does not: at once when `is_refused`, else never. */
static void gets_in_by(const char *live, const char *dead, bool is_refused)
{
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_host(&place, &server, live, 0);
    only_dial(&place, &client);
    name_is_at(dead, live);
    int mute = is_refused ? -1 : listen_mute(dead, hub_address(server.hub, 0).port);
    dial_name(&client, &server, &link);
    UNTIL(&place, client.ups == 1 && server.ups == 1);
    assert_int_equal(client.fails, 0); /* it was the first round */
    assert_int_equal(asked(), 1);
    assert_int_equal(send_number(&client, client.link, 1, 5), OK);
    UNTIL(&place, server.frames == 1);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
    if (mute >= 0)
        (void)close(mute);
}

static void an_address_that_refuses_costs_no_round(void **state)
{
    (void)state;
    gets_in_by("127.0.0.1", "::1", true);
    gets_in_by("::1", "127.0.0.1", true);
    gets_in_by("127.0.0.1", "127.0.0.2", true);
}

static void a_dead_address_does_not_delay_the_live_one(void **state)
{
    (void)state;
    gets_in_by("127.0.0.1", "::1", false);
    gets_in_by("::1", "127.0.0.1", false);
    gets_in_by("127.0.0.1", "127.0.0.2", false);
}

/* The round fails once, whichever of the two said no. */
static void two_dead_addresses_are_one_failure_and_the_telling_reason_counts(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    struct hub_config config = side_config(&client);
    config.pace.retry_ms_min = config.pace.retry_ms_max = 60000;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &client.hub), OK);
    name_is_at("127.0.0.1", "::1"); /* not listed there, and nobody there */
    struct address address = named(hub_address(server.hub, 0).port);
    assert_int_equal(hub_dial(client.hub, &address, &server.key, &link), OK);
    UNTIL(&place, client.fails == 1);
    assert_int_equal(client.reason, HUB_REFUSED);
    assert_int_equal(asked(), 1);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

static void a_name_that_moves_is_followed(void **state)
{
    (void)state;
    struct place here;
    struct place there;
    struct side old = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&here);
    place_open(&there);
    listen_host(&there, &old, "127.0.0.1", 0);
    uint16_t port = hub_address(old.hub, 0).port;
    only_dial(&here, &client);
    name_is_at("127.0.0.1", NULL);
    dial_name(&client, &old, &link);
    UNTIL(&here, ((void)uv_run(&there.loop, UV_RUN_NOWAIT), client.ups == 1));
    struct side new = {.key = old.key};
    memcpy(new.secret, old.secret, sizeof new.secret);
    listen_host(&here, &new, "127.0.0.2", port);
    assert_int_equal(hub_allow(new.hub, &client.key, 1), OK);
    name_is_at("127.0.0.2", NULL);
    hub_free(old.hub);
    place_close(&there);
    UNTIL(&here, client.downs == 1);
    UNTIL(&here, client.ups == 2 && new.ups == 1);
    assert_true(client.link.id == link.id);
    hub_free(new.hub);
    hub_free(client.hub);
    place_close(&here);
}

static void a_name_without_an_answer_is_asked_for_once_and_believed_late(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    struct hub_config config = side_config(&client);
    config.pace.lookup_ms = 20;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &client.hub), OK);
    name_is_at("127.0.0.1", NULL);
    hold_answers(true);
    dial_name(&client, &server, &link);
    UNTIL(&place, client.fails == 5);
    assert_int_equal(client.reason, HUB_NO_NAME);
    assert_int_equal(asked(), 1);
    hold_answers(false);
    UNTIL(&place, client.ups == 1);
    assert_int_equal(asked(), 1);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

static void a_hub_ends_while_a_name_is_asked_for(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    only_dial(&place, &client);
    name_is_at("127.0.0.1", NULL);
    hold_answers(true);
    dial_name(&client, &server, &link);
    UNTIL(&place, asked() == 1);
    hub_free(server.hub);
    hub_free(client.hub);
    hold_answers(false);
    place_close(&place);
    assert_int_equal(client.ups + client.fails, 0);
}

/* Waits between attempts are a minute here: only the redirection itself can be why it is dialed. */
static void a_redirected_link_is_dialed_there_at_once(void **state)
{
    (void)state;
    struct place place;
    struct side old = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &old, 0);
    struct hub_config config = side_config(&client);
    config.pace.retry_ms_min = config.pace.retry_ms_max = 60000;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &client.hub), OK);
    struct side new = {.key = old.key};
    memcpy(new.secret, old.secret, sizeof new.secret);
    listen_at(&place, &new, 0);
    struct address here = hub_address(old.hub, 0), there = hub_address(new.hub, 0);
    struct address nobody = {.host = "127.0.0.3", .literal = true, .port = there.port};
    struct address anywhere = {.host = "*", .any = true, .literal = true, .port = 1};
    assert_int_equal(hub_allow(old.hub, &client.key, 1), OK);
    assert_int_equal(hub_allow(new.hub, &client.key, 1), OK);
    assert_int_equal(hub_dial(client.hub, &nobody, &old.key, &link), OK);
    UNTIL(&place, client.fails == 1);
    assert_int_equal(hub_redirect(client.hub, link, &here, 1), OK); /* while it waits */
    UNTIL(&place, client.ups == 1 && old.ups == 1);
    assert_int_equal(hub_redirect(client.hub, link, &here, 1), OK); /* nothing new */
    assert_int_equal(hub_redirect(client.hub, link, &anywhere, 1), ERR_INVALID);
    assert_int_equal(client.downs, 0);
    struct address both[] = {there, here};
    assert_int_equal(hub_redirect(client.hub, link, both, 2), OK); /* while it is up */
    assert_int_equal(client.downs, 1);
    assert_int_equal(client.reason, HUB_MOVED);
    UNTIL(&place, client.ups == 2 && new.ups == 1 && old.downs == 1);
    assert_true(client.link.id == link.id);
    hub_close(client.hub, link);
    assert_int_equal(hub_redirect(client.hub, link, &here, 1), ERR_NOT_FOUND);
    hub_free(old.hub);
    hub_free(new.hub);
    hub_free(client.hub);
    place_close(&place);
}

static struct hub_dialing dialing_of(struct side *side, struct hub_link link)
{
    struct hub_dialing dialing;
    assert_true(hub_dialing(side->hub, link, &dialing));
    return dialing;
}

/* What a status page shows: nobody listens; then somebody who says nothing; then the peer. */
static void how_the_dialing_goes_can_be_asked(void **state)
{
    (void)state;
    struct place place;
    struct side server = {0};
    struct side client = {0};
    struct hub_link link = {0};
    place_open(&place);
    listen_at(&place, &server, 0);
    struct hub_config config = side_config(&client);
    config.pace.handshake_ms = 200;
    assert_int_equal(hub_new(place.zap_authenticator, &config, &client.hub), OK);
    assert_int_equal(hub_allow(server.hub, &client.key, 1), OK);
    struct address live = hub_address(server.hub, 0);
    struct address dead = {.host = "127.0.0.2", .literal = true, .port = live.port};
    assert_int_equal(hub_dial(client.hub, &dead, &server.key, &link), OK);
    assert_true(dialing_of(&client, link).tried_at_ms == 0);
    UNTIL(&place, client.fails == 1);
    struct hub_dialing dialing = dialing_of(&client, link);
    assert_true(dialing.has_failed && !dialing.is_up && dialing.succeeded_at_ms == 0);
    assert_int_equal(dialing.reason, HUB_UNREACHABLE);
    assert_true(dialing.tried_at_ms != 0 && dialing.next_at_ms > dialing.tried_at_ms);
    int mute = listen_mute("127.0.0.2", live.port);
    unsigned before = client.fails;
    UNTIL(&place, client.fails > before && client.reason == HUB_TIMED_OUT);
    (void)close(mute);
    assert_int_equal(hub_redirect(client.hub, link, &live, 1), OK);
    UNTIL(&place, client.ups == 1);
    dialing = dialing_of(&client, link);
    assert_true(dialing.is_up && !dialing.has_failed && dialing.next_at_ms == 0);
    assert_true(dialing.succeeded_at_ms >= dialing.tried_at_ms);
    assert_false(hub_dialing(server.hub, server.link, &dialing)); /* it came in */
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

/* A dead first endpoint of a member leaves the others. */
static void each_of_several_addresses_has_its_turn(void **state)
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
    struct address live = hub_address(server.hub, 0);
    struct address all[] = {{.host = "nowhere.invalid", .port = 1},
                            {.host = "127.0.0.1", .literal = true, .port = 1},
                            {.host = "nowhere.invalid", .port = 2},
                            live};
    assert_int_equal(hub_dial(client.hub, &all[0], &server.key, &link), OK);
    assert_int_equal(hub_redirect(client.hub, link, all, 4), OK);
    UNTIL(&place, client.ups == 1);
    hub_free(server.hub);
    hub_free(client.hub);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(an_address_that_refuses_costs_no_round),
        cmocka_unit_test(a_dead_address_does_not_delay_the_live_one),
        cmocka_unit_test(two_dead_addresses_are_one_failure_and_the_telling_reason_counts),
        cmocka_unit_test(a_name_that_moves_is_followed),
        cmocka_unit_test(a_name_without_an_answer_is_asked_for_once_and_believed_late),
        cmocka_unit_test(a_hub_ends_while_a_name_is_asked_for),
        cmocka_unit_test(a_redirected_link_is_dialed_there_at_once),
        cmocka_unit_test(how_the_dialing_goes_can_be_asked),
        cmocka_unit_test(each_of_several_addresses_has_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
