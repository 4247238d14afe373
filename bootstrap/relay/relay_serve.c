#include "bootstrap/relay/relay_serve.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "bootstrap/relay/relay_key.h"
#include "bootstrap/relay/relay_roster.h"
#include "bootstrap/relay/relay_status.h"
#include "node/net/hub.h"
#include "node/os/sandbox.h"
#include "node/os/secure_arena.h"
#include "node/os/systemd_notify.h"

enum { RELAY_SERVE_ARENA_SIZE = 4096, RELAY_SERVE_QUEUE_COUNT = 16 };

struct relay_serve {
    const struct relay_config *config;
    uv_loop_t loop;
    uv_timer_t timer, status_timer;
    uv_signal_t signals[3];
    struct systemd_notify service;
    struct secure_arena *secrets;
    uint8_t *secret;
    struct transport_key public_key;
    struct relay_roster *roster;
    struct zap_authenticator *zap_authenticator;
    struct hub *hub;
    void *memory;
    size_t memory_size;
    struct relay_engine *relay_engine;
    int lock;
    bool pumping, draining, loop_made;
    struct mono started_at, drain_at;
};

static struct mono relay_serve_now(void)
{
    return (struct mono){uv_hrtime() / 1000000};
}

static struct wall relay_serve_wall(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct wall){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

/* ---- the list ---- */

/* Before the first list: the founding publisher only. */
static struct bytes relay_serve_list(const struct relay_serve *serve,
                                     uint8_t founding[static TRANSPORT_ENTRY_SIZE])
{
    if (relay_roster_head(serve->roster).epoch > 0)
        return relay_roster_list(serve->roster);
    memcpy(founding, serve->config->publisher.bytes, KEY_SIZE);
    founding[KEY_SIZE] = TRANSPORT_PUBLISHER;
    return (struct bytes){founding, TRANSPORT_ENTRY_SIZE};
}

/* (L-1): the hub admits every key of the list except those of other relays. */
static err relay_serve_allow(struct relay_serve *serve, struct bytes list)
{
    uint32_t count = transport_list_count(list), allowed = 0;
    struct transport_key *keys = calloc((size_t)count + 1, sizeof *keys);
    if (keys == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        enum transport_role role;
        transport_list_at(list, i, &keys[allowed], &role);
        if (role != TRANSPORT_RELAY)
            allowed++;
    }
    err failure = hub_allow(serve->hub, keys, allowed);
    free(keys);
    return failure;
}

static void relay_serve_verify(struct relay_serve *serve, struct bytes publication)
{
    struct relay_engine_event event = {.kind = RELAY_ENGINE_VERIFIED};
    event.result = relay_roster_take(
        serve->roster, publication,
        serve->config->has_healing ? &serve->config->split_recovery : NULL, relay_serve_wall());
    event.now = relay_serve_now();
    event.head = relay_roster_head(serve->roster);
    event.bytes = relay_roster_list(serve->roster);
    if (event.result == OK)
        log_info("list-taken", log_count("epoch", event.head.epoch),
                 log_hex("head", ID_BYTES(event.head.id)),
                 log_count("listed", transport_list_count(event.bytes)));
    else
        log_warn(
            "list-refused", log_count("bytes", publication.size), log_err("why", event.result),
            event.result == ERR_FORKED
                ? log_text(
                      "do",
                      "if the society says that this head heals a split, set `healing` and restart")
                : LOG_NONE);
    relay_engine_on_event(serve->relay_engine, &event);
    if (event.result == OK && relay_serve_allow(serve, event.bytes) != OK)
        log_error("list-not-applied", log_text("why", "out of memory"),
                  log_text("do", "restart the relay"));
}

/* ---- events and effects ---- */

static void relay_serve_on_timer(uv_timer_t *timer);

static void relay_serve_set_timer(struct relay_serve *serve)
{
    uint64_t due = relay_engine_deadline(serve->relay_engine).ms, now = relay_serve_now().ms;
    if (serve->draining && serve->drain_at.ms < due)
        due = now + 100; /* checks whether everything is sent */
    if (due == UINT64_MAX)
        (void)uv_timer_stop(&serve->timer);
    else
        (void)uv_timer_start(&serve->timer, relay_serve_on_timer, due > now ? due - now : 0, 0);
}

static void relay_serve_send(struct relay_serve *serve, const struct relay_engine_effect *effect)
{
    struct hub_link link = {effect->link};
    err failure = hub_send(serve->hub, link, effect->bytes);
    if (failure == ERR_BUSY)
        relay_engine_blocked(serve->relay_engine, relay_serve_now());
    else if (failure != OK &&
             failure != ERR_NOT_FOUND) /* ERR_NOT_FOUND: the link is down, on_down follows */
        log_error("send-failed", log_err("why", failure));
}

/* Sending and closing may call back; those events wait until the outer call has returned. */
static void relay_serve_pump(struct relay_serve *serve)
{
    struct relay_engine_effect effect;
    if (serve->pumping)
        return;
    serve->pumping = true;
    while (relay_engine_next(serve->relay_engine, relay_serve_now(), &effect)) {
        switch (effect.kind) {
        case RELAY_ENGINE_SEND:
            relay_serve_send(serve, &effect);
            break;
        case RELAY_ENGINE_CLOSE:
            hub_close(serve->hub, (struct hub_link){effect.link});
            break;
        case RELAY_ENGINE_VERIFY:
            relay_serve_verify(serve, effect.bytes);
            break;
        }
    }
    serve->pumping = false;
    relay_serve_set_timer(serve);
}

static void relay_serve_event(struct relay_serve *serve, struct relay_engine_event event)
{
    event.now = relay_serve_now();
    relay_engine_on_event(serve->relay_engine, &event);
    relay_serve_pump(serve);
}

static void relay_serve_on_up(void *user, struct hub_link link, const struct transport_key *peer,
                              enum hub_direction direction)
{
    (void)direction; /* a relay accepts connections only */
    log_debug("link-up", log_hex("peer", ID_BYTES(*peer)));
    relay_serve_event(user, (struct relay_engine_event){
                                .kind = RELAY_ENGINE_LINK_UP, .link = link.id, .key = *peer});
}

static void relay_serve_on_frame(void *user, struct hub_link link, struct bytes frame)
{
    relay_serve_event(user, (struct relay_engine_event){
                                .kind = RELAY_ENGINE_FRAME, .link = link.id, .bytes = frame});
}

static void relay_serve_on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    log_debug("link-down", log_text("why", hub_reason_sentence(reason)));
    relay_serve_event(user,
                      (struct relay_engine_event){.kind = RELAY_ENGINE_LINK_DOWN, .link = link.id});
}

