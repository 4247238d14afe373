#include "node/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "node/api/api.h"
#include "node/daemon/confinement.h"
#include "node/items/items.h"
#include "node/links/links.h"
#include "node/os/sched_slice.h"
#include "node/os/systemd_notify.h"

enum { DAEMON_JOB_COUNT_MAX = 4096, DAEMON_SIGNAL_COUNT = 2, DAEMON_SURVEY_MS = 3000 };

struct daemon_federation {
    struct driver *driver;
    struct runtime *runtime; /* the driver's */
    struct links *links;
    struct items *items;
};

struct daemon {
    const struct configuration *configuration;
    const struct identity *identity;
    uv_loop_t loop;
    struct workers *workers;
    struct zap_authenticator *zap_authenticator;
    struct api *api;
    struct daemon_federation federations[CONFIGURATION_FEDERATION_MAX];
    uv_signal_t signals[DAEMON_SIGNAL_COUNT];
    int signal_count;
    struct confinement confinement;
    struct systemd_notify service;
};

static int daemon_complain(const char *subject, const char *what)
{
    fprintf(stderr, "consiliumd: %s%s%s\n", subject,
            subject[0] == '\0' || what[0] == '\0' ? "" : ": ", what);
    return 1;
}

/* ---- starting ---- */

static int daemon_open_runtime(struct daemon *daemon, size_t index)
{
    const struct configuration_federation *federation = &daemon->configuration->federations[index];
    char problem[STORE_PROBLEM_SIZE];
    struct runtime_config config = {.name = federation->name,
                                    .data = federation->data,
                                    .federation = federation->id,
                                    .self = daemon->identity->node_id,
                                    .sign_secret = daemon->identity->sign_secret,
                                    .store_key = daemon->identity->store_key,
                                    .loop = &daemon->loop,
                                    .workers = daemon->workers,
                                    .grants_by_hand = federation->grants_by_hand,
                                    .survey_ms = DAEMON_SURVEY_MS,
                                    .marker =
                                        federation->marker[0] == '\0' ? NULL : federation->marker,
                                    .recordings = daemon->configuration->recordings,
                                    .quota = federation->quota};
    struct config_trouble trouble;
    struct daemon_federation *opened = &daemon->federations[index];
    err failure = driver_open(&config, problem, &opened->driver);
    if (failure != OK) {
        config_complain(daemon->configuration->config, federation->section, "id",
                        problem[0] == '\0' ? err_sentence(failure) : problem, &trouble);
        return daemon_complain(trouble.line, "");
    }
    opened->runtime = driver_runtime(opened->driver);
    const struct roster *roster = runtime_roster(opened->runtime);
    if (roster_current_head(roster) == NULL)
        return daemon_complain(federation->name,
                               "no invitation was taken yet; ask the society for one, then "
                               "`consiliumd join`");
    return 0;
}

static int daemon_open_links(struct daemon *daemon, size_t index)
{
    const struct configuration_federation *federation = &daemon->configuration->federations[index];
    struct daemon_federation *opened = &daemon->federations[index];
    struct config_trouble trouble;
    struct links_config config = {.driver = opened->driver,
                                  .zap_authenticator = daemon->zap_authenticator,
                                  .loop = &daemon->loop,
                                  .public_key = daemon->identity->transport_key,
                                  .secret_key = daemon->identity->transport_secret,
                                  .listen = federation->listen,
                                  .listen_count = federation->listen_count};
    err failure = items_new(opened->runtime, &opened->items);
    if (failure == OK)
        failure = links_new(&config, &opened->links);
    if (failure == OK)
        return 0;
    const char *what = failure == ERR_EXISTS ? "the port is in use; choose another, or stop what "
                                               "listens there"
                       : failure == ERR_IO   ? strerror(errno)
                                             : err_sentence(failure);
    config_complain(daemon->configuration->config, federation->section, "listen", what, &trouble);
    return daemon_complain(trouble.line, "");
}

static int daemon_open_api(struct daemon *daemon)
{
    struct runtime *shells[CONFIGURATION_FEDERATION_MAX];
    struct links *links[CONFIGURATION_FEDERATION_MAX];
    struct items *items[CONFIGURATION_FEDERATION_MAX];
    struct config_trouble trouble;
    for (size_t i = 0; i < daemon->configuration->federation_count; i++) {
        shells[i] = daemon->federations[i].runtime;
        links[i] = daemon->federations[i].links;
        items[i] = daemon->federations[i].items;
    }
    struct api_config config = {.loop = &daemon->loop,
                                .workers = daemon->workers,
                                .socket = daemon->configuration->socket,
                                .group = daemon->configuration->group,
                                .administrators = daemon->configuration->administrators,
                                .privacy_officers = daemon->configuration->privacy_officers,
                                .data = daemon->configuration->data,
                                .identity = daemon->identity,
                                .runtimes = shells,
                                .links = links,
                                .items = items,
                                .count = daemon->configuration->federation_count};
    err failure = api_new(&config, &daemon->api);
    if (failure == OK)
        return 0;
    const char *what = failure == ERR_EXISTS ? "another consiliumd serves it; stop that one first"
                       : failure == ERR_IO   ? strerror(errno)
                                             : err_sentence(failure);
    config_complain(daemon->configuration->config, "", "socket", what, &trouble);
    return daemon_complain(trouble.line, "");
}

