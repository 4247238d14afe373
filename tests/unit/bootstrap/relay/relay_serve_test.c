/* A relay as a process of its own, with a publisher and members around it over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "bootstrap/relay/relay_key.h"
#include "bootstrap/relay/relay_serve.h"
#include "bootstrap/relay/relay_status.h"
#include "node/net/hub.h"
#include "protocol/relay/publication.h"
#include "protocol/wire/relay_credit.h"
#include "protocol/wire/tunnel.h"
#include "tests/harness/federation.h"

enum { PUBLISHER, ALICE, BORIS, STRANGER, PARTIES, WAIT_MS = 20000, GOT_MAX = 64 };

/* Somebody who dials the relay. */
struct party {
    uint8_t secret[KEY_SIZE];
    struct transport_key key;
    struct hub *hub;
    struct hub_link link;
    bool up, failed;
    enum hub_reason reason;
    struct relay_head head; /* of the last WELCOME or HEAD */
    int welcomes, heads, published, drains;
    uint16_t result;
    struct tunnel_identity identity;
    struct tunnel tunnel;
    struct relay_credit credit;
    char opened[GOT_MAX];
};

static struct party parties[PARTIES];
static struct federation federation;
static uint8_t publication[1 << 16];
static size_t publication_size;
static struct tunnel_step step;
static uv_loop_t loop;
static char directory[64], file[96];
static struct address where;
static pid_t child;
static int child_log;

/* ---- the relay's process ---- */

static void write_config(void)
{
    char id[2 * HASH_SIZE + 1], key[2 * KEY_SIZE + 1];
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    ids_to_hex(ID_BYTES(federation.roster.chain.federation), id);
    ids_to_hex(ID_BYTES(parties[PUBLISHER].key), key);
    fprintf(out, "data = %s/data\nlisten = tcp://127.0.0.1:%u\nfederation = %s\npublisher = %s\n",
            directory, where.port, id, key);
    fprintf(out, "log = debug\n[limits]\nlinks = 16\n");
    fclose(out);
}

static void start_relay(void)
{
    struct relay_config config;
    struct config_trouble trouble;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (relay_config_load(file, &config, &trouble) != OK)
            _exit(99);
        log_init(config.log);
        int status = relay_serve(&config);
        relay_config_free(&config);
        _exit(status);
    }
    close(ends[1]);
    child_log = ends[0];
}

/* Reads the relay's log until it says where it listens. */
static void find_port(void)
{
    char text[4096];
    size_t size = 0;
    const char *at = NULL;
    while (size + 1 < sizeof text) {
        ssize_t got = read(child_log, text + size, 1);
        if (got <= 0)
            fail_msg("the relay ended: %.*s", (int)size, text);
        size++;
        text[size] = '\0';
        at = strstr(text, "endpoint=tcp://127.0.0.1:");
        if (at != NULL && strchr(at, '\n') != NULL)
            break;
    }
    assert_non_null(at);
    where.port = (uint16_t)strtoul(at + strlen("endpoint=tcp://127.0.0.1:"), NULL, 10);
    assert_true(where.port != 0);
}