static void relay_serve_on_drained(void *user, struct hub_link link)
{
    relay_serve_event(user,
                      (struct relay_engine_event){.kind = RELAY_ENGINE_DRAINED, .link = link.id});
}

/* ---- status and signals ---- */

static void relay_serve_status(struct relay_serve *serve, const char *state)
{
    uint8_t founding[TRANSPORT_ENTRY_SIZE];
    struct relay_status status = {
        .state = state,
        .uptime_s = (relay_serve_now().ms - serve->started_at.ms) / 1000,
        .head = relay_roster_head(serve->roster),
        .valid_until = relay_roster_valid_until(serve->roster),
        .listed = transport_list_count(relay_serve_list(serve, founding)),
        .counts = relay_engine_counts(serve->relay_engine),
        .refused_handshakes = hub_counts(serve->hub).refused,
        .memory_size = serve->memory_size,
    };
    err failure = relay_status_write(serve->config, &status);
    if (failure != OK)
        log_warn("status-not-written", log_err("why", failure), log_errno("errno", errno));
}

static void relay_serve_on_status(uv_timer_t *timer)
{
    struct relay_serve *serve = timer->data;
    relay_serve_status(serve, serve->draining ? "draining" : "running");
}

static void relay_serve_drain(struct relay_serve *serve)
{
    if (serve->draining) {
        uv_stop(&serve->loop); /* second signal: ends at once */
        return;
    }
    log_info("draining", log_count("ms", RELAY_SERVE_DRAIN_MS));
    systemd_notify_stopping();
    serve->draining = true;
    serve->drain_at = relay_serve_now();
    relay_serve_event(serve, (struct relay_engine_event){.kind = RELAY_ENGINE_DRAIN,
                                                         .until_ms = RELAY_SERVE_DRAIN_MS});
}

static void relay_serve_on_timer(uv_timer_t *timer)
{
    struct relay_serve *serve = timer->data;
    relay_serve_event(serve, (struct relay_engine_event){.kind = RELAY_ENGINE_TIME});
    uint64_t passed = relay_serve_now().ms - serve->drain_at.ms;
    if (serve->draining &&
        (passed >= RELAY_SERVE_DRAIN_MS ||
         (passed >= RELAY_SERVE_FAREWELL_MS && relay_engine_is_idle(serve->relay_engine))))
        uv_stop(&serve->loop);
}