static void daemon_stop(struct daemon *daemon);

static void daemon_on_signal(uv_signal_t *signal, int number)
{
    struct daemon *daemon = signal->data;
    log_info("ending", log_text("signal", strsignal(number)));
    systemd_notify_stopping();
    daemon_stop(daemon);
}

static void daemon_watch_signals(struct daemon *daemon)
{
    const int numbers[DAEMON_SIGNAL_COUNT] = {SIGTERM, SIGINT};
    for (; daemon->signal_count < DAEMON_SIGNAL_COUNT; daemon->signal_count++) {
        uv_signal_t *signal = &daemon->signals[daemon->signal_count];
        uv_signal_init(&daemon->loop, signal);
        signal->data = daemon;
        uv_signal_start(signal, daemon_on_signal, numbers[daemon->signal_count]);
    }
}

/* One of the two steps of confinement.h; without them the node does not run. */
static int daemon_confine(struct daemon *daemon, err (*confine)(const struct confinement *))
{
    if (confine(&daemon->confinement) == OK)
        return 0;
    return daemon_complain("the kernel refuses the sandbox, and without it nothing starts",
                           strerror(errno));
}

static int daemon_start(struct daemon *daemon)
{
    unsigned workers = daemon->configuration->workers;
    if (workers == 0)
        workers = (unsigned)uv_available_parallelism();
    confinement_find(daemon->configuration, &daemon->confinement);
    if (daemon_confine(daemon, confinement_paths) != 0)
        return 1;
    sched_slice_short();
    err failure = zap_authenticator_new(&daemon->loop, &daemon->zap_authenticator);
    if (failure == OK)
        failure = workers_new(&daemon->loop, workers, DAEMON_JOB_COUNT_MAX, &daemon->workers);
    if (failure != OK)
        return daemon_complain("cannot start", err_sentence(failure));
    daemon_watch_signals(daemon);
    int status = 0;
    for (size_t i = 0; status == 0 && i < daemon->configuration->federation_count; i++)
        status = daemon_open_runtime(daemon, i);
    for (size_t i = 0; status == 0 && i < daemon->configuration->federation_count; i++)
        status = daemon_open_links(daemon, i);
    if (status == 0)
        status = daemon_open_api(daemon);
    return status == 0 ? daemon_confine(daemon, confinement_calls) : status;
}

/* ---- ending: the door first, then the links, then what is kept ---- */

static void daemon_stop(struct daemon *daemon)
{
    systemd_notify_end(&daemon->service);
    for (; daemon->signal_count > 0; daemon->signal_count--)
        uv_close((uv_handle_t *)&daemon->signals[daemon->signal_count - 1], NULL);
    api_free(daemon->api);
    daemon->api = NULL;
    for (size_t i = 0; i < daemon->configuration->federation_count; i++) {
        struct daemon_federation *federation = &daemon->federations[i];
        links_free(federation->links);
        items_free(federation->items);
    }
    workers_free(daemon->workers);
    daemon->workers = NULL;
    for (size_t i = 0; i < daemon->configuration->federation_count; i++)
        driver_close(daemon->federations[i].driver);
    memset(daemon->federations, 0, sizeof daemon->federations);
    zap_authenticator_free(daemon->zap_authenticator);
    daemon->zap_authenticator = NULL;
}

/* A node whose own users get no answer is of no use to them: systemd starts it again. */
static bool daemon_is_alive(void *arg)
{
    const struct daemon *daemon = arg;
    return api_is_answering(daemon->api);
}

int daemon_run(const struct configuration *configuration, const struct identity *identity)
{
    static struct daemon daemon;
    daemon.configuration = configuration;
    daemon.identity = identity;
    uv_loop_init(&daemon.loop);
    int status = daemon_start(&daemon);
    if (status == 0) {
        log_info("started", log_text("version", CONSILIUM_VERSION),
                 log_text("institution", identity->name),
                 log_hex("node", ID_BYTES(identity->node_id)),
                 log_count("federations", configuration->federation_count),
                 log_text("socket", configuration->socket));
        systemd_notify_begin(&daemon.service, &daemon.loop, daemon_is_alive, &daemon);
    } else {
        daemon_stop(&daemon);
    }
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    uv_loop_close(&daemon.loop);
    log_info("ended", LOG_NONE);
    return status;
}