static int end_relay(int number)
{
    int status = 0;
    kill(child, number);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(child_log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the relay logged meanwhile, for whoever reads of a failure. */
static void show_log(void)
{
    char text[4096];
    ssize_t got;
    (void)fcntl(child_log, F_SETFL, O_NONBLOCK);
    while ((got = read(child_log, text, sizeof text)) > 0)
        (void)fwrite(text, 1, (size_t)got, stderr);
}

/* ---- parties ---- */

static void say(struct party *party, struct relay_frame frame)
{
    static uint8_t memory[RELAY_FORWARD_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    relay_frame_write(&frame, &buffer);
    assert_false(buffer.failed);
    assert_int_equal(hub_send(party->hub, party->link, buffer_bytes(&buffer)), OK);
}

static void on_box(struct party *party, enum tunnel_event_kind kind, struct bytes bytes)
{
    uint8_t secret[KEY_SIZE];
    struct tunnel_event event = {
        .kind = kind, .now = {uv_now(&loop)}, .bytes = bytes, .secret = secret};
    randombytes_buf(secret, sizeof secret);
    tunnel_on_event(&party->tunnel, &event, &step);
    if (step.opened.size > 0) {
        assert_true(step.opened.size < GOT_MAX);
        memcpy(party->opened, step.opened.data, step.opened.size);
    }
    if (step.send.size == 0)
        return;
    assert_true(relay_credit_take(&party->credit, &party->tunnel.peer, step.send.size));
    say(party,
        (struct relay_frame){.type = RELAY_FORWARD, .key = party->tunnel.peer, .body = step.send});
}

static void on_up(void *user, struct hub_link link, const struct transport_key *peer,
                  enum hub_direction direction)
{
    struct party *party = user;
    (void)peer;
    (void)direction;
    party->up = true;
    party->link = link;
    say(party, (struct relay_frame){.type = RELAY_HELLO,
                                    .version_min = 1,
                                    .version_max = 1,
                                    .federation = federation.roster.chain.federation});
}

static void on_frame(void *user, struct hub_link link, struct bytes bytes)
{
    struct party *party = user;
    struct relay_frame frame;
    (void)link;
    assert_int_equal(relay_frame_parse(bytes, &frame), OK);
    if (frame.type == RELAY_WELCOME || frame.type == RELAY_HEAD)
        party->head = frame.head;
    if (frame.type == RELAY_WELCOME) {
        relay_credit_init(&party->credit, &frame.limits);
        party->welcomes++;
    } else if (frame.type == RELAY_HEAD) {
        party->heads++;
    } else if (frame.type == RELAY_PUBLISHED) {
        party->result = frame.result;
        party->published++;
    } else if (frame.type == RELAY_DELIVER) {
        on_box(party, TUNNEL_EVENT_FRAME, frame.body);
    } else if (frame.type == RELAY_STATUS && frame.code == RELAY_DRAINING) {
        party->drains++;
    }
}

static void on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    struct party *party = user;
    (void)link;
    (void)reason;
    party->up = false;
}

static void on_failed(void *user, struct hub_link link, enum hub_reason reason)
{
    struct party *party = user;
    (void)link;
    party->failed = true;
    party->reason = reason;
}

static struct zap_authenticator *shared_gate;

static void dial(struct party *party, const struct transport_key *relay)
{
    struct hub_config config = {
        .public_key = party->key,
        .secret_key = party->secret,
        .calls = {.on_up = on_up, .on_frame = on_frame, .on_down = on_down, .on_failed = on_failed},
        .user = party,
    };
    assert_int_equal(hub_new(shared_gate, &config, &party->hub), OK);
    assert_int_equal(hub_dial(party->hub, &where, relay, &party->link), OK);
}

static void on_nothing(uv_timer_t *timer)
{
    (void)timer;
}

/* Turns the loop until `*flag` is at least `wanted`. */
static void wait_for(const int *flag, int wanted, const char *what)
{
    uv_timer_t timer;
    uint64_t start = uv_hrtime();
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_nothing, 20, 20);
    while (*flag < wanted) {
        uv_run(&loop, UV_RUN_ONCE);
        if ((uv_hrtime() - start) / 1000000 > WAIT_MS)
            show_log();
        if ((uv_hrtime() - start) / 1000000 > WAIT_MS)
            fail_msg("waited in vain: %s", what);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void wait_for_bool(const bool *flag, const char *what)
{
    uv_timer_t timer;
    uint64_t start = uv_hrtime();
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_nothing, 20, 20);
    while (!*flag) {
        uv_run(&loop, UV_RUN_ONCE);
        if ((uv_hrtime() - start) / 1000000 > WAIT_MS)
            show_log();
        if ((uv_hrtime() - start) / 1000000 > WAIT_MS)
            fail_msg("waited in vain: %s", what);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

/* ---- the federation ---- */

static void found_federation(void)
{
    struct settings settings;
    uint8_t unused[64];
    federation_begin(&federation, roster_plan_small());
    federation_settings(&settings);
    settings.publishers[0] = parties[PUBLISHER].key;
    federation_put_settings(&federation, &settings);
    for (uint32_t i = ALICE; i <= BORIS; i++) {
        struct member member = federation_member(i, 1);
        federation_key(i, 2, member.sign_key.bytes, unused);
        member.transport_key = parties[i].key;
        federation_put_member(&federation, &member);
    }
    assert_int_equal(federation_draft(&federation), OK);
    struct buffer buffer = buffer_over(publication, sizeof publication);
    publication_begin(&buffer, 1);
    publication_put(&buffer, federation.signed_head);
    assert_int_equal(federation_take(&federation), OK);
    struct bytes list = roster_transport_list(&federation.roster);
    buffer_put(&buffer, list.data, list.size);
    assert_false(buffer.failed);
    publication_size = buffer.size;
}

static int set_up(void **state)
{
    (void)state;
    memset(parties, 0, sizeof parties);
    for (int i = 0; i < PARTIES; i++)
        crypto_box_keypair(parties[i].key.bytes, parties[i].secret);
    found_federation();
    snprintf(directory, sizeof directory, "/tmp/relay_serve_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/relay.conf", directory);
    assert_int_equal(address_parse(bytes_of_text("tcp://127.0.0.1:0"), &where), OK);
    write_config();
    return 0;
}

static void remove_all(const char *path)
{
    char inner[512];
    DIR *opened = opendir(path);
    assert_non_null(opened);
    for (struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_all(inner);
        else
            assert_int_equal(unlink(inner), 0);
    }
    closedir(opened);
    assert_int_equal(rmdir(path), 0);
}

static int tear_down(void **state)
{
    (void)state;
    remove_all(directory);
    federation_end(&federation);
    return 0;
}

static void begin_parties(const struct transport_key *relay)
{
    uv_loop_init(&loop);
    assert_int_equal(zap_authenticator_new(&loop, &shared_gate), OK);
    for (int i = 0; i < PARTIES; i++) {
        struct party *party = &parties[i];
        party->identity = (struct tunnel_identity){.federation = federation.roster.chain.federation,
                                                   .local = party->key,
                                                   .local_secret = party->secret};
        const struct transport_key *peer = &parties[i == ALICE ? BORIS : ALICE].key;
        tunnel_init(&party->tunnel, &party->identity, relay, peer);
    }
}

static void end_parties(void)
{
    for (int i = 0; i < PARTIES; i++) {
        hub_free(parties[i].hub);
        parties[i].hub = NULL;
    }
    zap_authenticator_free(shared_gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void publish(struct bytes all)
{
    static uint8_t memory[RELAY_PART_SIZE_MAX + 9];
    struct party *publisher = &parties[PUBLISHER];
    int before = publisher->published;
    for (uint32_t index = 0;; index++) {
        struct buffer buffer = buffer_over(memory, sizeof memory);
        if (!publication_part(all, index, &buffer))
            break;
        assert_int_equal(hub_send(publisher->hub, publisher->link, buffer_bytes(&buffer)), OK);
    }
    wait_for(&publisher->published, before + 1, "an answer to what was published");
}

static void check_directory(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/data", directory);
    DIR *opened = opendir(path);
    assert_non_null(opened);
    for (struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
        static const char *const kept[] = {".", "..", "lock", "relay.key", "roster", "status"};
        size_t i = 0;
        while (i < 6 && strcmp(entry->d_name, kept[i]) != 0)
            i++;
        if (i == 6)
            fail_msg("a relay keeps no `%s`", entry->d_name);
    }
    closedir(opened);
}

static void talk(void)
{
    on_box(&parties[ALICE], TUNNEL_EVENT_DIAL, BYTES_NONE);
    while (!tunnel_is_up(&parties[BORIS].tunnel))
        uv_run(&loop, UV_RUN_ONCE);
    on_box(&parties[BORIS], TUNNEL_EVENT_SEND, bytes_of_text("is it lymphoma?"));
    while (parties[ALICE].opened[0] == '\0')
        uv_run(&loop, UV_RUN_ONCE);
    assert_string_equal(parties[ALICE].opened, "is it lymphoma?");
}

/* (L-1), (L-10), (L-19), (L-22), (L-23) */
static void a_relay_takes_a_list_forwards_ends_and_comes_back(void **state)
{
    (void)state;
    struct transport_key relay;
    char data[96], line[256];
    snprintf(data, sizeof data, "%s/data", directory);
    assert_int_equal(relay_key_make(data, &relay), OK);
    assert_int_equal(relay_key_make(data, &relay), ERR_EXISTS);
    start_relay();
    find_port();
    begin_parties(&relay);

    dial(&parties[PUBLISHER], &relay);
    dial(&parties[ALICE], &relay);
    wait_for(&parties[PUBLISHER].welcomes, 1, "the publisher's welcome");
    assert_int_equal(parties[PUBLISHER].head.epoch, 0);
    wait_for_bool(&parties[ALICE].failed, "a member that is not listed yet to be refused");
    assert_int_equal(parties[ALICE].reason, HUB_REFUSED);

    publication[publication_size - 1] ^= 1;
    publish((struct bytes){publication, publication_size});
    assert_int_not_equal(parties[PUBLISHER].result, OK);
    publication[publication_size - 1] ^= 1;
    publish((struct bytes){publication, publication_size});
    assert_int_equal(parties[PUBLISHER].result, OK);

    dial(&parties[BORIS], &relay);
    dial(&parties[STRANGER], &relay);
    wait_for(&parties[ALICE].welcomes, 1, "Alice's welcome");
    wait_for(&parties[BORIS].welcomes, 1, "Boris's welcome");
    assert_int_equal(parties[ALICE].head.epoch, 1);
    wait_for_bool(&parties[STRANGER].failed, "the stranger to be refused");
    assert_int_equal(parties[STRANGER].welcomes, 0);
    talk();

    FILE *shown = tmpfile();
    assert_int_equal(relay_status_show(data, shown), OK);
    rewind(shown);
    assert_non_null(fgets(line, sizeof line, shown));
    assert_string_equal(line, "state=running\n");
    fclose(shown);

    kill(child, SIGTERM);
    wait_for(&parties[BORIS].drains, 1, "word that the relay ends");
    assert_int_equal(end_relay(0), 0);
    check_directory();
    end_parties();

    /* Again, on the same port: the list is still there, so Alice is let in at once. */
    write_config();
    start_relay();
    find_port();
    begin_parties(&relay);
    parties[ALICE].welcomes = 0;
    dial(&parties[ALICE], &relay);
    wait_for(&parties[ALICE].welcomes, 1, "Alice's welcome after a restart");
    assert_int_equal(parties[ALICE].head.epoch, 1);
    assert_int_equal(end_relay(SIGKILL), 128 + SIGKILL);
    end_parties();
}

static void a_roster_of_another_federation_is_not_taken_at_the_start(void **state)
{
    (void)state;
    struct transport_key relay;
    char data[96], path[128];
    snprintf(data, sizeof data, "%s/data", directory);
    snprintf(path, sizeof path, "%s/roster", data);
    assert_int_equal(relay_key_make(data, &relay), OK);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(publication, 1, publication_size, out), publication_size);
    fclose(out);
    federation.roster.chain.federation.bytes[0] ^= 1;
    write_config();
    start_relay();
    assert_int_equal(end_relay(0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_relay_takes_a_list_forwards_ends_and_comes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_roster_of_another_federation_is_not_taken_at_the_start,
                                        set_up, tear_down),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