static void relay_serve_on_signal(uv_signal_t *signal, int number)
{
    struct relay_serve *serve = signal->data;
    if (number == SIGUSR1)
        relay_serve_status(serve, serve->draining ? "draining" : "running");
    else
        relay_serve_drain(serve);
}

/* ---- start and end ---- */

static int relay_serve_fail(const char *what, const char *path, err failure, const char *action)
{
    log_error("cannot-start", log_text("what", what), log_text("path", path),
              log_err("why", failure),
              failure == ERR_IO || failure == ERR_EXISTS ? log_errno("errno", errno) : LOG_NONE,
              log_text("do", action));
    return 1;
}

static int relay_serve_open(struct relay_serve *serve)
{
    const struct relay_config *config = serve->config;
    err failure = secure_arena_harden();
    if (failure != OK)
        return relay_serve_fail("hardening", "-", failure,
                                "the kernel refuses setrlimit or prctl(PR_SET_DUMPABLE): allow "
                                "both in the unit or container");
    failure = secure_arena_new(RELAY_SERVE_ARENA_SIZE, &serve->secrets);
    if (failure == OK)
        serve->secret = secure_arena_take(serve->secrets, KEY_SIZE);
    if (failure != OK || serve->secret == NULL)
        return relay_serve_fail("memory for the key", "-", ERR_NO_MEMORY, "free some memory");
    if (!secure_arena_locked(serve->secrets))
        log_warn("key-not-locked", log_text("do", "raise the limit of locked memory"));
    failure = relay_key_load(config->data, serve->secret, &serve->public_key);
    if (failure != OK)
        return relay_serve_fail("relay.key", config->data, failure,
                                "`consilium-relay init --data DIR` makes it; it must belong to the "
                                "relay's user, mode 600");
    failure = relay_status_lock(config->data, &serve->lock);
    if (failure != OK)
        return relay_serve_fail("lock", config->data, failure,
                                "another relay uses this directory; give each its own");
    failure = relay_roster_open(config->data, &config->federation, &serve->roster);
    if (failure != OK)
        return relay_serve_fail("roster", config->data, failure,
                                "check `federation`, or move the file `roster` away and publish "
                                "again");
    return 0;
}

/* Confines the process: paths before the first thread, system calls when everything is open. */
static int relay_serve_confine(struct relay_serve *serve, err (*confine)(const struct sandbox *))
{
    const char *const data[] = {serve->config->data, NULL};
    const char *const none[] = {NULL};
    const struct sandbox sandbox = {.read_paths = none, .write_paths = data};
    err failure = confine(&sandbox);
    if (failure == ERR_UNSUPPORTED) {
        log_warn("not-confined", log_text("why", "this kernel has no Landlock"));
        return 0;
    }
    if (failure != OK)
        return relay_serve_fail("sandbox", serve->config->data, failure,
                                "the kernel refuses the sandbox: see errno, and report this");
    return 0;
}

static int relay_serve_make(struct relay_serve *serve)
{
    uint8_t founding[TRANSPORT_ENTRY_SIZE];
    struct relay_engine_config config = {.federation = serve->config->federation,
                                         .limits = serve->config->limits,
                                         .link_count = serve->config->link_count};
    randombytes_buf(config.secret, sizeof config.secret);
    serve->memory_size = relay_engine_size(&config);
    serve->memory = mmap(NULL, serve->memory_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (serve->memory == MAP_FAILED) {
        serve->memory = NULL;
        return relay_serve_fail("memory", "-", ERR_NO_MEMORY,
                                "lower links or member-window in the configuration");
    }
    serve->relay_engine = relay_engine_init(&config, serve->memory);
    struct relay_head head = relay_roster_head(serve->roster);
    relay_engine_set_list(serve->relay_engine, &head, relay_serve_list(serve, founding),
                          relay_serve_now());
    return 0;
}

static int relay_serve_listen(struct relay_serve *serve)
{
    uint8_t founding[TRANSPORT_ENTRY_SIZE];
    const struct relay_config *config = serve->config;
    struct hub_config hub = {
        .public_key = serve->public_key,
        .secret_key = serve->secret,
        .listen = config->listen,
        .listen_count = config->listen_count,
        .inbound_count_max = config->link_count,
        .queue_count_max = RELAY_SERVE_QUEUE_COUNT,
        .calls = {.on_up = relay_serve_on_up,
                  .on_frame = relay_serve_on_frame,
                  .on_down = relay_serve_on_down,
                  .on_drained = relay_serve_on_drained},
        .user = serve,
    };
    err failure = zap_authenticator_new(&serve->loop, &serve->zap_authenticator);
    if (failure != OK)
        return relay_serve_fail("ZeroMQ", "-", failure,
                                "the kernel refuses the sandbox: see errno, and report this");
    failure = hub_new(serve->zap_authenticator, &hub, &serve->hub);
    if (failure != OK)
        return relay_serve_fail("listen", config_item(config->config, "", "listen", 0), failure,
                                "another program uses the port, or this machine does not have the "
                                "address: change `listen`");
    failure = relay_serve_allow(serve, relay_serve_list(serve, founding));
    if (failure != OK)
        return relay_serve_fail("list", "-", failure, "free some memory");
    return 0;
}

static void relay_serve_watch(struct relay_serve *serve)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    int failed = uv_timer_init(&serve->loop, &serve->timer);
    failed |= uv_timer_init(&serve->loop, &serve->status_timer);
    serve->timer.data = serve->status_timer.data = serve;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        failed |= uv_signal_init(&serve->loop, &serve->signals[i]);
        serve->signals[i].data = serve;
        failed |= uv_signal_start(&serve->signals[i], relay_serve_on_signal, numbers[i]);
    }
    failed |= uv_timer_start(&serve->status_timer, relay_serve_on_status, RELAY_SERVE_STATUS_MS,
                             RELAY_SERVE_STATUS_MS);
    assert(failed == 0);
}

static void relay_serve_started(struct relay_serve *serve)
{
    char fingerprint[FINGERPRINT_TEXT_SIZE], text[ADDRESS_TEXT_MAX];
    struct relay_head head = relay_roster_head(serve->roster);
    relay_key_fingerprint(&serve->public_key, fingerprint);
    for (size_t i = 0; i < serve->config->listen_count; i++) {
        struct address address = hub_address(serve->hub, i);
        address_format(&address, text);
        log_info("listening", log_text("endpoint", text));
    }
    log_info("started", log_hex("key", ID_BYTES(serve->public_key)),
             log_text("fingerprint", fingerprint), log_count("epoch", head.epoch),
             log_count("links", serve->config->link_count),
             log_count("memory_reserved", serve->memory_size));
    if (head.epoch == 0)
        log_info("waiting-for-list", log_hex("publisher", ID_BYTES(serve->config->publisher)));
    relay_serve_status(serve, "running");
    systemd_notify_begin(&serve->service, &serve->loop, NULL, NULL);
}

static void relay_serve_close_handles(struct relay_serve *serve)
{
    systemd_notify_end(&serve->service);
    if (serve->timer.data == NULL)
        return;
    uv_close((uv_handle_t *)&serve->timer, NULL);
    uv_close((uv_handle_t *)&serve->status_timer, NULL);
    for (size_t i = 0; i < sizeof serve->signals / sizeof serve->signals[0]; i++)
        uv_close((uv_handle_t *)&serve->signals[i], NULL);
}

static void relay_serve_end(struct relay_serve *serve)
{
    hub_free(serve->hub);
    zap_authenticator_free(serve->zap_authenticator);
    relay_serve_close_handles(serve);
    if (serve->loop_made) {
        (void)uv_run(&serve->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&serve->loop);
    }
    if (serve->memory != NULL)
        (void)munmap(serve->memory, serve->memory_size);
    relay_roster_close(serve->roster);
    secure_arena_free(serve->secrets);
    if (serve->lock >= 0)
        (void)close(serve->lock);
}

int relay_serve(const struct relay_config *config)
{
    struct relay_serve serve = {.config = config, .lock = -1, .started_at = relay_serve_now()};
    int status = relay_serve_open(&serve);
    if (status == 0)
        status = relay_serve_confine(&serve, sandbox_paths);
    if (status == 0)
        status = relay_serve_make(&serve);
    if (status == 0) {
        serve.loop_made = uv_loop_init(&serve.loop) == 0;
        status = serve.loop_made
                     ? relay_serve_listen(&serve)
                     : relay_serve_fail("event loop", "-", ERR_IO, "raise the limit of open files");
    }
    if (status == 0) {
        relay_serve_watch(&serve);
        status = relay_serve_confine(&serve, sandbox_calls);
    }
    if (status == 0) {
        relay_serve_started(&serve);
        (void)uv_run(&serve.loop, UV_RUN_DEFAULT);
        relay_serve_status(&serve, "ended");
        log_info("ended", LOG_NONE);
    }
    relay_serve_end(&serve);
    return status;
}
